#include "carriers/template_render.h"

#include <kainjow/mustache.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "carriers/template_functions.h"
#include "carriers/template_marks.h"

namespace remitod::carriers {
namespace {

namespace mustache = kainjow::mustache;

// {{base_url}} reaches the escaping as this, where it is told apart from other values; the letter is no variable's.
constexpr std::string_view base_url_mark = "\x01*\x02";

// kainjow's own context looks every name up in every scope: a parcel without a declared value would show the order's.
class Scopes final : public mustache::basic_context<std::string> {
 public:
  void push(const mustache::data* scope) override { scopes_.push_back(scope); }
  void pop() override { scopes_.pop_back(); }

  const mustache::data* get(const std::string& name) const override {
    last_name_ = name;
    const std::string first = name.substr(0, name.find('.'));
    for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope)
      if (const mustache::data* found = (*scope)->get(first))
        return first.size() == name.size() ? found : descend(found, std::string_view{name}.substr(first.size() + 1));
    return nullptr;
  }
  const mustache::data* get_partial(const std::string&) const override { return nullptr; }

  const std::string& last_name() const { return last_name_; }

 private:
  static const mustache::data* descend(const mustache::data* from, std::string_view path) {
    while (from) {
      const std::string_view segment = path.substr(0, path.find('.'));
      from = from->is_list() ? element(*from, segment) : from->get(std::string(segment));
      if (segment.size() == path.size()) break;
      path.remove_prefix(segment.size() + 1);
    }
    return from;
  }

  static const mustache::data* element(const mustache::data& list, std::string_view digits) {
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
    const bool whole = error == std::errc{} && end == digits.data() + digits.size();
    return whole && index < list.list_value().size() ? &list.list_value()[index] : nullptr;
  }

  std::vector<const mustache::data*> scopes_;
  mutable std::string last_name_;
};

mustache::data to_data(const JsonValue& value) {
  if (value.is_empty()) return mustache::data{false};
  switch (value.kind) {
    case JsonValue::Kind::boolean:
      if (value.text == "false") return mustache::data{false};
      [[fallthrough]];
    case JsonValue::Kind::number:
    case JsonValue::Kind::text:
      return mustache::data{value.text};
    case JsonValue::Kind::array: {
      mustache::list list;
      for (const JsonValue& item : value.items) {
        list.push_back(to_data(item));
        const bool is_last = list.size() == value.items.size();
        if (list.back().is_object()) list.back().set("comma", mustache::data{!is_last});
      }
      return mustache::data{list};
    }
    case JsonValue::Kind::object: {
      mustache::data object{mustache::data::type::object};
      for (const auto& [name, member] : value.members) object.set(name, to_data(member));
      return object;
    }
    case JsonValue::Kind::null:
      break;
  }
  return mustache::data{false};
}

class Renderer {
 public:
  explicit Renderer(const Rendering& rendering)
      : rendering_(rendering),
        escape_(rendering.part == Part::url      ? Escape::url
                : rendering.part == Part::header ? Escape::none
                                                 : rendering.escape) {}

  std::expected<std::string, RenderError> run(const std::string& text, const JsonValue& values) {
    mustache::data data = to_data(values);
    data.set("base_url", mustache::data{std::string(base_url_mark)});
    data.set("as_xml_text", document_in_a_text(Escape::xml));
    data.set("as_json_text", document_in_a_text(Escape::json));
    data.set("items", marked(mark::items_begin, mark::items_end));
    data.set("comma", marked(mark::between_begin, mark::between_end));
    data.set("next_page", marked(mark::next_page_begin, mark::next_page_end));
    for (unsigned number = 0; number < template_functions().size(); ++number) {
      const FunctionRow& row = template_functions()[number];
      if (row.takes_count)
        set_counted(data, number, counted_stem(row), text);
      else
        data.set(std::string(row.name), application_of(number, ""));
    }
    scopes_.push(&data);

    mustache::mustache compiled{text};
    compiled.set_custom_escape([this](const std::string& value) { return escaped(value); });
    std::string rendered = compiled.is_valid() ? compiled.render(scopes_) : std::string{};
    if (!compiled.is_valid()) return std::unexpected(RenderError{"", compiled.error_message()});
    if (error_) return std::unexpected(*std::move(error_));
    return rendered;
  }

 private:
  std::string escaped(const std::string& value) {
    if (value == base_url_mark)
      return rendering_.part == Part::url ? std::string(rendering_.base_url)
                                          : mark::escape_around(rendering_.base_url, escape_);
    const bool is_hole = value.starts_with(mark::hole_begin);
    if (rendering_.part != Part::body && functions_open_ == 0 && !is_hole && has_control_characters(value) && !error_)
      error_ = RenderError{scopes_.last_name(), "holds a line break or another control character"};
    return mark::escape_around(value, escape_);
  }

  mustache::data document_in_a_text(Escape inner) {
    return mustache::data{mustache::lambda2{[this, inner](const std::string& text, const mustache::renderer& render) {
      const Escape outer = std::exchange(escape_, inner);
      const std::string document = render(text);
      escape_ = outer;
      return mark::escape_around(document, outer);
    }}};
  }

  /// The content is what the function is applied to, as it is: only the result is escaped.
  mustache::data application_of(unsigned function, const std::string& count) {
    return mustache::data{
        mustache::lambda2{[this, function, count](const std::string& text, const mustache::renderer& render) {
          const Escape outer = std::exchange(escape_, Escape::none);
          ++functions_open_;
          std::string content = render(text);
          --functions_open_;
          escape_ = outer;
          if (!count.empty()) content = counted_content(count, content);
          return mark::escape_around(mark::application(function, content), outer);
        }}};
  }

  /// A function whose name holds a number is known by the names that the text calls it by: there would be a thousand.
  void set_counted(mustache::data& data, unsigned function, std::string_view stem, std::string_view text) {
    for (std::size_t at = 0; (at = text.find(stem, at)) != text.npos;) {
      at += stem.size();
      const std::size_t end = std::min(text.find_first_not_of("0123456789", at), text.size());
      const std::string count(text.substr(at, end - at));
      const std::string name = std::string(stem) + count;
      if (find_function(name) == function) data.set(name, application_of(function, count));
    }
  }

  static mustache::data marked(char begin, char end) {
    return mustache::data{mustache::lambda2{[begin, end](const std::string& text, const mustache::renderer& render) {
      return begin + render(text) + end;
    }}};
  }

  Rendering rendering_;
  Escape escape_;
  Scopes scopes_;
  std::size_t functions_open_ = 0;
  std::optional<RenderError> error_;
};

}  // namespace

std::expected<std::string, RenderError> render(const std::string& text, const JsonValue& data,
                                               const Rendering& rendering) {
  return Renderer(rendering).run(text, data);
}

}  // namespace remitod::carriers
