// One file: no script, no font, nothing from anywhere else.
#include <fmt/format.h>

#include <cmath>
#include <ctime>

#include "quantity.hpp"
#include "report/figure.hpp"
#include "report/page_style.hpp"
#include "report/report.hpp"
#include "report/sections.hpp"
#include "report/shown.hpp"
#include "svrg/core/version.hpp"

namespace svrg::app::reporting {
namespace {

std::string utc_now() {
  const std::time_t seconds = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[sizeof "2000-01-01 00:00 UTC"];
  // It fits. NOLINTNEXTLINE(cert-err33-c)
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &parts);
  return text;
}

std::string names_of(const ReportData& data) {
  std::string names;
  for (const RunData& run : data.runs) names += (names.empty() ? "" : ", ") + run.name;
  for (const StudyData& study : data.studies) names += (names.empty() ? "" : ", ") + study.name;
  return names;
}

std::string subtitle(const ReportData& data) {
  std::string text;
  const auto add = [&](const std::string& piece) {
    if (!piece.empty()) text += (text.empty() ? "" : " · ") + escaped(piece);
  };
  if (data.runs.size() == 1) {
    const RunData& run = data.runs.front();
    const auto number = [&](const char* name) {
      return parse_number(run.data_fact(name)).value_or(NAN);
    };
    add(run.fact("solver"));
    if (!run.data_fact("rows").empty())
      add(fmt::format("{} rows × {} columns of {}", shown(number("rows")), shown(number("columns")),
                      file_name(run.data_fact("path"))));
    add(run.fact("started"));
  } else if (data.runs.size() > 1) {
    add(counted(static_cast<long long>(data.runs.size()), "run"));
  }
  if (!data.studies.empty())
    add(data.studies.size() == 1 ? "a scaling study"
                                 : fmt::format("{} scaling studies", data.studies.size()));
  return text;
}

std::string details(const std::string& title, const std::string& text) {
  return text.empty()
             ? ""
             : fmt::format(R"(<details><summary>{}</summary><pre tabindex="0">{}</pre></details>)",
                           escaped(title), escaped(text));
}

/// To the sections that there are.
std::string links(const ReportData& data, const std::string& sections) {
  std::string out = R"(<nav aria-label="Sections">)";
  const auto add = [&](const std::string& id, const std::string& text) {
    if (sections.find(fmt::format(R"(<section id="{}">)", id)) != sections.npos)
      out += fmt::format(R"(<a href="#{}">{}</a>)", id, escaped(text));
  };
  add("verdict", "Verdict");
  add("comparison", "Comparison");
  add("convergence", "Convergence");
  add("time", "Time");
  for (std::size_t i = 0; i < data.studies.size(); ++i)
    add(fmt::format("scaling-{}", i + 1),
        data.studies.size() == 1 ? "Scaling" : "Scaling " + std::to_string(i + 1));
  add("model", "Model");
  add("reproduce", "Reproduce");
  return out + "</nav>";
}

}  // namespace

std::string reproduce_section(const ReportData& data) {
  std::string out;
  for (const RunData& run : data.runs) {
    Table table{{"", ""}, {}};
    const auto add = [&](const char* name, const std::string& value) {
      if (!value.empty()) table.rows.push_back({name, value});
    };
    add("directory", run.path);
    add("program", run.fact("program"));
    add("started", run.fact("started"));
    add("host", run.fact("host"));
    add("ranks", run.fact("ranks"));
    add("threads", run.fact("threads"));
    add("solver", run.fact("solver"));
    add("data", run.data_fact("path"));
    add("data fingerprint", run.data_fact("fingerprint"));
    out += fmt::format(R"(<div class="block wide"><h3>{}</h3>)", escaped(run.name));
    const std::string command = run.fact("command");
    if (!command.empty())
      out += fmt::format(R"(<pre class="command" tabindex="0">{}</pre>)", escaped(command));
    out += html(table, false) + details("Configuration (TOML)", run.config) +
           details("Manifest (JSON)",
                   run.manifest.empty()
                       ? ""
                       : run.manifest.dump(2, ' ', false,
                                           nlohmann::ordered_json::error_handler_t::replace)) +
           "</div>";
  }
  for (const StudyData& study : data.studies)
    out += fmt::format(
        R"(<div class="block wide"><h3>{}</h3><pre class="command" tabindex="0">{}</pre></div>)",
        escaped(study.name), escaped(study.study.command));
  return section(
      "reproduce", "Reproduce",
      "The same command on the same number of ranks, build and data gives the same bits; the "
      "configuration alone gives the same run (<code>svrg train -c config.toml</code>).",
      out);
}

std::string page(const ReportData& data) {
  const std::string names = escaped(names_of(data));
  std::string sections = verdict_section(data) + comparison_section(data.runs) +
                         convergence_section(data.runs) + time_section(data.runs);
  for (std::size_t i = 0; i < data.studies.size(); ++i)
    sections += scaling_section(data.studies[i], static_cast<int>(i) + 1);
  sections += model_section(data.runs) + reproduce_section(data);
  const std::string head = fmt::format(
      R"({}<html lang="en"><head><meta charset="utf-8"><meta name="viewport" )"
      R"(content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">)"
      R"(<link rel="icon" href="data:,"><title>{} – svrg report</title><style>{}</style></head><body>)"
      // Defined once for all pictures.
      R"(<svg class="defs" aria-hidden="true" width="0" height="0"><defs><pattern id="hatch" width="5" )"
      R"(height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45) "><rect class="stripe" )"
      R"(width="1.6" height="5"/></pattern></defs></svg>)"
      R"(<header><p class="kind">svrg report</p><h1>{}</h1><p class="sub">{}</p>{}</header><main>)",
      mark_of_report, names, page_style(), names, subtitle(data), links(data, sections));
  return head + sections +
         fmt::format("</main><footer>Made by svrg {}, {}</footer></body></html>\n",
                     escaped(version()), utc_now());
}

std::string make_report(const std::vector<std::string>& paths) {
  return page(read_report_data(paths));
}

}  // namespace svrg::app::reporting
