#include "golden/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "svrg/core/error.hpp"

namespace golden {

void Comparison::compare(const std::string& what, std::span<const double> got,
                         std::span<const double> expected, double scale) {
  ++compared_;
  if (got.size() != expected.size()) {
    failures_.push_back(
        fmt::format("{}: {} values, {} recorded", what, got.size(), expected.size()));
    return;
  }
  double largest = scale, difference = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (std::isnan(got[i]) && std::isnan(expected[i])) continue;
    if (!std::isnan(expected[i])) largest = std::max(largest, std::abs(expected[i]));
    const double d = std::abs(got[i] - expected[i]);
    difference = std::isnan(d) ? INFINITY : std::max(difference, d);
  }
  // A dataset of zeros has no relative error: an absolute one stands in for it.
  worst_ = std::max(worst_, difference / (largest > 0 ? largest : 1));
  if (!(difference <= atol_ + rtol_ * largest))
    failures_.push_back(
        fmt::format("{}: off by {:.3g}, largest value {:.3g}", what, difference, largest));
}

void Comparison::check(const std::string& what, bool holds) {
  ++compared_;
  if (!holds) failures_.push_back(what);
}

bool has(const svrg::io::Document& file, const std::string& path) {
  return file.variables.count(path) > 0;
}

namespace {

const svrg::io::Variable& variable(const svrg::io::Document& file, const std::string& path) {
  const auto at = file.variables.find(path);
  if (at == file.variables.end()) throw svrg::DataError("there is no dataset " + path);
  return at->second;
}

}  // namespace

std::vector<double> numbers(const svrg::io::Document& file, const std::string& path) {
  return std::visit(
      [&](const auto& values) {
        std::vector<double> out;
        if constexpr (std::is_same_v<std::decay_t<decltype(values)>, std::vector<std::string>>)
          throw svrg::DataError(path + " holds text");
        else
          for (const auto v : values) out.push_back(static_cast<double>(v));
        return out;
      },
      variable(file, path).data.data);
}

std::vector<svrg::Index> shape(const svrg::io::Document& file, const std::string& path) {
  return variable(file, path).data.shape;
}

std::string attribute(const svrg::io::Document& file, const std::string& group,
                      const std::string& name) {
  const svrg::io::Attributes* attributes = &file.attributes;
  if (!group.empty()) {
    const auto at = file.groups.find(group);
    if (at == file.groups.end()) return {};
    attributes = &at->second;
  }
  const auto at = attributes->find(name);
  if (at == attributes->end()) return {};
  if (const auto* text = std::get_if<std::string>(&at->second)) return *text;
  if (const auto* real = std::get_if<double>(&at->second)) return fmt::format("{}", *real);
  if (const auto* whole = std::get_if<std::int64_t>(&at->second)) return fmt::format("{}", *whole);
  return {};
}

}  // namespace golden
