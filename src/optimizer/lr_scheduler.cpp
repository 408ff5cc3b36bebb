// The original keeps counters and changes its base rate as it goes; in closed form a resumed run
// needs nothing but the number of the update.
#include "svrg/optimizer/lr_scheduler.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "svrg/core/error.hpp"

namespace svrg {
namespace {

class Constant : public LrScheduler {
 public:
  explicit Constant(OptionReader& o) : LrScheduler(o) {}

 protected:
  double after_warmup(Index) const override { return base_lr(); }
};

class FactorScheduler : public LrScheduler {
 public:
  explicit FactorScheduler(OptionReader& o)
      : LrScheduler(o),
        step_(o.required_integer("step")),
        factor_(o.real("factor", 1)),
        stop_(o.real("stop_factor_lr", 1e-8)) {
    if (step_ < 1) o.fail("step", "must be at least 1");
    if (factor_ > 1) o.fail("factor", "must not exceed 1, or the rate would grow");
  }

 protected:
  double after_warmup(Index n) const override {
    const Index changes = n > step_ ? (n - 1) / step_ : 0;
    double rate = base_lr();
    for (Index k = 0; k < changes && rate >= stop_; ++k) {
      rate *= factor_;
      if (rate < stop_) return stop_;
      if (factor_ == 1) break;
    }
    return rate;
  }

 private:
  Index step_;
  double factor_, stop_;
};

class MultiFactorScheduler : public LrScheduler {
 public:
  explicit MultiFactorScheduler(OptionReader& o)
      : LrScheduler(o), steps_(o.required_tuple("step")), factor_(o.real("factor", 1)) {
    if (steps_.empty() || steps_[0] < 1) o.fail("step", "must list updates, from 1");
    if (std::adjacent_find(steps_.begin(), steps_.end(), std::greater_equal<>()) != steps_.end())
      o.fail("step", "must increase");
    if (factor_ > 1) o.fail("factor", "must not exceed 1, or the rate would grow");
  }

 protected:
  double after_warmup(Index n) const override {
    double rate = base_lr();
    for (const Index step : steps_)
      if (n > step) rate *= factor_;
    return rate;
  }

 private:
  std::vector<Index> steps_;
  double factor_;
};

/// From base to final_lr at max_update, and held from there.
class Falling : public LrScheduler {
 protected:
  explicit Falling(OptionReader& o)
      : LrScheduler(o), last_(o.required_integer("max_update")), final_(o.real("final_lr", 0)) {
    if (last_ <= warmup_steps()) o.fail("max_update", "must lie after the warm-up");
  }
  double after_warmup(Index n) const override {
    const double progress = static_cast<double>(std::min(n, last_) - warmup_steps()) /
                            static_cast<double>(last_ - warmup_steps());
    return final_ + (base_lr() - final_) * share(progress);
  }
  virtual double share(double progress) const = 0;

 private:
  Index last_;
  double final_;
};

class PolyScheduler : public Falling {
 public:
  explicit PolyScheduler(OptionReader& o) : Falling(o), power_(o.real("pwr", 2)) {}

 protected:
  double share(double progress) const override { return std::pow(1 - progress, power_); }

 private:
  double power_;
};

class CosineScheduler : public Falling {
 public:
  explicit CosineScheduler(OptionReader& o) : Falling(o) {}

 protected:
  double share(double progress) const override {
    return (1 + std::cos(std::numbers::pi * progress)) / 2;
  }
};

}  // namespace

LrScheduler::LrScheduler(OptionReader& o)
    : base_lr_(o.real("base_lr", 0.01)),
      warmup_begin_lr_(o.real("warmup_begin_lr", 0)),
      warmup_steps_(o.integer("warmup_steps", 0)),
      warms_linearly_(o.choice("warmup_mode", "linear", {"linear", "constant"}) == "linear") {
  if (warmup_steps_ < 0) o.fail("warmup_steps", "must not be negative");
  if (warmup_begin_lr_ > base_lr_) o.fail("warmup_begin_lr", "must not exceed base_lr");
}

void LrScheduler::set_base_lr(double base_lr) {
  if (warmup_begin_lr_ > base_lr)
    throw ConfigError("lr_scheduler: warmup_begin_lr must not exceed the learning rate");
  base_lr_ = base_lr;
}

double LrScheduler::operator()(Index n) const {
  if (n >= warmup_steps_) return after_warmup(n);
  if (!warms_linearly_) return warmup_begin_lr_;
  return warmup_begin_lr_ + (base_lr_ - warmup_begin_lr_) * static_cast<double>(n) /
                                static_cast<double>(warmup_steps_);
}

std::shared_ptr<LrScheduler> make_lr_scheduler(const std::string& type, const Options& options) {
  OptionReader reader("lr_scheduler " + type, options);
  reader.ignore("type");
  std::shared_ptr<LrScheduler> made;
  if (type == "constant") made = std::make_shared<Constant>(reader);
  if (type == "factor") made = std::make_shared<FactorScheduler>(reader);
  if (type == "multifactor") made = std::make_shared<MultiFactorScheduler>(reader);
  if (type == "poly") made = std::make_shared<PolyScheduler>(reader);
  if (type == "cosine") made = std::make_shared<CosineScheduler>(reader);
  if (!made)
    throw ConfigError("there is no lr_scheduler '" + type +
                      "'; there are constant, factor, multifactor, poly, cosine");
  reader.done();
  return made;
}

}  // namespace svrg
