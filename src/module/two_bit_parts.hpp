#pragma once
#include <vector>

#include "svrg/comm/two_bit.hpp"
#include "svrg/core/parameters.hpp"

namespace svrg {

/// What each of this rank's shards contributes to a step becomes ±threshold or 0; the rest stays
/// for its next step.
template <class Real>
class TwoBitParts {
 public:
  TwoBitParts(Index shards, Index parameters, double threshold)
      : threshold_(threshold),
        parts_(static_cast<std::size_t>(shards), Vec<Real>::Zero(parameters)),
        residuals_(parts_) {}

  void start() {
    for (auto& part : parts_) part.setZero();
  }
  /// Where the sum of shard s is to be added.
  Vec<Real>& part(Index s) { return parts_[static_cast<std::size_t>(s)]; }
  /// Adds what is sent of it to `to`.
  void send(Index s, const ParameterLayout& layout, std::span<Real> to) {
    Vec<Real>&from = part(s), &residual = residuals_[static_cast<std::size_t>(s)];
    for (const Parameter& q : layout.all()) {
      const auto at = static_cast<std::size_t>(q.offset), n = static_cast<std::size_t>(q.size);
      encode_two_bit<Real>(std::span<const Real>(from.data() + at, n),
                           std::span(residual.data() + at, n), threshold_, words_);
      add_two_bit<Real>(words_, threshold_, to.subspan(at, n));
    }
  }
  /// One shard's after the other.
  std::vector<Real> residuals() const {
    std::vector<Real> all;
    for (const auto& r : residuals_) all.insert(all.end(), r.data(), r.data() + r.size());
    return all;
  }
  void set_residual(Index s, ConstVecRef<Real> values) {
    residuals_[static_cast<std::size_t>(s)] = values;
  }

 private:
  double threshold_;
  std::vector<Vec<Real>> parts_, residuals_;  // by shard
  std::vector<std::uint32_t> words_;
};

}  // namespace svrg
