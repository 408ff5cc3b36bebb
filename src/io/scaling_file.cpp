// A scaling study as netCDF-style variables: along `ranks` and `repeat` what was measured, along
// `platform` and `ranks` what was simulated, each in a group of its own so that none is taken for
// the other.
#include "svrg/io/scaling_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "io/document_reading.hpp"
#include "io/path.hpp"
#include "svrg/io/file.hpp"

namespace svrg::io {
namespace {

constexpr const char* bench_format = "svrg-bench";
constexpr double missing = std::numeric_limits<double>::quiet_NaN();

template <class Run>
struct Column {
  const char *name, *units, *long_name;
  double Run::*real;  // one of these two is set
  Index Run::*count;
};
constexpr std::array<Column<MeasuredRun>, 6> measured_columns = {{
    {"epochs", "1", "epochs done", nullptr, &MeasuredRun::epochs},
    {"passes", "1", "gradient evaluations, in data set sizes", &MeasuredRun::passes, nullptr},
    {"load_seconds", "s", "wall time of reading the data", &MeasuredRun::load_seconds, nullptr},
    {"train_seconds", "s", "wall time of the training", &MeasuredRun::train_seconds, nullptr},
    {"bytes_communicated", "byte", "bytes sent by root", nullptr, &MeasuredRun::bytes_communicated},
    {"messages", "1", "collective calls", nullptr, &MeasuredRun::messages},
}};
constexpr std::array<Column<SimulatedRun>, 7> simulated_columns = {{
    {"rows", "1", "rows of the problem", nullptr, &SimulatedRun::rows},
    {"epochs", "1", "epochs done", nullptr, &SimulatedRun::epochs},
    {"train_seconds", "s", "simulated time of the training", &SimulatedRun::train_seconds, nullptr},
    {"communication_seconds", "s", "simulated time in collectives",
     &SimulatedRun::communication_seconds, nullptr},
    {"model_seconds", "s", "time of the training by the fitted model", &SimulatedRun::model_seconds,
     nullptr},
    {"bytes_communicated", "byte", "bytes sent by a rank", nullptr,
     &SimulatedRun::bytes_communicated},
    {"messages", "1", "collective calls", nullptr, &SimulatedRun::messages},
}};

/// The distinct keys of the runs, in order of their first appearance.
template <class Run, class Key>
std::vector<Key> distinct(const std::vector<Run>& runs, Key Run::*key) {
  std::vector<Key> keys;
  for (const Run& run : runs)
    if (std::ranges::find(keys, run.*key) == keys.end()) keys.push_back(run.*key);
  return keys;
}

/// Runs as a table, row after row.
template <class Run>
struct Table {
  std::vector<std::string> axes;
  std::vector<Index> shape;
  std::vector<const Run*> cells;  // null: none of that row and column
};

template <class Run, class A, class B>
Table<Run> table_of(const std::vector<Run>& runs, const char* row_name, A Run::*row,
                    const char* column_name, B Run::*column) {
  const auto rows = distinct(runs, row);
  const auto columns = distinct(runs, column);
  Table<Run> table{{row_name, column_name},
                   {static_cast<Index>(rows.size()), static_cast<Index>(columns.size())},
                   {}};
  for (const auto& r : rows)
    for (const auto& c : columns) {
      const auto found = std::ranges::find_if(
          runs, [&](const Run& run) { return run.*row == r && run.*column == c; });
      // A platform may have been left at fewer ranks than another.
      table.cells.push_back(found == runs.end() ? nullptr : &*found);
    }
  return table;
}

template <class T, class Run, class Get>
Array collect(const Table<Run>& table, const Get& get) {
  std::vector<T> values;
  values.reserve(table.cells.size());
  const T none = std::is_same_v<T, double> ? static_cast<T>(missing) : T{};
  for (const Run* run : table.cells) values.push_back(run == nullptr ? none : get(*run));
  return {table.shape, std::move(values)};
}

template <class Run, std::size_t n>
void add_columns(Document& document, const char* group, const Table<Run>& table,
                 const std::array<Column<Run>, n>& columns) {
  for (const auto& c : columns)
    document.variables[join(group, c.name)] =
        described(c.real ? collect<double>(table, [&](const Run& r) { return r.*c.real; })
                         : collect<Index>(table, [&](const Run& r) { return r.*c.count; }),
                  table.axes, c.units, c.long_name);
  auto flags = described(
      collect<std::uint8_t>(table, [](const Run& r) { return std::uint8_t{r.converged}; }),
      table.axes, "1", "whether the tolerance was reached");
  flags.attributes = {{"flag_values", std::vector<std::uint8_t>{0, 1}},
                      {"flag_meanings", "no yes"}};
  document.variables[join(group, "converged")] = std::move(flags);
}

void add_phases(Document& document, const Table<MeasuredRun>& table) {
  constexpr std::size_t width = phase_names.size();
  std::size_t most = 0;
  for (const MeasuredRun* run : table.cells) most = std::max(most, run->phase_seconds.size());
  std::vector<double> means, all;
  for (const MeasuredRun* run : table.cells) {
    const auto& ranks = run->phase_seconds;
    for (std::size_t p = 0; p < width; ++p) {
      double sum = 0;
      for (const auto& rank : ranks) sum += rank[p];
      means.push_back(sum / static_cast<double>(ranks.size()));
    }
    for (std::size_t r = 0; r < most; ++r)
      for (std::size_t p = 0; p < width; ++p)
        all.push_back(r < ranks.size() ? ranks[r][p] : missing);
  }
  auto shape = table.shape;
  shape.push_back(Index{width});
  document.variables["scaling/phase_seconds"] =
      described({shape, std::move(means)}, {"ranks", "repeat", "phase"}, "s",
                "seconds in each phase of loading and training, mean of the ranks");
  shape.insert(shape.end() - 1, static_cast<Index>(most));
  document.variables["scaling/phase_seconds_by_rank"] =
      described({shape, std::move(all)}, {"ranks", "repeat", "rank", "phase"}, "s",
                "seconds in each phase of loading and training, by rank");
  document.variables["scaling/phase"] =
      described(Array::vector(std::vector<std::string>(phase_names.begin(), phase_names.end())),
                {"phase"}, "", "what a rank spends time on");
}

void add_measured(Document& document, const ScalingStudy& study) {
  const auto table =
      table_of(study.measured, "ranks", &MeasuredRun::ranks, "repeat", &MeasuredRun::repeat);
  SVRG_EXPECT(std::ranges::count(table.cells, nullptr) == 0, "every number of ranks is repeated");
  const char* group = "scaling";
  add_columns(document, group, table, measured_columns);
  document.variables["scaling/epoch_seconds"] = described(
      collect<double>(table,
                      [](const MeasuredRun& r) {
                        return r.train_seconds / static_cast<double>(std::max<Index>(1, r.epochs));
                      }),
      table.axes, "s", "wall time of an epoch");
  document.variables["scaling/rows_per_second"] =
      described(collect<double>(table,
                                [](const MeasuredRun& r) {
                                  return static_cast<double>(r.rows) * r.passes / r.train_seconds;
                                }),
                table.axes, "s-1", "rows processed in a second of training, by all ranks");
  add_phases(document, table);
  std::vector<Index> rows;
  const auto ranks = distinct(study.measured, &MeasuredRun::ranks);
  for (std::size_t r = 0; r < ranks.size(); ++r)
    rows.push_back(table.cells[r * static_cast<std::size_t>(table.shape[1])]->rows);
  document.variables["scaling/ranks"] =
      described(Array::vector(ranks), {"ranks"}, "1", "ranks that trained");
  document.variables["scaling/rows"] =
      described(Array::vector(rows), {"ranks"}, "1", "rows of the problem");
  document.variables["scaling/repeat"] =
      described(Array::vector(distinct(study.measured, &MeasuredRun::repeat)), {"repeat"}, "1",
                "repeat, interleaved with the other numbers of ranks");
  document.variables["scaling/hostname"] =
      described(Array::vector(study.hostnames), {"rank"}, "", "host of each rank");
}

void add_simulated(Document& document, const ScalingStudy& study) {
  const auto table =
      table_of(study.simulated, "platform", &SimulatedRun::platform, "ranks", &SimulatedRun::ranks);
  add_columns(document, "simulated", table, simulated_columns);
  document.variables["simulated/platform"] =
      described(Array::vector(distinct(study.simulated, &SimulatedRun::platform)), {"platform"}, "",
                "simulated network");
  document.variables["simulated/ranks"] =
      described(Array::vector(distinct(study.simulated, &SimulatedRun::ranks)), {"ranks"}, "1",
                "ranks simulated");
  document.groups["simulated"] = {{"latency", study.fit.latency},
                                  {"seconds_per_byte", study.fit.seconds_per_byte},
                                  {"seconds_per_row", study.fit.seconds_per_row},
                                  {"platforms", study.platforms}};
}

// Reading
// -----------------------------------------------------------------------------------------------

template <class Run, std::size_t n>
void fill(const DocumentReading& file, const std::string& group, const std::vector<Index>& shape,
          const std::array<Column<Run>, n>& columns, std::vector<Run>& runs) {
  const auto each = [&](const auto& from, const auto& set) {
    for (std::size_t i = 0; i < runs.size(); ++i) set(runs[i], from[i]);
  };
  for (const auto& c : columns)
    if (c.real)
      each(file.values<double>(join(group, c.name), shape),
           [&](Run& r, double v) { r.*c.real = v; });
    else
      each(file.values<Index>(join(group, c.name), shape),
           [&](Run& r, Index v) { r.*c.count = v; });
  each(file.values<std::uint8_t>(join(group, "converged"), shape),
       [](Run& r, std::uint8_t v) { r.converged = v != 0; });
}

void read_measured(const DocumentReading& file, ScalingStudy& study) {
  const auto& ranks = file.list<Index>("scaling/ranks");
  const auto& repeats = file.list<Index>("scaling/repeat");
  const auto& rows = file.values<Index>("scaling/rows", {static_cast<Index>(ranks.size())});
  for (std::size_t r = 0; r < ranks.size(); ++r)
    for (const Index repeat : repeats) {
      MeasuredRun& run = study.measured.emplace_back();
      run.ranks = ranks[r];
      run.rows = rows[r];
      run.repeat = repeat;
    }
  std::vector<Index> shape = {static_cast<Index>(ranks.size()), static_cast<Index>(repeats.size())};
  fill(file, "scaling", shape, measured_columns, study.measured);
  study.hostnames = file.list<std::string>("scaling/hostname");
  constexpr std::size_t width = phase_names.size();
  const Index most = ranks.empty() ? 0 : *std::ranges::max_element(ranks);
  shape.insert(shape.end(), {most, Index{width}});
  const auto& seconds = file.values<double>("scaling/phase_seconds_by_rank", shape);
  auto next = seconds.begin();
  for (MeasuredRun& run : study.measured) {
    if (run.ranks < 1) file.fail("has runs on less than one rank");
    run.phase_seconds.resize(static_cast<std::size_t>(run.ranks));
    for (Index rank = 0; rank < most; ++rank, next += width)
      if (rank < run.ranks)
        std::copy_n(next, width, run.phase_seconds[static_cast<std::size_t>(rank)].begin());
  }
}

void read_simulated(const DocumentReading& file, ScalingStudy& study) {
  const auto& platforms = file.list<std::string>("simulated/platform");
  const auto& ranks = file.list<Index>("simulated/ranks");
  for (const std::string& platform : platforms)
    for (const Index p : ranks) {
      SimulatedRun& run = study.simulated.emplace_back();
      run.platform = platform;
      run.ranks = p;
    }
  fill(file, "simulated", {static_cast<Index>(platforms.size()), static_cast<Index>(ranks.size())},
       simulated_columns, study.simulated);
  std::erase_if(study.simulated, [](const SimulatedRun& r) { return std::isnan(r.train_seconds); });
  study.fit = {file.attribute<double>("simulated", "latency"),
               file.attribute<double>("simulated", "seconds_per_byte"),
               file.attribute<double>("simulated", "seconds_per_row")};
  study.platforms = file.attribute<std::vector<std::string>>("simulated", "platforms");
}

}  // namespace

void write_scaling(const std::string& path, const ScalingStudy& study) {
  Document document;
  document.attributes = root_attributes(bench_format, "svrg scaling study");
  document.groups["scaling"] = {{"mode", study.mode},           {"data", study.data},
                                {"algorithm", study.algorithm}, {"solver", study.solver},
                                {"columns", study.columns},     {"nonzeros", study.nonzeros},
                                {"cores", study.cores},         {"command", study.command}};
  add_measured(document, study);
  if (!study.simulated.empty()) add_simulated(document, study);
  auto image = to_image(document);
  append_trailer(image);
  write_file(path, image);
}

ScalingStudy read_scaling(const std::string& path) {
  const auto bytes = read_file(path);
  const Document document = from_image(check_trailer(bytes, path), path);
  expect_format(document, bench_format, path);
  const DocumentReading file(document, path, "a scaling study");
  ScalingStudy study;
  const auto text = [&](const char* name) { return file.attribute<std::string>("scaling", name); };
  study.mode = text("mode");
  study.data = text("data");
  study.algorithm = text("algorithm");
  study.solver = text("solver");
  study.command = text("command");
  study.columns = file.attribute<Index>("scaling", "columns");
  study.nonzeros = file.attribute<Index>("scaling", "nonzeros");
  study.cores = file.attribute<Index>("scaling", "cores");
  read_measured(file, study);
  if (file.has("simulated/ranks")) read_simulated(file, study);
  return study;
}

}  // namespace svrg::io
