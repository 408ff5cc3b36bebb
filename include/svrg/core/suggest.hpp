#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace svrg {

/// Insertions, deletions, replacements and swaps of neighbours that lead from `a` to `b`.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The name that was most likely meant, or nothing where none is near.
std::optional<std::string> nearest(std::string_view name, const std::vector<std::string>& known);

/// "; did you mean '--epochs'?", or nothing. The end of an error line.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& known);

/// The nearest name, or all there are: "; did you mean 'adam'?", "; there are sgd, adam". The end
/// of an error line.
std::string suggestion(std::string_view name, const std::vector<std::string>& known);

}  // namespace svrg
