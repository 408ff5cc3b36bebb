#pragma once
#include <string>
#include <vector>

namespace svrg::app::reporting {

/// A bar of one value a part; values of a chart without stacks may be negative.
struct Bar {
  std::string label;
  std::vector<double> values;
};
/// What a bar is made of. Hatched ones are told apart without colour.
struct Part {
  std::string name;
  int style = 0;
  bool hatched = false;
};

/// Bars upright, or lying with their labels on the left. Parts are stacked.
struct Bars {
  std::string id;  // unique on the page
  std::string title, description;
  std::string bar_label, value_label;
  std::vector<Part> parts;
  std::vector<Bar> bars;
  bool lying = false;
  bool touching = false;  // of a histogram
  std::string unit = {};  // behind values where the pointer rests
};

/// <svg>…</svg>; values that are no numbers count as 0.
std::string svg(const Bars& bars);
/// Whether any bar has a length.
bool has_bars(const Bars& bars);
/// A filled square for legends.
std::string swatch(const Part& part);

/// Counts of rows by columns as shades, with the numbers where there is room.
struct Matrix {
  std::string id;
  std::string title, description;
  std::string row_label, column_label;
  std::vector<std::string> names;  // of rows and columns
  std::vector<double> values;      // [row, column]
};
std::string svg(const Matrix& matrix);

}  // namespace svrg::app::reporting
