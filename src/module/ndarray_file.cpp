#include "svrg/module/ndarray_file.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "module/ndarray_layout.hpp"
#include "svrg/core/error.hpp"
#include "svrg/io/file.hpp"

namespace svrg {
namespace {

using namespace ndarray_layout;

class Writer {
 public:
  template <class T>
  void number(T value) {
    values(std::span<const T>(&value, 1));
  }
  template <class T>
  void values(std::span<const T> all) {
    const auto bytes = std::as_bytes(all);
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
  void shape(std::span<const Index> extents) {
    number(static_cast<std::int32_t>(extents.size()));
    values(extents);
  }
  /// All between the shape and the positions: the device cpu(0), and the type.
  template <class T>
  void place_and_type() {
    number(std::int32_t{1});
    number(std::int32_t{0});
    number(std::is_same_v<T, double> ? Type::f64 : Type::f32);
  }

  template <class T>
  void array(const std::vector<Index>& whole, const DenseStore<T>& store) {
    // Only the third version knows numbers without axes and arrays without values.
    number(whole.empty() || store.data.empty() ? v3 : v2);
    number(dense);
    shape(whole);
    place_and_type<T>();
    values(std::span<const T>(store.data));
  }
  template <class T>
  void array(const std::vector<Index>& whole, const CsrStore<T>& store) {
    const Index nonzeros[] = {static_cast<Index>(store.values.size())};
    const Index starts[] = {static_cast<Index>(store.starts.size())};
    number(v2);
    number(csr);
    shape(nonzeros);
    shape(whole);
    place_and_type<T>();
    for (const auto& positions :
         {std::span<const Index>(starts), std::span<const Index>(nonzeros)}) {
      number(Type::i64);
      shape(positions);
    }
    values(std::span<const T>(store.values));
    values(std::span<const Index>(store.starts));
    values(std::span<const Index>(std::vector<Index>(store.indices.begin(), store.indices.end())));
  }

  std::vector<std::byte> out;
};

}  // namespace

const NDArray& NDArrayList::at(std::string_view name) const {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) throw DataError(fmt::format("there is no array '{}'", name));
  return arrays[static_cast<std::size_t>(found - names.begin())];
}

std::vector<std::byte> format_ndarrays(const NDArrayList& list) {
  if (!list.names.empty() && list.names.size() != list.arrays.size())
    throw ConfigError(fmt::format("{} names are given for {} arrays; give all or none",
                                  list.names.size(), list.arrays.size()));
  Writer writer;
  writer.number(list_magic);
  writer.number(std::uint64_t{0});
  writer.number(static_cast<std::uint64_t>(list.arrays.size()));
  for (const NDArray& a : list.arrays)
    std::visit([&](const auto& store) { writer.array(a.shape, store); }, a.store);
  writer.number(static_cast<std::uint64_t>(list.names.size()));
  for (const std::string& name : list.names) {
    writer.number(static_cast<std::uint64_t>(name.size()));
    writer.values(std::span<const char>(name));
  }
  return std::move(writer.out);
}

NDArrayList load_ndarrays(const std::string& path) {
  return parse_ndarrays(io::read_file(path), path);
}

void save_ndarrays(const std::string& path, const NDArrayList& list) {
  io::write_file(path, format_ndarrays(list));
}

std::string params_path(const std::string& prefix, Index epoch) {
  return fmt::format("{}-{:04d}.params", prefix, epoch);
}

CheckpointParams load_params(const std::string& prefix, Index epoch) {
  const std::string path = params_path(prefix, epoch);
  NDArrayList list = load_ndarrays(path);
  CheckpointParams params;
  if (list.names.size() != list.arrays.size()) throw DataError(path + ": the arrays have no names");
  for (std::size_t i = 0; i < list.names.size(); ++i) {
    const std::string& name = list.names[i];
    if (!name.starts_with("arg:") && !name.starts_with("aux:"))
      throw DataError(fmt::format("{}: array '{}' is neither an arg: nor an aux:", path, name));
    auto& kind = name.starts_with("arg:") ? params.arg : params.aux;
    kind.insert_or_assign(name.substr(4), std::move(list.arrays[i]));
  }
  return params;
}

void save_params(const std::string& prefix, Index epoch, const std::map<std::string, NDArray>& arg,
                 const std::map<std::string, NDArray>& aux) {
  NDArrayList list;
  const auto append = [&](const std::map<std::string, NDArray>& arrays, const char* kind) {
    for (const auto& [name, array] : arrays) {
      list.names.push_back(kind + name);
      list.arrays.push_back(array);
    }
  };
  append(arg, "arg:");
  append(aux, "aux:");
  save_ndarrays(params_path(prefix, epoch), list);
}

}  // namespace svrg
