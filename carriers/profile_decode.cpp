#include "carriers/profile_decode.h"

#include <algorithm>
#include <pugixml.hpp>
#include <string>
#include <vector>

#include "carriers/charset_converter.h"
#include "carriers/document_tree.h"
#include "carriers/profile_fields.h"

namespace remitod::carriers {
namespace {

constexpr std::size_t group_levels_max = 8;

void read_embedded(TableReader& answer, DecodeOptions& options) {
  for (const std::string& path : answer.texts("embedded")) {
    if (holds_variable(path)) {
      answer.error("embedded", std::string(no_template));
      continue;
    }
    try {
      auto query = std::make_shared<pugi::xpath_query>(path.c_str());
      if (query->return_type() == pugi::xpath_type_node_set)
        options.embedded.push_back(std::move(query));
      else
        answer.error("embedded", "expected an XPath that gives elements, not a value: " + path);
    } catch (const pugi::xpath_exception& error) {
      answer.error("embedded", "is not an XPath 1.0 expression: " + path + ": " + error.result().description() +
                                   " at character " + std::to_string(error.result().offset + 1));
    }
  }
}

void read_csv(TableReader& table, CsvOptions& csv) {
  if (const auto separator = table.text("separator")) {
    csv.separator = *separator;
    if (separator->empty() || separator->size() > 4 || separator->find_first_of("\r\n") != std::string::npos)
      table.error("separator", "expected one to four characters, such as \";\" or \"\\t\"");
  }
  if (const auto quote = table.text("quote")) {
    csv.quote = quote->empty() ? '\0' : quote->front();
    if (quote->size() > 1) table.error("quote", "expected one character, or \"\" where cells are not quoted");
  }
  if (csv.separator.contains(csv.quote)) table.error("separator", "expected another character than the quote");
  csv.header = table.boolean("header").value_or(csv.header);
  csv.skip_lines = static_cast<std::size_t>(table.integer("skip_lines", 0, 1000).value_or(0));
  table.refuse_other_keys();
}

/// An element's name that the profile chose itself: one that XPath can say.
std::string read_name(TableReader& table) {
  const std::string name = table.required_text("name").value_or("_");
  if (element_name(name) != name)
    table.error("name", "expected the name of an element: letters, digits and _, no digit first");
  return name;
}

std::vector<FixedWidthOptions::Column> read_columns(TableReader& table) {
  constexpr std::int64_t line_max = 100'000;
  std::vector<FixedWidthOptions::Column> columns;
  for (TableReader& column : table.tables("columns")) {
    const std::string name = read_name(column);
    for (const char* key : {"start", "width"})
      if (!column.has(key)) column.error(key, "is missing: expected a number of characters");
    const auto start = column.integer("start", 1, line_max);
    const auto width = column.integer("width", 1, line_max);
    columns.push_back({name, static_cast<std::size_t>(start.value_or(1)), static_cast<std::size_t>(width.value_or(1))});
    column.refuse_other_keys();
  }
  if (columns.empty()) table.error("columns", "expected columns such as {name = \"code\", start = 13, width = 2}");
  return columns;
}

void read_fixed_width(TableReader& table, FixedWidthOptions& fixed_width) {
  if (table.has("columns") == table.has("records"))
    table.error("", "expected either columns, or records that differ in how their lines begin");
  if (table.has("columns")) fixed_width.records = {{.columns = read_columns(table)}};
  for (TableReader& record : table.tables("records")) {
    const std::string name = read_name(record);
    fixed_width.records.push_back({name, record.required_text("prefix").value_or(""), read_columns(record)});
    record.refuse_other_keys();
  }
  table.refuse_other_keys();
}

/// "CNI/STS" only where "CNI" is a group as well.
void check_group(TableReader& table, const std::string& path, const std::vector<std::string>& groups) {
  const std::size_t slash = path.rfind('/');
  const std::string parent = path.substr(0, slash == std::string::npos ? 0 : slash);
  if (static_cast<std::size_t>(std::ranges::count(path, '/')) >= group_levels_max)
    table.error("groups", path + ": at most " + std::to_string(group_levels_max) + " groups in each other");
  else if (!parent.empty() && std::ranges::find(groups, parent) == groups.end())
    table.error("groups", path + " stands in " + parent + ", which is not listed as a group");
}

std::vector<std::string> read_groups(TableReader& table) {
  std::vector<std::string> groups = table.texts("groups");
  for (const std::string& path : groups) check_group(table, path, groups);
  table.refuse_other_keys();
  return groups;
}

/// The table of the answer's own format. That of another is a mistake.
void read_format_options(TableReader& answer, std::string_view format, DecodeOptions& options) {
  for (const std::string_view other : {"csv", "fixed_width", "edifact", "x12"}) {
    if (!answer.has(other)) continue;
    if (other != format) {
      answer.error(other, "the format is \"" + std::string(format) + "\"");
      continue;
    }
    auto table = answer.table(other);
    if (!table) continue;
    if (options.format == Format::csv)
      read_csv(*table, options.csv);
    else if (options.format == Format::fixed_width)
      read_fixed_width(*table, options.fixed_width);
    else
      options.segment_groups = read_groups(*table);
  }
  if (options.format == Format::fixed_width && !answer.has("fixed_width"))
    answer.error("fixed_width", "is missing: expected a table with the columns");
}

}  // namespace

DecodeOptions read_decode_options(TableReader& answer) {
  static const std::vector<std::string> formats{"xml", "json", "csv", "fixed_width", "edifact", "x12"};  // as Format
  DecodeOptions options;
  if (!answer.has("format")) answer.error("format", "is missing: expected a format such as \"xml\" or \"json\"");
  if (const auto format = answer.choice("format", formats)) {
    options.format = static_cast<Format>(*format);
    read_format_options(answer, formats[*format], options);
  }
  if (const auto charset = answer.text("charset")) {
    options.charset = *charset;
    if (!is_charset_name(*charset) || !CharsetConverter("UTF-8", *charset).known())
      answer.error("charset", "is not a character set that iconv knows");
  }
  if (answer.has("part")) options.part = answer.required_text("part").value_or("");
  read_embedded(answer, options);
  return options;
}

}  // namespace remitod::carriers
