#include "io/npz_state.hpp"

#include <fmt/format.h>

#include "io/npy.hpp"
#include "io/path.hpp"
#include "io/zip.hpp"
#include "svrg/core/error.hpp"
#include "svrg/io/document.hpp"

namespace svrg::io {
namespace {

constexpr std::string_view suffix = ".npy";

Array scalar(const State::Value& value) {
  return std::visit([]<class T>(const T& v) -> Array { return {{}, std::vector<T>{v}}; }, value);
}

State::Value value_of(const Array& array) {
  return std::visit(
      []<class T>(const std::vector<T>& v) -> State::Value {
        if constexpr (std::is_integral_v<T>)
          return std::int64_t{v.at(0)};
        else if constexpr (std::is_floating_point_v<T>)
          return double{v.at(0)};
        else
          return v.at(0);
      },
      array.data);
}

}  // namespace

std::vector<std::byte> to_npz(const State& state, const std::string& format) {
  std::vector<ZipEntry> entries;
  const auto add = [&](const std::string& name, const Array& array) {
    if (!is_plain_path(name))
      throw OutputError("the state's '" + name + "' has a name that cannot be a file's");
    entries.push_back({name + std::string(suffix), to_npy(array, name)});
  };
  for (const char* key : {"format", "format_version"}) {
    if (state.arrays.contains(key) || state.values.contains(key))
      throw OutputError("the state's '" + std::string(key) + "' has the name of the file's own");
    add(key, scalar(key == std::string_view("format") ? format : std::string("1.0")));
  }
  for (const auto& [name, value] : state.values) add(name, scalar(value));
  for (const auto& [name, array] : state.arrays) {
    if (array.shape.empty() || state.values.contains(name))
      throw OutputError("the state's array '" + name + "' would come back as a value");
    add(name, array);
  }
  return to_zip(entries);
}

State from_npz(std::span<const std::byte> file, const std::string& format,
               const std::string& name) {
  State state;
  for (const ZipEntry& entry : from_zip(file, name)) {
    if (!entry.name.ends_with(suffix))
      throw DataError(fmt::format("{}: its entry '{}' is no .npy array", name, entry.name));
    const std::string key = entry.name.substr(0, entry.name.size() - suffix.size());
    if (!is_plain_path(key))
      throw DataError(fmt::format("{}: its entry '{}' has an impossible name", name, entry.name));
    Array array = from_npy(entry.bytes, name + ": " + entry.name);
    if (array.shape.empty())
      state.values.emplace(key, value_of(array));
    else
      state.arrays.emplace(key, std::move(array));
  }
  if (state.values.contains("format")) {
    Document said;
    for (const char* key : {"format", "format_version"})
      if (const auto found = state.values.find(key); found != state.values.end())
        if (const auto* text = std::get_if<std::string>(&found->second))
          said.attributes[key] = *text;
    expect_format(said, format, name);
  }
  state.values.erase("format");
  state.values.erase("format_version");
  return state;
}

}  // namespace svrg::io
