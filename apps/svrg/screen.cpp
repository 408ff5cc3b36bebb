#include "screen.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <utility>

#include "text.hpp"

namespace svrg::app {
namespace {

constexpr int rows_per_header = 40;
constexpr const char* clear_line = "\r\x1b[K";
constexpr std::size_t least_cells = 4, most_cells = 24;

std::string_view variable(const char* name) {
  // Nothing sets variables while this runs. NOLINTNEXTLINE(concurrency-mt-unsafe)
  const char* value = std::getenv(name);
  return value != nullptr ? value : std::string_view();
}

using Json = nlohmann::ordered_json;

/// "2026-01-31T12:00:00.123Z"
std::string timestamp() {
  const auto moment = std::chrono::system_clock::now().time_since_epoch();
  const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(moment).count();
  const auto seconds = static_cast<std::time_t>(milliseconds / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  return fmt::format("{}.{:03}Z", text.data(), milliseconds % 1000);
}

std::string json_line(std::string_view event, const Json& fields) {
  Json line = {{"ts", timestamp()}, {"event", event}};
  line.update(fields);
  // A path that is not UTF-8 must not cost the line.
  return line.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string_view event_of(LogLevel level) {
  return level == LogLevel::error ? "error" : level == LogLevel::warning ? "warning" : "info";
}

std::size_t terminal_width(int descriptor) {
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

}  // namespace

ScreenOptions silent_screen(bool json) { return {.lines = false, .messages = false, .json = json}; }

ScreenOptions screen_options(const Settings& settings, std::FILE* out) {
  const bool terminal = isatty(fileno(out)) == 1;
  const bool dumb = variable("TERM") == "dumb";
  const std::string progress = settings.text("progress");
  const bool quiet = settings.flag("quiet");

  ScreenOptions options;
  options.lines = !quiet && progress != "none";
  options.json = settings.flag("json_log");
  options.bar =
      !quiet && !options.json && (progress == "bar" || (progress == "auto" && terminal && !dumb));
  options.messages = !quiet;
  options.details = settings.flag("verbose") && !quiet;
  options.colour = terminal && !options.json && !dumb && variable("NO_COLOR").empty();
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

void Screen::event(std::string_view name, const Json& fields) {
  if (!options_.json || !options_.lines) return;
  write_facts();
  write(json_line(name, fields));
}

void Screen::write_facts() {
  if (facts_.empty()) return;
  const Json facts = std::exchange(facts_, Json::object());
  write(json_line("start", facts));
}

void Screen::title(std::string_view text) {
  if (!options_.lines) return;
  if (options_.json)
    facts_["title"] = text;
  else
    write(text);
}

void Screen::fact(std::string_view label, std::string_view text) {
  if (!options_.lines) return;
  if (options_.json)
    facts_[std::string(label)] = text;
  else
    write(fmt::format("{:<8}{}", label, text));
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
  last_row_seconds_ = line.seconds;
  held_back_.reset();
  if (options_.json) return event("epoch", Json::parse(line.record));
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
  return bar_with(fraction, facts);
}

std::string Screen::bar_with(double fraction, const std::string& facts) const {
  // The bar takes what is left of the line: brackets and the last column are not its own.
  const std::size_t room =
      options_.width > facts.size() + 3 ? options_.width - facts.size() - 3 : 0;
  return progress_bar(fraction, std::clamp(room, least_cells, most_cells)) + facts;
}

void Screen::progress(double share, std::string_view what, std::optional<double> left) {
  if (!options_.bar) return;
  const double moment = options_.clock();
  if (live_.due(moment))
    live_.draw(bar_with(share, fmt::format(" {:>3.0f} %  {}  ETA {}", 100 * share, what,
                                           left ? format_seconds(*left) : "-")),
               moment);
}

void Screen::tick(const Tick& tick) {
  if (!options_.bar) return;
  const double moment = options_.clock();
  if (live_.due(moment)) live_.draw(live_text(tick), moment);
}

void Screen::message(LogLevel level, std::string_view text) {
  if (options_.json) {
    if (level != LogLevel::info || options_.messages)
      write(json_line(event_of(level), {{"message", text}}));
    return;
  }
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

LogSink Screen::bypass() const {
  const bool json = options_.json, bar = options_.bar && options_.escapes;
  const int descriptor = fileno(out_);
  return [json, bar, descriptor](LogLevel level, std::string_view text) {
    const std::string line =
        json ? json_line(event_of(level), {{"message", text}}) + '\n'
             : fmt::format("{}svrg: {}: {}\n", bar ? clear_line : "", event_of(level), text);
    pollfd ready{descriptor, POLLOUT, 0};
    if (poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT) != 0 &&
        ::write(descriptor, line.data(), line.size()) < 0)
      return;  // nobody is there to be told
  };
}

void Screen::detail(std::string_view text) {
  if (options_.details) options_.json ? message(LogLevel::info, text) : write(text);
}

void Screen::done(std::string_view text) {
  if (held_back_) write_row(EpochLine(*held_back_));
  if (options_.lines && !options_.json) write(fmt::format("{:<8}{}", "done", text));
}

}  // namespace svrg::app
