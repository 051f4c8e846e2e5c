#include "daemon/explain_text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>
#include <vector>

#include "daemon/log.h"

namespace remitod::daemon {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 7> day_names{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
/// A cell of the chart is twenty minutes: 72 of them, and the name of the day before, are less than 80 columns.
constexpr std::size_t slots_per_cell = 2, cells_per_day = 72;

std::string shown(const json& object, std::string_view key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return "-";
  return found->is_string() ? printable(found->get_ref<const std::string&>()) : found->dump();
}

/// "2026-11-29T10:03:00Z" as "2026-11-29 10:03Z".
std::string to_the_minute(std::string moment) {
  if (moment.size() < 17) return moment;
  moment[10] = ' ';
  return moment.substr(0, 16) + "Z";
}
std::string minute_of(const json& object, std::string_view key) {
  return to_the_minute(shown(object, key));
}

/// When who is due at `due` is asked at the soonest: not while the carrier rests, or is held. Moments sort as texts,
/// and before all of them "-", which is none.
std::string soonest(const json& report, const std::string& due) {
  return to_the_minute(std::max({due, shown(report, "resting_until"), shown(report, "held_until")}));
}

bool is_there(const json& object, std::string_view key) {
  const auto found = object.find(key);
  return found != object.end() && !found->is_null();
}

std::string number(double value, int digits) {
  std::ostringstream out;
  out.setf(std::ios::fixed);
  out.precision(digits);
  out << value;
  return out.str();
}

std::string percent(double share) {
  return number(share * 100, share < 0.01 ? 1 : 0) + " %";
}

/// At least two digits that say something.
std::string minutes(double value) {
  return number(value, value < 1 ? 2 : value < 20 ? 1 : 0) + " min";
}

std::string length(std::int64_t seconds) {
  if (seconds % 3600 == 0) return std::to_string(seconds / 3600) + " h";
  if (seconds % 60 == 0) return std::to_string(seconds / 60) + " min";
  return std::to_string(seconds) + " s";
}

// ------------------------------------------------------------------ the carrier

std::string stated(const json& budget) {
  if (is_there(budget, "requests_a_day")) return "budget " + shown(budget, "requests_a_day") + " requests a day";
  if (is_there(budget, "target_delay_min"))
    return "to see changes within " + minutes(budget.value("target_delay_min", 0.0));
  const double share = budget.value("share_of_hourly", 1.0);
  return share == 1 ? "budget hourly"
                    : "budget hourly/" + number(1 / share, std::abs(1 / share - std::round(1 / share)) < 0.01 ? 0 : 1);
}

void print_head(std::ostream& out, const json& report) {
  out << shown(report, "carrier") << " (" << shown(report, "title") << "): " << shown(report, "mode");
  if (is_there(report, "budget")) out << ", " << stated(report["budget"]["stated"]);
  out << ", " << shown(report, "shipments") << " shipments, " << shown(report, "due") << " due\n";
  const auto until = [&](std::string_view key) {
    return is_there(report, key) ? " until " + minute_of(report, key) : std::string();
  };
  if (shown(report, "breaker") != "closed") {
    out << "  the carrier fails (" << shown(report, "breaker") << ')';
    if (const std::string error = shown(report, "last_error"); !error.empty() && error != "-") out << ": " << error;
    if (is_there(report, "resting_until")) out << "; rests" << until("resting_until");
    out << '\n';
  }
  if (shown(report, "held_by") != "none")
    out << "  held by its limits (" << shown(report, "held_by") << ')' << until("held_until") << '\n';
}

void print_curve(std::ostream& out, const json& learned, const std::string& zone) {
  static constexpr std::array<std::string_view, 9> bars{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const auto shares = learned["curve"]["shares"].get<std::vector<double>>();
  if (shares.size() != 7 * cells_per_day * slots_per_cell) return;
  std::vector<double> cells;
  for (std::size_t i = 0; i < shares.size(); i += slots_per_cell)
    cells.push_back(std::reduce(shares.begin() + static_cast<std::ptrdiff_t>(i),
                                shares.begin() + static_cast<std::ptrdiff_t>(i + slots_per_cell), 0.0));
  const double top = std::max(std::ranges::max(cells), 1e-12);
  out << "\n  when it publishes, in twenty minutes each (" << zone << ")\n  day  ";
  for (int hour = 0; hour < 24; hour += 3) out << (hour < 10 ? "0" : "") << hour << ":00    ";
  out << '\n';
  for (std::size_t day = 0; day < day_names.size(); ++day) {
    std::string line = "  " + std::string(day_names[day]) + "  ";
    for (std::size_t cell = 0; cell < cells_per_day; ++cell)
      line += bars[static_cast<std::size_t>(std::ceil(cells[day * cells_per_day + cell] / top * 8 - 0.25))];
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << '\n';
  }
}

void print_learned(std::ostream& out, const json& report) {
  const json& learned = report["learned"];
  if (!is_there(learned, "planned_at")) {
    out << "  nothing is known yet (" << shown(learned, "statuses_seen") << " statuses seen): all are asked hourly\n";
    return;
  }
  out << "  learned from " << shown(learned, "statuses_seen") << " statuses; planned "
      << minute_of(learned, "planned_at") << ",\n  follows the story of " << shown(learned, "follows") << '\n';
  std::string peaks;
  for (const json& peak : learned["peaks"])
    peaks += (peaks.empty() ? "" : ", ") + shown(peak, "from") + "-" + shown(peak, "to") + " (" +
             percent(peak.value("share", 0.0)) + ")";
  out << (peaks.empty() ? "  publishes all day" : "  publishes mostly " + peaks) << '\n';
  print_curve(out, learned, shown(report, "zone"));
}

void print_batches(std::ostream& out, const json& batches) {
  if (!batches.value("found", false)) {
    out << "\n  batches: none found; each shipment is asked at its own times\n";
    return;
  }
  std::string sweeps;
  for (const json& sweep : batches["sweeps_min"]) sweeps += (sweeps.empty() ? "+" : ", +") + sweep.dump();
  const double statuses = batches.value("statuses", 0.0);
  out << "\n  batches: found " << minute_of(batches, "since") << "; of " << number(statuses, 0) << " statuses, every "
      << number(batches.value("gap_hours", 0.0), 1) << " h;\n  " << percent(batches.value("stragglers", 0.0))
      << " of all come apart from them\n  last seen " << minute_of(batches, "last") << ", awaited from "
      << minute_of(batches, "awaited_from") << "\n  ";
  if (batches.value("under_way", false))
    out << "one is being swept up: all are asked after " << sweeps << " min\n";
  else
    out << "next look " << minute_of(batches, "next_look") << " at " << shown(batches, "sentinels")
        << " shipment(s);\n  once one shows it, all are asked after " << sweeps << " min\n";
}

void print_budget(std::ostream& out, const json& budget) {
  out << "\n  a poll is worth " << minutes(budget.value("poll_price_min", 0.0)) << " of delay, a request "
      << minutes(budget.value("request_price_min", 0.0)) << "; in the last two days:\n";
  for (const char* what : {"requests", "polls"}) {
    const json& spent = budget[what];
    const double used = spent.value("used", 0.0);
    if (!is_there(spent, "allowed")) {
      out << "  " << what << ": " << number(used, 0) << ", as many as the delay takes\n";
      continue;
    }
    const double allowed = spent.value("allowed", 0.0);
    constexpr std::size_t width = 30;
    const std::size_t filled =
        allowed <= 0 ? 0 : std::min(width, static_cast<std::size_t>(std::lround(width * used / allowed)));
    out << "  " << what << std::string(10 - std::string_view(what).size(), ' ') << '[' << std::string(filled, '#')
        << std::string(width - filled, '.') << "] " << number(used, 0) << " of " << number(allowed, 0) << ", "
        << (used > allowed ? number(used - allowed, 0) + " too many" : number(allowed - used, 0) + " left") << '\n';
  }
}

void print_delays(std::ostream& out, const json& delays) {
  if (delays.value("statuses", 0) == 0) return;
  out << "\n  delay from publication to poll, " << shown(delays, "statuses") << " statuses of the last "
      << shown(delays, "days") << " days:\n  mean " << minutes(delays.value("mean_min", 0.0)) << " +- "
      << minutes(delays.value("mean_error_min", 0.0)) << " (95 %), certainly at most "
      << minutes(delays.value("mean_at_most_min", 0.0)) << "; within 10 min "
      << percent(delays.value("within_10_min", 0.0)) << '\n';
}

// ------------------------------------------------------------------ shipments

std::string reason(const json& shipment) {
  static const std::map<std::string, std::string, std::less<>> reasons{
      {"by_hand", "somebody asked for it by hand"},
      {"under_way", "a request asks about it now"},
      {"phase", "its moment of every interval"},
      {"cold", "nothing is known of this carrier yet: all are asked hourly"},
      {"worth_it", "then the delay to be expected is worth a poll"},
      {"max_interval", "nobody waits longer"},
      {"looked_for", "a look for the carrier's next batch asks about it"}};
  const auto found = reasons.find(shown(shipment, "because"));
  return found == reasons.end() ? shown(shipment, "because") : found->second;
}

void print_shipment(std::ostream& out, const json& report, const json& shipment) {
  out << shown(report, "carrier") << ':' << shown(shipment, "remito") << "  order " << shown(shipment, "order_number")
      << "  " << shown(shipment, "status") << " (" << shown(shipment, "label") << ")\n";
  if (!shipment.value("followed", false)) {
    out << "  is not asked about any more\n";
    return;
  }
  out << "  in this status since " << minute_of(shipment, "status_since") << ", last asked "
      << minute_of(shipment, "last_asked") << "\n  next asked "
      << (shown(shipment, "because") == "under_way" ? minute_of(shipment, "next_due")
                                                    : soonest(report, shown(shipment, "next_due")))
      << ": " << reason(shipment) << '\n';
  if (shown(report, "mode") != "adaptive") return;
  if (shipment.value("chance_then", 0.0) > 0)
    out << "  chance that something was published since: " << percent(shipment.value("chance_now", 0.0)) << " now, "
        << percent(shipment.value("chance_then", 0.0)) << " by then;\n  it waits like those that are "
        << shown(shipment, "waits_like") << ", and a poll is worth " << minutes(shipment.value("poll_price_min", 0.0))
        << " of delay\n";
  if (is_there(shipment, "may_ride_from"))
    out << "  rides along from " << minute_of(shipment, "may_ride_from") << " on where a request has room\n";
  if (is_there(shipment, "next_look_at_carrier"))
    out << "  the carrier's next batch is looked for at " << minute_of(shipment, "next_look_at_carrier")
        << "; a batch that is seen has all asked\n";
  out << "  asked at the latest " << minute_of(shipment, "at_the_latest") << " (max_interval "
      << length(report.value("max_interval_s", std::int64_t{0})) << ")\n";
}

}  // namespace

std::string explain_carrier_text(const json& report) {
  std::ostringstream out;
  print_head(out, report);
  if (!is_there(report, "learned")) {
    out << "  every shipment is asked once in " << length(report.value("interval_s", std::int64_t{3600}))
        << "; next one asked " << (is_there(report, "next_due") ? soonest(report, shown(report, "next_due")) : "-")
        << '\n';
    return out.str();
  }
  print_learned(out, report);
  if (is_there(report["learned"], "planned_at")) print_batches(out, report["batches"]);
  print_budget(out, report["budget"]);
  print_delays(out, report["delays"]);
  return out.str();
}

std::string explain_shipments_text(const json& report) {
  std::ostringstream out;
  for (const json& shipment : report.value("shipments_explained", json::array())) print_shipment(out, report, shipment);
  if (shown(report, "breaker") != "closed" || shown(report, "held_by") != "none") print_head(out, report);
  return out.str();
}

}  // namespace remitod::daemon
