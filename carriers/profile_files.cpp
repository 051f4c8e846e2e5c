#include "carriers/profile_files.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "carriers/profile_fields.h"
#include "carriers/query.h"

namespace remitod::carriers {
namespace {

using Scheme = FileSite::Scheme;

constexpr std::array<std::pair<std::string_view, Scheme>, 5> schemes{{{"file://", Scheme::file},
                                                                      {"ftp://", Scheme::ftp},
                                                                      {"ftpes://", Scheme::ftpes},
                                                                      {"ftps://", Scheme::ftps},
                                                                      {"sftp://", Scheme::sftp}}};

/// A key has several lines, and these stand in no other text.
std::string private_key(TableReader& feed, const LoadContext& context) {
  const auto text = feed.text("key");
  LoadContext constants_only;
  constants_only.constants = context.constants;
  if (!text || !check_text(feed, "key", *text, common_names(constants_only))) return {};
  const auto cut = CutText::cut(*text, context.constants, {}, {Part::body, Escape::none, context.base_url});
  if (cut && cut->is_constant()) return std::string(cut->first_literal());
  feed.error("key", cut ? "expected settings and secrets alone" : cut.error().name + " " + cut.error().message);
  return {};
}

/// "*.csv" as a pattern: '*' is any run of characters, '?' one.
std::string pattern_of(std::string_view glob) {
  std::string pattern;
  for (const char c : glob) {
    if (c == '*')
      pattern += ".*";
    else if (c == '?')
      pattern += '.';
    else
      pattern += RE2::QuoteMeta({&c, 1});
  }
  return pattern;
}

/// The URL's parts: "sftp://HOST/FOLDER/*.csv".
void read_url(TableReader& feed, const LoadContext& context, FilesOperation& files) {
  constexpr std::string_view expected =
      R"(expected a folder and how its files are called, such as "sftp://ftp.carrier.example/out/*.csv" or )"
      R"("file:///var/spool/carrier/*.csv")";
  FileSite& site = files.feed.site;
  if (!feed.has("url")) return feed.error("url", "is missing: " + std::string(expected));
  const std::string filled_url = constant_text(feed, "url", context);
  std::string_view url = filled_url;
  if (url.empty()) return;
  const auto scheme = std::ranges::find_if(schemes, [&](const auto& each) { return url.starts_with(each.first); });
  if (scheme == schemes.end()) return feed.error("url", "expected file://, sftp://, ftpes://, ftps:// or ftp://");
  site.scheme = scheme->second;
  url.remove_prefix(scheme->first.size());
  const std::size_t path = std::min(url.find('/'), url.size());
  const std::size_t name = url.rfind('/') + 1;  // 0: there is none
  site.authority = url.substr(0, path);
  if (name == 0 || url.find_first_of(" \t\r\n#") != url.npos || site.authority.contains('@') ||
      site.authority.empty() != (site.scheme == Scheme::file))
    return feed.error("url", std::string(expected));
  site.folder = url.substr(path, name - path);
  files.feed.files = url.substr(name);
  if (files.feed.files.empty()) files.feed.files = "*";
  // "informe%20*.csv" would match no "informe 1.csv", and nobody would be told.
  if (files.feed.files.contains('%'))
    feed.error("url", "names of files are not percent-encoded: ? is any character, a blank too");
  files.names.push_back(std::make_unique<RE2>(pattern_of(files.feed.files)));
  const bool in_the_clear = site.scheme == Scheme::ftp;
  if (in_the_clear && !context.http_allowed && !is_loopback("ftp://" + site.authority))
    feed.error("url",
               "ftp:// sends the password in the clear: expected ftpes://, ftps:// or sftp://, or "
               "transport.http_allowed = true");
}

/// "SHA256:..." as ssh-keygen -l prints it -> what follows the colon.
void read_host_key(TableReader& feed, const LoadContext& context, FileSite& site) {
  constexpr std::string_view prefix = "SHA256:";
  constexpr std::size_t base64_bytes = 43;  // of 32 bytes, without padding
  if (site.scheme != Scheme::sftp) {
    if (feed.has("host_key")) feed.error("host_key", "only an sftp:// server has a host key");
    return;
  }
  site.host_key = constant_text(feed, "host_key", context);
  if (site.host_key.starts_with(prefix)) site.host_key.erase(0, prefix.size());
  while (site.host_key.ends_with('=')) site.host_key.pop_back();
  if (site.host_key.size() != base64_bytes)
    feed.error("host_key", R"(expected the server's key as ssh-keygen -l prints it, "SHA256:..." with 43 characters)");
}

void read_credentials(TableReader& feed, const LoadContext& context, FileSite& site) {
  const bool has_login = feed.has("user") || feed.has("password") || feed.has("key") || feed.has("key_password");
  if (site.scheme == Scheme::file) {
    if (has_login) feed.error("user", "a folder of this machine has no login");
    return;
  }
  site.user = constant_text(feed, "user", context);
  site.password = constant_text(feed, "password", context);
  site.private_key = private_key(feed, context);
  site.private_key_password = constant_text(feed, "key_password", context);
  if (!feed.has("user")) feed.error("user", "is missing: expected a text such as \"{{settings.user}}\"");
  if (feed.has("key") && site.scheme != Scheme::sftp) feed.error("key", "only an sftp:// server takes a key");
  if (feed.has("key") == feed.has("password"))
    feed.error("password", site.scheme == Scheme::sftp ? "expected either password or key" : "is missing");
  if (feed.has("key_password") && !feed.has("key"))
    feed.error("key_password", "is the password of a key: expected key");
}

void read_after(TableReader& feed, FilesOperation& files) {
  static const std::vector<std::string> words{"leave", "archive", "delete"};  // as After has them
  if (const auto after = feed.choice("after", words)) files.feed.after = static_cast<FileFeed::After>(*after);
  const bool archives = files.feed.after == FileFeed::After::archive;
  std::string folder = feed.text("archive_dir").value_or("");
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  if (archives != feed.has("archive_dir"))
    feed.error("archive_dir",
               archives ? "is missing: expected a folder such as \"done\"" : "needs after = \"archive\"");
  else if (archives && (folder.empty() || folder == "/" || folder == "." || tidy(folder, folder.size()) != folder))
    feed.error("archive_dir", "expected another folder such as \"done\" or \"/out/done\"");
  files.feed.site.archive_folder = std::move(folder);
}

void read_schedule(TableReader& feed, const FileSite& site, FileFeed& into) {
  constexpr std::chrono::seconds interval_min{10}, interval_max{std::chrono::hours{24}};
  into.interval = feed.seconds("interval").value_or(into.interval);
  into.settle = feed.seconds("settle").value_or(into.settle);
  if (into.interval < interval_min || into.interval > interval_max) feed.error("interval", "expected 10 s to 24 h");
  // Most servers list times to the minute: within one, a file could change unseen.
  const std::chrono::seconds settle_min{site.scheme == Scheme::file ? 1 : 60};
  if (into.settle < settle_min || into.settle > interval_max)
    feed.error("settle", "expected " + std::to_string(settle_min.count()) + " s to 24 h");
}

}  // namespace

bool is_file_feed(TableReader& feed) {
  static const std::vector<std::string> kinds{"http", "files"};
  return feed.choice("kind", kinds) == 1;
}

std::shared_ptr<const FilesOperation> load_file_feed(TableReader& feed, const LoadContext& context,
                                                     const TransportOptions& transport) {
  const auto loaded = std::make_shared<FilesOperation>();
  FilesOperation& files = *loaded;
  FileSite& site = files.feed.site;
  site.ca_file = transport.ca_file;
  site.tls_min = transport.tls_min;
  site.connect_timeout = transport.connect_timeout;
  site.total_timeout = transport.total_timeout;
  site.low_speed_bytes = transport.low_speed_bytes;
  site.low_speed_time = transport.low_speed_time;
  site.file_bytes_max = transport.body_bytes_max;
  read_url(feed, context, files);
  read_credentials(feed, context, site);
  read_host_key(feed, context, site);
  if (auto pattern = read_pattern(feed, "pattern")) files.names.push_back(std::move(pattern));
  read_after(feed, files);
  read_schedule(feed, site, files.feed);
  load_reports(feed, files.reports, context, Asks::for_changes);
  if (!files.reports.shipments && feed.has("answer"))
    feed.error("answer", "needs shipments and remito: nobody asks for a number, so a file has to name each");
  return loaded;
}

}  // namespace remitod::carriers
