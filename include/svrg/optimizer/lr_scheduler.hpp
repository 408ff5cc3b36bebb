#pragma once
#include <memory>
#include <string>

#include "svrg/core/options.hpp"

namespace svrg {

/// The learning rate as a function of the number of the update, from 1. Pure: nothing to save.
class LrScheduler {
 public:
  virtual ~LrScheduler() = default;
  /// Warm-up first (from warmup_begin_lr to the base rate over warmup_steps, or constant), then the
  /// schedule proper.
  double operator()(Index num_update) const;
  double base_lr() const noexcept { return base_lr_; }
  /// Replaces the base rate, of which amplitude and the end of the warm-up follow.
  /// @throws ConfigError below warmup_begin_lr
  void set_base_lr(double base_lr);

 protected:
  explicit LrScheduler(OptionReader& options);
  /// The rate once the warm-up is over.
  virtual double after_warmup(Index num_update) const = 0;
  Index warmup_steps() const noexcept { return warmup_steps_; }

 private:
  double base_lr_, warmup_begin_lr_;
  Index warmup_steps_;
  bool warms_linearly_;
};

/// `type` is constant, factor, multifactor, poly or cosine; options as MXNet's, base_lr 0.01.
/// @throws ConfigError
std::shared_ptr<LrScheduler> make_lr_scheduler(const std::string& type, const Options& options);

namespace lr_scheduler {
/// base·factor^k with k the number of whole `step`s done, not below stop_factor_lr.
inline std::shared_ptr<LrScheduler> Factor(const Options& options) {
  return make_lr_scheduler("factor", options);
}
/// base·factor^k with k the number of `step`s (a list) that lie before the update.
inline std::shared_ptr<LrScheduler> MultiFactor(const Options& options) {
  return make_lr_scheduler("multifactor", options);
}
/// final + (base − final)(1 − progress)^pwr, progress reaching 1 at max_update.
inline std::shared_ptr<LrScheduler> Poly(const Options& options) {
  return make_lr_scheduler("poly", options);
}
/// final + (base − final)(1 + cos(π·progress))/2.
inline std::shared_ptr<LrScheduler> Cosine(const Options& options) {
  return make_lr_scheduler("cosine", options);
}
}  // namespace lr_scheduler

}  // namespace svrg
