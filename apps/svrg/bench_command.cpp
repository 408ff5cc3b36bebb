// svrg bench: what this machine does in a second, measured by the loops that training runs.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "precautions.hpp"
#include "subcommands.hpp"
#include "svrg/comm/communicator.hpp"
#include "svrg/core/cholesky.hpp"
#include "svrg/core/clock.hpp"
#include "svrg/core/error.hpp"
#include "svrg/core/random.hpp"
#include "svrg/io/file.hpp"
#include "svrg/model/instruction_set.hpp"
#include "svrg/model/linear_model.hpp"
#include "svrg/solver/cost_model.hpp"

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

/// Rows with labels of both classes; those of the sparse kind as in text, some columns being
/// common.
class MadeRows {
 public:
  MadeRows(Index n, Index d, Index length) : n_(n), d_(d) {
    const CounterRandom random(1, 0);
    const Index stored = length > 0 ? length : d;
    values_.reserve(static_cast<std::size_t>(n * stored));
    for (Index i = 0; i < n; ++i) {
      labels_.push_back(i % 2 == 0 ? 1 : -1);
      for (Index e = 0; e < stored; ++e) {
        const auto at = static_cast<std::uint64_t>(i * stored + e);
        values_.push_back(random.uniform(2 * at) - 0.5);
        if (length > 0)
          columns_.push_back(static_cast<std::int32_t>(static_cast<double>(d - 1) *
                                                       std::pow(random.uniform(2 * at + 1), 3)));
      }
      if (length > 0)
        std::sort(columns_.end() - static_cast<std::ptrdiff_t>(length), columns_.end());
      starts_.push_back(static_cast<Index>(values_.size()));
    }
    if (length > 0)
      input_.rows = CsrRows<double>{values_.data(), columns_.data(), starts_.data(), n, d};
    else
      input_.rows = DenseRows<double>{values_.data(), n, d, d};
    batch_.inputs = {&input_, 1};
    batch_.labels = labels_;
    z_.resize(static_cast<std::size_t>(n));
    r_ = z_;
  }
  double stored() const { return static_cast<double>(values_.size()); }
  void sweep() {
    const LinearModel model(Loss::logistic, d_, 1, false);
    const Vec<double> w = Vec<double>::Constant(d_, 0.01);
    Vec<double> g = Vec<double>::Zero(d_);
    model.sweep(w, batch_, {0, 0, n_}, z_.data(), r_.data(), g);
  }
  void curvature() {
    const LinearModel model(Loss::logistic, d_, 1, false);
    Eigen::MatrixXd h = Eigen::MatrixXd::Zero(d_, d_);
    model.add_curvature(batch_, 0, n_, z_.data(), h);
  }

 private:
  Index n_, d_;
  std::vector<double> values_, labels_, z_, r_;
  std::vector<std::int32_t> columns_;
  std::vector<Index> starts_{0};
  Input input_{};
  Batch batch_{};
};

Rates measure(const Communicator& comm) {
  Rates rates;
  std::optional<MadeRows> rows;
  const auto make = [&](Index n, Index d, Index length) {
    rows.reset();
    comm.agree("", [&] { rows.emplace(n, d, length); });
  };
  make(60'000, 256, 0);  // 123 MB: more than caches keep
  rates.bandwidth = rows->stored() * 8 / seconds_of(comm, [&] { rows->sweep(); });
  make(5'000, 256, 0);
  rates.products = rows->stored() * 128 / seconds_of(comm, [&] { rows->curvature(); });
  make(60'000, 40'000, 60);
  rates.entries = rows->stored() / seconds_of(comm, [&] { rows->sweep(); });
  make(5'000, 512, 20);
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

}  // namespace

int bench(const Settings& settings) {
  const Communicator comm = Communicator::world();
  comm.agree("", [&] {
    if (!settings.has("rates"))
      throw ConfigError("svrg bench needs --rates FILE: where to write what it measures");
    if (comm.is_root()) require_replaceable(settings, settings.text("rates"), "");
    if (!settings.is("instructions", "auto")) use_instruction_set(settings.text("instructions"));
  });
  if (comm.is_root())
    fmt::print("{} rank{}, {}: about 10 seconds\n", comm.size(), comm.size() == 1 ? "" : "s",
               instruction_set());
  const Rates rates = measure(comm);
  comm.agree("", [&] {
    if (!comm.is_root()) return;
    io::write_file(settings.text("rates"), to_text(rates));
    fmt::print("{}written to {}; svrg train --rates {} chooses its engine by it\n", to_text(rates),
               settings.text("rates"), settings.text("rates"));
  });
  return 0;
}

}  // namespace svrg::app
