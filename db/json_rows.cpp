#include "db/json_rows.h"

#include <nlohmann/json.hpp>

namespace remitod::db {

std::string to_parameter(const nlohmann::json& rows) {
  return rows.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string storable(std::string_view text) {
  std::string result(text);
  std::erase(result, '\0');
  return result;
}

std::string ids_parameter(std::span<const std::int64_t> ids) {
  nlohmann::json array = nlohmann::json::array();
  for (const std::int64_t id : ids) array.push_back(id);
  return to_parameter(array);
}

std::string texts_parameter(std::span<const std::string> texts) {
  nlohmann::json array = nlohmann::json::array();
  for (const std::string& text : texts) array.push_back(storable(text));
  return to_parameter(array);
}

}  // namespace remitod::db
