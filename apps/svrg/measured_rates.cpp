#include "measured_rates.hpp"

#include <algorithm>
#include <functional>
#include <optional>

#include "svrg/core/cholesky.hpp"
#include "svrg/core/clock.hpp"
#include "svrg/core/error.hpp"
#include "svrg/data/synthetic.hpp"
#include "svrg/model/linear_model.hpp"

namespace svrg::app {
namespace {

constexpr int repeats = 5;

/// The least of a few times, each over as many calls as take a tenth of a second. Every rank makes
/// the same number of them.
double seconds_of(const Communicator& comm, const std::function<void()>& work) {
  const auto time = [&](Index calls) {
    const double start = now();
    for (Index i = 0; i < calls; ++i) work();
    return comm.max(now() - start);
  };
  Index calls = 1;
  while (time(calls) < 0.1 && calls < (Index{1} << 30)) calls *= 2;
  double least = time(calls);
  for (int i = 1; i < repeats; ++i) least = std::min(least, time(calls));
  return least / static_cast<double>(calls);
}

/// Made-up rows, and what training does with them.
class MadeRows {
 public:
  /// With margins as they differ in training.
  MadeRows(Index n, Index d, double density)
      : shard_(make_synthetic(Communicator::self(), {n, d, density}, {})),
        model_(Loss::logistic, d, 1, false),
        z_(static_cast<std::size_t>(n)),
        r_(z_) {
    sweep();
  }
  double stored() const { return static_cast<double>(shard_.info().nonzeros); }
  void sweep() {
    const Vec<double> w = Vec<double>::Constant(model_.layout().size(), 0.01);
    Vec<double> g = Vec<double>::Zero(w.size());
    model_.sweep(w, shard_.all(), all(), z_.data(), r_.data(), g);
  }
  void curvature() {
    const Index d = model_.layout().size();
    Eigen::MatrixXd h = Eigen::MatrixXd::Zero(d, d);
    model_.add_curvature(shard_.all(), 0, shard_.rows(), z_.data(), h);
  }

 private:
  Part all() const { return {0, 0, shard_.rows()}; }
  Shard shard_;
  LinearModel model_;
  std::vector<double> z_, r_;
};

}  // namespace

Rates measured_rates(const Communicator& comm) {
  Rates rates;
  std::optional<MadeRows> rows;
  const auto make = [&](Index n, Index d, double density) {
    rows.reset();
    comm.agree("", [&] { rows.emplace(n, d, density); });
  };
  make(60'000, 256, 1);  // 123 MB: more than caches keep
  rates.bandwidth = rows->stored() * 8 / seconds_of(comm, [&] { rows->sweep(); });
  make(5'000, 256, 1);
  rates.products = rows->stored() * 128 / seconds_of(comm, [&] { rows->curvature(); });
  make(60'000, 40'000, 60.0 / 40'000);
  rates.entries = rows->stored() / seconds_of(comm, [&] { rows->sweep(); });
  make(5'000, 512, 20.0 / 512);
  rates.updates = rows->stored() * 10 / seconds_of(comm, [&] { rows->curvature(); });
  constexpr Index size = 512;
  Eigen::MatrixXd a = Eigen::MatrixXd::Constant(size, size, 0.1);
  a.diagonal().array() += static_cast<double>(size);
  bool factored = true;
  Cholesky factor;
  const double factoring = seconds_of(comm, [&] { factored &= factor.compute(a); });
  if (!factored) throw NumericError("a positive definite matrix has no factor");
  rates.factoring = static_cast<double>(size) * size * size / 6 / factoring;
  std::vector<double> one(1), many(1 << 17);
  rates.latency = seconds_of(comm, [&] { comm.sum(std::span(one)); });
  rates.network =
      static_cast<double>(8 * many.size()) / seconds_of(comm, [&] { comm.sum(std::span(many)); });
  return rates;
}

}  // namespace svrg::app
