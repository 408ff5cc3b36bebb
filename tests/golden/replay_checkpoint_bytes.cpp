#include <cstring>

#include "golden/comparison.hpp"
#include "svrg/core/error.hpp"
#include "svrg/module/ndarray_file.hpp"

namespace golden {
namespace {

/// "lin" of "bytes/lin-0001.params", "mixed" of "bytes/mixed.nd".
std::string stem(const std::string& path) {
  const std::size_t begin = path.rfind('/') + 1;
  return path.substr(begin, path.find_first_of("-.", begin) - begin);
}

std::string bare(const std::string& name) {
  return name.starts_with("arg:") || name.starts_with("aux:") ? name.substr(4) : name;
}

/// Whether our bytes of this array alone are found in the original's file.
bool holds(std::span<const std::byte> whole, const svrg::NDArray& array) {
  const auto written = svrg::format_ndarrays({{}, {array}});
  // 24 bytes of header before it, and 8 for the number of names behind it
  const auto own = std::span(written).subspan(24, written.size() - 32);
  return std::search(whole.begin(), whole.end(), own.begin(), own.end()) != whole.end();
}

}  // namespace

void replay_checkpoint_bytes(const svrg::io::Document& file, Comparison& result) {
  for (const auto& [path, variable] : file.variables) {
    if (!path.starts_with("bytes/") || !(path.ends_with(".params") || path.ends_with(".nd")))
      continue;
    const auto& raw = std::get<std::vector<std::uint8_t>>(variable.data.data);
    const auto bytes = std::as_bytes(std::span(raw));
    const svrg::NDArrayList list = svrg::parse_ndarrays(bytes, path);
    result.check(path + ": holds arrays", !list.arrays.empty());

    bool all_written = true;  // whether the file has only types that we write
    for (std::size_t i = 0; i < list.arrays.size(); ++i) {
      const bool same = holds(bytes, list.arrays[i]);
      all_written = all_written && same;
      if (list.names.empty()) {
        result.check(path + ": array " + std::to_string(i) + " is written as it was", same);
        continue;
      }
      const std::string name = bare(list.names[i]), array = "arrays/" + stem(path) + "/" + name;
      const std::vector<double> recorded = numbers(file, array);
      result.compare(path + " " + name, list.arrays[i].values(), recorded);
      result.check(path + " " + name + ": shape", list.arrays[i].shape == shape(file, array));
      const auto& data = file.variables.at(array).data.data;
      const bool ours = std::holds_alternative<std::vector<double>>(data) ||
                        std::holds_alternative<std::vector<float>>(data);
      if (path.ends_with(".params") || (ours && (name == "f64" || name == "f32" || name == "csr")))
        result.check(path + " " + name + " is written as it was", same);
    }
    if (all_written) {
      const auto again = svrg::format_ndarrays(list);
      result.check(path + ": written as it was",
                   std::equal(again.begin(), again.end(), bytes.begin(), bytes.end()));
    }
    // Every file that ends too early must be refused.
    bool refused = true;
    for (std::size_t n = 0; n < bytes.size(); ++n) {
      try {
        svrg::parse_ndarrays(bytes.first(n), path);
        refused = false;
      } catch (const svrg::DataError&) {
      }
    }
    result.check(path + ": its beginnings are refused", refused);
  }
}

}  // namespace golden
