// [transport]: how the carrier is reached.
#include <algorithm>
#include <filesystem>
#include <system_error>

#include "carriers/profile_parts.h"

namespace remitod::carriers {
namespace {

/// A file of the profile's folder, or of the installation; it may be stated by a setting.
std::string file_path(TableReader& table, std::string_view key, const LoadContext& context,
                      const std::filesystem::path& folder) {
  const std::string stated = constant_text(table, key, context);
  if (stated.empty()) return {};
  const std::filesystem::path path = folder / stated;
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::none)
    table.error(key, "cannot look for " + path.string() + ": " + error.message());
  else if (!std::filesystem::is_regular_file(status))
    table.error(key, "no such file");
  return path.string();
}

void load_identity(TableReader& table, const LoadContext& context, const std::filesystem::path& folder,
                   TransportOptions& options) {
  options.client_certificate = file_path(table, "client_certificate", context, folder);
  options.client_key = file_path(table, "client_key", context, folder);
  options.client_key_password = constant_text(table, "client_key_password", context);
  if (table.has("client_certificate")) return;
  for (const char* key : {"client_key", "client_key_password"})
    if (table.has(key)) table.error(key, "goes with a client_certificate");
}

void load_route(TableReader& table, const LoadContext& context, TransportOptions& options) {
  options.proxy = constant_text(table, "proxy", context);
  const std::string::size_type scheme = options.proxy.find("://");
  const std::vector<std::string> schemes{"http", "https", "socks5", "socks5h"};
  if (!options.proxy.empty() &&
      (scheme == std::string::npos || std::ranges::find(schemes, options.proxy.substr(0, scheme)) == schemes.end()))
    table.error("proxy", "expected http://HOST:PORT, https://..., socks5://... or socks5h://...");
  options.source_address = constant_text(table, "source_address", context);
  if (const auto count = table.integer("redirects_max", 0, 5)) options.redirects_max = static_cast<int>(*count);
}

}  // namespace

void load_transport(TableReader& root, const LoadContext& context, const std::filesystem::path& folder,
                    TransportOptions& options) {
  static const std::vector<std::string> tls_versions{"1.0", "1.1", "1.2", "1.3"};
  auto table = root.table("transport");
  if (!table) return;
  if (const auto allowed = table->boolean("http_allowed")) options.http_allowed = *allowed;
  if (const auto timeout = table->duration("connect_timeout")) options.connect_timeout = *timeout;
  if (const auto timeout = table->duration("total_timeout")) options.total_timeout = *timeout;
  if (const auto bytes = table->integer("body_bytes_max", 1, 1 << 30))
    options.body_bytes_max = static_cast<std::uint64_t>(*bytes);
  if (const auto bytes = table->integer("low_speed_bytes", 1, 1 << 30)) options.low_speed_bytes = *bytes;
  if (const auto time = table->seconds("low_speed_time")) options.low_speed_time = *time;
  if (const auto count = table->integer("connections_per_host_max", 1, 1000)) options.connections_per_host_max = *count;
  if (const auto version = table->choice("tls_min", tls_versions)) options.tls_min = tls_versions[*version];
  options.ca_file = file_path(*table, "ca_file", context, folder);
  options.ciphers = constant_text(*table, "ciphers", context);
  load_identity(*table, context, folder, options);
  load_route(*table, context, options);
  table->refuse_other_keys();
}

}  // namespace remitod::carriers
