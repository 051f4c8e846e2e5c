// Three carriers for the demo and for tests that want a carrier with a memory: OCA-like SOAP that makes shipments,
// Correios-like batches of SOAP that publish at the end of the day, Olva-like JSON with days instead of times. Real
// HTTP on a loopback port, on a clock that may run faster than the wall's.
//
//   demo_carriers --port-file FILE [--time-scale N --time-origin RFC3339] [--refuse-postcode CP] [--faults SEED]
//                 [--password TEXT]
//
// GET /demo/stats    how many calls and shipments, and how many references were used twice
// GET /demo/truth    CSV: carrier,number,reference,status,reason,occurred_us,published_us of all that happened until
// now
// GET /demo/outage?carrier=NAME&how=busy|dropped|none    from now on it answers 503, or hangs up; or is well again
// With --faults some creations answer 503 after the shipment was made, break off, or are answered late.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/url/parse.hpp>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>

#include "tests/demo/wire.h"

namespace {

using namespace remitod;
using namespace remitod::demo;
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::use_awaitable;
using asio::ip::tcp;

struct Options {
  std::string port_file;
  double time_scale = 1;
  std::string time_origin = "1970-01-01T00:00:00Z";
  std::string refuse_postcode = "9999";
  std::string password;      ///< that shipments are made with; empty: any
  std::uint64_t faults = 0;  ///< 0: none
};

// What a fault does to one creation, or an outage to every call.
enum class Fault { none, error_after, broken_off, late };

class Carriers {
 public:
  explicit Carriers(const Options& options)
      : options_(options), origin_(from_iso8601(options.time_origin).value_or(Instant{})), dice_(options.faults) {}

  Instant now() const {
    const auto wall = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    const double elapsed = std::chrono::duration<double, std::micro>(wall - origin_).count();
    return origin_ + std::chrono::microseconds{static_cast<std::int64_t>(elapsed * options_.time_scale)};
  }

  std::string soap(std::string_view body) {
    if (body.contains("<IngresoOR ")) return create(body);
    ++calls_["oca"];
    const auto made = made_.find(element(body, "NumeroEnvio"));
    if (made == made_.end()) return soap_tracking(nullptr);
    const Parcel parcel = look("oca", made->first, made->second.entered);
    return soap_tracking(&parcel);
  }

  std::string batch(std::string_view body) {
    ++calls_["correios"];
    std::vector<Parcel> parcels;
    for (const std::string& number : elements(body, "objetos"))
      parcels.push_back(look("correios", number, entered(number)));
    return batch_tracking(parcels);
  }

  std::string json(const std::string& number) {
    ++calls_["olva"];
    const Parcel parcel = look("olva", number, entered(number));
    return json_tracking(&parcel);
  }

  /// Of one carrier, all of it. False: there is no such outage.
  bool set_outage(const std::string& carrier, std::string_view how) {
    if (how == "busy")
      outages_[carrier] = Fault::error_after;
    else if (how == "dropped")
      outages_[carrier] = Fault::broken_off;
    else
      outages_.erase(carrier);
    return how == "busy" || how == "dropped" || how == "none";
  }
  /// Nothing is done for whoever asks it then.
  Fault outage(const std::string& carrier) const {
    const auto found = outages_.find(carrier);
    return found == outages_.end() ? Fault::none : found->second;
  }

  Fault next_fault() {
    if (options_.faults == 0) return Fault::none;
    dice_ = dice_ * 6364136223846793005ULL + 1442695040888963407ULL;
    const auto draw = (dice_ >> 33) % 100;
    return draw < 3 ? Fault::error_after : draw < 6 ? Fault::broken_off : draw < 12 ? Fault::late : Fault::none;
  }

  std::string stats() const {
    std::string text = "{";
    for (const auto& [carrier, count] : calls_) text += "\"" + carrier + "\":" + std::to_string(count) + ",";
    return text + "\"shipments\":" + std::to_string(made_.size()) + ",\"refused\":" + std::to_string(refused_) +
           ",\"duplicates\":" + std::to_string(duplicates_) + "}\n";
  }

  std::string truth() const {
    std::string csv;
    const auto add = [&](const std::string& carrier, const std::string& number, const std::string& reference,
                         const Parcel& parcel) {
      for (const LifeEvent& event : parcel.shown)
        csv += carrier + "," + number + "," + reference + "," + std::string(name(said(carrier, event.step))) + "," +
               std::string(name(reason_of(event.step))) + "," + std::to_string(to_micros(event.occurred_at)) + "," +
               std::to_string(to_micros(event.published_at)) + "\n";
    };
    for (const auto& [number, made] : made_) add("oca", number, made.reference, look("oca", number, made.entered));
    for (const auto& [number, entered_at] : entered_) {
      const std::string carrier = number.ends_with("BR") ? "correios" : "olva";
      add(carrier, number, "", look(carrier, number, entered_at));
    }
    return csv;
  }

 private:
  struct Made {
    std::string reference;
    Instant entered{};
  };

  std::string create(std::string_view body) {
    ++calls_["oca"];
    if (!options_.password.empty() && element(body, "psw") != options_.password) return soap_bad_login();
    const std::string order = element(body, "xml_Datos");
    const std::string reference = attribute(order, "nroremito");
    const std::string recipient = order.substr(std::min(order.find("<destinatario"), order.size()));
    if (attribute(recipient, "cp") == options_.refuse_postcode) {
      ++refused_;
      return soap_refused(reference, "Codigo postal de destino fuera de cobertura", now());
    }
    if (!references_.try_emplace(reference, references_.size()).second) ++duplicates_;
    const std::string digits = std::to_string(made_.size() + 1);
    const std::string number = "1217400000000000000";
    const std::string remito = number.substr(0, number.size() - digits.size()) + digits;
    made_[remito] = {reference, now()};
    return soap_granted(reference, remito, now());
  }

  // The first carrier has no word for being out for delivery.
  static Status said(const std::string& carrier, Step step) {
    const Status status = status_of(step);
    return carrier == "oca" && status == Status::out_for_delivery ? Status::in_transit : status;
  }

  // A number handed out in advance enters the carrier's system when it is first asked about.
  Instant entered(const std::string& number) { return entered_.try_emplace(number, now()).first->second; }

  Parcel look(const std::string& carrier, const std::string& number, Instant entered_at) const {
    const Habit habit = carrier == "oca" ? Habit::prompt : carrier == "correios" ? Habit::end_of_day : Habit::sluggish;
    const std::chrono::hours offset{carrier == "olva" ? -5 : -3};
    return {number, published(life_of(number, entered_at, habit, offset), now())};
  }

  const Options& options_;
  Instant origin_;
  std::uint64_t dice_;
  std::map<std::string, Made> made_;
  std::map<std::string, std::size_t> references_;
  std::map<std::string, Instant> entered_;
  std::map<std::string, std::uint64_t> calls_;
  std::map<std::string, Fault> outages_;
  std::uint64_t refused_ = 0, duplicates_ = 0;
};

struct Answer {
  std::string body;
  std::string type = "text/xml; charset=utf-8";
  http::status status = http::status::ok;
  Fault fault = Fault::none;
};

const std::map<std::string, std::string, std::less<>> carrier_at{{"/ePak_tracking/Oep_TrackEPak.asmx", "oca"},
                                                                 {"/service/rastro", "correios"},
                                                                 {"/webservice/rest/getTrackingInformation", "olva"}};

Answer answer(Carriers& carriers, const http::request<http::string_body>& request) {
  const auto target = boost::urls::parse_origin_form(request.target());
  if (!target) return {"", "text/plain", http::status::bad_request};
  const std::string path = target->path();
  if (path == "/demo/stats") return {carriers.stats(), "application/json"};
  if (path == "/demo/truth") return {carriers.truth(), "text/csv"};
  if (path == "/demo/outage") {
    const auto params = target->params();
    const auto value = [&](std::string_view key) {
      const auto found = params.find(key);
      return found == params.end() ? std::string() : (*found).value;
    };
    const bool known = carriers.set_outage(value("carrier"), value("how"));
    return {"\n", "text/plain", known ? http::status::ok : http::status::bad_request};
  }
  const auto called = carrier_at.find(path);
  if (called == carrier_at.end()) return {"no such call\n", "text/plain", http::status::not_found};
  if (const Fault fault = carriers.outage(called->second); fault != Fault::none)
    return {"", "text/plain", http::status::ok, fault};
  if (called->second == "oca") {
    Answer result{carriers.soap(request.body())};
    if (request.body().contains("<IngresoOR ")) result.fault = carriers.next_fault();
    return result;
  }
  if (called->second == "correios") return {carriers.batch(request.body())};
  const auto number = target->params().find("tracking");
  return {carriers.json(number == target->params().end() ? "" : (*number).value), "application/json"};
}

asio::awaitable<void> serve(tcp::socket socket, Carriers& carriers) {
  beast::tcp_stream stream(std::move(socket));
  beast::flat_buffer buffer;
  try {
    for (;;) {
      http::request<http::string_body> request;
      co_await http::async_read(stream, buffer, request, use_awaitable);
      Answer given = answer(carriers, request);
      if (given.fault == Fault::broken_off) co_return;
      if (given.fault == Fault::error_after) given = {"busy\n", "text/plain", http::status::service_unavailable};
      if (given.fault == Fault::late) {
        asio::steady_timer wait(stream.get_executor(), std::chrono::milliseconds{300});
        co_await wait.async_wait(use_awaitable);
      }
      http::response<http::string_body> response(given.status, request.version());
      response.set(http::field::content_type, given.type);
      response.keep_alive(request.keep_alive());
      response.body() = std::move(given.body);
      response.prepare_payload();
      co_await http::async_write(stream, response, use_awaitable);
      if (!request.keep_alive()) co_return;
    }
  } catch (const boost::system::system_error&) {
    // The other side went away: that is how every conversation ends.
  }
}

asio::awaitable<void> accept(tcp::acceptor& acceptor, Carriers& carriers) {
  for (;;) {
    tcp::socket socket = co_await acceptor.async_accept(use_awaitable);
    socket.set_option(tcp::no_delay(true));
    asio::co_spawn(acceptor.get_executor(), serve(std::move(socket), carriers), asio::detached);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Carriers for the demo, on a loopback port"};
  app.add_option("--port-file", options.port_file, "Where the port is written")->required();
  app.add_option("--time-scale", options.time_scale, "How much faster than the wall's their clock runs");
  app.add_option("--time-origin", options.time_origin, "From which moment on");
  app.add_option("--refuse-postcode", options.refuse_postcode, "Orders to here are refused");
  app.add_option("--password", options.password, "The password that makes shipments; without it any does");
  app.add_option("--faults", options.faults, "Seed of the faults of creations; 0: none");
  CLI11_PARSE(app, argc, argv);

  asio::io_context context{1};
  Carriers carriers(options);
  tcp::acceptor acceptor(context, tcp::endpoint{asio::ip::address_v4::loopback(), 0});
  // Renamed into place, so that whoever waits for the file finds the whole number.
  std::ofstream(options.port_file + ".new") << acceptor.local_endpoint().port() << '\n';
  std::rename((options.port_file + ".new").c_str(), options.port_file.c_str());
  asio::signal_set signals(context, SIGTERM, SIGINT);
  signals.async_wait([&](const boost::system::error_code&, int) { context.stop(); });
  asio::co_spawn(context, accept(acceptor, carriers), asio::detached);
  context.run();
}
