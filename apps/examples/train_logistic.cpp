// Minimises F(w) = (1/n) Σ log(1 + exp(−y_i (x_i·w + b))) + (1/2n) ‖w‖² over the rows of all ranks.
//   mpirun -n 2 build/bin/train_logistic apps/data/wdbc.train.svm
#include <svrg/svrg.hpp>

#include <cstdio>

int main(int argc, char** argv) {
  return svrg::run(argc, argv, [](int, char** arguments) {
    const auto comm = svrg::Communicator::world();
    svrg::Shard rows = svrg::read_text(comm, arguments[1], {});
    const auto labels = svrg::LabelMap::choose(comm, rows, "logistic", {});
    labels.apply(comm, rows);
    const svrg::LinearModel model(labels.loss, rows.info().columns, 2, true);
    const svrg::Penalty<double> l2(model.layout(), 1.0 / static_cast<double>(rows.info().rows));
    svrg::MarginObjective objective(comm, model, rows, l2, svrg::Reduction::plain);
    svrg::GuardedSvrg solver(objective, {});
    svrg::Vec<double> w = svrg::Vec<double>::Zero(objective.size());
    auto at = solver.start(w);
    for (const double goal = 1e-8 * at.grad_norm; at.grad_norm > goal && !at.finished;)
      at = solver.advance(w);
    if (comm.is_root())
      std::printf("F = %.12f, at most %.1e above the optimum\n", at.objective, at.gap);
    return 0;
  });
}
