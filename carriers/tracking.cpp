#include "carriers/tracking.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <functional>

namespace remitod {
namespace {

struct Words {
  std::string_view name;
  std::string_view label;
};

constexpr std::array<Words, status_count> statuses{{
    {"registered", "Registrado"},
    {"picked_up", "Recogido"},
    {"in_transit", "En Tránsito"},
    {"out_for_delivery", "En reparto"},
    {"available_for_pickup", "Disponible para recojo"},
    {"attempt_failed", "Intento fallido"},
    {"delivered", "Entregado"},
    {"returning", "En devolución"},
    {"returned", "Devuelto"},
    {"exception", "Incidencia"},
    {"cancelled", "Cancelado"},
    {"expired", "Vencido"},
    {"unmapped", "Sin clasificar"},
}};

constexpr std::array<Words, reason_count> reasons{{
    {"", ""},
    {"recipient_absent", "Cliente ausente"},
    {"address_not_found", "Dirección no encontrada"},
    {"recipient_refused", "Cliente desiste"},
    {"rescheduled", "Reprogramado"},
    {"access_restricted", "Acceso restringido"},
    {"payment_not_ready", "Pago no disponible"},
    {"business_closed", "Local cerrado"},
    {"damaged", "Dañado"},
    {"lost", "Extraviado"},
    {"out_of_coverage", "Fuera de cobertura"},
    {"weather", "Clima"},
    {"security", "Seguridad"},
    {"customs", "Aduana"},
    {"other", "Otro"},
}};

constexpr std::array<std::string_view, 3> zone_sources{"offset", "profile", "assumed"};

template <class Enum, class Table, class Key>
std::optional<Enum> look_up(const Table& table, std::string_view wanted, Key key) {
  for (std::size_t i = 0; i < table.size(); ++i)
    if (key(table[i]) == wanted) return static_cast<Enum>(i);
  return std::nullopt;
}

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  hash ^= value + 0x9e3779b97f4a7c15ULL + (hash << 6) + (hash >> 2);
  return hash;
}

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || text.front() == '-') return std::nullopt;
  return value;
}

}  // namespace

std::string_view name(Status status) {
  return statuses[static_cast<std::size_t>(status)].name;
}
std::string_view name(Reason reason) {
  return reasons[static_cast<std::size_t>(reason)].name;
}
std::string_view label(Status status) {
  return statuses[static_cast<std::size_t>(status)].label;
}
std::string_view label(Reason reason) {
  return reasons[static_cast<std::size_t>(reason)].label;
}
std::string_view name(ZoneSource source) {
  return zone_sources[static_cast<std::size_t>(source)];
}

std::optional<Status> status_from(std::string_view wanted) {
  return look_up<Status>(statuses, wanted, [](const Words& words) { return words.name; });
}
std::optional<Reason> reason_from(std::string_view wanted) {
  return look_up<Reason>(reasons, wanted, [](const Words& words) { return words.name; });
}
std::optional<ZoneSource> zone_source_from(std::string_view wanted) {
  return look_up<ZoneSource>(zone_sources, wanted, [](std::string_view word) { return word; });
}

bool is_terminal(Status status) {
  return status == Status::delivered || status == Status::returned || status == Status::cancelled ||
         status == Status::expired;
}

// XXH3 over 64 bits: good enough to tell one answer of a shipment from its last one, and fast. Nobody gains by forging
// a collision: the carrier that could do so writes the answer anyway.
std::uint64_t fingerprint(std::string_view bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

std::uint64_t fingerprint(const Report& report) {
  std::uint64_t hash = mix(fingerprint(report.remito), static_cast<std::uint64_t>(report.kind));
  for (const TrackingEvent& event : report.events) {
    hash = mix(hash, fingerprint(event.code));
    hash = mix(hash, fingerprint(event.text));
    hash = mix(hash, fingerprint(event.place));
    hash = mix(hash, static_cast<std::uint64_t>(event.status) << 8 | static_cast<std::uint64_t>(event.reason));
    hash = mix(hash, event.position);
    if (event.occurred_at)
      hash = mix(hash, static_cast<std::uint64_t>(to_micros(event.occurred_at->at)) ^
                           static_cast<std::uint64_t>(event.occurred_at->date_only));
  }
  return hash;
}

std::int64_t to_micros(Instant instant) {
  return instant.time_since_epoch().count();
}
Instant from_micros(std::int64_t micros) {
  return Instant{std::chrono::microseconds{micros}};
}

std::string to_iso8601(Instant instant) {
  const auto day = std::chrono::floor<std::chrono::days>(instant);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{instant - day};
  char text[40];
  int length = std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d", static_cast<int>(date.year()),
                             static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                             static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                             static_cast<int>(time.seconds().count()));
  std::string result(text, static_cast<std::size_t>(length));
  if (const auto micros = time.subseconds().count(); micros != 0) {
    length = std::snprintf(text, sizeof text, ".%06d", static_cast<int>(micros));
    result.append(text, static_cast<std::size_t>(length));
    while (result.back() == '0') result.pop_back();
  }
  return result += 'Z';
}

std::optional<Instant> from_iso8601(std::string_view text) {
  const auto field = [&](std::size_t at, std::size_t length) -> std::optional<int> {
    return text.size() < at + length ? std::nullopt : number(text.substr(at, length));
  };
  const auto year = field(0, 4), month = field(5, 2), day = field(8, 2);
  if (!year || !month || !day || text[4] != '-' || text[7] != '-') return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  Instant result = std::chrono::sys_days{date};
  if (text.size() == 10) return result;

  const auto hour = field(11, 2), minute = field(14, 2), second = field(17, 2);
  if (!hour || !minute || !second || (text[10] != 'T' && text[10] != ' ') || text[13] != ':' || text[16] != ':')
    return std::nullopt;
  if (*hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  result += std::chrono::hours{*hour} + std::chrono::minutes{*minute} + std::chrono::seconds{*second};
  std::size_t at = 19;
  if (at < text.size() && text[at] == '.') {
    std::int64_t unit = 100'000;
    const std::size_t first = ++at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10)
      result += std::chrono::microseconds{unit * (text[at] - '0')};
    if (at == first) return std::nullopt;
  }
  if (text.substr(at) == "Z" || text.substr(at) == "z") return result;
  const auto offset_hours = field(at + 1, 2), offset_minutes = field(at + 4, 2);
  if (text.size() != at + 6 || !offset_hours || !offset_minutes || text[at + 3] != ':' || *offset_hours > 23 ||
      *offset_minutes > 59 || (text[at] != '+' && text[at] != '-'))
    return std::nullopt;
  const auto offset = std::chrono::hours{*offset_hours} + std::chrono::minutes{*offset_minutes};
  return text[at] == '+' ? result - offset : result + offset;
}

}  // namespace remitod
