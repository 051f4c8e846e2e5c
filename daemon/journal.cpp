#include "daemon/journal.h"

#include <sys/uio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>

#include "carriers/digest.h"

namespace remitod::daemon {
namespace {

int priority(Level level) {
  switch (level) {
    case Level::debug:
      return LOG_DEBUG;
    case Level::info:
      return LOG_INFO;
    case Level::warning:
      return LOG_WARNING;
    case Level::error:
      return LOG_ERR;
  }
  return LOG_ERR;
}

std::string_view value_of(std::initializer_list<Field> fields, std::string_view key) {
  for (const Field& field : fields)
    if (field.key() == key) return field.value();
  return {};
}

}  // namespace

std::string message_id(std::string_view event) {
  constexpr std::size_t id_bytes = 16;
  const std::string hash = carriers::hash(carriers::Digest::sha256, "remitod/" + std::string(event));
  return carriers::to_hex(std::string_view(hash).substr(0, id_bytes));
}

std::vector<std::string> journal_entry(Level level, std::string_view event, std::initializer_list<Field> fields) {
  std::vector<std::string> entry;
  const auto add = [&entry](std::string_view name, std::string_view value) {
    if (!value.empty()) entry.push_back(std::string(name) + "=" + std::string(value));
  };
  const std::string carrier(value_of(fields, "carrier"));
  const std::string_view remito = value_of(fields, "remito");
  add("MESSAGE", log_line(event, fields));
  add("PRIORITY", std::to_string(priority(level)));
  add("SYSLOG_IDENTIFIER", "remitod");
  add("REMITOD_EVENT", event);
  add("REMITOD_CARRIER", carrier);
  add("REMITOD_ORDER", value_of(fields, "order"));
  if (!carrier.empty() && !remito.empty()) add("REMITOD_SHIPMENT", carrier + ":" + std::string(remito));
  if (level >= Level::warning) add("MESSAGE_ID", message_id(event));
  return entry;
}

bool send_to_journal(const std::vector<std::string>& entry) {
  std::vector<iovec> parts;
  for (const std::string& field : entry) parts.push_back({const_cast<char*>(field.data()), field.size()});
  return sd_journal_sendv(parts.data(), static_cast<int>(parts.size())) == 0;
}

}  // namespace remitod::daemon
