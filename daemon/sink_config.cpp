#include "daemon/sink_config.h"

#include <toml++/toml.h>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>

#include "carriers/table_reader.h"
#include "daemon/sink_queue.h"

namespace remitod::daemon {
namespace {

using carriers::TableReader;
using std::chrono::milliseconds;
using namespace std::chrono_literals;

constexpr milliseconds timeout_min = 100ms, timeout_max = 5min;
constexpr int concurrency_max = 256;
constexpr std::size_t retries_max = 50;

bool is_name(std::string_view name) {
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

/// What leaves this machine is encrypted.
bool is_this_machine(const boost::urls::url_view& url) {
  switch (url.host_type()) {
    case boost::urls::host_type::ipv4:
      return url.host_ipv4_address().is_loopback();
    case boost::urls::host_type::ipv6:
      return url.host_ipv6_address().is_loopback();
    default:
      return url.host() == "localhost";
  }
}

/// Or nothing.
std::string url_problem(const std::string& text) {
  const auto url = boost::urls::parse_uri(text);
  // Boost.URL 1.81 takes "127.0.0.1.example" for an address and a path after it.
  const bool whole = url && (url->path().empty() || url->path().front() == '/');
  if (!whole || url->host().empty()) return "expected a URL such as \"https://shop.example/hooks\"";
  if (url->has_userinfo()) return "no credentials in a URL: the signature says who we are";
  if (url->scheme_id() == boost::urls::scheme::https) return "";
  if (url->scheme_id() != boost::urls::scheme::http) return "expected a URL that begins with https://";
  return is_this_machine(*url) ? "" : "http:// is for receivers on this machine: expected https://";
}

void read_webhook(TableReader& reader, const toml::table* table, SinkConfig& sink) {
  sink.url = reader.required_text("url").value_or("");
  if (const std::string problem = url_problem(sink.url); !sink.url.empty() && !problem.empty())
    reader.error("url", problem);
  sink.secrets = reader.texts("secrets");
  if (sink.secrets.empty()) reader.error("secrets", R"(expected at least one: ["credential:NAME"])");
  if (const toml::node* secrets = table ? table->get("secrets") : nullptr)
    sink.secrets_line = static_cast<int>(secrets->source().begin.line);
}

void read_command(TableReader& reader, SinkConfig& sink) {
  sink.command = reader.texts("command");
  if (sink.command.empty() || sink.command.front().empty())
    reader.error("command", R"(expected the program and its arguments: ["/usr/local/bin/NAME", "..."])");
}

SinkConfig read_sink(std::string name, TableReader reader, const toml::table* table) {
  static const std::vector<std::string> types{"webhook", "command"};
  SinkConfig sink;
  sink.name = std::move(name);
  const auto type = reader.choice("type", types);
  if (!type && !reader.has("type")) reader.error("type", R"(is missing: "webhook" or "command")");
  if (!type) return sink;  // without it no other key has a meaning
  sink.type = *type == 0 ? SinkConfig::Type::webhook : SinkConfig::Type::command;
  const bool webhook = sink.type == SinkConfig::Type::webhook;
  if (webhook)
    read_webhook(reader, table, sink);
  else
    read_command(reader, sink);
  sink.concurrency = static_cast<int>(reader.integer("concurrency", 1, concurrency_max).value_or(webhook ? 16 : 1));
  sink.timeout = reader.duration("timeout").value_or(webhook ? 20s : 30s);
  if (sink.timeout < timeout_min || sink.timeout > timeout_max)
    reader.error("timeout", "expected a duration from 100 ms to 5 min");
  sink.retries = reader.has("retries") ? reader.durations("retries") : standard_retries();
  if (sink.retries.size() > retries_max) reader.error("retries", "expected at most 50");
  reader.refuse_other_keys();
  return sink;
}

}  // namespace

std::string_view name(SinkConfig::Type type) {
  return type == SinkConfig::Type::webhook ? "webhook" : "command";
}

std::vector<SinkConfig> read_sinks(const toml::table& root, TableReader& reader) {
  std::vector<SinkConfig> sinks;
  auto tables = reader.table("sinks");
  if (!tables) return sinks;
  for (const std::string& name : tables->keys()) {
    // A colon would make --replay NAME:1..2 ambiguous, and "dead" means every sink there.
    if (!is_name(name) || name == "dead")
      tables->error(name, "expected a name of letters, digits, - and _, other than \"dead\"");
    if (auto table = tables->table(name))
      sinks.push_back(read_sink(name, std::move(*table), root["sinks"][name].as_table()));
  }
  return sinks;
}

}  // namespace remitod::daemon
