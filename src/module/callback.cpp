#include "svrg/module/callback.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "svrg/core/error.hpp"
#include "svrg/io/file.hpp"
#include "svrg/module/module.hpp"
#include "svrg/module/ndarray_file.hpp"

namespace svrg::callback {
namespace {

void info(const LogSink& log, const std::string& line) {
  if (log) log(LogLevel::info, line);
}

void expect_positive(const char* what, Index value) {
  if (value < 1) throw ConfigError(fmt::format("{} must be above 0, got {}", what, value));
}

// As printf's %f prints it, but NaN without its sign.
std::string number(double value) {
  return std::isnan(value) ? "nan" : fmt::format("{:.6f}", value);
}

}  // namespace

BatchEndCallback Speedometer(Index batch_size, Index frequent, bool auto_reset, LogSink log) {
  expect_positive("Speedometer's frequent", frequent);
  using Clock = std::chrono::steady_clock;
  struct Run {
    bool started = false;
    Index last = 0;
    Clock::time_point since{};
  };
  return [=, log = std::move(log), run = Run()](const BatchEndParam& at) mutable {
    if (run.last > at.nbatch) run.started = false;  // a new epoch
    run.last = at.nbatch;
    if (!std::exchange(run.started, true)) {
      run.since = Clock::now();
      return;
    }
    if (at.nbatch % frequent != 0) return;
    const std::chrono::duration<double> seconds = Clock::now() - run.since;
    const auto rows = static_cast<double>(frequent * batch_size);
    const double speed =
        seconds.count() > 0 ? rows / seconds.count() : std::numeric_limits<double>::infinity();
    if (at.eval_metric) {
      std::string line = fmt::format("Epoch[{}] Batch [{}-{}]\tSpeed: {:.2f} samples/sec", at.epoch,
                                     auto_reset ? at.nbatch - frequent : 0, at.nbatch, speed);
      for (const auto& [name, value] : at.eval_metric->get_name_value())
        line += "\t" + name + "=" + number(value);
      if (auto_reset) at.eval_metric->reset_local();
      info(log, line);
    } else {
      info(log, fmt::format("Iter[{}] Batch [{}]\tSpeed: {:.2f} samples/sec", at.epoch, at.nbatch,
                            speed));
    }
    run.since = Clock::now();
  };
}

BatchEndCallback ProgressBar(Index total, Index length, LogSink log) {
  expect_positive("ProgressBar's total", total);
  expect_positive("ProgressBar's length", length);
  return [total, length, log = std::move(log)](const BatchEndParam& at) {
    const double done = static_cast<double>(at.nbatch) / static_cast<double>(total);
    const auto filled =
        static_cast<std::size_t>(std::nearbyint(static_cast<double>(length) * done));
    const auto whole = static_cast<std::size_t>(length);
    const std::size_t rest = whole - std::min(filled, whole);
    info(log, fmt::format("[{}{}] {}%\r", std::string(filled, '='), std::string(rest, '-'),
                          std::ceil(100 * done)));
  };
}

BatchEndCallback log_train_metric(Index period, bool auto_reset, LogSink log) {
  expect_positive("log_train_metric's period", period);
  return [period, auto_reset, log = std::move(log)](const BatchEndParam& at) {
    if (at.nbatch % period != 0 || !at.eval_metric) return;
    for (const auto& [name, value] : at.eval_metric->get_name_value())
      info(log,
           fmt::format("Iter[{}] Batch[{}] Train-{}={}", at.epoch, at.nbatch, name, number(value)));
    if (auto_reset) at.eval_metric->reset_local();
  };
}

BatchEndCallback LogValidationMetricsCallback(LogSink log) {
  return [log = std::move(log)](const BatchEndParam& at) {
    if (!at.eval_metric) return;
    for (const auto& [name, value] : at.eval_metric->get_name_value())
      info(log, fmt::format("Epoch[{}] Validation-{}={}", at.epoch, name, number(value)));
  };
}

EpochEndCallback do_checkpoint(std::string prefix, Index period, Communicator comm, LogSink log) {
  expect_positive("do_checkpoint's period", period);
  return [period, prefix = std::move(prefix), comm = std::move(comm), log = std::move(log)](
             Index epoch, const Symbol& symbol, const std::map<std::string, NDArray>& arg,
             const std::map<std::string, NDArray>& aux) {
    if ((epoch + 1) % period != 0) return;
    const std::string path = params_path(prefix, epoch + 1);
    comm.agree("write checkpoint", [&] {
      if (!comm.is_root()) return;
      io::write_file(prefix + "-symbol.json", std::string_view(symbol.to_json()));
      save_params(prefix, epoch + 1, arg, aux);
    });
    info(log, fmt::format("Saved checkpoint to \"{}\"", path));
  };
}

EpochEndCallback module_checkpoint(Module& module, std::string prefix, Index period,
                                   bool save_optimizer_states) {
  expect_positive("module_checkpoint's period", period);
  return [&module, prefix = std::move(prefix), period, save_optimizer_states](
             Index epoch, const Symbol&, const auto&, const auto&) {
    if ((epoch + 1) % period == 0) module.save_checkpoint(prefix, epoch + 1, save_optimizer_states);
  };
}

}  // namespace svrg::callback
