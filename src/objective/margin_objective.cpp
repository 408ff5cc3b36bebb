#include "svrg/objective/margin_objective.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "objective/equal_on_ranks.hpp"
#include "objective/tail.hpp"
#include "svrg/core/error.hpp"

namespace svrg {

namespace {

/// Rows of a Hessian summed at a time, so that what is known of them takes little memory.
constexpr Index curvature_rows = 4096;

}  // namespace

/// Adds its lifetime to a phase, less what was spent in collectives meanwhile.
class MarginObjective::Timed {
 public:
  Timed(MarginObjective& owner, Phase phase)
      : owner_(owner),
        phase_(phase),
        within_(owner.comm_.heartbeat(), phase),
        start_(now()),
        comm_(owner.comm_.traffic().seconds) {}
  ~Timed() { owner_.times_[phase_] += now() - start_ - (owner_.comm_.traffic().seconds - comm_); }
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;

 private:
  MarginObjective& owner_;
  Phase phase_;
  Heartbeat::Within within_;
  double start_, comm_;
};

MarginObjective::MarginObjective(const Communicator& comm, const LinearModel& model,
                                 const Shard& shard, Penalty<double> penalty, Reduction reduction,
                                 RequestProbe probe, Index threads)
    : comm_(comm),
      model_(model),
      shard_(shard),
      penalty_(std::move(penalty)),
      reduction_(reduction),
      lanes_{threads, shard.owned_shards()},
      reducer_(make_reducer<double>(comm, reduction, shard.partition().virtual_shards(),
                                    shard.owned_shards(), threads)),
      probe_(std::move(probe)),
      mean_weight_(mean_weight(comm, shard, reduction)),
      total_weight_(mean_weight_ * static_cast<double>(shard.info().rows)) {
  const auto size = static_cast<std::size_t>(shard.rows() * model.margins_per_row());
  z_.assign(size, 0);
  r_.assign(size, 0);
}

void MarginObjective::in_lanes(const std::function<void(Index)>& f) const {
  const ScheduleRecorder::Divided divided(comm_.recorder(), shard_.rows());
  parallel(lanes_.count, f);
}

void MarginObjective::each_part(const std::function<void(const Part&)>& f) const {
  in_lanes([&](Index lane) {
    for (Index p = lanes_.begin(lane); p < lanes_.begin(lane + 1); ++p)
      f(shard_.all().parts[static_cast<std::size_t>(p)]);
  });
}

double MarginObjective::largest_of(const std::function<double(const Part&)>& f) const {
  std::vector<double> of_part(shard_.all().parts.size() + 1, 0);
  each_part(
      [&](const Part& part) { of_part[static_cast<std::size_t>(part.virtual_shard)] = f(part); });
  return *std::max_element(of_part.begin(), of_part.end());
}

MarginObjective::Measurement MarginObjective::gradient(ConstVecRef<double> w, VecRef<double> g) {
  const Timed timed(*this, Phase::full_gradient);
  // An intercept's curvature, one sum a class, rides behind the usual tail, and a checksum of w.
  const Index curvatures = model_.free_intercepts();
  reducer_->start(size(), Tail::size + curvatures + EqualOnRanks::size);
  each_part([&](const Part& part) {
    Eigen::Map<Vec<double>> sum(reducer_->values(part.virtual_shard).data(), size());
    const double loss = model_.sweep(w, shard_.all(), part, z_.data(), r_.data(), sum);
    const auto tail = reducer_->tail(part.virtual_shard);
    Tail(tail).add(loss, part.count);
    if (curvatures > 0)
      model_.add_diagonal_curvature(
          shard_.all(), part, z_.data(),
          tail.subspan(static_cast<std::size_t>(Tail::size), static_cast<std::size_t>(curvatures)));
  });
  if (shard_.owned_shards() > 0) {
    if (probe_) Tail(reducer_->tail(0)).add(probe_());
    EqualOnRanks(reducer_->tail(0).last(EqualOnRanks::size)).add(w);
  }
  reducer_->reduce();
  if (!EqualOnRanks(reducer_->total_tail().last(EqualOnRanks::size)).hold())
    throw CollectiveError(
        ExitCode::internal, 0,
        "the ranks' weights are not the same any more, which only a fault of memory or "
        "network explains; go on from the last checkpoint with --resume auto");
  const Report report = Tail(reducer_->total_tail()).report(mean_weight_);
  g = Eigen::Map<const Vec<double>>(reducer_->total().data(), size()) / total_weight_;
  penalty_.add_gradient(w, g);
  if (curvatures > 0) {
    const auto sums = reducer_->total_tail().subspan(static_cast<std::size_t>(Tail::size),
                                                     static_cast<std::size_t>(curvatures));
    intercept_curvature_ = *std::min_element(sums.begin(), sums.end()) / total_weight_;
  }
  Measurement m;
  m.loss = report.loss;
  m.objective = report.loss + penalty_.value(w);
  m.finite = report.finite && std::isfinite(m.objective) && g.allFinite();
  m.requests = report.requests;
  return m;
}

void MarginObjective::margins(ConstVecRef<double> w) {
  const Timed timed(*this, Phase::full_gradient);
  each_part([&](const Part& part) { model_.margins(w, shard_.all(), part, z_.data()); });
}

void MarginObjective::remember() {
  const ScheduleRecorder::Divided divided(comm_.recorder(), shard_.rows());
  remembered_ = z_;
}

void MarginObjective::restore() {
  const ScheduleRecorder::Divided divided(comm_.recorder(), shard_.rows());
  z_ = remembered_;
  each_part([&](const Part& part) { model_.residuals(shard_.all(), part, z_.data(), r_.data()); });
}

DirectionMargins MarginObjective::step_margins() const {
  const ScheduleRecorder::Divided divided(comm_.recorder(), shard_.rows());
  DirectionMargins q(z_.size());
  for (std::size_t i = 0; i < z_.size(); ++i) q[i] = static_cast<float>(z_[i] - remembered_[i]);
  return q;
}

namespace {

/// Rows with the values given instead of their own.
Rows with_values(const DenseRows<double>& x, const float* values) {
  return DenseRows<float>{values, x.rows, x.columns, x.columns};
}
Rows with_values(const CsrRows<double>& x, const float* values) {
  return CsrRows<float>{values, x.indices, x.starts, x.rows, x.columns};
}
/// Appends; false where a value is out of float's range.
bool round(const double* from, Index count, std::vector<float>& to) {
  constexpr double least = std::numeric_limits<float>::min();
  constexpr double most = std::numeric_limits<float>::max();
  bool fits = true;
  for (Index i = 0; i < count; ++i) {
    const double size = std::fabs(from[i]);
    fits = fits && (size == 0 || (size >= least && size <= most));
    to.push_back(static_cast<float>(from[i]));
  }
  return fits;
}
bool round(const DenseRows<double>& x, std::vector<float>& to) {
  to.reserve(static_cast<std::size_t>(x.rows * x.columns));
  bool fit = true;
  for (Index i = 0; i < x.rows && fit; ++i) fit = round(x.data + i * x.stride, x.columns, to);
  return fit;
}
bool round(const CsrRows<double>& x, std::vector<float>& to) {
  to.reserve(static_cast<std::size_t>(x.starts[x.rows]));
  return round(x.values, x.starts[x.rows], to);
}

}  // namespace

void MarginObjective::use_rounded_rows(bool wanted) {
  if (!wanted) return rounded_.reset();
  if (rounded_ || not_to_be_rounded_ || shard_.streamed()) return;
  const ScheduleRecorder::Divided divided(comm_.recorder(), shard_.rows());
  std::visit(
      [&](const auto& x) {
        if constexpr (std::is_same_v<typename std::decay_t<decltype(x)>::Value, double>) {
          rounded_ = std::make_unique<RoundedRows>();
          not_to_be_rounded_ = !round(x, rounded_->values);
          if (not_to_be_rounded_) return rounded_.reset();
          rounded_->input = shard_.all().inputs[0];
          rounded_->input.rows = with_values(x, rounded_->values.data());
          rounded_->batch = shard_.all();
          rounded_->batch.inputs = {&rounded_->input, 1};
        }
      },
      shard_.all().inputs[0].rows);
}

const Batch& MarginObjective::inner_batch() const noexcept {
  return rounded_ ? rounded_->batch : shard_.all();
}

DirectionMargins MarginObjective::direction_margins(ConstVecRef<double> p) const {
  const ScheduleRecorder::Divided divided(comm_.recorder(), shard_.rows());
  DirectionMargins q(z_.size());
  each_part([&](const Part& part) { model_.direction_margins(p, shard_.all(), part, q.data()); });
  return q;
}

LineSums MarginObjective::line_sums(std::span<const DirectionMargins* const> q,
                                    std::span<const double> alpha) {
  const Timed timed(*this, Phase::inner);
  const auto k = static_cast<Index>(q.size());
  std::vector<const float*> columns;
  for (const DirectionMargins* direction : q) columns.push_back(direction->data());
  reducer_->start(k * k + k + 1, 0);
  each_part([&](const Part& part) {
    LineSums of_part{0, Vec<double>::Zero(k), Eigen::MatrixXd::Zero(k, k)};
    model_.add_line_sums(shard_.all(), part, z_.data(), columns, alpha, of_part);
    Eigen::Map<Vec<double>> values(reducer_->values(part.virtual_shard).data(), k * k + k + 1);
    values[0] += of_part.value;
    values.segment(1, k) += of_part.gradient;
    values.tail(k * k) += of_part.hessian.reshaped();
  });
  reducer_->reduce();
  LineSums sums;
  const Eigen::Map<const Vec<double>> total(reducer_->total().data(), k * k + k + 1);
  sums.value = total[0] / total_weight_;
  sums.gradient = total.segment(1, k) / total_weight_;
  sums.hessian = total.tail(k * k).reshaped(k, k) / total_weight_;
  return sums;
}

Index MarginObjective::chains(bool chain_per_shard) const {
  const Index shards = shard_.partition().virtual_shards();
  return chain_per_shard ? shards : std::min(workers(), shards);
}

Vec<double> MarginObjective::displacement(bool chain_per_shard, const ChainRun& run) {
  const Timed timed(*this, Phase::inner);
  reducer_->start(size(), 0);
  const auto one_chain = [&](Index first, Index count, Index chain, Index part) {
    if (count == 0) return;
    const ChainRows rows{&inner_batch(), first, count, z_.data(), r_.data(), mean_weight_};
    Vec<double> u(size());
    run(rows, chain, u);
    const double share = static_cast<double>(count) / static_cast<double>(shard_.info().rows);
    Eigen::Map<Vec<double>>(reducer_->values(part).data(), size()) += share * u;
  };
  if (chain_per_shard)
    each_part([&](const Part& part) {
      one_chain(part.first, part.count, shard_.first_shard() + part.virtual_shard,
                part.virtual_shard);
    });
  else
    in_lanes([&](Index lane) {
      const auto parts = shard_.all().parts;
      const Index part = lanes_.begin(lane), end = lanes_.begin(lane + 1);
      if (part == end) return;
      const Part &front = parts[static_cast<std::size_t>(part)],
                 &back = parts[static_cast<std::size_t>(end - 1)];
      one_chain(front.first, back.first + back.count - front.first,
                comm_.rank() * lanes_.count + lane, part);
    });
  reducer_->reduce();
  return Eigen::Map<const Vec<double>>(reducer_->total().data(), size());
}

Part MarginObjective::sample(const Part& part, Index samples, std::uint64_t draw) const {
  const Index wanted =
      samples >= rows() ? part.count : std::min(part.count, samples * part.count / rows() + 1);
  if (wanted == part.count) return part;
  const auto stream = static_cast<std::uint64_t>(shard_.first_shard() + part.virtual_shard);
  const Index start = CounterRandom(draw, stream).below(part.count - wanted + 1, 0);
  return {part.virtual_shard, part.first + start, wanted};
}

Eigen::MatrixXd MarginObjective::curvature(Index samples, std::uint64_t draw) {
  const Timed timed(*this, Phase::inner);
  const Index P = size(), packed = P * (P + 1) / 2;
  reducer_->start(packed, 1);
  each_part([&](const Part& part) {
    const Part rows = sample(part, samples, draw);
    Eigen::MatrixXd h = Eigen::MatrixXd::Zero(P, P);
    for (Index i = 0; i < rows.count; i += curvature_rows)
      model_.add_curvature(shard_.all(), rows.first + i, std::min(curvature_rows, rows.count - i),
                           z_.data(), h);
    double* sum = reducer_->values(part.virtual_shard).data();
    for (Index j = 0; j < P; sum += P - j, ++j)
      Eigen::Map<Vec<double>>(sum, P - j) += h.col(j).tail(P - j);
    reducer_->tail(part.virtual_shard)[0] += static_cast<double>(rows.count);
  });
  reducer_->reduce();
  Eigen::MatrixXd h(P, P);
  const double* sum = reducer_->total().data();
  for (Index j = 0; j < P; sum += P - j, ++j)
    h.col(j).tail(P - j) =
        Eigen::Map<const Vec<double>>(sum, P - j) / (reducer_->total_tail()[0] * mean_weight_);
  h.diagonal() += penalty_.curvature();
  return h;
}

double MarginObjective::largest_row_curvature(const Cholesky& metric, Index samples,
                                              std::uint64_t draw) {
  const Timed timed(*this, Phase::inner);
  const double largest = largest_of([&](const Part& part) {
    const Part rows = sample(part, samples, draw);
    return model_.largest_row_curvature(shard_.all(), rows, z_.data(), metric);
  });
  return comm_.max(largest) / mean_weight_;
}

void MarginObjective::hessian_product(ConstVecRef<double> p, VecRef<double> y) {
  const Timed timed(*this, Phase::inner);
  reducer_->start(size(), 0);
  each_part([&](const Part& part) {
    Eigen::Map<Vec<double>> sum(reducer_->values(part.virtual_shard).data(), size());
    model_.add_hessian_product(p, shard_.all(), part, z_.data(), sum);
  });
  reducer_->reduce();
  y = Eigen::Map<const Vec<double>>(reducer_->total().data(), size()) / total_weight_;
  penalty_.add_gradient(p, y);
}

const MarginObjective::Smoothness& MarginObjective::smoothness() {
  if (smoothness_) return *smoothness_;
  reducer_->start(1, 0);
  const double largest = largest_of([&](const Part& part) {
    const auto s = model_.smoothness(shard_.all(), part);
    reducer_->values(part.virtual_shard)[0] += s.sum;
    return s.largest;
  });
  reducer_->reduce();
  smoothness_ = {comm_.max(largest) / mean_weight_, reducer_->total()[0] / total_weight_};
  return *smoothness_;
}

double mean_smoothness(const Communicator& comm, const LinearModel& model, const Shard& shard,
                       Reduction reduction, int iterations) {
  // φ'' ≤ c, so the mean loss is smoother than c/2 ‖Xw‖²/n: the Hessian of a squared loss, scaled.
  const LinearModel squared(Loss::squared, model.features(), 1, model.intercept());
  MarginObjective f(comm, squared, shard, Penalty<double>(squared.layout(), 0), reduction);
  Vec<double> v(f.size()), y(f.size());
  const CounterRandom random(1, 0);
  for (Index j = 0; j < v.size(); ++j) v[j] = random.normal(static_cast<std::uint64_t>(j));
  double largest = 0;
  for (int i = 0; i < iterations; ++i) {
    v /= std::max(v.norm(), 1e-300);
    f.hessian_product(v, y);
    largest = y.norm();
    v = y;
  }
  return model.curvature_bound() * largest;
}

}  // namespace svrg
