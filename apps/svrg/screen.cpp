#include "screen.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "text.hpp"

namespace svrg::app {
namespace {

constexpr int rows_per_header = 40;
constexpr std::size_t least_cells = 4, most_cells = 24;

std::string_view variable(const char* name) {
  // Nothing sets variables while this runs. NOLINTNEXTLINE(concurrency-mt-unsafe)
  const char* value = std::getenv(name);
  return value != nullptr ? value : std::string_view();
}

std::size_t terminal_width(int descriptor) {
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

}  // namespace

ScreenOptions silent_screen() { return {.lines = false, .messages = false}; }

ScreenOptions screen_options(const Settings& settings, std::FILE* out) {
  const bool terminal = isatty(fileno(out)) == 1;
  const bool dumb = variable("TERM") == "dumb";
  const std::string progress = settings.text("progress");
  const bool quiet = settings.flag("quiet");

  ScreenOptions options;
  options.lines = !quiet && progress != "none";
  options.bar = !quiet && (progress == "bar" || (progress == "auto" && terminal && !dumb));
  options.messages = !quiet;
  options.details = settings.flag("verbose") && !quiet;
  options.colour = terminal && !dumb && variable("NO_COLOR").empty();
  options.escapes = terminal && !dumb;
  options.repeat_header = !terminal;
  options.width = terminal_width(fileno(out));
  options.log_every = settings.period("log_every");
  options.max_epochs = static_cast<double>(settings.integer("epochs"));
  if (!settings.has("tol_gap") || settings.given("tol_grad"))
    options.tolerance = settings.number("tol_grad");
  return options;
}

Screen::Screen(ScreenOptions options, std::FILE* out)
    : options_(std::move(options)),
      out_(out),
      live_(out, options_.width, options_.escapes),
      remaining_(options_.max_epochs, options_.tolerance) {}

void Screen::write(std::string_view line) {
  live_.clear();
  // One write per line: several programs may share the file.
  const std::string whole = std::string(line) + '\n';
  std::fwrite(whole.data(), 1, whole.size(), out_);
  std::fflush(out_);
}

void Screen::title(std::string_view text) {
  if (options_.lines) write(text);
}

void Screen::fact(std::string_view label, std::string_view text) {
  if (options_.lines) write(fmt::format("{:<8}{}", label, text));
}

bool Screen::wanted(const EpochLine& line) const {
  if (!last_row_seconds_) return true;
  if (options_.log_every.seconds > 0)
    return line.seconds - *last_row_seconds_ >= options_.log_every.seconds;
  return line.epoch % std::max<Index>(1, options_.log_every.epochs) == 0;
}

void Screen::epoch(const EpochLine& line) {
  remaining_.observe(line.seconds, line.grad_ratio);
  if (!options_.lines) return;
  if (wanted(line)) {
    write_row(line);
  } else {
    held_back_ = line;
  }
}

void Screen::write_row(const EpochLine& line) {
  const std::string header = epoch_header(line);
  const bool again = options_.repeat_header && rows_since_header_ == rows_per_header;
  if (header != header_ || again) {
    write("");
    write(header);
    header_ = header;
    rows_since_header_ = 0;
  }
  write(epoch_row(line));
  ++rows_since_header_;
  last_row_seconds_ = line.seconds;
  held_back_.reset();
}

std::string Screen::live_text(const Tick& tick) const {
  const auto left = remaining_.seconds(tick.epochs, tick.seconds);
  double fraction = options_.max_epochs > 0 ? tick.epochs / options_.max_epochs : 0;
  // A run that will converge early is nearer its end than its epochs say.
  if (left && tick.seconds > 0)
    fraction = std::max(fraction, tick.seconds / (tick.seconds + *left));
  const std::string facts =
      fmt::format(" {:>3.0f} %  epoch {:.1f}  objective {}  {} rows/s  ETA {}",
                  100 * std::clamp(fraction, 0.0, 1.0), tick.epochs,
                  std::isfinite(tick.objective) ? fmt::format("{:.4e}", tick.objective) : "-",
                  format_count(tick.rows_per_second), left ? format_seconds(*left) : "-");
  // The bar takes what is left of the line: brackets and the last column are not its own.
  const std::size_t room =
      options_.width > facts.size() + 3 ? options_.width - facts.size() - 3 : 0;
  return progress_bar(fraction, std::clamp(room, least_cells, most_cells)) + facts;
}

void Screen::tick(const Tick& tick) {
  if (!options_.bar) return;
  const double moment = options_.clock();
  if (live_.due(moment)) live_.draw(live_text(tick), moment);
}

void Screen::message(LogLevel level, std::string_view text) {
  if (level == LogLevel::info) {
    if (options_.messages) write(text);
    return;
  }
  const bool error = level == LogLevel::error;
  const std::string_view word = error ? "error" : "warning";
  if (options_.colour) {
    write(fmt::format("svrg: \x1b[{}m{}:\x1b[0m {}", error ? 31 : 33, word, text));
  } else {
    write(fmt::format("svrg: {}: {}", word, text));
  }
}

void Screen::detail(std::string_view text) {
  if (options_.details) write(text);
}

void Screen::done(std::string_view text) {
  if (held_back_) write_row(EpochLine(*held_back_));
  if (options_.lines) write(fmt::format("{:<8}{}", "done", text));
}

}  // namespace svrg::app
