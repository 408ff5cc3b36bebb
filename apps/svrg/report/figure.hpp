#pragma once
#include <string>
#include <vector>

#include "report/bars.hpp"
#include "report/plot.hpp"

namespace svrg::app::reporting {

/// Cells as text, not yet escaped.
struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};
/// RFC 4180, without what a number of infinite or no value would be.
std::string csv(const Table& table);
/// "0.1": a number as CSV has it, exactly; empty for what is none.
std::string cell(double value);

/// <table>; the first column heads the rows. Wide ones scroll by themselves.
std::string html(const Table& table, bool numbers = true);

/// A figure with one or several pictures, its legend, words under it and its data.
struct Figure {
  std::string id, title;
  std::vector<std::string> pictures;  // <svg>
  std::vector<std::string> legend;    // items of HTML
  std::string caption;                // HTML
  Table data;
  bool wide = false;  // takes the whole row
};
std::string html(const Figure& figure);

/// Items of a legend.
std::vector<std::string> legend_of(const Plot& plot);
/// Likewise.
std::vector<std::string> legend_of(const Bars& bars);

/// <section> with a heading and a sentence; empty where there is no content.
std::string section(const std::string& id, const std::string& title, const std::string& lead,
                    const std::string& content);
/// A sentence in place of a figure that has nothing to show.
std::string absent(const std::string& sentence);

}  // namespace svrg::app::reporting
