#include "carriers/check_names.h"

#include <re2/re2.h>
#include <toml++/toml.h>

#include <algorithm>
#include <string>

namespace remitod::carriers {
namespace {

void collect_texts(const toml::node& node, std::vector<std::string>& texts) {
  if (const toml::table* table = node.as_table()) {
    for (const auto& [key, value] : *table) collect_texts(value, texts);
  } else if (const toml::array* list = node.as_array()) {
    for (const toml::node& value : *list) collect_texts(value, texts);
  } else if (const auto text = node.value<std::string>()) {
    texts.push_back(*text);
  }
}

class UnusedNames {
 public:
  UnusedNames(const toml::table& profile, const ProfileLines& lines) : profile_(profile), lines_(lines) {
    collect_texts(profile, texts_);
  }

  void look_for_stated(const std::string& group) {
    const toml::array* names = profile_[group].as_array();
    if (!names) return;
    for (const toml::node& node : *names)
      if (const auto name = node.value<std::string>(); name && !is_named(group, *name))
        add(group, "no template names {{" + group + "." + *name + "}}, and every installation has to state it");
  }

  void look_for_session() {
    const toml::node_view login = profile_["auth"]["login"];
    look_for_session_of(login.as_table(), "auth.login");
    const toml::array* steps = login.as_array();
    for (std::size_t i = 0; steps && i < steps->size(); ++i)
      look_for_session_of((*steps)[i].as_table(), "auth.login." + std::to_string(i + 1));
  }

  std::vector<Remark> take() { return std::move(remarks_); }

 private:
  void look_for_session_of(const toml::table* step, const std::string& path) {
    const toml::table* values = step ? (*step)["answer"]["session"].as_table() : nullptr;
    if (!values) return;
    for (const auto& [key, value] : *values) {
      const std::string name(key.str());
      if (!is_named("session", name))
        add(path + ".answer.session." + name,
            "no template names {{session." + name + "}}: do requests go out without it?");
    }
  }

  /// {{settings.account}}, or {{account}} within {{#settings}}.
  bool is_named(const std::string& group, const std::string& name) const {
    const RE2 tag(R"(\{\{[#^]?\s*(?:)" + group + R"(\.)?)" + RE2::QuoteMeta(name) + R"(\s*\}\})");
    return std::ranges::any_of(texts_, [&](const std::string& text) { return RE2::PartialMatch(text, tag); });
  }

  void add(const std::string& key, std::string text) { remarks_.push_back({{key, lines_.of(key)}, std::move(text)}); }

  const toml::table& profile_;
  const ProfileLines& lines_;
  std::vector<std::string> texts_;
  std::vector<Remark> remarks_;
};

}  // namespace

std::vector<Remark> unused_names(std::string_view toml, const ProfileLines& lines) {
  const toml::table profile = toml::parse(toml);
  UnusedNames unused(profile, lines);
  unused.look_for_stated("settings");
  unused.look_for_stated("secrets");
  unused.look_for_session();
  return unused.take();
}

}  // namespace remitod::carriers
