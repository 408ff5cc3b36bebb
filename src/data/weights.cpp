#include "svrg/data/weights.hpp"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>

#include "data/text_file.hpp"
#include "data/text_parser.hpp"
#include "svrg/comm/reducer.hpp"
#include "svrg/core/error.hpp"

namespace svrg {
namespace {

/// Line by line, as every rank has to count them all; each keeps those of its own rows.
std::vector<double> weights_of_rows(const std::string& path, std::string_view text,
                                    const Shard& shard) {
  const DataInfo& info = shard.info();
  const Partition& partition = shard.partition();
  const Index first = partition.begin(shard.first_shard());
  std::vector<double> weights(static_cast<std::size_t>(shard.rows()));
  Index row = 0, line = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view number = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line;
    while (!number.empty() && (number.back() == '\r' || number.back() == ' '))
      number.remove_suffix(1);
    if (number.empty() || number.front() == '#') continue;
    double weight = 0;
    const char* const last = number.data() + number.size();
    const auto [stop, error] = std::from_chars(number.data(), last, weight);
    if (error != std::errc() || stop != last || !(weight >= 0) || !std::isfinite(weight))
      throw DataError(fmt::format("{}:{}: '{}' is not a weight, a finite number of at least 0",
                                  path, line, text::shown(number)));
    if (row < info.rows) {
      const Index slot = partition.position_of_row(row) - first;
      if (slot >= 0 && slot < shard.rows()) weights[static_cast<std::size_t>(slot)] = weight;
    }
    ++row;
  }
  if (row != info.rows)
    throw DataError(
        fmt::format("{}: {} weights for the {} rows of {}", path, row, info.rows, info.path));
  return weights;
}

std::size_t class_of(std::span<const double> classes, double label) {
  const auto at = std::lower_bound(classes.begin(), classes.end(), label);
  return static_cast<std::size_t>(at - classes.begin());
}

}  // namespace

void read_weights(const Communicator& comm, const std::string& path, Shard& shard) {
  std::optional<text::TextFile> file;
  comm.agree("", [&] {
    if (shard.info().weighted)
      throw ConfigError(path + ": the rows have weights already, in " + shard.info().path);
    file.emplace(path);
  });
  if (comm.max(Index{file->compressed()}) != 0) file->unpack(comm, 0);
  std::vector<double> weights;
  comm.agree("", [&] { weights = weights_of_rows(path, file->text(), shard); });
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const std::array<std::uint64_t, 2> row = {static_cast<std::uint64_t>(shard.global_rows()[i]),
                                              std::bit_cast<std::uint64_t>(weights[i] + 0.0)};
    sum += XXH3_64bits(row.data(), sizeof row);
  }
  sum = static_cast<std::uint64_t>(comm.sum(static_cast<Index>(sum)));
  shard.set_weights(std::move(weights), sum);
}

std::vector<double> balanced_class_weights(const Communicator& comm, const Shard& shard,
                                           std::span<const double> classes, Reduction reduction) {
  const auto sums = make_reducer<double>(comm, reduction, shard.partition().virtual_shards(),
                                         shard.owned_shards());
  sums->start(static_cast<Index>(classes.size()), 0);
  for (const Part& part : shard.all().parts) {
    const auto of_class = sums->values(part.virtual_shard);
    for (Index i = part.first; i < part.first + part.count; ++i) {
      const auto row = static_cast<std::size_t>(i);
      of_class[class_of(classes, shard.labels()[row])] +=
          shard.weights().empty() ? 1 : shard.weights()[row];
    }
  }
  sums->reduce();
  std::vector<double> factors(sums->total().begin(), sums->total().end());
  double total = 0;
  for (const double weight : factors) total += weight;
  for (std::size_t k = 0; k < factors.size(); ++k) {
    if (!(factors[k] > 0))
      throw CollectiveError(
          ExitCode::data, 0,
          fmt::format("{}: class number {} has no rows, or none with a weight: it "
                      "cannot be balanced",
                      shard.info().path, k + 1));
    factors[k] = total / (static_cast<double>(factors.size()) * factors[k]);
  }
  return factors;
}

void weigh_classes(Shard& shard, std::span<const double> classes, std::span<const double> factors) {
  std::vector<double> of_rows(shard.labels().size());
  for (std::size_t i = 0; i < of_rows.size(); ++i)
    of_rows[i] = factors[class_of(classes, shard.labels()[i])];
  shard.set_loss_factors(of_rows);
}

}  // namespace svrg
