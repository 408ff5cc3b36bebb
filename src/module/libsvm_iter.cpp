#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "module/text_rows.hpp"
#include "svrg/module/iterators.hpp"

namespace svrg {
namespace {

struct Table {
  CsrStore<float> rows;
  std::vector<float> labels;
};

Table read(const std::string& path, std::string_view lines, Index first_line, Index columns) {
  Table table;
  text::LineReader reader(path, first_line);
  reader.read(lines, [&] {
    table.labels.push_back(static_cast<float>(reader.number()));
    for (std::int32_t last = -1; !reader.at_end();) {
      const double column = reader.number();
      if (!reader.take(':')) reader.fail("column:value is expected");
      if (!(column >= 0 && column < static_cast<double>(columns) && column == std::trunc(column)))
        reader.fail(fmt::format("column {} of {}; columns count from 0", column, columns));
      if (column <= last) reader.fail(fmt::format("column {} comes after {}", column, last));
      last = static_cast<std::int32_t>(column);
      table.rows.indices.push_back(last);
      table.rows.values.push_back(static_cast<float>(reader.number()));
    }
    table.rows.starts.push_back(static_cast<Index>(table.rows.values.size()));
  });
  return table;
}

/// The original's cut: as many bytes in each part, and then to the end of the line, even where the
/// cut meets the beginning of one.
std::size_t cut(std::string_view text, Index part, Index parts) {
  const std::size_t step =
      (text.size() + static_cast<std::size_t>(parts) - 1) / static_cast<std::size_t>(parts);
  const std::size_t at = std::min(step * static_cast<std::size_t>(part), text.size());
  if (at == 0 || at == text.size()) return at;
  const std::size_t end = text.find('\n', at);
  return end == std::string_view::npos ? text.size()
                                       : std::min(text.find_first_not_of("\r\n", end), text.size());
}

Index columns_of(const std::vector<Index>& shape, const char* option) {
  constexpr Index most = std::numeric_limits<std::int32_t>::max();
  if (shape.size() != 1 || shape[0] < 1 || shape[0] > most)
    throw ConfigError(
        fmt::format("LibSVMIter: {} must be the number of columns, from 1 to {}", option, most));
  return shape[0];
}

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

}  // namespace

ArrayIter::Loaded LibSVMIter::load(const LibSVMIterOptions& options) {
  if (!options.round_batch)
    throw ConfigError("LibSVMIter: round_batch must be true; use NDArrayIter to discard rows");
  const Index parts = options.num_parts, part = options.part_index;
  if (parts < 1 || part < 0 || part >= parts)
    throw ConfigError(
        fmt::format("LibSVMIter: there is no part {} of {}; parts count from 0", part, parts));
  const Index columns = columns_of(options.data_shape, "data_shape");
  const text::TextFile file(options.data_libsvm);
  const std::string_view all = file.text();
  const std::size_t begin = cut(all, part, parts), end = cut(all, part + 1, parts);
  Index lines_before = 0, rows_before = 0;
  for (std::size_t at = 0; at < begin; ++lines_before) {
    const std::size_t stop = std::min(all.find('\n', at), all.size());
    rows_before += !is_blank(all.substr(at, stop - at));
    at = stop + 1;
  }
  Table table =
      read(options.data_libsvm, all.substr(begin, end - begin), lines_before + 1, columns);
  const auto rows = static_cast<Index>(table.labels.size());
  NDArray data(columns, std::move(table.rows));

  if (options.label_libsvm.empty()) {
    if (options.label_shape != std::vector<Index>{1})
      throw ConfigError("LibSVMIter: data_libsvm has one label a row; give label_libsvm for more");
    return {std::move(data), {{rows}, std::move(table.labels)}, rows_before};
  }
  const Index width = columns_of(options.label_shape, "label_shape");
  const text::TextFile label_file(options.label_libsvm);
  const NDArray labels(width, read(options.label_libsvm, label_file.text(), 1, width).rows);
  const std::vector<double> values = labels.values();
  if (labels.rows() < rows_before + rows)
    throw DataError(fmt::format("{}: {} rows of labels, but {} has more rows", options.label_libsvm,
                                labels.rows(), options.data_libsvm));
  const auto first = values.begin() + rows_before * width;
  NDArray own({rows, width}, std::vector<float>(first, first + rows * width));
  return {std::move(data), std::move(own), rows_before};
}

LibSVMIter::LibSVMIter(const LibSVMIterOptions& options)
    : ArrayIter(load(options), options.data_name, options.label_name,
                {.owner = "LibSVMIter " + options.data_libsvm, .batch_size = options.batch_size}) {}

}  // namespace svrg
