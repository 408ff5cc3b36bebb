#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <memory>

#include "golden/comparison.hpp"
#include "svrg/core/error.hpp"
#include "svrg/io/file.hpp"
#include "svrg/module/iterators.hpp"

namespace golden {
namespace {

using svrg::Index;
using svrg::NDArray;

struct Batches {
  std::vector<double> data, labels, pads;
};

Batches take_all(svrg::DataIter& iter) {
  Batches all;
  const auto append = [](std::vector<double>& to, const NDArray& array) {
    const std::vector<double> values = array.values();
    to.insert(to.end(), values.begin(), values.end());
  };
  for (const svrg::DataBatch& batch : iter) {
    append(all.data, batch.data[0]);
    append(all.labels, batch.label[0]);
    all.pads.push_back(static_cast<double>(batch.pad));
  }
  return all;
}

NDArray array_of(const svrg::io::Document& file, const std::string& path) {
  const std::vector<double> values = numbers(file, path);
  return {shape(file, path), std::vector<float>(values.begin(), values.end())};
}

void replay_ndarray(const svrg::io::Document& file, const std::string& group, Comparison& result) {
  const std::string mode = group.substr(group.find('_') + 1);
  const NDArray x = array_of(file, "X"), y = array_of(file, "Y");
  const Index batch = shape(file, group + "/epoch0/labels")[1];
  svrg::NDArrayIter iter(x, y, {.batch_size = batch, .last_batch_handle = mode});
  const std::vector<double> rows = x.values();
  for (Index epoch = 0; has(file, fmt::format("{}/epoch{}/labels", group, epoch)); ++epoch) {
    iter.reset();
    const Batches got = take_all(iter);
    const std::string path = fmt::format("{}/epoch{}", group, epoch);
    result.compare(path + "/labels", got.labels, numbers(file, path + "/labels"));
    // Labels number the rows of X.
    std::vector<double> wanted;
    for (const double label : got.labels)
      for (Index c = 0; c < x.row_size(); ++c)
        wanted.push_back(
            rows[static_cast<std::size_t>(static_cast<Index>(label) * x.row_size() + c)]);
    result.compare(path + " data", got.data, wanted);
    // The original reports as padding of the first batch how many rows were carried over, though
    // they are no copies; here padding is always what may be cut off the end.
    std::vector<double> pads = numbers(file, path + "/pad");
    if (mode == "roll_over") std::fill(pads.begin(), pads.end(), 0);
    result.compare(path + "/pad", got.pads, pads);
  }
}

class Folder {
 public:
  Folder()
      : path_(std::filesystem::temp_directory_path() /
              fmt::format("svrg_golden_iterators_{}", getpid())) {
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string file(const std::string& name, const std::string& text) const {
    const std::string path = (path_ / name).string();
    svrg::io::write_file(path, std::string_view(text));
    return path;
  }

 private:
  std::filesystem::path path_;
};

std::string csv_text(const NDArray& array) {
  std::string text;
  const std::vector<double> values = array.values();
  for (std::size_t i = 0; i < values.size(); ++i)
    text += fmt::format("{:.1f}{}", values[i],
                        static_cast<Index>(i + 1) % array.row_size() == 0 ? '\n' : ',');
  return text;
}

}  // namespace

void replay_iterators(const svrg::io::Document& file, Comparison& result) {
  const Folder folder;
  const NDArray x = array_of(file, "X"), y = array_of(file, "Y");
  const std::string data_csv = folder.file("x.csv", csv_text(x));
  const std::string label_csv = folder.file("y.csv", csv_text(y));
  const auto& text = std::get<std::vector<std::string>>(file.variables.at("libsvm_text").data.data);
  const std::string libsvm = folder.file("x.libsvm", text.at(0));
  for (const auto& [group, attributes] : file.groups) {
    if (has(file, group + "/epoch0/labels")) replay_ndarray(file, group, result);
    if (!has(file, group + "/data")) continue;
    char kind[16] = "";
    int parts = 0, part = 0, round = 0;
    if (std::sscanf(group.c_str(), "%15[a-z]_parts%d_index%d_round%d", kind, &parts, &part,
                    &round) != 4)
      throw svrg::DataError("a group that is not known: " + group);
    const std::vector<Index> extents = shape(file, group + "/data");
    std::unique_ptr<svrg::DataIter> iter;
    if (std::string_view(kind) == "csv")
      iter = std::make_unique<svrg::CSVIter>(svrg::CSVIterOptions{.data_csv = data_csv,
                                                                  .data_shape = {extents[2]},
                                                                  .label_csv = label_csv,
                                                                  .batch_size = extents[1],
                                                                  .round_batch = round != 0,
                                                                  .num_parts = parts,
                                                                  .part_index = part});
    else
      iter = std::make_unique<svrg::LibSVMIter>(svrg::LibSVMIterOptions{.data_libsvm = libsvm,
                                                                        .data_shape = {extents[2]},
                                                                        .batch_size = extents[1],
                                                                        .num_parts = parts,
                                                                        .part_index = part,
                                                                        .round_batch = round != 0});
    result.check(group + ": number of batches", iter->batches() == extents[0]);
    const Batches got = take_all(*iter);
    result.compare(group + "/data", got.data, numbers(file, group + "/data"));
    result.compare(group + "/labels", got.labels, numbers(file, group + "/labels"));
    result.compare(group + "/pad", got.pads, numbers(file, group + "/pad"));
  }
  for (const auto& [name, value] : file.attributes) {
    int parts = 0, part = 0;
    if (std::sscanf(name.c_str(), "err_libsvm_%d_%d", &parts, &part) != 2) continue;
    bool refused = false;
    try {
      svrg::LibSVMIter({.data_libsvm = libsvm,
                        .data_shape = {7},
                        .num_parts = parts,
                        .part_index = part,
                        .round_batch = false});
    } catch (const svrg::ConfigError&) {
      refused = true;
    }
    result.check(name + ": refused as by the original", refused);
  }
}

}  // namespace golden
