// The table of epochs as netCDF-style variables along `epoch`, `rank` and `phase`.
#include "io/run_history.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>

#include "io/path.hpp"
#include "svrg/core/error.hpp"

namespace svrg::io {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();
constexpr std::string_view history = "history";

struct Sizes {
  std::size_t epochs, ranks;
};

Variable along_epochs(Array data, std::string units, std::string long_name) {
  Variable variable;
  variable.axes = {"epoch", "rank", "phase"};
  variable.axes.resize(data.shape.size());
  variable.data = std::move(data);
  variable.units = std::move(units);
  variable.long_name = std::move(long_name);
  variable.compressed = true;
  return variable;
}

template <class T, class Get>
Array collect(const std::vector<EpochRecord>& epochs, const Get& get) {
  std::vector<T> values;
  values.reserve(epochs.size());
  for (const auto& record : epochs) values.push_back(get(record));
  return Array::vector(std::move(values));
}

Variable snapshot_flags(const std::vector<EpochRecord>& epochs) {
  auto flags = along_epochs(
      collect<std::uint8_t>(epochs, [](const auto& r) { return std::uint8_t{r.is_snapshot}; }), "1",
      "whether the epoch began with a snapshot");
  flags.attributes = {{"flag_values", std::vector<std::uint8_t>{0, 1}},
                      {"flag_meanings", "no yes"}};
  return flags;
}

// A resumed run may have had another number of ranks before: the table is as wide as the widest.
Sizes sizes_of(const std::vector<EpochRecord>& epochs, std::size_t hosts) {
  Sizes sizes{epochs.size(), hosts};
  for (const auto& record : epochs)
    sizes.ranks = std::max({sizes.ranks, record.max_rss.size(), record.phase_seconds.size()});
  return sizes;
}

Variable memory(const std::vector<EpochRecord>& epochs, const Sizes& sizes) {
  std::vector<double> values(sizes.epochs * sizes.ranks, missing);
  for (std::size_t e = 0; e < sizes.epochs; ++e)
    std::ranges::copy(epochs[e].max_rss,
                      values.begin() + static_cast<std::ptrdiff_t>(e * sizes.ranks));
  const std::vector<Index> shape = {static_cast<Index>(sizes.epochs),
                                    static_cast<Index>(sizes.ranks)};
  return along_epochs({shape, std::move(values)}, "byte",
                      "largest resident memory so far, by rank");
}

Variable phases(const std::vector<EpochRecord>& epochs, const Sizes& sizes) {
  constexpr std::size_t width = phase_names.size();
  std::vector<double> values(sizes.epochs * sizes.ranks * width, missing);
  for (std::size_t e = 0; e < sizes.epochs; ++e)
    for (std::size_t r = 0; r < epochs[e].phase_seconds.size(); ++r)
      std::ranges::copy(
          epochs[e].phase_seconds[r],
          values.begin() + static_cast<std::ptrdiff_t>((e * sizes.ranks + r) * width));
  const std::vector<Index> shape = {static_cast<Index>(sizes.epochs),
                                    static_cast<Index>(sizes.ranks), static_cast<Index>(width)};
  return along_epochs({shape, std::move(values)}, "s",
                      "seconds of this epoch in each phase, by rank");
}

Variable strings(std::vector<std::string> values, const char* axis, const char* long_name) {
  Variable variable;
  variable.data = Array::vector(std::move(values));
  variable.axes = {axis};
  variable.long_name = long_name;
  return variable;
}

// Reading
// -----------------------------------------------------------------------------------------------

template <class T>
const std::vector<T>& values_of(const Document& document, std::string_view leaf,
                                const std::vector<Index>& shape, const std::string& name) {
  const auto found = document.variables.find(join(history, leaf));
  if (found == document.variables.end())
    throw DataError(fmt::format("{}: there is no /{}/{}", name, history, leaf));
  const auto* values = std::get_if<std::vector<T>>(&found->second.data.data);
  if (!values || found->second.data.shape != shape)
    throw DataError(
        fmt::format("{}: /{}/{} has another type or shape than a history", name, history, leaf));
  return *values;
}

void read_by_rank(const Document& document, const std::string& name,
                  std::vector<EpochRecord>& epochs) {
  const auto host = document.variables.find(join(history, "hostname"));
  if (host == document.variables.end() || host->second.data.shape.size() != 1)
    throw DataError(name + ": there is no list /history/hostname");
  const auto n = static_cast<Index>(epochs.size()), ranks = host->second.data.shape[0];
  constexpr std::size_t width = phase_names.size();
  const auto& rss = values_of<double>(document, "max_rss", {n, ranks}, name);
  const auto& seconds =
      values_of<double>(document, "phase_seconds", {n, ranks, Index{width}}, name);
  auto next_rss = rss.begin();
  auto next_seconds = seconds.begin();
  for (auto& record : epochs) {
    record.max_rss.assign(next_rss, next_rss + ranks);
    next_rss += ranks;
    record.phase_seconds.resize(static_cast<std::size_t>(ranks));
    for (auto& row : record.phase_seconds) {
      std::copy_n(next_seconds, width, row.begin());
      next_seconds += width;
    }
  }
}

}  // namespace

Document history_document(const std::vector<EpochRecord>& epochs,
                          const std::vector<std::string>& hostnames) {
  Document document;
  const auto add = [&](const std::string& leaf, Variable variable) {
    document.variables.emplace(join(history, leaf), std::move(variable));
  };
  for (const Column& column : columns) {
    auto data = column.real
                    ? collect<double>(epochs, [&](const auto& r) { return r.*column.real; })
                    : collect<Index>(epochs, [&](const auto& r) { return r.*column.count; });
    add(column.name, along_epochs(std::move(data), column.units, column.long_name));
  }
  add("is_snapshot", snapshot_flags(epochs));
  std::set<std::string> metrics;
  for (const auto& record : epochs)
    for (const auto& [metric, value] : record.metrics) metrics.insert(metric);
  for (const auto& metric : metrics)
    add(metric, along_epochs(collect<double>(epochs,
                                             [&](const auto& record) {
                                               const auto found = record.metrics.find(metric);
                                               return found == record.metrics.end() ? missing
                                                                                    : found->second;
                                             }),
                             "1", "metric " + metric));
  const Sizes sizes = sizes_of(epochs, hostnames.size());
  add("max_rss", memory(epochs, sizes));
  add("phase_seconds", phases(epochs, sizes));
  add("phase",
      strings({phase_names.begin(), phase_names.end()}, "phase", "what a rank spends time on"));
  auto hosts = hostnames;
  hosts.resize(sizes.ranks);
  add("hostname", strings(std::move(hosts), "rank", "host of each rank"));
  return document;
}

std::vector<EpochRecord> epochs_of(const Document& document, const std::string& name) {
  const auto epoch = document.variables.find(join(history, "epoch"));
  if (epoch == document.variables.end() || epoch->second.data.shape.size() != 1)
    throw DataError(name + ": there is no /history/epoch");
  const std::vector<Index> shape = epoch->second.data.shape;
  std::vector<EpochRecord> epochs(static_cast<std::size_t>(shape[0]));
  const auto fill = [&]<class T>(std::string_view leaf, const T&, const auto& set) {
    const auto& values = values_of<T>(document, leaf, shape, name);
    for (std::size_t i = 0; i < epochs.size(); ++i) set(epochs[i], values[i]);
  };
  for (const Column& column : columns)
    if (column.real)
      fill(column.name, double{}, [&](EpochRecord& r, double v) { r.*column.real = v; });
    else
      fill(column.name, Index{}, [&](EpochRecord& r, Index v) { r.*column.count = v; });
  fill("is_snapshot", std::uint8_t{},
       [](EpochRecord& r, std::uint8_t v) { r.is_snapshot = v != 0; });
  for (const auto& [path, variable] : document.variables) {
    const std::string leaf(leaf_of(path));
    if (group_of(path) == history && !is_reserved(leaf) && variable.data.shape == shape &&
        std::holds_alternative<std::vector<double>>(variable.data.data))
      fill(leaf, double{}, [&](EpochRecord& r, double v) { r.metrics[leaf] = v; });
  }
  read_by_rank(document, name, epochs);
  return epochs;
}

}  // namespace svrg::io
