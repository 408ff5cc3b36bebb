#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "svrg/io/document.hpp"

namespace svrg::io {

/// What NAME of a scale without a variable begins with; netCDF adds the length, ten wide.
inline constexpr std::string_view pure_scale_name =
    "This is a netCDF dimension but not a netCDF variable.";

/// A dimension scale: a variable along itself, or a bare netCDF dimension.
struct Scale {
  Index length = 0;
  bool is_variable = false, unlimited = false;
};
struct ScalePlan {
  std::map<std::string, Scale> scales;                          // by path
  std::map<std::string, std::vector<std::string>> of_variable;  // path of the scale of each axis
};

/// Finds or invents the scale of every axis by netCDF's rule of scope: own group first, then above.
/// @throws OutputError where two lengths of one name meet in a group.
ScalePlan plan_scales(const Document& document);

}  // namespace svrg::io
