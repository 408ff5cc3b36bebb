#pragma once
#include <string>
#include <string_view>

namespace svrg::app::reporting {

/// Text for HTML, in elements and in quoted attributes. What is no UTF-8, and control characters,
/// become U+FFFD.
std::string escaped(std::string_view text);

/// To `digits` significant digits: "0.0749", "1.2e-07", "12,345"; "–" for what is no number.
std::string shown(double value, int digits = 4);
/// "7.3 %", "< 0.1 %".
std::string shown_share(double share);
/// "340 µs", "4.2 ms", "1.35 s", "2m05s".
std::string shown_seconds(double seconds);
/// "1.2 MB": powers of 1000.
std::string shown_bytes(double bytes);
/// "1 run", "3 runs".
std::string counted(long long count, std::string_view noun);

/// The last part of a path.
std::string file_name(const std::string& path);

/// What numbers of an axis are divided by, and what they are then in.
struct Unit {
  double factor = 1;
  std::string name;
};
/// Of seconds whose largest is this: µs, ms, s, min, h.
Unit unit_of_seconds(double largest);
/// Of bytes: B, kB, MB, …
Unit unit_of_bytes(double largest);

}  // namespace svrg::app::reporting
