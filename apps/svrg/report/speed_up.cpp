#include "report/speed_up.hpp"

#include <algorithm>
#include <cmath>
#include <set>

namespace svrg::app::reporting {
namespace {

Spread spread_of(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t n = values.size();
  return {0.5 * (values[(n - 1) / 2] + values[n / 2]), values.front(), values.back()};
}

double share_of_communication(const std::array<double, phases>& seconds) {
  double all = 0, communication = 0;
  for (std::size_t p = 0; p < phases; ++p) {
    const auto phase = static_cast<Phase>(p);
    if (phase == Phase::data) continue;  // loading is not training
    all += seconds[p];
    if (phase == Phase::allreduce || phase == Phase::wait) communication += seconds[p];
  }
  return all > 0 ? communication / all : 0;
}

std::vector<Size> sizes_of(const io::ScalingStudy& study) {
  std::map<Index, std::vector<const io::MeasuredRun*>> by_ranks;
  for (const auto& run : study.measured) by_ranks[run.ranks].push_back(&run);
  std::vector<Size> sizes;
  for (const auto& [ranks, runs] : by_ranks) {
    Size size;
    size.ranks = static_cast<double>(ranks);
    size.rows = static_cast<double>(runs.front()->rows);
    size.repeats = runs.size();
    std::vector<double> seconds, shares;
    for (const auto* run : runs) {
      seconds.push_back(run->train_seconds);
      const auto means = mean_phases(run->phase_seconds);
      shares.push_back(share_of_communication(means));
      for (std::size_t p = 0; p < phases; ++p)
        size.phase_seconds[p] += means[p] / static_cast<double>(runs.size());
      size.passes += run->passes / static_cast<double>(runs.size());
      size.bytes += static_cast<double>(run->bytes_communicated) / static_cast<double>(runs.size());
      size.converged += run->converged ? 1 : 0;
    }
    size.seconds = spread_of(seconds);
    size.communication = spread_of(shares);
    sizes.push_back(size);
  }
  return sizes;
}

}  // namespace

SpeedUp::SpeedUp(const io::ScalingStudy& study)
    : study_(study), weak_(study.mode == "weak"), sizes_(sizes_of(study)) {
  for (const auto& run : study.simulated) platforms_[run.platform].push_back(&run);
  for (auto& [name, runs] : platforms_)
    std::ranges::sort(runs, {}, [](const auto* run) { return run->ranks; });
}

double SpeedUp::efficiency(double ranks, double seconds, double base, double base_ranks) const {
  return weak_ ? base / seconds : base * base_ranks / (seconds * ranks);
}

double SpeedUp::efficiency(const Size& size, double seconds) const {
  return efficiency(size.ranks, seconds, sizes_.front().seconds.median, first_ranks());
}

double SpeedUp::efficiency(const io::SimulatedRun& run) const {
  const io::SimulatedRun& first = *platforms_.at(run.platform).front();
  return efficiency(static_cast<double>(run.ranks), run.train_seconds, first.train_seconds,
                    static_cast<double>(first.ranks));
}

double SpeedUp::serial_part() const {
  double above = 0, below = 0;
  for (const Size& size : sizes_) {
    const double p = size.ranks / first_ranks(), e = efficiency(size, size.seconds.median);
    // Amdahl: T(p)/T(1) = s + (1 - s)/p. Gustafson: S(p) = p - s (p - 1).
    const double b = weak_ ? p - 1 : 1 - 1 / p;
    const double a = weak_ ? p - p * e : 1 / (p * e) - 1 / p;
    above += a * b;
    below += b * b;
  }
  return below > 0 ? std::clamp(above / below, 0.0, 1.0) : std::nan("");
}

double SpeedUp::fitted(double ranks) const {
  const double p = ranks / first_ranks(), s = serial_part();
  return first_ranks() * (weak_ ? p - s * (p - 1) : 1 / (s + (1 - s) / p));
}

std::vector<double> SpeedUp::all_ranks() const {
  std::set<double> all;
  for (const Size& size : sizes_) all.insert(size.ranks);
  for (const auto& run : study_.simulated) all.insert(static_cast<double>(run.ranks));
  return {all.begin(), all.end()};
}

double SpeedUp::beyond_cores() const {
  for (const Size& size : sizes_) {
    std::map<std::string, Index> on;
    Index most = 0;
    const auto n = std::min(static_cast<std::size_t>(size.ranks), study_.hostnames.size());
    for (std::size_t r = 0; r < n; ++r) most = std::max(most, ++on[study_.hostnames[r]]);
    if (study_.cores > 0 && most > study_.cores) return size.ranks;
  }
  return -1;
}

}  // namespace svrg::app::reporting
