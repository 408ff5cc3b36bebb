#include "io/json_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "io/path.hpp"
#include "svrg/core/error.hpp"
#include "svrg/io/document.hpp"

namespace svrg::io {
namespace {

// nlohmann writes the shortest digits that read back to the same double.
using Json = nlohmann::ordered_json;

template <class T>
const T& finite(const T& value, const std::string& name) {
  if constexpr (std::is_floating_point_v<T>)
    if (!std::isfinite(value))
      throw OutputError(name + " holds NaN or infinity, which JSON cannot hold; use .h5 or .npz");
  return value;
}

Json to_json(const Array& array, const std::string& name) {
  Json data = Json::array();
  std::visit(
      [&](const auto& values) {
        for (const auto& value : values) data.push_back(finite(value, name));
      },
      array.data);
  return {{"shape", array.shape}, {"data", std::move(data)}};
}

class Reader {
 public:
  explicit Reader(const std::string& name) : name_(name) {}

  State read(const Json& json, const std::string& format) const {
    Document said;
    for (const char* key : {"format", "format_version"})
      if (const auto found = json.find(key); found != json.end() && found->is_string())
        said.attributes[key] = found->get<std::string>();
    expect_format(said, format, name_);
    State state;
    for (const auto& [key, value] : object(json, "values").items())
      state.values.emplace(plain(key), value_of(value, key));
    for (const auto& [key, array] : object(json, "arrays").items())
      state.arrays.emplace(plain(key), array_of(array, key));
    return state;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw DataError(name_ + ": " + what); }

  const Json& object(const Json& json, const char* key) const {
    const auto found = json.find(key);
    if (found == json.end() || !found->is_object())
      fail(fmt::format("\"{}\" is missing or no object", key));
    return *found;
  }

  const std::string& plain(const std::string& key) const {
    if (!is_plain_path(key)) fail("'" + key + "' is no name of a value or array");
    return key;
  }

  State::Value value_of(const Json& value, const std::string& key) const {
    if (value.is_string()) return value.get<std::string>();
    if (value.is_boolean()) return std::int64_t{value.get<bool>()};
    if (is_integer(value)) return value.get<std::int64_t>();
    if (value.is_number()) return value.get<double>();
    fail("value '" + key + "' is neither a number nor a text");
  }

  // An unsigned number is one above 2^63 − 1 or not.
  static bool is_integer(const Json& value) {
    return value.is_number_integer() &&
           (!value.is_number_unsigned() || value.get<std::uint64_t>() <= INT64_MAX);
  }

  Array array_of(const Json& json, const std::string& key) const {
    const auto shape = json.find("shape"), data = json.find("data");
    if (!json.is_object() || shape == json.end() || data == json.end() || !shape->is_array() ||
        !data->is_array())
      fail("array '" + key + "' has no \"shape\" and \"data\"");
    Array array;
    std::size_t bound = 1;  // takes empty axes for one element
    bool empty = false;
    for (const Json& n : *shape) {
      if (!is_integer(n) || n.get<Index>() < 0) fail("array '" + key + "' has an impossible shape");
      array.shape.push_back(n.get<Index>());
      empty = empty || array.shape.back() == 0;
      const auto axis = static_cast<std::size_t>(std::max<Index>(array.shape.back(), 1));
      if (__builtin_mul_overflow(bound, axis, &bound) || bound > std::size_t{1} << 59)
        fail("array '" + key + "' has an impossible shape");
    }
    if (data->size() != (empty ? 0 : bound))
      fail(fmt::format("array '{}' has {} values, but its shape needs {}", key, data->size(),
                       empty ? 0 : bound));
    const auto all = [&](const auto& is) { return std::ranges::all_of(*data, is); };
    if (!data->empty() && all([](const Json& v) { return v.is_string(); }))
      array.data = data->get<std::vector<std::string>>();
    else if (!data->empty() && all(is_integer))
      array.data = data->get<std::vector<std::int64_t>>();
    else if (all([](const Json& v) { return v.is_number(); }))
      array.data = data->get<std::vector<double>>();
    else
      fail("array '" + key + "' holds neither numbers nor texts");
    return array;
  }

  const std::string& name_;
};

}  // namespace

std::string to_json(const State& state, const std::string& format) {
  Json json = {{"format", format}, {"format_version", "1.0"}};
  Json &values = json["values"] = Json::object(), &arrays = json["arrays"] = Json::object();
  for (const auto& entry : state.values)
    values[entry.first] =
        std::visit([&](const auto& v) { return Json(finite(v, entry.first)); }, entry.second);
  for (const auto& [name, array] : state.arrays) arrays[name] = to_json(array, name);
  try {
    return json.dump(1) + '\n';
  } catch (const Json::exception& error) {
    throw OutputError(fmt::format("cannot be written as JSON: {}", error.what()));
  }
}

State from_json(std::string_view text, const std::string& format, const std::string& name) {
  try {
    return Reader(name).read(Json::parse(text), format);
  } catch (const Json::exception& error) {
    throw DataError(fmt::format("{}: cannot be read as JSON: {}", name, error.what()));
  }
}

}  // namespace svrg::io
