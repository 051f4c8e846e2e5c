// Whatever bytes a carrier sends, in whatever format: decoding ends, stays in its limits, never throws, and what it
// gives is a well-formed document of valid UTF-8. The first byte chooses the options, from 'a' on; the second the
// Content-Type, from '0' on; the rest is the answer.

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <pugixml.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "carriers/answer.h"
#include "carriers/charset.h"

namespace {

using namespace remitod::carriers;

/// Small enough for inputs of a few kilobytes to reach them.
DecodeOptions limited(Format format) {
  DecodeOptions options{.format = format};
  options.depth_max = 12;
  options.nodes_max = 1500;
  return options;
}

DecodeOptions with_embedded(Format format) {
  DecodeOptions options = limited(format);
  for (const char* const path : {"//a", "//b/c", "//d | //d//*"})
    options.embedded.push_back(std::make_shared<pugi::xpath_query>(path));
  return options;
}

DecodeOptions csv(CsvOptions options, std::string charset) {
  DecodeOptions all = limited(Format::csv);
  all.csv = std::move(options);
  all.charset = std::move(charset);
  return all;
}

DecodeOptions fixed_width(std::vector<FixedWidthOptions::Record> records, std::string charset) {
  DecodeOptions options = limited(Format::fixed_width);
  options.fixed_width.records = std::move(records);
  options.charset = std::move(charset);
  return options;
}

DecodeOptions segments(Format format, std::vector<std::string> groups) {
  DecodeOptions options = limited(format);
  options.segment_groups = std::move(groups);
  return options;
}

std::vector<DecodeOptions> all_options() {
  DecodeOptions second_part = limited(Format::json);
  second_part.part = "data";
  std::vector<DecodeOptions> options;
  options.push_back(limited(Format::xml));                                                       // a
  options.push_back(with_embedded(Format::xml));                                                 // b
  options.push_back(limited(Format::json));                                                      // c
  options.push_back(with_embedded(Format::json));                                                // d
  options.push_back(second_part);                                                                // e
  options.push_back(csv({}, ""));                                                                // f
  options.push_back(csv({.separator = ";", .header = false, .skip_lines = 1}, "windows-1252"));  // g
  options.push_back(csv({.separator = "||", .quote = '\0'}, ""));                                // h
  options.push_back(fixed_width({{.columns = {{"remito", 1, 6}, {"code", 7, 2}}}}, ""));         // i
  options.push_back(fixed_width({{"shipment", "01", {{"remito", 3, 6}}}, {"event", "02", {{"code", 3, 2}}}},
                                "ISO-8859-1"));                                     // j
  options.push_back(segments(Format::edifact, {"CNI", "CNI/STS", "CNI/STS/NAD"}));  // k
  options.push_back(segments(Format::x12, {"LX", "LX/AT7", "HL"}));                 // l
  return options;
}

constexpr std::array<const char*, 5> content_types{"", "text/xml; charset=ISO-8859-1", "multipart/related; boundary=b",
                                                   "application/json; charset=\"utf-16\"", "text/plain; charset=cp850"};

void require(bool condition, const char* what) {
  if (condition) return;
  std::cerr << "broken: " << what << '\n';
  std::abort();
}

void check_message(const std::string& message) {
  require(message.size() <= 400, "a message is short");
  require(std::ranges::none_of(message, [](char c) { return static_cast<unsigned char>(c) < 0x20; }),
          "a message has no control character");
  require(find_invalid_utf8(message) == std::string::npos, "a message is UTF-8");
}

/// The same by way of the tree, as the decoder would do it if it had the time.
void strip_prefixes(pugi::xml_node element) {
  const auto local = [](std::string_view name) {
    const std::size_t colon = name.find(':');
    return std::string(colon == std::string_view::npos || colon + 1 == name.size() ? name : name.substr(colon + 1));
  };
  element.set_name(local(element.name()).c_str());
  for (pugi::xml_attribute attribute = element.first_attribute(); attribute;) {
    const pugi::xml_attribute next = attribute.next_attribute();
    const std::string name = attribute.name();
    if (name == "xmlns" || name.starts_with("xmlns:"))
      element.remove_attribute(attribute);
    else
      attribute.set_name(local(name).c_str());
    attribute = next;
  }
  for (const pugi::xml_node& child : element.children())
    if (child.type() == pugi::node_element) strip_prefixes(child);
}

std::string written(const pugi::xml_document& tree) {
  std::ostringstream out;
  tree.save(out, "", pugi::format_raw | pugi::format_no_declaration);
  return out.str();
}

void check_tree(const pugi::xml_document& tree) {
  const std::string text = written(tree);
  require(find_invalid_utf8(text) == std::string::npos, "the tree is UTF-8");
  pugi::xml_document again;
  require(bool(again.load_buffer(text.data(), text.size())), "the tree is well formed");
}

/// XML that is plain to see: UTF-8, no characters to leave out, and names of which one colon at most is the prefix's.
void compare_xml(const std::string& body, const std::expected<Document, DecodeError>& document) {
  const auto odd = [&](std::size_t i) {
    const bool prefix =
        body[i] == ':' && (i + 1 == body.size() || !std::isalpha(static_cast<unsigned char>(body[i + 1])));
    return prefix || static_cast<unsigned char>(body[i]) < 0x20 || static_cast<unsigned char>(body[i]) >= 0x80;
  };
  for (std::size_t i = 0; i < body.size(); ++i)
    if (odd(i)) return;
  if (!body.starts_with('<') || body.contains("&#") || body.contains("encoding")) return;
  pugi::xml_document reference;
  const bool parses = bool(reference.load_buffer(body.data(), body.size()));
  if (!document) return require(!parses || document.error().kind != DecodeError::Kind::malformed, "XML is read as XML");
  if (!parses) return;                                     // <a:b></c:b>, which is harmless
  for (const pugi::xml_node& root : reference.children())  // pugixml takes several
    if (root.type() == pugi::node_element) strip_prefixes(root);
  require(written(document->tree()) == written(reference), "the tree is that of the text");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<DecodeOptions> options = all_options();
  if (size < 2) return 0;
  const auto choice = [&](std::size_t place, char first, std::size_t count) {
    return static_cast<std::uint8_t>(data[place] - static_cast<std::uint8_t>(first)) % count;
  };
  const std::string body(data + 2, data + size);
  const DecodeOptions& chosen = options[choice(0, 'a', options.size())];
  const auto document = decode(body, content_types[choice(1, '0', content_types.size())], chosen);
  if (chosen.format == Format::xml && chosen.embedded.empty()) compare_xml(body, document);
  if (!document) {
    check_message(document.error().message);
    return 0;
  }
  require(document->notes().size() <= 21, "notes are few");
  for (const std::string& note : document->notes()) check_message(note);
  check_tree(document->tree());
  return 0;
}
