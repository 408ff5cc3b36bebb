// Two numbers at most, of a convex function: Newton's method with halved steps, on scores that are
// computed once.
#include "svrg/train/calibrate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "svrg/core/error.hpp"
#include "train/scored_rows.hpp"

namespace svrg {
namespace {

constexpr double least_slope = 1e-3, most_slope = 1e3;

/// Loss, gradient and Hessian by slope a and offset b, as sums over rows.
struct Sums {
  double loss, a, b, aa, ab, bb, weight;
};
constexpr Index width = sizeof(Sums) / sizeof(double);

/// log(1 + exp(x))
double log_one_plus_exp(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }

class Fit {
 public:
  Fit(const Communicator& comm, Predictor& model, Loss loss, const Shard& shard,
      Reduction reduction, bool platt)
      : shard_(shard),
        K_(model.scores_per_row()),
        two_(takes_two_classes(loss)),
        platt_(platt),
        sums_(make_reducer<double>(comm, reduction, shard.partition().virtual_shards(),
                                   shard.owned_shards())),
        z_(static_cast<std::size_t>(shard.rows() * K_)) {
    for (const Part& part : shard.all().parts)
      model.score(shard.all(), part,
                  std::span(z_).subspan(static_cast<std::size_t>(part.first * K_),
                                        static_cast<std::size_t>(part.count * K_)));
    if (platt_) count_classes();
  }

  io::Calibration fit() {
    double a = 1, b = 0;
    Sums at = sums_at(a, b);
    constexpr int most_steps = 100;
    for (int step = 0; step < most_steps; ++step) {
      // A little more than the Hessian, where it is singular.
      const double ridge = 1e-12 * (at.aa + at.bb) + 1e-300;
      double da = -at.a / (at.aa + ridge), db = 0;
      if (platt_) {
        const double aa = at.aa + ridge, bb = at.bb + ridge, det = aa * bb - at.ab * at.ab;
        da = -(bb * at.a - at.ab * at.b) / det;
        db = -(aa * at.b - at.ab * at.a) / det;
      }
      const double slope = at.a * da + at.b * db;
      if (!(slope < -1e-15 * at.weight)) break;
      if (!advance(a, b, da, db, slope, at)) break;
    }
    return {platt_ ? "platt" : "temperature", a, b};
  }

 private:
  /// Takes a part of the step that makes the loss smaller. False: none does.
  bool advance(double& a, double& b, double da, double db, double slope, Sums& at) {
    constexpr double enough = 1e-4, smallest = 1e-10;
    for (double t = 1; t > smallest; t /= 2) {
      double next = a + t * da;
      if (!platt_) next = std::clamp(next, least_slope, most_slope);
      const Sums there = sums_at(next, b + t * db);
      if (there.loss > at.loss + enough * t * slope && there.loss >= at.loss) continue;
      if (next == a && t * db == 0) return false;  // at the end of what a slope may be
      a = next;
      b += t * db;
      at = there;
      return true;
    }
    return false;
  }

  void count_classes() {
    sums_->start(2, 0);
    each([&](std::span<double> sums, const ScoredRows& rows) {
      for (Index i = 0; i < rows.count; ++i) sums[rows.labels[i] > 0 ? 1 : 0] += rows.weight(i);
    });
    const double negative = sums_->total()[0], positive = sums_->total()[1];
    if (!(negative > 0 && positive > 0))
      throw CollectiveError(
          ExitCode::usage, 0,
          fmt::format("{}: the rows to calibrate on have one class only", shard_.info().path));
    high_ = (positive + 1) / (positive + 2);
    low_ = 1 / (negative + 2);
  }

  Sums sums_at(double a, double b) {
    sums_->start(width, 0);
    each([&](std::span<double> sums, const ScoredRows& rows) {
      for (Index i = 0; i < rows.count; ++i)
        (two_ ? add_two : add_many)(*this, rows.z + i * K_, rows.labels[i], rows.weight(i), a, b,
                                    sums);
    });
    const auto total = sums_->total();
    return {total[0], total[1], total[2], total[3], total[4], total[5], total[6]};
  }

  /// −t log p − (1 − t) log(1 − p), p = 1/(1 + exp(−(a z + b))).
  static void add_two(const Fit& fit, const double* z, double y, double weight, double a, double b,
                      std::span<double> sums) {
    const double target = fit.platt_ ? (y > 0 ? fit.high_ : fit.low_) : y > 0 ? 1 : 0;
    const double u = a * z[0] + b, p = 1 / (1 + std::exp(-u)), r = p - target, h = p * (1 - p);
    const double terms[] = {
        log_one_plus_exp(u) - target * u, r * z[0], r, h * z[0] * z[0], h * z[0], h, 1};
    for (std::size_t k = 0; k < std::size(terms); ++k) sums[k] += weight * terms[k];
  }
  /// log Σ exp(a z_k) − a z_y; by a its mean of z under p less z_y, and that mean's variance.
  static void add_many(const Fit& fit, const double* z, double y, double weight, double a, double,
                       std::span<double> sums) {
    const double top = *std::max_element(z, z + fit.K_);
    double sum = 0, mean = 0, square = 0;
    for (Index k = 0; k < fit.K_; ++k) {
      const double below = z[k] - top, e = std::exp(a * below);
      sum += e;
      mean += e * below;
      square += e * below * below;
    }
    mean /= sum;
    const double own = z[static_cast<Index>(y)] - top;
    sums[0] += weight * (std::log(sum) - a * own);
    sums[1] += weight * (mean - own);
    sums[3] += weight * std::max(0.0, square / sum - mean * mean);
    sums[6] += weight;
  }

  template <class Each>
  void each(Each&& each) {
    each_block(
        shard_, shard_.rows() + 1, [&](const Part& rows) { return z_.data() + rows.first * K_; },
        [&](Index owned, const ScoredRows& rows) { each(sums_->values(owned), rows); });
    sums_->reduce();
  }

  const Shard& shard_;
  Index K_;
  bool two_, platt_;
  std::unique_ptr<Reducer<double>> sums_;
  std::vector<double> z_;  // of this rank's rows
  double high_ = 1, low_ = 0;
};

}  // namespace

void require_calibration(std::string_view method, Loss loss) {
  if (takes_numbers(loss))
    throw ConfigError(fmt::format("a {} model has no probabilities", loss_name(loss)));
  if (method == "platt" && !takes_two_classes(loss))
    throw ConfigError("platt is for models of two classes; use temperature");
  if (method == "temperature" && loss == Loss::squared_hinge)
    throw ConfigError("temperature is for models with probabilities; use platt");
}

io::Calibration calibrate(const Communicator& comm, Predictor& model, Loss loss, const Shard& shard,
                          std::string_view method, Reduction reduction) {
  comm.agree("", [&] { require_calibration(method, loss); });
  return Fit(comm, model, loss, shard, reduction, method == "platt").fit();
}

}  // namespace svrg
