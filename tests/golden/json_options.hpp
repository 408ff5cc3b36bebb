#pragma once
#include <nlohmann/json.hpp>

#include "svrg/core/options.hpp"

namespace golden {

/// A JSON object of scalars and lists of numbers as keyword arguments.
inline svrg::Value value_of(const nlohmann::json& j) {
  if (j.is_null()) return {};
  if (j.is_boolean()) return j.get<bool>();
  if (j.is_number_integer()) return j.get<std::int64_t>();
  if (j.is_number()) return j.get<double>();
  if (j.is_array()) return j.get<svrg::Value::Tuple>();
  return j.get<std::string>();
}

inline svrg::Options options_of(const nlohmann::json& object) {
  svrg::Options options;
  for (const auto& [name, value] : object.items()) options[name] = value_of(value);
  return options;
}

}  // namespace golden
