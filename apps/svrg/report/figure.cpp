#include "report/figure.hpp"

#include <fmt/format.h>

#include <cmath>

#include "report/shown.hpp"

namespace svrg::app::reporting {
namespace {

constexpr std::size_t most_rows = 4000;  // of a figure's data in the page

std::string field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + '"';
}

std::string line(const std::vector<std::string>& cells) {
  std::string text;
  for (std::size_t i = 0; i < cells.size(); ++i) text += (i > 0 ? "," : "") + field(cells[i]);
  return text + '\n';
}

/// For a data: address.
std::string percent_encoded(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
        (byte >= 'a' && byte <= 'z') || c == '-' || c == '.' || c == '_' || c == ',')
      out += c;
    else
      out += fmt::format("%{:02X}", byte);
  }
  return out;
}

/// The first and last rows, and some between, where there are too many.
Table reduced(const Table& table) {
  if (table.rows.size() <= most_rows) return table;
  Table few{table.columns, {}};
  for (std::size_t i = 0; i < most_rows; ++i)
    few.rows.push_back(table.rows[i * (table.rows.size() - 1) / (most_rows - 1)]);
  return few;
}

std::string data_of(const Figure& figure) {
  if (figure.data.rows.empty()) return {};
  const Table few = reduced(figure.data);
  const std::string text = csv(few);
  constexpr std::size_t most_lines = 40;
  std::size_t end = 0, lines = 0;
  while (end < text.size() && lines < most_lines + 1) {
    end = text.find('\n', end) + 1;
    ++lines;
  }
  const bool whole = end >= text.size();
  return fmt::format(
      R"(<details class="data"><summary>Data, {}</summary><p><a download="{}.csv" )"
      R"(href="data:text/csv;charset=utf-8,{}">{}.csv</a>{}</p><pre tabindex="0">{}{}</pre></details>)",
      counted(static_cast<long long>(figure.data.rows.size()), "row"), figure.id,
      percent_encoded(text), figure.id,
      few.rows.size() < figure.data.rows.size()
          ? fmt::format(" has {} of them", shown(static_cast<double>(most_rows)))
          : "",
      escaped(text.substr(0, end)), whole ? "" : "…");
}

}  // namespace

std::string csv(const Table& table) {
  std::string text = line(table.columns);
  for (const auto& row : table.rows) text += line(row);
  return text;
}

std::string cell(double value) { return std::isfinite(value) ? fmt::format("{}", value) : ""; }

std::string html(const Table& table, bool numbers) {
  std::string out = fmt::format(R"(<div class="scroll"><table{}><thead><tr>)",
                                numbers ? " class=\"numbers\"" : "");
  for (const auto& name : table.columns)
    out += fmt::format(R"(<th scope="col">{}</th>)", escaped(name));
  out += "</tr></thead><tbody>";
  for (const auto& row : table.rows) {
    out += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i)
      out += i == 0 ? fmt::format(R"(<th scope="row">{}</th>)", escaped(row[i]))
                    : fmt::format("<td>{}</td>", escaped(row[i]));
    out += "</tr>";
  }
  return out + "</tbody></table></div>";
}

std::string html(const Figure& figure) {
  std::string out = fmt::format(R"(<figure id="{}"{}><h3>{}</h3>)", figure.id,
                                figure.wide ? " class=\"wide\"" : "", escaped(figure.title));
  if (!figure.legend.empty()) {
    out += R"(<ul class="legend">)";
    for (const auto& item : figure.legend) out += "<li>" + item + "</li>";
    out += "</ul>";
  }
  out += R"(<div class="pictures">)";
  for (const auto& picture : figure.pictures) out += picture;
  out += "</div>";
  if (!figure.caption.empty()) out += "<figcaption>" + figure.caption + "</figcaption>";
  return out + data_of(figure) + "</figure>";
}

std::vector<std::string> legend_of(const Plot& plot) {
  std::vector<std::string> items;
  for (const Series& s : plot.series)
    items.push_back(swatch(s.style, s.stroke, s.marks, s.hollow) + escaped(s.name));
  return items;
}

std::vector<std::string> legend_of(const Bars& bars) {
  std::vector<std::string> items;
  for (const Part& part : bars.parts) items.push_back(swatch(part) + escaped(part.name));
  return items;
}

std::string section(const std::string& id, const std::string& title, const std::string& lead,
                    const std::string& content) {
  if (content.empty()) return {};
  return fmt::format(R"(<section id="{}"><h2>{}</h2>{}<div class="figures">{}</div></section>)", id,
                     escaped(title), lead.empty() ? "" : "<p class=\"lead\">" + lead + "</p>",
                     content);
}

std::string absent(const std::string& sentence) {
  return R"(<p class="absent">)" + escaped(sentence) + "</p>";
}

}  // namespace svrg::app::reporting
