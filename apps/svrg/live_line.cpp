#include "live_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace svrg::app {

void LiveLine::draw(std::string_view text, double now) {
  clear();
  // A full line would wrap, and the next redraw would leave its first part behind.
  const std::string_view shown = text.substr(0, width_ > 1 ? width_ - 1 : 0);
  fmt::print(out_, "{}", shown);
  std::fflush(out_);
  drawn_columns_ = shown.size();
  drawn_at_ = now;
}

void LiveLine::clear() {
  if (drawn_columns_ == 0) return;
  if (escapes_) {
    fmt::print(out_, "\r\x1b[K");
  } else {
    fmt::print(out_, "\r{}\r", std::string(drawn_columns_, ' '));
  }
  drawn_columns_ = 0;
}

std::string progress_bar(double fraction, std::size_t cells) {
  const double clipped = std::isfinite(fraction) ? std::clamp(fraction, 0.0, 1.0) : 0.0;
  const auto filled = static_cast<std::size_t>(clipped * static_cast<double>(cells));
  return '[' + std::string(filled, '#') + std::string(cells - filled, '-') + ']';
}

}  // namespace svrg::app
