#include "svrg/model/instruction_set.hpp"

#include <array>
#include <string>
#include <utility>

#include "hwy/targets.h"
#include "svrg/core/error.hpp"

namespace svrg {
namespace {

constexpr std::array<std::pair<std::string_view, std::int64_t>, 3> names = {
    {{"avx512", HWY_AVX3}, {"avx2", HWY_AVX2}, {"plain", HWY_STATIC_TARGET}}};

/// What this machine has, whatever was asked for before.
std::int64_t supported() {
  static const std::int64_t all = hwy::SupportedTargets();
  return all | HWY_STATIC_TARGET;
}

std::int64_t chosen = 0;  // 0: the best

}  // namespace

std::vector<std::string_view> instruction_sets() {
  std::vector<std::string_view> sets;
  for (const auto& [name, target] : names)
    if ((supported() & target) != 0) sets.push_back(name);
  return sets;
}

std::string_view instruction_set() {
  for (const auto& [name, target] : names)
    if (target == chosen) return name;
  return instruction_sets().front();
}

void use_instruction_set(std::string_view wanted) {
  for (const auto& [name, target] : names) {
    if (name != wanted || (supported() & target) == 0) continue;
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(target);
    chosen = target;
    return;
  }
  std::string known;
  for (const std::string_view name : instruction_sets())
    known += (known.empty() ? "" : ", ") + std::string(name);
  throw ConfigError("no instruction set '" + std::string(wanted) + "' on this machine; it has " +
                    known);
}

}  // namespace svrg
