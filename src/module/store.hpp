#pragma once
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "svrg/core/error.hpp"
#include "svrg/core/parameters.hpp"
#include "svrg/core/state.hpp"
#include "svrg/optimizer/lr_scheduler.hpp"
#include "svrg/optimizer/optimizer.hpp"

namespace svrg {

/// An array of a checkpoint as weights. @throws DataError on another size or type
template <class Real>
Vec<Real> vector_in(const State& state, const std::string& name, Index size) {
  const auto* values = std::get_if<std::vector<Real>>(&state.array(name).data);
  if (!values || static_cast<Index>(values->size()) != size)
    throw DataError("'" + name + "' of the checkpoint is of another network or precision");
  return Eigen::Map<const Vec<Real>>(values->data(), size);
}

/// What training moves. Engines of several symbols over the same parameters may have it in common.
template <class Real>
struct Store {
  Vec<Real> w, aux_given;
  std::vector<Vec<Real>> aux;  // by owned shard
  std::vector<char> moved;     // has the shard's aux moved since it was given?
  std::unique_ptr<Optimizer<Real>> optimizer;
  std::string optimizer_name;
  std::shared_ptr<LrScheduler> scheduler;
  std::optional<double> rescale;
  std::uint64_t updates = 0, draw = 0;
};

inline bool same_parameters(const ParameterLayout& a, const ParameterLayout& b) {
  return std::ranges::equal(a.all(), b.all(), [](const Parameter& p, const Parameter& q) {
    return p.name == q.name && p.shape == q.shape;
  });
}

}  // namespace svrg
