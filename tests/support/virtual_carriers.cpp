#include "tests/support/virtual_carriers.h"

#include <algorithm>

namespace remitod::test {
carriers::FetchResult VirtualCarriers::ordinary_answer(const Asked& asked) const {
  const std::string trace = volatile_envelope_ ? std::to_string(sent_.size()) : "same";
  const auto history = [&](const std::string& remito) {
    const auto parcel = parcels_.find({asked.carrier, remito});
    return parcel == parcels_.end() ? std::vector<WireEvent>{} : parcel->second;
  };
  if (asked.carrier == "chazki") {
    if (asked.create) return chazki_granted(asked.order_number);
    return chazki_tracking(history(asked.remitos.at(0)), trace);
  }
  if (asked.carrier == "correios") {
    std::vector<WireParcel> parcels;
    for (const std::string& remito : asked.remitos) parcels.push_back({remito, history(remito)});
    return correios_tracking(parcels, trace);
  }
  if (!asked.create) return oca_tracking(asked.remitos.at(0), history(asked.remitos.at(0)), trace);
  // A number of its own for each reference: as many shipments exist as requests were granted.
  return oca_granted(asked.client_ref, "39055" + std::to_string(sent_.size()), trace);
}

carriers::FetchResult VirtualCarriers::receive(const carriers::HttpRequest& request, Instant now) {
  const Asked asked = read_request(request);
  sent_.push_back({now, asked, request});
  if (service_ && asked.carrier == "test") return service_(request, now);
  if (auto& script = scripts_[asked.carrier]; !script.empty()) {
    const Answer answer = std::move(script.front());
    script.pop_front();
    return answer(asked, now);
  }
  if (const auto always = always_.find(asked.carrier); always != always_.end()) return always->second(asked, now);
  return ordinary_answer(asked);
}

std::vector<SentRequest> VirtualCarriers::creates() const {
  std::vector<SentRequest> result;
  std::ranges::copy_if(sent_, std::back_inserter(result), [](const SentRequest& sent) { return sent.asked.create; });
  return result;
}

std::vector<Instant> VirtualCarriers::asked_at(std::string_view carrier, std::string_view remito) const {
  std::vector<Instant> result;
  for (const SentRequest& sent : sent_)
    if (sent.asked.carrier == carrier && std::ranges::find(sent.asked.remitos, remito) != sent.asked.remitos.end())
      result.push_back(sent.at);
  return result;
}

void VirtualTransport::submit(carriers::HttpRequest request, Done done) {
  in_flight_max_ = std::max(in_flight_max_, ++in_flight_);
  // The carrier acts when the request reaches it, and is heard when its answer is back.
  auto answer = carriers_.receive(request, runtime_.now());
  if (answer) compare(request.known, *answer);
  runtime_.after(carriers_.latency(), [this, answer = std::move(answer), done = std::move(done)]() mutable {
    --in_flight_;
    done(std::move(answer));
  });
}

}  // namespace remitod::test
