#include "carriers/mapping.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "carriers/answer_rules.h"
#include "carriers/compiled.h"
#include "carriers/query.h"
#include "carriers/status_rules.h"

namespace remitod::carriers {

namespace {

constexpr std::size_t remito_bytes_max = 100;
constexpr std::size_t code_bytes_max = 100;
constexpr std::size_t text_bytes_max = 500;
constexpr std::size_t place_bytes_max = 200;
constexpr std::size_t time_bytes_max = 200;
/// Far above any real history; a carrier that lists more sends something else than one shipment's events.
constexpr std::size_t events_max = 5'000;
/// Enough to see what is wrong; an answer of megabytes of nonsense must not become as many messages.
constexpr std::size_t errors_max = 1'000;

/// The numbers that were asked for, and which of them the answer has named.
class AskedNumbers {
 public:
  enum class Found : std::uint8_t { first_time, again, not_asked };

  explicit AskedNumbers(std::span<const TrackItem> asked) {
    numbers_.reserve(asked.size());
    for (const TrackItem& item : asked) numbers_.push_back({item.remito, false});
    std::ranges::sort(numbers_, {}, &Number::remito);
    const auto repeated = std::ranges::unique(numbers_, {}, &Number::remito);
    numbers_.erase(repeated.begin(), repeated.end());
  }

  Found take(std::string_view remito) {
    const auto number = std::ranges::lower_bound(numbers_, remito, {}, &Number::remito);
    if (number == numbers_.end() || number->remito != remito) return Found::not_asked;
    return std::exchange(number->found, true) ? Found::again : Found::first_time;
  }

  std::vector<std::string> missing() const {
    std::vector<std::string> remitos;
    for (const Number& number : numbers_) {
      if (!number.found) remitos.emplace_back(number.remito);
    }
    return remitos;
  }

  /// Only where exactly one was asked for does an answer without a number say whose it is.
  std::string_view only() const { return numbers_.size() == 1 ? numbers_.front().remito : std::string_view{}; }

 private:
  struct Number {
    std::string_view remito;
    bool found = false;
  };
  std::vector<Number> numbers_;
};

/// Reads one decoded answer to a track request.
class TrackReader {
 public:
  TrackReader(const TrackOperation& track, std::span<const TrackItem> asked) : track_(track), asked_(asked) {}

  TrackAnswer read_document(const pugi::xml_document& document) && {
    if (!track_.shipments) {
      read_shipment(document);
    } else {
      for (const pugi::xpath_node& shipment : select(*track_.shipments, document)) read_shipment(shipment);
    }
    answer_.missing = asked_.missing();
    if (errors_unlisted_ > 0) {
      answer_.errors.push_back({"", std::to_string(errors_unlisted_) + " more errors are not listed"});
    }
    return std::move(answer_);
  }

 private:
  void read_shipment(const pugi::xpath_node& shipment) {
    const std::string remito =
        track_.remito ? read(track_.remito, shipment, remito_bytes_max) : std::string{asked_.only()};
    if (remito.empty()) return add_error(remito, "the answer does not say which shipment this is");
    switch (asked_.take(remito)) {
      case AskedNumbers::Found::not_asked:
        ++answer_.extra;
        return;
      case AskedNumbers::Found::again:
        return add_error(remito, "listed again in the same answer; the first was taken");
      case AskedNumbers::Found::first_time:
        break;
    }
    if (track_.shipment_not_found && holds(*track_.shipment_not_found, shipment)) {
      answer_.reports.push_back({remito, Report::Kind::not_found_yet, {}});
    } else if (track_.snapshot) {
      read_snapshot(remito, shipment);
    } else {
      read_events(remito, shipment);
    }
  }

  void read_snapshot(const std::string& remito, const pugi::xpath_node& shipment) {
    std::expected<TrackingEvent, std::string> event = read_event(shipment);
    if (!event) return add_error(remito, std::move(event.error()));
    answer_.reports.push_back({remito, Report::Kind::snapshot, {std::move(*event)}});
  }

  /// The events from the oldest on, whichever way round the carrier lists them. An event that cannot be read keeps its
  /// position, so that those beside it are the same events when it can be read one day.
  void read_events(const std::string& remito, const pugi::xpath_node& shipment) {
    const pugi::xpath_node_set events = track_.events ? select(*track_.events, shipment) : pugi::xpath_node_set{};
    if (events.size() > events_max) {
      return add_error(remito,
                       std::to_string(events.size()) + " events; at most " + std::to_string(events_max) + " are read");
    }
    Report report{remito, Report::Kind::events, {}};
    report.events.reserve(events.size());
    for (std::size_t position = 0; position < events.size(); ++position) {
      const std::size_t listed = track_.newest_first ? events.size() - 1 - position : position;
      std::expected<TrackingEvent, std::string> event = read_event(events[listed]);
      if (!event) {
        add_error(remito, "event " + std::to_string(listed + 1) + ": " + event.error());
        continue;
      }
      event->position = static_cast<std::uint32_t>(position);
      report.events.push_back(std::move(*event));
    }
    answer_.reports.push_back(std::move(report));
  }

  std::expected<TrackingEvent, std::string> read_event(const pugi::xpath_node& node) const {
    TrackingEvent event;
    event.code = read(track_.code, node, code_bytes_max);
    event.text = read(track_.text, node, text_bytes_max);
    if (event.code.empty() && event.text.empty()) return std::unexpected("has neither a code nor a text");
    std::expected<std::optional<OccurredAt>, std::string> occurred_at = read_time(node);
    if (!occurred_at) return std::unexpected(std::move(occurred_at.error()));
    event.occurred_at = *occurred_at;
    event.place = read(track_.place, node, place_bytes_max);

    const std::string reason = read(track_.reason, node, text_bytes_max);
    const EventMeaning meaning = meaning_of(track_, {event.code, event.text, reason}, node);
    event.status = meaning.status;
    event.reason = meaning.reason;
    if (event.code.empty()) event.code = tidy(event.text, code_bytes_max);
    // The carrier's words for the reason stay readable, above all where they are mapped to `other`.
    if (!reason.empty()) event.text = tidy(event.text.empty() ? reason : event.text + ": " + reason, text_bytes_max);
    return event;
  }

  std::expected<std::optional<OccurredAt>, std::string> read_time(const pugi::xpath_node& node) const {
    const std::string text = read(track_.time, node, time_bytes_max);
    if (text.empty()) {
      if (track_.snapshot) return std::nullopt;
      return std::unexpected(track_.time ? track_.time->text + ": is missing or empty" : "has no time");
    }
    std::expected<OccurredAt, std::string> time = track_.times->read(text);
    if (!time) return std::unexpected(track_.time->text + ": " + time.error());
    return *time;
  }

  void add_error(const std::string& remito, std::string message) {
    if (answer_.errors.size() < errors_max) {
      answer_.errors.push_back({remito, std::move(message)});
    } else {
      ++errors_unlisted_;
    }
  }

  const TrackOperation& track_;
  AskedNumbers asked_;
  TrackAnswer answer_;
  std::size_t errors_unlisted_ = 0;
};

TrackAnswer none_found(std::span<const TrackItem> asked) {
  TrackAnswer answer;
  answer.reports.reserve(asked.size());
  for (const TrackItem& item : asked) {
    answer.reports.push_back({std::string{item.remito}, Report::Kind::not_found_yet, {}});
  }
  return answer;
}

}  // namespace

std::string_view name(CarrierTrouble::Kind kind) {
  switch (kind) {
    case CarrierTrouble::Kind::throttled:
      return "throttled";
    case CarrierTrouble::Kind::auth:
      return "auth";
    case CarrierTrouble::Kind::http_status:
      return "http_status";
    case CarrierTrouble::Kind::malformed:
      return "malformed";
    case CarrierTrouble::Kind::business:
      return "business";
  }
  std::unreachable();
}

std::expected<TrackAnswer, CarrierTrouble> map_track(const Profile& profile, const HttpAnswer& answer,
                                                     std::span<const TrackItem> asked) {
  if (!profile.can_track()) std::abort();
  const TrackOperation& track = *profile.compiled().track;
  std::expected<Document, CarrierTrouble> document = open_answer(track.answer, answer);
  if (!document) return std::unexpected(std::move(document.error()));
  if (track.not_found && holds(*track.not_found, document->tree())) return none_found(asked);
  return TrackReader{track, asked}.read_document(document->tree());
}

}  // namespace remitod::carriers
