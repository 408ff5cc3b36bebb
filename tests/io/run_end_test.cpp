#include <gtest/gtest.h>

#include "folder.hpp"
#include "samples.hpp"
#include "svrg/io/document.hpp"
#include "svrg/io/file.hpp"
#include "svrg/io/run_record.hpp"

namespace svrg::io {
namespace {

Evaluation of_two_classes() {
  Evaluation e;
  e.rows_of = "validation";
  e.rows = 10;
  e.classes = {-1, 1};
  e.support = {4, 6};
  e.taken = {5, 5};
  e.hits = {3, 4};
  e.confusion = {3, 1, 2, 4};
  e.roc = {{2.5, 1, 0}, {0.5, 4, 1}, {-1, 6, 3}};
  e.calibration = {{0.1, 0.2, 4}, {0.9, 0.8, 6}};
  return e;
}

Evaluation of_numbers() {
  Evaluation e;
  e.rows_of = "training";
  e.rows = 3;
  e.calibration = {{1.5, 1.25, 2}, {7, 8, 1}};
  e.residuals = {{-1, 0, 2}, {0, 1, 1}};
  return e;
}

RunFile written_and_read(const std::optional<RunEnd>& end) {
  const Folder folder;
  RunRecord record(folder.path(), {"node1", "node2"}, -1);
  record.append(sample_epoch(0));
  record.write_hdf5("seed = 1", "{}", end);
  return read_run(folder / "run.h5");
}

TEST(RunEnd, comes_back_with_its_evaluation) {
  for (const Evaluation& evaluation : {of_two_classes(), of_numbers()}) {
    const auto run = written_and_read(RunEnd{"tolerance", 7, 0.5, 1e-9, evaluation});
    ASSERT_TRUE(run.end && run.end->evaluation);
    EXPECT_EQ(run.end->stop_reason, "tolerance");
    EXPECT_EQ(run.end->epoch, 7);
    EXPECT_EQ(run.end->first_grad_norm, 0.5);
    EXPECT_EQ(run.end->gap, 1e-9);
    EXPECT_EQ(*run.end->evaluation, evaluation);
  }
}

TEST(RunEnd, may_be_without_evaluation_and_is_none_while_a_run_goes_on) {
  const auto stopped = written_and_read(RunEnd{"signal", 3, 0.5, nan_value, {}});
  ASSERT_TRUE(stopped.end);
  EXPECT_FALSE(stopped.end->evaluation);
  EXPECT_TRUE(std::isnan(stopped.end->gap));
  const auto going = written_and_read({});
  EXPECT_FALSE(going.end);
  EXPECT_EQ(going.hostnames, (std::vector<std::string>{"node1", "node2"}));
  EXPECT_EQ(going.config, "seed = 1");
  EXPECT_EQ(going.manifest, "{}");
}

TEST(RunEnd, has_rates_beside_the_counts_for_who_only_looks) {
  const Folder folder;
  RunRecord record(folder.path(), {"node1"}, -1);
  record.append(sample_epoch(0));
  record.write_hdf5("", "{}", RunEnd{"epochs", 1, 1, nan_value, of_two_classes()});
  const auto bytes = read_file(folder / "run.h5");
  const Document document = from_image(bytes, "run.h5");
  const auto values = [&](const std::string& name) {
    return std::get<std::vector<double>>(document.variables.at("evaluation/" + name).data.data);
  };
  EXPECT_EQ(values("precision"), (std::vector<double>{3.0 / 5, 4.0 / 5}));
  EXPECT_EQ(values("recall"), (std::vector<double>{3.0 / 4, 4.0 / 6}));
  EXPECT_EQ(values("true_positive_rate"), (std::vector<double>{1.0 / 6, 4.0 / 6, 1}));
  EXPECT_EQ(values("false_positive_rate"), (std::vector<double>{0, 1.0 / 4, 3.0 / 4}));
  EXPECT_EQ(document.variables.at("evaluation/confusion").axes,
            (std::vector<std::string>{"class", "predicted_class"}));
  for (const auto& [path, variable] : document.variables)
    if (path.starts_with("evaluation/")) {
      EXPECT_FALSE(variable.long_name.empty()) << path;
    }
}

TEST(RunLog, is_read_up_to_a_torn_line) {
  const Folder folder;
  RunRecord record(folder.path(), {"node1"}, -1);
  for (Index e = 0; e < 3; ++e) record.append(sample_epoch(e));
  EXPECT_EQ(read_log(folder / "log.jsonl").size(), 3U);
  const auto bytes = read_file(folder / "log.jsonl");
  write_file(folder / "log.jsonl", std::span(bytes).first(bytes.size() - 9));
  EXPECT_EQ(read_log(folder / "log.jsonl").size(), 2U);
}

}  // namespace
}  // namespace svrg::io
