// A loss and an optimizer of one's own, without touching the library: Poisson regression of counts,
// F(w) = (1/n) Σ (exp(x_i·w) − y_i x_i·w) + 0.01 ‖w‖²/2, by variance-reduced steps with a momentum
// that restarts. The counts are the digits' labels.
//   mpirun -n 2 build/bin/own_parts apps/data/digits.train.svm
#include <svrg/svrg.hpp>

#include <cmath>
#include <cstdio>

namespace {

using svrg::Index, svrg::VecRef, svrg::ConstVecRef;

/// Calls f(column, value) for each entry of row i.
template <class T, class F>
void for_each(const svrg::DenseRows<T>& x, Index i, F&& f) {
  for (Index j = 0; j < x.columns; ++j) f(j, static_cast<double>(x.data[i * x.stride + j]));
}
template <class T, class F>
void for_each(const svrg::CsrRows<T>& x, Index i, F&& f) {
  for (Index e = x.starts[i]; e < x.starts[i + 1]; ++e)
    f(Index{x.indices[e]}, static_cast<double>(x.values[e]));
}

/// f_i(w) = exp(z) − y z, z = x_i·w: a function of weights and rows, which knows nothing of ranks.
class Poisson : public svrg::Model<double> {
 public:
  explicit Poisson(Index features) {
    svrg::Parameter weight;
    weight.name = "poisson_weight";
    weight.shape = {1, features};
    layout_.add(weight);
  }
  const svrg::ParameterLayout& layout() const override { return layout_; }
  Index scores_per_row() const override { return 1; }

  double add_gradient(ConstVecRef<double> w, const svrg::Batch& batch, const svrg::Part& part,
                      const svrg::Pass&, VecRef<double> g) override {
    double loss = 0;
    each_row(w, batch, part, [&](Index, Index row, double z, const auto& x) {
      const auto at = static_cast<std::size_t>(row);
      const double weight = batch.weights.empty() ? 1 : batch.weights[at];
      const double y = batch.labels[at], mean = std::exp(z);
      loss += weight * (mean - y * z);
      for_each(x, row, [&](Index j, double v) { g[j] += weight * (mean - y) * v; });
    });
    return loss;  // sums with weights: the objective divides once
  }

  void predict(ConstVecRef<double> w, const svrg::Batch& batch, const svrg::Part& part,
               std::span<double> scores) override {
    each_row(w, batch, part, [&](Index i, Index, double z, const auto&) {
      scores[static_cast<std::size_t>(i)] = z;
    });
  }

 private:
  /// Calls f(i, row, z, x) for the part's rows, z = x_row·w.
  template <class F>
  static void each_row(ConstVecRef<double> w, const svrg::Batch& batch, const svrg::Part& part,
                       F&& f) {
    const auto visit = [&](const auto& x) {
      for (Index i = 0; i < part.count; ++i) {
        const Index at = part.first + i;
        const Index row = batch.pick.empty() ? at : batch.pick[static_cast<std::size_t>(at)];
        double z = 0;
        for_each(x, row, [&](Index j, double v) { z += v * w[j]; });
        f(i, row, z, x);
      }
    };
    std::visit(visit, batch.inputs[0].rows);
  }
  svrg::ParameterLayout layout_;
};

/// m ← 0.9 m − lr g, or −lr g where m would go uphill (O'Donoghue & Candès 2015); w ← w + m. The
/// same on all ranks, as g is.
class RestartedMomentum : public svrg::Optimizer<double> {
 public:
  void step(const svrg::ParameterLayout&, VecRef<double> w, const svrg::Gradient<double>& all,
            double learning_rate) override {
    const Eigen::Map<const svrg::Vec<double>> g(all.values.data(), w.size());
    if (m_.size() == 0) m_.setZero(w.size());
    m_ = 0.9 * m_ - learning_rate * g;
    if (m_.dot(g) > 0) m_ = -learning_rate * g;
    w += m_;
  }
  double learning_rate() const override { return 0.01; }
  Index slots() const override { return 1; }
  void save(svrg::State& state) const override {
    state.arrays["optimizer/m/weights"] = svrg::Array::vector<double>(m_);
  }
  void load(const svrg::State& state) override {
    m_ = state.vector("optimizer/m/weights", state.array("optimizer/m/weights").shape[0]);
  }

 private:
  svrg::Vec<double> m_;
};

}  // namespace

int main(int argc, char** argv) {
  return svrg::run(argc, argv, [](int count, char** arguments) {
    if (count < 2) throw svrg::ConfigError("usage: own_parts DATA");
    const auto comm = svrg::Communicator::world();
    const svrg::Shard rows = svrg::read_text(comm, arguments[1], {});
    Poisson model(rows.info().columns);
    const svrg::Penalty<double> l2(model.layout(), 0.01);
    svrg::ModelObjective<double> objective(comm, model, rows, l2, svrg::Reduction::plain);
    svrg::Sampler batches(rows, 64, 1);
    svrg::SvrgEstimator<double> estimator;
    RestartedMomentum momentum;
    svrg::MinibatchSolver<double> solver(comm, model.layout(), objective, batches, estimator,
                                         momentum, {.learning_rate = momentum.learning_rate()});
    svrg::Vec<double> w = svrg::Vec<double>::Zero(objective.size());
    auto at = solver.start(w);
    const double goal = 1e-6 * at.grad_norm;
    while (at.epoch < 400 && !(at.measured && at.grad_norm <= goal)) at = solver.advance(w);
    if (comm.is_root())
      std::printf("epoch %d: F = %.9f, |g| = %.1e\n", static_cast<int>(at.epoch), at.objective,
                  at.grad_norm);
    return at.grad_norm <= goal ? 0 : 1;
  });
}
