#include <fmt/format.h>

#include "svrg/core/error.hpp"
#include "svrg/data/idx_reader.hpp"
#include "svrg/module/iterators.hpp"

namespace svrg {
namespace {

NDArray images(const MNISTIterOptions& options) {
  NDArray array = read_idx(options.image);
  if (array.shape.size() != 3)
    throw DataError(fmt::format("{}: images have 3 axes (count, height, width), this file has {}",
                                options.image, array.shape.size()));
  for (float& pixel : std::get<DenseStore<float>>(array.store).data) pixel /= 256;
  if (options.flat)
    array.shape = {array.shape[0], array.shape[1] * array.shape[2]};
  else
    array.shape.insert(array.shape.begin() + 1, 1);
  return array;
}

NDArray labels(const std::string& path, Index rows) {
  NDArray array = read_idx(path);
  if (array.shape.size() != 1)
    throw DataError(
        fmt::format("{}: labels have 1 axis, this file has {}", path, array.shape.size()));
  if (array.rows() != rows)
    throw DataError(fmt::format("{}: {} labels for {} images", path, array.rows(), rows));
  return array;
}

}  // namespace

ArrayIter::Loaded MNISTIter::load(const MNISTIterOptions& options) {
  NDArray data = images(options);
  NDArray label = labels(options.label, data.rows());
  return {std::move(data), std::move(label)};
}

MNISTIter::MNISTIter(const MNISTIterOptions& options)
    : ArrayIter(load(options), options.data_name, options.label_name,
                {.owner = "MNISTIter " + options.image,
                 .batch_size = options.batch_size,
                 .last = LastBatch::discard,
                 .shuffle = options.shuffle,
                 .seed = options.seed,
                 .num_parts = options.num_parts,
                 .part_index = options.part_index}) {}

}  // namespace svrg
