#include <fmt/format.h>

#include "module/text_rows.hpp"
#include "svrg/module/iterators.hpp"

namespace svrg {
namespace {

/// The file as an array, [lines, row_shape]; one value a row makes a plain list.
NDArray read(const std::string& path, const std::vector<Index>& row_shape) {
  Index columns = 1;
  for (const Index extent : row_shape) {
    if (extent < 1) throw ConfigError("CSVIter: extents of a row's shape must be above 0");
    columns *= extent;
  }
  std::vector<float> values;
  const text::TextFile file(path);
  text::LineReader reader(path, 1);
  reader.read(file.text(), [&] {
    for (Index c = 0; c < columns; ++c) {
      if (c > 0 && !reader.take(','))
        reader.fail(fmt::format("{} values, {} are expected", c, columns));
      reader.skip_blanks();
      values.push_back(static_cast<float>(reader.number()));
    }
    if (reader.take(',')) reader.fail(fmt::format("more than {} values", columns));
  });
  std::vector<Index> shape{static_cast<Index>(values.size()) / columns};
  if (columns > 1 || row_shape.size() > 1)
    shape.insert(shape.end(), row_shape.begin(), row_shape.end());
  return {std::move(shape), std::move(values)};
}

}  // namespace

ArrayIter::Loaded CSVIter::load(const CSVIterOptions& options) {
  NDArray data = read(options.data_csv, options.data_shape);
  const Index rows = data.rows();
  if (options.label_csv.empty())
    return {std::move(data), {{rows}, std::vector<float>(static_cast<std::size_t>(rows))}};
  NDArray label = read(options.label_csv, options.label_shape);
  if (label.rows() != rows)
    throw DataError(fmt::format("{}: {} rows of labels for {} rows of {}", options.label_csv,
                                label.rows(), rows, options.data_csv));
  return {std::move(data), std::move(label)};
}

CSVIter::CSVIter(const CSVIterOptions& options)
    : ArrayIter(load(options), options.data_name, options.label_name,
                {.owner = "CSVIter " + options.data_csv,
                 .batch_size = options.batch_size,
                 .num_parts = options.num_parts,
                 .part_index = options.part_index,
                 .fresh_padding = options.round_batch}) {}

}  // namespace svrg
