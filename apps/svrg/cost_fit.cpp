#include "cost_fit.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

namespace svrg::app {
namespace {

/// What γ, α and β are multiplied by.
Eigen::RowVector3d terms(const CostObservation& of) {
  const auto p = static_cast<double>(of.ranks);
  return {of.rows / p, of.messages * 2 * std::ceil(std::log2(p)), of.bytes * 2 * (p - 1) / p};
}

}  // namespace

double predicted_seconds(const io::CostFit& fit, const CostObservation& of) {
  return of.fixed +
         terms(of).dot(Eigen::RowVector3d(fit.seconds_per_row, fit.latency, fit.seconds_per_byte));
}

io::CostFit fit_costs(std::span<const CostObservation> observations) {
  const auto n = static_cast<Index>(observations.size());
  Eigen::MatrixX3d a(n, 3);
  Eigen::VectorXd b(n);
  for (Index i = 0; i < n; ++i) {
    const CostObservation& o = observations[static_cast<std::size_t>(i)];
    a.row(i) = terms(o) / o.seconds;
    b[i] = (o.seconds - o.fixed) / o.seconds;
  }
  // Three unknowns: the best of all choices of those that are not 0.
  Eigen::Vector3d best = Eigen::Vector3d::Zero();
  double least = b.squaredNorm();
  for (unsigned chosen = 1; chosen < 8; ++chosen) {
    Eigen::MatrixX3d some = a;
    Eigen::Vector3d scale;
    for (Index j = 0; j < 3; ++j) {
      if ((chosen >> j & 1U) == 0) some.col(j).setZero();
      scale[j] = std::max(some.col(j).norm(), 1e-300);
      some.col(j) /= scale[j];
    }
    const Eigen::Vector3d scaled = some.completeOrthogonalDecomposition().solve(b);
    const Eigen::Vector3d x = scaled.cwiseQuotient(scale);
    const double error = (a * x - b).squaredNorm();
    if (x.minCoeff() < 0 || !(error < least)) continue;
    best = x;
    least = error;
  }
  return {.latency = best[1], .seconds_per_byte = best[2], .seconds_per_row = best[0]};
}

std::vector<CostObservation> timed_reductions(const Communicator& comm) {
  constexpr int repeats = 9;
  std::vector<CostObservation> all;
  if (comm.size() == 1) return all;
  for (const std::size_t values : {std::size_t{1}, std::size_t{1} << 13, std::size_t{1} << 17}) {
    std::vector<double> sums(values);
    const int calls = values < 1000 ? 50 : 5;
    double least = 0;
    for (int i = 0; i < repeats; ++i) {
      comm.barrier();
      const double start = now();
      for (int call = 0; call < calls; ++call) comm.sum(std::span(sums));
      const double seconds = comm.max(now() - start) / calls;
      least = i == 0 ? seconds : std::min(least, seconds);
    }
    all.push_back({.ranks = comm.size(),
                   .messages = 1,
                   .bytes = static_cast<double>(8 * values),
                   .seconds = least});
  }
  return all;
}

std::vector<CostObservation> observations_of(const io::ScalingStudy& study) {
  std::vector<CostObservation> all;
  const auto& runs = study.measured;
  for (std::size_t at = 0; at < runs.size();) {
    std::vector<double> seconds;
    const io::MeasuredRun& first = runs[at];
    for (; at < runs.size() && runs[at].ranks == first.ranks; ++at)
      seconds.push_back(runs[at].train_seconds);
    std::nth_element(seconds.begin(), seconds.begin() + static_cast<Index>(seconds.size() / 2),
                     seconds.end());
    all.push_back({.ranks = first.ranks,
                   .rows = static_cast<double>(first.rows) * first.passes,
                   .messages = static_cast<double>(first.messages),
                   .bytes = static_cast<double>(first.bytes_communicated),
                   .seconds = seconds[seconds.size() / 2]});
  }
  return all;
}

}  // namespace svrg::app
