#pragma once
#include <cstdio>
#include <string>
#include <string_view>

namespace svrg::app {

/// One line at the bottom of a terminal that is drawn over and over, at most ten times a second.
class LiveLine {
 public:
  /// `escapes`: the terminal knows how to clear to the end of a line (TERM is not dumb).
  LiveLine(std::FILE* out, std::size_t width, bool escapes)
      : out_(out), width_(width), escapes_(escapes) {}

  /// False if it is too soon: the caller saves the work of making the text.
  bool due(double now) const { return now - drawn_at_ >= 0.1; }
  void draw(std::string_view text, double now);
  /// Before anything else is written.
  void clear();

 private:
  std::FILE* out_;
  std::size_t width_;
  bool escapes_;
  double drawn_at_ = -1e300;
  std::size_t drawn_columns_ = 0;
};

/// "[######----------]": `fraction` of `cells` filled.
std::string progress_bar(double fraction, std::size_t cells);

}  // namespace svrg::app
