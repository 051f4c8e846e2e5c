// [auth]: who we are to the carrier, in every operation or through a login.
#include <algorithm>
#include <array>

#include "carriers/digest.h"
#include "carriers/profile_parts.h"

namespace remitod::carriers {
namespace {

enum class Kind : std::uint8_t { none, basic, digest, bearer, header, query, oauth2, login, aws_sigv4 };

constexpr std::string_view bearer_session = "Bearer {{session.token}}";

Query query_of(std::string text) {
  pugi::xpath_query compiled(text.c_str());
  return {"auth", std::move(text), std::move(compiled)};
}

Field field_of(const std::string& xpath) {
  Field field;
  field.name = xpath;
  field.query = query_of(xpath);
  return field;
}

class AuthLoader {
 public:
  AuthLoader(TableReader auth, LoadContext& context, CompiledProfile& profile, TransportOptions& transport)
      : auth_(std::move(auth)), context_(context), profile_(profile), transport_(transport) {}

  void load() {
    static const std::vector<std::string> kinds{"none",  "basic",  "digest", "bearer",   "header",
                                                "query", "oauth2", "login",  "aws_sigv4"};  // as Kind has them
    const Kind kind = static_cast<Kind>(auth_.choice("kind", kinds).value_or(0));
    switch (kind) {
      case Kind::basic:
      case Kind::digest:
        load_user(kind == Kind::digest);
        break;
      case Kind::bearer:
        require("token");
        context_.auth_headers.emplace_back("Authorization", "Bearer " + auth_.text("token").value_or(""));
        constant_text(auth_, "token", context_);
        break;
      case Kind::oauth2:
        load_oauth2();
        break;
      case Kind::login:
        load_login();
        break;
      case Kind::aws_sigv4:
        load_aws();
        break;
      case Kind::none:
      case Kind::header:
      case Kind::query:
        break;
    }
    if (kind != Kind::none) load_additions(kind);
    auth_.refuse_other_keys();
  }

 private:
  void require(std::string_view key) {
    if (!auth_.has(key)) auth_.error(key, "is missing: expected a text");
  }
  std::string required_constant(std::string_view key) {
    static_cast<void>(auth_.required_text(key));
    return constant_text(auth_, key, context_);
  }

  void load_user(bool digest) {
    transport_.basic_user = required_constant("user");
    transport_.basic_password = required_constant("password");
    transport_.digest = digest;
    if (transport_.basic_user.contains(':')) auth_.error("user", "the user of this authentication holds no ':'");
    profile_.secrets.push_back(to_base64(transport_.basic_user + ":" + transport_.basic_password));
  }

  void load_aws() {
    AwsCredentials aws;
    aws.access_key = required_constant("access_key");
    aws.secret_key = required_constant("secret_key");
    aws.region = required_constant("region");
    aws.service = required_constant("service");
    aws.session_token = constant_text(auth_, "session_token", context_);
    profile_.aws = std::move(aws);
  }

  /// Headers and parameters that go with every operation.
  void load_additions(Kind kind) {
    const NamedTexts headers = auth_.text_table("headers");
    const NamedTexts query = auth_.text_table("query");
    if (kind == Kind::header && headers.empty())
      auth_.error("headers", "is missing: expected { \"name\" = \"value\" }");
    if (kind == Kind::query && query.empty()) auth_.error("query", "is missing: expected { name = \"value\" }");
    const NameTree names = common_names(context_);
    if (check_headers(auth_, "headers", headers, names, context_)) {
      std::erase_if(context_.auth_headers, [&](const auto& own) {
        return std::ranges::any_of(headers, [&](const auto& stated) { return stated.first == own.first; });
      });
      context_.auth_headers.insert(context_.auth_headers.end(), headers.begin(), headers.end());
    }
    for (const auto& [name, value] : query) {
      // As a part of a URL that is known to be good.
      TableReader table = *auth_.table("query");
      if (check_text(table, name, value, names)) context_.auth_query.emplace_back(name, value);
    }
  }

  // ---- OAuth2, RFC 6749

  void load_oauth2() {
    static const std::vector<std::string> grants{"client_credentials", "password"};
    static const std::vector<std::string> client_auths{"body", "basic"};
    if (!auth_.has("grant")) auth_.error("grant", R"(is missing: expected "client_credentials" or "password")");
    const bool by_password = auth_.choice("grant", grants).value_or(0) == 1;
    const bool client_in_header = auth_.choice("client_auth", client_auths).value_or(0) == 1;
    const std::string id = required_constant("client_id");
    const std::string secret = required_constant("client_secret");
    std::string form = "grant_type=" + std::string(by_password ? "password" : "client_credentials");
    if (by_password) {
      add_parameter(form, "username", required_constant("user"));
      add_parameter(form, "password", required_constant("password"));
    }
    if (const std::string scope = constant_text(auth_, "scope", context_); !scope.empty())
      add_parameter(form, "scope", scope);

    CallTemplate request = token_request();
    std::string client;
    if (client_in_header) {
      const std::string credentials = to_base64(id + ":" + secret);
      profile_.secrets.push_back(credentials);
      request.headers.emplace_back("Authorization", "Basic " + credentials);
    } else {
      add_parameter(client, "client_id", id);
      add_parameter(client, "client_secret", secret);
    }
    std::string further;
    for (const auto& [name, value] : auth_.text_table("parameters")) {
      TableReader parameters = *auth_.table("parameters");
      add_parameter(further, name, constant_text(parameters, name, context_));
    }

    profile_.session_names = {"token", "refresh_token"};
    context_.session = profile_.session_names;
    SessionRules rules;
    rules.lifetime = auth_.seconds("lifetime");
    rules.refresh_token = 1;
    rules.refresh =
        token_step(request, "grant_type=refresh_token&refresh_token={{session.refresh_token}}" + client + further);
    rules.refresh->request.session = context_.session;
    rules.login.push_back(token_step(std::move(request), form + client + further));
    profile_.session = std::move(rules);
    context_.auth_headers.emplace_back("Authorization", bearer_session);
  }

  static void add_parameter(std::string& form, std::string_view name, std::string_view value) {
    form += '&';
    append_escaped(form, name, Escape::url);
    form += '=';
    append_escaped(form, value, Escape::url);
  }

  CallTemplate token_request() {
    CallTemplate request;
    request.method = "POST";
    request.url = auth_.required_text("token_url").value_or("");
    request.body_escape = Escape::url;
    request.base_url = context_.base_url;
    request.constants = context_.constants;
    const NameTree names = common_names(context_);
    if (!request.url.empty()) check_url(auth_, "token_url", request.url, names, context_);
    request.headers = auth_.text_table("token_headers");
    check_headers(auth_, "token_headers", request.headers, names, context_);
    request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
    request.headers.emplace_back("Accept", "application/json");
    return request;
  }

  static LoginStep token_step(CallTemplate request, std::string form) {
    LoginStep step;
    step.request = std::move(request);
    step.request.body = std::move(form);
    step.answer.decode.format = Format::json;
    Field& error = step.answer.error.emplace();  // the first that is there
    for (const char* xpath : {"/json/error_description", "/json/error", "/json/message"})
      error.parts.push_back(field_of(xpath));
    step.reads_document = true;
    for (const char* xpath : {"/json/access_token", "/json/refresh_token"})
      step.sources.push_back({field_of(xpath), {}, nullptr});
    step.lifetime = field_of("/json/expires_in");
    return step;
  }

  // ---- a login of any other kind

  void load_login() {
    SessionRules rules;
    rules.lifetime = auth_.seconds("lifetime");
    if (!auth_.has("login")) auth_.error("login", "is missing: expected the table [auth.login]");
    if (auto value = auth_.any("login")) {
      if (auto* one = std::get_if<TableReader>(&value->content)) {
        rules.login.push_back(load_step(*one));
      } else if (std::holds_alternative<std::vector<TomlValue>>(value->content)) {
        for (TableReader& step : auth_.tables("login")) rules.login.push_back(load_step(step));
      } else {
        auth_.error("login", "expected a table: [auth.login]");
      }
    }
    profile_.session_names = context_.session;
    profile_.session = std::move(rules);
  }

  LoginStep load_step(TableReader& login) {
    LoginStep step;
    step.request = load_call_request(login, {}, context_);
    step.first_value = context_.session.size();
    if (!login.has("answer")) login.error("answer", "is missing: expected the table [auth.login.answer]");
    if (auto answer = login.table("answer")) {
      load_step_answer(*answer, step);
      answer->refuse_other_keys();
    }
    login.refuse_other_keys();
    return step;
  }

  void load_step_answer(TableReader& answer, LoginStep& step) {
    const NoValue no_value = read_no_value(answer);
    step.reads_document = answer.has("format");
    if (step.reads_document)
      step.answer = read_answer_rules(answer, no_value);
    else
      step.answer.success_statuses = answer.integers("success_statuses", 100, 599);
    step.lifetime = read_field(answer, "lifetime", no_value);
    step.expires_at = read_field(answer, "expires_at", no_value);
    if (answer.has("formats") != answer.has("expires_at"))
      answer.error(answer.has("formats") ? "formats" : "expires_at", "expires_at and formats go together");
    if (std::vector<std::string> formats = answer.texts("formats"); !formats.empty()) {
      auto times = TimeReader::make(std::move(formats), context_.zone);
      if (times)
        step.times = *std::move(times);
      else
        answer.error("formats", times.error());
    }
    if (!answer.has("session"))
      answer.error("session", "is missing: expected what {{session.X}} is, such as { token = \"//token\" }");
    if (auto session = answer.table("session")) load_sources(*session, step, no_value);
    if (!step.reads_document && (step.lifetime || step.expires_at || reads_field(step)))
      answer.error("format", "is missing: expected how the body is written, since something is read from it");
  }

  static bool reads_field(const LoginStep& step) {
    return std::ranges::any_of(step.sources, [](const SessionSource& source) { return source.header.empty(); });
  }

  void load_sources(TableReader& session, LoginStep& step, const NoValue& no_value) {
    for (const std::string& name : session.keys()) {
      if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != name.npos)
        session.error(name, "expected a name of lower case letters, digits and '_'");
      if (std::ranges::find(context_.session, name) != context_.session.end())
        session.error(name, "an earlier step of the login has brought this already");
      if (context_.session.size() == session_values_max) {
        session.error(name, "a session has at most " + std::to_string(session_values_max) + " values");
        return;
      }
      context_.session.push_back(name);
      step.sources.push_back(load_source(session, name, no_value));
    }
  }

  SessionSource load_source(TableReader& session, const std::string& name, const NoValue& no_value) {
    SessionSource source;
    auto value = session.any(name);
    auto* table = value ? std::get_if<TableReader>(&value->content) : nullptr;
    if (!table || !table->has("header")) {
      source.field = read_field(session, name, no_value);
      return source;
    }
    source.header = table->required_text("header").value_or("");
    source.pattern = read_pattern(*table, "pattern", true);
    table->refuse_other_keys();
    if (std::ranges::find(transport_.kept_headers, source.header) == transport_.kept_headers.end())
      transport_.kept_headers.push_back(source.header);
    return source;
  }

  TableReader auth_;
  LoadContext& context_;
  CompiledProfile& profile_;
  TransportOptions& transport_;
};

}  // namespace

void load_auth(TableReader& root, LoadContext& context, CompiledProfile& profile, TransportOptions& transport) {
  for (const auto& [name, value] : context.constants.members.find("secrets")->second.members)
    profile.secrets.push_back(value.text);
  if (auto auth = root.table("auth")) AuthLoader(*std::move(auth), context, profile, transport).load();
}

}  // namespace remitod::carriers
