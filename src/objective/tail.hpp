// What rides behind a gradient in its reduction: loss, row count, whether anything was not finite,
// and the requests seen by any rank.
#pragma once
#include <cmath>
#include <span>

#include "svrg/objective/objective.hpp"

namespace svrg {

class Tail {
 public:
  static constexpr Index size = 6;
  explicit Tail(std::span<double> values) : values_(values) {}

  void add(double loss, Index rows) {
    if (std::isfinite(loss))
      values_[0] += loss;
    else
      values_[2] += 1;
    values_[1] += static_cast<double>(rows);
  }
  void add(const Requests& r) {
    values_[3] += r.stop;
    values_[4] += r.save;
    values_[5] += r.out_of_time;
  }
  Report report(double mean_weight) const {
    Report r;
    r.rows = static_cast<Index>(values_[1]);
    r.finite = values_[2] == 0;
    if (r.rows > 0) r.loss = values_[0] / (values_[1] * mean_weight);
    r.requests = {values_[3] > 0, values_[4] > 0, values_[5] > 0};
    return r;
  }

 private:
  std::span<double> values_;
};

}  // namespace svrg
