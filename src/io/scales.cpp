// netCDF readers need a dimension scale on every axis, in the variable's group or above it. Which
// one is decided here, on names and lengths alone, before HDF5 is asked for anything.
#include "io/scales.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "io/path.hpp"
#include "svrg/core/error.hpp"

namespace svrg::io {
namespace {

using Entry = std::pair<const std::string, Variable>;

bool is_coordinate(const Entry& entry) {
  const auto& [path, variable] = entry;
  return variable.axes.size() == 1 && variable.axes[0] == leaf_of(path);
}

// An axis that nobody named is named by its length; a second one of that length gets its number.
std::vector<std::string> axis_names(const Variable& variable) {
  std::vector<std::string> names = variable.axes;
  names.resize(variable.data.shape.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!names[i].empty()) continue;
    const std::string name = fmt::format("size_{}", variable.data.shape[i]);
    const auto before = names.begin() + static_cast<std::ptrdiff_t>(i);
    names[i] =
        std::find(names.begin(), before, name) == before ? name : fmt::format("{}_{}", name, i + 1);
  }
  return names;
}

std::string find_scale(const Document& document, ScalePlan& plan, std::string_view home,
                       const std::string& axis, Index length, const std::string& user) {
  for (std::string_view group = home;; group = group_of(group)) {
    std::string path = join(group, axis);
    const auto found = plan.scales.find(path);
    if (found != plan.scales.end()) {
      if (found->second.length == length) return path;
      if (group == home)
        throw OutputError(fmt::format("axis {} of {} has length {}, but {} has length {}", axis,
                                      user, length, path, found->second.length));
      break;  // it would be hidden by one of our own
    }
    if (group == home && document.variables.contains(path))
      throw OutputError(
          fmt::format("axis {} of {} clashes with the variable {}", axis, user, path));
    if (group.empty()) break;
  }
  std::string path = join(home, axis);
  plan.scales[path] = {length, false, false};
  return path;
}

}  // namespace

ScalePlan plan_scales(const Document& document) {
  ScalePlan plan;
  std::vector<const Entry*> outer_first;
  for (const Entry& entry : document.variables) {
    outer_first.push_back(&entry);
    if (is_coordinate(entry))
      plan.scales[entry.first] = {entry.second.data.shape.at(0), true, entry.second.compressed};
  }
  const auto depth = [](const Entry* e) {
    return std::count(e->first.begin(), e->first.end(), '/');
  };
  std::stable_sort(outer_first.begin(), outer_first.end(),
                   [&](const Entry* a, const Entry* b) { return depth(a) < depth(b); });
  for (const Entry* entry : outer_first) {
    const auto& [path, variable] = *entry;
    auto& scales = plan.of_variable[path];
    if (is_coordinate(*entry)) {
      scales.push_back(path);
      continue;
    }
    const auto names = axis_names(variable);
    for (std::size_t i = 0; i < names.size(); ++i) {
      scales.push_back(
          find_scale(document, plan, group_of(path), names[i], variable.data.shape[i], path));
      if (variable.compressed && i == 0) plan.scales[scales.back()].unlimited = true;
    }
  }
  return plan;
}

}  // namespace svrg::io
