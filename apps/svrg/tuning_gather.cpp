// What groups of ranks have found out by themselves, in one place.
#include "tuning_gather.hpp"

#include "svrg/core/types.hpp"

namespace svrg::app {

std::vector<io::TuningCell> gathered_cells(const Communicator& comm,
                                           const std::vector<io::TuningCell>& mine, Index folds,
                                           Index points) {
  std::vector<double> numbers;
  for (const io::TuningCell& c : mine) {
    for (const Index n : {c.fold, c.point, c.epochs, c.nonzeros, Index{c.converged},
                          static_cast<Index>(c.scores.size())})
      numbers.push_back(static_cast<double>(n));
    for (const double x : {c.objective, c.grad_norm, c.passes, c.seconds}) numbers.push_back(x);
    numbers.insert(numbers.end(), c.scores.begin(), c.scores.end());
  }
  const auto all = comm.gather(std::span<const double>(numbers));
  std::vector<io::TuningCell> cells(static_cast<std::size_t>(folds * points));
  auto next = all.begin();
  const auto whole = [&] { return static_cast<Index>(*next++); };
  while (next != all.end()) {
    const Index fold = whole(), point = whole();
    io::TuningCell& c = cells[static_cast<std::size_t>(fold * points + point)];
    c.fold = fold;
    c.point = point;
    c.epochs = whole();
    c.nonzeros = whole();
    c.converged = whole() != 0;
    const Index scores = whole();
    for (double* x : {&c.objective, &c.grad_norm, &c.passes, &c.seconds}) *x = *next++;
    c.scores.assign(next, next + scores);
    next += scores;
  }
  return cells;
}

std::vector<Index> gathered_folds(const Communicator& comm, const Shard* shard, const Folds& folds,
                                  Index rows) {
  std::vector<Index> mine;
  if (shard != nullptr)
    for (Index i = 0; i < shard->rows(); ++i) {
      mine.push_back(shard->global_rows()[static_cast<std::size_t>(i)]);
      mine.push_back(folds.fold_of(i));
    }
  const auto all = comm.gather(std::span<const Index>(mine));
  std::vector<Index> of_row(static_cast<std::size_t>(rows));
  for (std::size_t i = 0; i < all.size(); i += 2)
    of_row[static_cast<std::size_t>(all[i])] = all[i + 1];
  return of_row;
}

void set_weights(io::TuningStudy& study, const ParameterLayout& layout,
                 const std::vector<double>& weights) {
  study.outputs = layout.at("linear_weight").shape[0];
  const auto points = static_cast<Index>(study.settings.size());
  for (Index p = 0; p < points; ++p)
    for (const Parameter& parameter : layout.all()) {
      const Eigen::Map<const Vec<double>> flat(
          weights.data() + p * layout.size() + parameter.offset, parameter.size);
      const auto values = to_row_major(parameter, flat);
      auto& to = parameter.name == "linear_weight" ? study.weights : study.biases;
      to.insert(to.end(), values.begin(), values.end());
    }
}

}  // namespace svrg::app
