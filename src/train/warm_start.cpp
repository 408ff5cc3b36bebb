#include "svrg/train/warm_start.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "svrg/core/error.hpp"

namespace svrg {
namespace {

/// What a model does to a column: x ↦ (x − mean)/scale.
double mean_of(const io::ModelRecord& m, std::size_t column) {
  return m.mean.empty() ? 0 : m.mean[column];
}
double scale_of(const io::ModelRecord& m, std::size_t column) {
  return m.scale.empty() ? 1 : m.scale[column];
}

bool same_columns(const io::ModelRecord& a, const io::ModelRecord& b) {
  for (std::size_t j = 0; j < static_cast<std::size_t>(a.features); ++j)
    if (mean_of(a, j) != mean_of(b, j) || scale_of(a, j) != scale_of(b, j)) return false;
  return true;
}

std::string in_words(const std::vector<double>& labels) {
  constexpr std::size_t most = 6;
  const auto end = labels.begin() + static_cast<std::ptrdiff_t>(std::min(labels.size(), most));
  return fmt::format("{}{}", fmt::join(labels.begin(), end, ", "),
                     labels.size() > most ? ", …" : "");
}

void require_same(const io::ModelRecord& from, const io::ModelRecord& to) {
  if (from.kind != to.kind)
    throw ConfigError(
        fmt::format("it is a {} model, this run trains a {} one; --model {} makes it "
                    "the same",
                    from.kind, to.kind, from.kind));
  if (from.symbol.empty() != to.symbol.empty())
    throw ConfigError(from.symbol.empty() ? "it is a linear model, this run trains a net"
                                          : "it is a net, this run trains a linear model");
  if (from.positive != to.positive)
    throw ConfigError(fmt::format("its --positive labels are {}, this run's {}",
                                  from.positive.empty() ? "none" : in_words(from.positive),
                                  to.positive.empty() ? "none" : in_words(to.positive)));
  if (from.classes != to.classes)
    throw ConfigError(fmt::format("its {} classes are {}, this run's {} are {}",
                                  from.classes.size(), in_words(from.classes), to.classes.size(),
                                  in_words(to.classes)));
  if (from.features != to.features)
    throw ConfigError(
        fmt::format("it has {} features, this run's data {}{}", from.features, to.features,
                    from.features > to.features
                        ? fmt::format("; --n-features {} makes them the same", from.features)
                        : ""));
  const auto& was = from.feature_names;
  const auto& is = to.feature_names;
  if (!was.empty() && !is.empty()) {
    const auto [a, b] = std::mismatch(was.begin(), was.end(), is.begin(), is.end());
    if (a != was.end())
      throw ConfigError(
          fmt::format("its feature {} is '{}', this run's is '{}'", a - was.begin() + 1, *a, *b));
  }
  if (from.input_shape != to.input_shape)
    throw ConfigError(fmt::format("its rows have the shape ({}), this run's ({})",
                                  fmt::join(from.input_shape, ", "),
                                  fmt::join(to.input_shape, ", ")));
  if (from.symbol != to.symbol)
    throw ConfigError("it is another net; give the symbol, or --hidden and --activation, of that");
}

// Score on raw rows: Σ_j w_j (x_j − m_j)/s_j + b = Σ_j w'_j (x_j − m'_j)/s'_j + b', so
// w'_j = w_j s'_j/s_j and b' = b + Σ_j w_j (m'_j − m_j)/s_j.
Vec<double> linear_weights(const io::ModelRecord& from, const io::ModelRecord& to) {
  const Parameter &was = from.layout.at("linear_weight"), &is = to.layout.at("linear_weight");
  const Index K = is.shape[0], d = to.features;
  Vec<double> w = to_row_major(was, from.weights.segment(was.offset, was.size));
  Vec<double> b = Vec<double>::Zero(K);
  if (from.intercept) b = from.weights.segment(from.layout.at("linear_bias").offset, K);
  for (Index k = 0; k < K; ++k)
    for (Index j = 0; j < d; ++j) {
      const auto column = static_cast<std::size_t>(j);
      const double raw = w[k * d + j] / scale_of(from, column);
      b[k] += raw * (mean_of(to, column) - mean_of(from, column));
      if (scale_of(to, column) != scale_of(from, column)) w[k * d + j] = raw * scale_of(to, column);
    }
  if (!to.intercept && !b.isZero(0))
    throw ConfigError(
        from.intercept
            ? "it has an intercept, this run's model has none; leave out --no-intercept"
            : "other means were taken off its columns, which takes an intercept to make up for; "
              "leave out --no-intercept");
  Vec<double> result(to.layout.size());
  result.segment(is.offset, is.size) = from_row_major(is, w);
  if (to.intercept) result.segment(to.layout.at("linear_bias").offset, K) = b;
  return result;
}

}  // namespace

Vec<double> warm_start(const io::ModelRecord& from, const io::ModelRecord& to) {
  require_same(from, to);
  if (to.symbol.empty()) return linear_weights(from, to);
  if (!same_columns(from, to))
    throw ConfigError(
        "its columns were standardised or scaled otherwise, which a net's weights cannot make up "
        "for; give the same --standardize or --x-scale, and for the former the same rows");
  return io::weights_for(from, to.layout);
}

}  // namespace svrg
