#pragma once
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "epoch_table.hpp"
#include "live_line.hpp"
#include "quantity.hpp"
#include "remaining_time.hpp"
#include "settings.hpp"
#include "svrg/core/clock.hpp"
#include "svrg/core/log.hpp"

namespace svrg::app {

struct ScreenOptions {
  bool lines = true;     // header, table and final lines
  bool bar = false;      // the live line
  bool messages = true;  // infos; warnings and errors are always shown
  bool details = false;  // -v
  bool colour = false;
  bool escapes = false;        // clear by an escape sequence
  bool json = false;           // an object a line in place of all that
  bool repeat_header = false;  // every 40 lines, for whoever scrolls through a file
  std::size_t width = 80;
  Period log_every = {.epochs = 1};
  double max_epochs = 0;  // for the live line's ETA
  double tolerance = 0;
  std::function<double()> clock = now;
};

/// By --progress, -q and -v, whether `out` is a terminal, NO_COLOR and TERM.
ScreenOptions screen_options(const Settings& settings, std::FILE* out = stderr);
/// For the ranks that only warn.
ScreenOptions silent_screen(bool json = false);

/// What happens within an epoch.
struct Tick {
  double epochs = 0;   // done, such as 3.25
  double seconds = 0;  // since the start of training
  double objective = 0, rows_per_second = 0;
};

/// All that a run writes to stderr. Nothing else may write there while one lives.
class Screen {
 public:
  explicit Screen(ScreenOptions options, std::FILE* out = stderr);
  ~Screen() {
    live_.clear();
    write_facts();
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  /// "svrg 0.1.0 · 4 ranks …"
  void title(std::string_view text);
  /// A line of the header: fact("model", "linear, 90 weights").
  void fact(std::string_view label, std::string_view text);
  /// A line of a table of one's own; nothing with --json-log.
  void line(std::string_view text) {
    if (options_.lines && !options_.json) write(text);
  }
  /// A row of the table, as often as --log-every says, and the first.
  void epoch(const EpochLine& line);
  /// Redraws the live line if there is one and it is time. Cheap: call it at each step.
  void tick(const Tick& tick);
  /// The same of work that is no training: which share of it is done, what, and the seconds left.
  void progress(double share, std::string_view what, std::optional<double> left);
  /// "svrg: warning: …"; an info is shown as it is.
  void message(LogLevel level, std::string_view text);
  /// With --json-log: an object of that event and of these fields, after the time. Else, and when
  /// quiet, nothing.
  void event(std::string_view name, const nlohmann::ordered_json& fields);
  /// For another thread, while this one may be in any of the above: it writes past the screen, and
  /// drops what stderr does not take at once.
  LogSink bypass() const;
  /// Only with -v.
  void detail(std::string_view text);
  /// The last row, if it was held back, and "done    converged at epoch 14: …".
  void done(std::string_view text);

  LogSink sink() {
    return [this](LogLevel level, std::string_view text) { message(level, text); };
  }

 private:
  void write(std::string_view line);
  void write_facts();
  void write_row(const EpochLine& line);
  bool wanted(const EpochLine& line) const;
  std::string live_text(const Tick& tick) const;
  std::string bar_with(double fraction, const std::string& facts) const;

  ScreenOptions options_;
  std::FILE* out_;
  LiveLine live_;
  nlohmann::ordered_json facts_ = nlohmann::ordered_json::object();  // of the start, in JSON
  RemainingTime remaining_;
  std::optional<EpochLine> held_back_;
  std::optional<double> last_row_seconds_;
  std::string header_;
  int rows_since_header_ = 0;
};

}  // namespace svrg::app
