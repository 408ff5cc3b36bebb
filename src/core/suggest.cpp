#include "svrg/core/suggest.hpp"

#include <algorithm>

namespace svrg {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Three rows of the usual table: a swap of neighbours looks two rows back.
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before.swap(last);
    last.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = a[i - 1] == b[j - 1];
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

std::optional<std::string> nearest(std::string_view name, const std::vector<std::string>& known) {
  std::optional<std::string> best;
  std::size_t least = 1 + name.size() / 4;
  for (const auto& candidate : known) {
    const std::size_t distance = edit_distance(name, candidate);
    // A short name is not "near" another one of which hardly a letter agrees.
    if (distance > least || distance >= std::max(name.size(), candidate.size()) / 2 + 1) continue;
    if (best && distance == least) continue;
    best = candidate;
    least = distance;
  }
  return best;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& known) {
  const auto meant = nearest(name, known);
  return meant ? "; did you mean '" + *meant + "'?" : std::string();
}

std::string suggestion(std::string_view name, const std::vector<std::string>& known) {
  std::string near = did_you_mean(name, known);
  if (!near.empty()) return near;
  std::string all;
  for (const auto& candidate : known) all += (all.empty() ? "; there are " : ", ") + candidate;
  return all;
}

}  // namespace svrg
