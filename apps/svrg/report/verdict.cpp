// For who is in a hurry: did it work, how good is it, what did it cost.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "quantity.hpp"
#include "report/figure.hpp"
#include "report/sections.hpp"
#include "report/shown.hpp"
#include "text.hpp"

namespace svrg::app::reporting {
namespace {

double relative_gradient(const RunData& run) {
  const double first = run.first_grad_norm();
  return first > 0 ? run.last().grad_norm / first : run.last().grad_norm;
}

/// "validation acc 0.9721" of the figures that the run recorded, validation first.
std::string metrics_text(const io::EpochRecord& r) {
  std::vector<std::string> texts;
  for (const char* set : {"valid_", "train_"})
    for (const auto& [name, value] : r.metrics)
      if (name.starts_with(set) && std::isfinite(value))
        texts.push_back(fmt::format("{} {} {}", set[0] == 'v' ? "validation" : "training",
                                    name.substr(6), shown(value)));
  return texts.empty() ? "" : texts.front();
}

std::string epochs_text(const RunData& run) { return counted(run.last().epoch, "epoch"); }

struct Tile {
  std::string name, value, note;
};

std::string html(const std::vector<Tile>& tiles) {
  std::string out = R"(<dl class="tiles">)";
  for (const Tile& tile : tiles)
    out += fmt::format(
        R"(<div><dt>{}</dt><dd>{}</dd>{}</div>)", escaped(tile.name), escaped(tile.value),
        tile.note.empty() ? "" : "<dd class=\"note\">" + escaped(tile.note) + "</dd>");
  return out + "</dl>";
}

std::vector<Tile> tiles_of(const RunData& run) {
  const io::EpochRecord& last = run.last();
  std::vector<Tile> tiles = {{"objective", shown(last.objective, 5),
                              std::isfinite(run.gap())
                                  ? fmt::format("at most {} above its minimum", shown(run.gap(), 2))
                                  : ""}};
  const std::string tolerance = run.setting("stop.tol_grad");
  if (std::isfinite(last.grad_norm))
    tiles.push_back({"gradient, relative", shown(relative_gradient(run), 2),
                     tolerance.empty() || tolerance == "0" ? "" : "tolerance " + tolerance});
  for (const char* set : {"valid_", "train_"})
    for (const auto& [name, value] : last.metrics)
      if (name.starts_with(set) && tiles.size() < 6 && std::isfinite(value))
        tiles.push_back(
            {name.substr(6), shown(value), set[0] == 'v' ? "validation rows" : "training rows"});
  tiles.push_back({"training", shown_seconds(last.wall_seconds),
                   fmt::format("{}, {} passes", epochs_text(run), shown(last.passes, 3))});
  const std::size_t ranks = last.phase_seconds.size();
  tiles.push_back(
      {"ranks", std::to_string(ranks),
       last.bytes_communicated > 0
           ? shown_bytes(static_cast<double>(last.bytes_communicated)) + " sent by a rank"
           : "nothing sent"});
  return tiles;
}

std::string verdict_of(const RunData& run, bool alone) {
  const Standing standing = standing_of(run);
  constexpr auto sign = [](const std::string& kind) {
    return kind == "good" ? "✓" : kind == "bad" ? "✕" : kind == "open" ? "…" : "!";
  };
  std::string out = fmt::format(
      R"(<article class="verdict {}"><p class="badge"><span aria-hidden="true">{}</span> {}</p>{}<p class="say">{}</p>)",
      standing.kind, sign(standing.kind), escaped(standing.word),
      alone ? "" : "<h3>" + escaped(run.name) + "</h3>", escaped(standing.sentence));
  out += html(tiles_of(run));
  for (const std::string& remark : run.remarks)
    out += "<p class=\"remark\">" + escaped(remark) + "</p>";
  return out + "</article>";
}

/// The settings that are not the same in all runs.
std::string differing_settings(const std::vector<RunData>& runs) {
  std::set<std::string> keys;
  for (const RunData& run : runs)
    for (const auto& [key, value] : run.settings)
      if (!key.starts_with("output.")) keys.insert(key);
  Table table{{"setting"}, {}};
  for (const RunData& run : runs) table.columns.push_back(run.name);
  const auto add = [&](const std::string& name, const auto& value_of) {
    std::vector<std::string> row = {name};
    for (const RunData& run : runs) row.push_back(value_of(run));
    if (std::any_of(row.begin() + 2, row.end(), [&](const auto& value) { return value != row[1]; }))
      table.rows.push_back(std::move(row));
  };
  for (const std::string& key : keys)
    add(key, [&](const RunData& run) { return run.setting(key); });
  add("ranks", [](const RunData& run) { return run.fact("ranks"); });
  add("threads", [](const RunData& run) { return run.fact("threads"); });
  add("program", [](const RunData& run) { return run.fact("program"); });
  add("data fingerprint", [](const RunData& run) { return run.data_fact("fingerprint"); });
  if (table.rows.empty())
    return absent("Settings: the runs have the same, and the same number of ranks.");
  return R"(<div class="block wide"><h3>Settings that differ</h3>)" +
         reporting::html(table, false) + "</div>";
}

/// A table of results; the best of a column in bold, with a star.
std::string results(const std::vector<RunData>& runs) {
  struct Column {
    std::string name;
    std::vector<double> values;
    std::string (*show)(double);
    int better;  // 1: more, −1: less, 0: neither
  };
  std::vector<Column> columns;
  const auto add = [&](std::string name, auto&& value_of, std::string (*show)(double), int better) {
    Column column{std::move(name), {}, show, better};
    for (const RunData& run : runs) column.values.push_back(value_of(run));
    if (std::ranges::any_of(column.values, [](double v) { return std::isfinite(v); }))
      columns.push_back(std::move(column));
  };
  const auto digits4 = +[](double v) { return shown(v); };
  const auto digits2 = +[](double v) { return shown(v, 2); };
  const bool same = std::ranges::all_of(runs, [&](const RunData& run) {
    return run.objective_key() == runs.front().objective_key();
  });
  // Who stops early has cheap epochs: costs compare where all have reached their tolerance.
  const int cheaper =
      std::ranges::all_of(runs,
                          [](const RunData& run) { return standing_of(run).word == "Converged"; })
          ? -1
          : 0;
  add(
      "objective", [](const RunData& r) { return r.last().objective; },
      +[](double v) { return shown(v, 8); }, same ? -1 : 0);
  add(
      "gap", [](const RunData& r) { return r.gap(); }, digits2, 0);
  add(
      "|g| / |g₀|", [](const RunData& r) { return relative_gradient(r); }, digits2, -1);
  std::set<std::string> metrics;
  for (const RunData& run : runs)
    for (const auto& [name, value] : run.last().metrics) metrics.insert(name);
  for (const std::string& name : metrics) {
    const std::string kind = name.substr(name.find('_') + 1);
    const bool less = kind == "ce" || kind == "mae" || kind == "mse" || kind == "rmse";
    add(
        replaced(name, '_', ' '),
        [&](const RunData& r) {
          const auto found = r.last().metrics.find(name);
          return found == r.last().metrics.end() ? NAN : found->second;
        },
        digits4, less ? -1 : 1);
  }
  add(
      "epochs", [](const RunData& r) { return static_cast<double>(r.last().epoch); }, digits4, 0);
  add(
      "passes", [](const RunData& r) { return r.last().passes; },
      +[](double v) { return shown(v, 3); }, cheaper);
  add(
      "time", [](const RunData& r) { return r.last().wall_seconds; }, shown_seconds, cheaper);
  add(
      "sent by a rank",
      [](const RunData& r) { return static_cast<double>(r.last().bytes_communicated); },
      shown_bytes, cheaper);
  std::string out =
      R"(<div class="block wide"><h3>Results</h3><div class="scroll"><table class="numbers">)"
      R"(<thead><tr><th scope="col">run</th><th scope="col">end</th>)";
  for (const Column& column : columns)
    out += fmt::format(R"(<th scope="col">{}</th>)", escaped(column.name));
  out += "</tr></thead><tbody>";
  for (std::size_t i = 0; i < runs.size(); ++i) {
    out += fmt::format(R"(<tr><th scope="row">{}</th><td>{}</td>)", escaped(runs[i].name),
                       escaped(standing_of(runs[i]).word));
    for (const Column& column : columns) {
      const double value = column.values[i];
      const bool best =
          column.better != 0 && std::isfinite(value) &&
          std::ranges::none_of(
              column.values, [&](double v) { return column.better > 0 ? v > value : v < value; }) &&
          std::ranges::count(column.values, value) < static_cast<long>(runs.size());
      out += best ? fmt::format("<td><strong>{} ★</strong></td>", escaped(column.show(value)))
                  : fmt::format("<td>{}</td>", escaped(column.show(value)));
    }
    out += "</tr>";
  }
  return out +
         fmt::format(R"(</tbody></table></div><p class="under">★ best of its column{}</p></div>)",
                     cheaper != 0 ? "" : "; costs have none, as not every run has converged");
}

}  // namespace

Standing standing_of(const RunData& run) {
  const std::string objective = shown(run.last().objective, 6);
  const std::string where =
      fmt::format("{} ({} passes, {})", epochs_text(run), shown(run.last().passes, 3),
                  shown_seconds(run.last().wall_seconds));
  const std::string metric = metrics_text(run.last());
  const std::string also = metric.empty() ? "" : "; " + metric;
  const std::string bound = std::isfinite(run.gap())
                                ? fmt::format(", at most {} above its minimum", shown(run.gap(), 2))
                                : "";
  const std::string gradient =
      std::isfinite(run.last().grad_norm)
          ? fmt::format("the gradient is {} of its first", shown(relative_gradient(run), 2))
          : "its gradient was not measured";
  const std::string reason = run.end ? run.end->stop_reason : "";
  const std::string state = fmt::format("objective {}{}, {}{}.", objective, bound, gradient, also);
  if (reason == "tolerance")
    return {"Converged", "good",
            fmt::format("The tolerance was reached after {}: {}", where, state)};
  if (reason == "precision")
    return {"Converged", "good",
            fmt::format("No better point can be told apart in double precision after {}: {}", where,
                        state)};
  if (reason == "patience")
    return {
        "Stopped early", "good",
        fmt::format("The watched figure no longer improved: stopped after {}: {}", where, state)};
  if (reason == "epochs" || reason == "passes") {
    if (run.is_net())
      return {"Done", "good",
              fmt::format("Trained for the {} asked for, {}: {}", reason, where, state)};
    return {"Not converged", "fair",
            fmt::format(
                "The {} asked for ended before the tolerance was reached, after {}: {} More epochs "
                "(-e) or --standardize are the likeliest remedies.",
                reason, where, state)};
  }
  if (reason == "signal" || reason == "time")
    return {"Interrupted", "fair",
            fmt::format("Stopped by {} after {}: {} Go on with --resume auto.",
                        reason == "time" ? "the time limit" : "a signal", where, state)};
  if (reason == "diverged")
    return {"Diverged", "bad",
            fmt::format("The numbers went wrong after {}; the last good state: {} Try a smaller "
                        "--learning-rate, or --learning-rate auto.",
                        where, state)};
  if (!reason.empty()) return {"Ended: " + reason, "fair", "After " + where + ": " + state};
  return {"Not finished", "open",
          fmt::format("So far {}: {} If it was killed, go on with --resume auto.", where, state)};
}

std::string verdict_section(const ReportData& data) {
  std::string out;
  constexpr std::size_t most = 4;
  if (data.runs.size() <= most)
    for (const RunData& run : data.runs)
      out += verdict_of(run, data.runs.size() == 1 && data.studies.empty());
  for (const StudyData& study : data.studies) {
    const std::string summary = summary_of(study);
    if (!summary.empty())
      out += fmt::format(
          R"(<article class="verdict open"><p class="badge"><span aria-hidden="true">↗</span> Scaling</p>)"
          R"(<h3>{}</h3><p class="say">{}</p></article>)",
          escaped(study.name), escaped(summary));
  }
  if (out.empty()) return {};
  return fmt::format(
      R"(<section id="verdict"><h2>Verdict</h2><div class="verdicts">{}</div></section>)", out);
}

std::string comparison_section(const std::vector<RunData>& runs) {
  if (runs.size() < 2) return {};
  return section("comparison", "Comparison", "", results(runs) + differing_settings(runs));
}

}  // namespace svrg::app::reporting
