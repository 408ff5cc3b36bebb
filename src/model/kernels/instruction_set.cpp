// Which of the compiled instruction sets the kernels use.
#include <array>
#include <string>
#include <utility>

#include "hwy/targets.h"
#include "model/kernels/kernels.hpp"
#include "svrg/core/error.hpp"

namespace svrg::kernels {
namespace {

constexpr std::array<std::pair<std::string_view, std::int64_t>, 4> names = {
    {{"avx512", HWY_AVX3}, {"avx2", HWY_AVX2}, {"sse4", HWY_SSE4}, {"plain", HWY_STATIC_TARGET}}};

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
  throw ConfigError("this machine has no instruction set '" + std::string(wanted) + "'");
}

}  // namespace svrg::kernels
