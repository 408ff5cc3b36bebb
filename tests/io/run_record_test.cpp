#include "svrg/io/run_record.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "folder.hpp"
#include "samples.hpp"
#include "svrg/core/error.hpp"
#include "svrg/io/checkpoint.hpp"
#include "svrg/io/document.hpp"
#include "svrg/io/file.hpp"
#include "svrg/io/model_file.hpp"

namespace svrg::io {
namespace {

const std::vector<std::string> hosts = {"node1", "node2"};

void expect_same(const std::vector<EpochRecord>& a, const std::vector<EpochRecord>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    const EpochRecord &x = a[i], &y = b[i];
    EXPECT_EQ(
        std::tie(x.epoch, x.step, x.is_snapshot, x.samples, x.bytes_communicated, x.messages),
        std::tie(y.epoch, y.step, y.is_snapshot, y.samples, y.bytes_communicated, y.messages));
    for (const auto member :
         {&EpochRecord::passes, &EpochRecord::wall_seconds, &EpochRecord::objective,
          &EpochRecord::grad_norm, &EpochRecord::duality_gap, &EpochRecord::learning_rate})
      EXPECT_TRUE(same_bits(x.*member, y.*member)) << x.*member << " " << y.*member;
    EXPECT_EQ(x.max_rss, y.max_rss);
    EXPECT_EQ(x.phase_seconds, y.phase_seconds);
    ASSERT_EQ(x.metrics.size(), y.metrics.size());
    for (const auto& [name, value] : x.metrics)
      EXPECT_TRUE(same_bits(value, y.metrics.at(name))) << name;
  }
}

std::string text_of(const std::string& path) {
  const auto bytes = read_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

RunRecord record_of(const Folder& folder, Index epochs) {
  RunRecord record(folder.path(), hosts, -1);
  for (Index e = 0; e < epochs; ++e) record.append(sample_epoch(e));
  return record;
}

TEST(RunRecord, comes_back_exactly_from_the_log_and_from_hdf5) {
  const Folder folder;
  const RunRecord record = record_of(folder, 5);
  record.write_hdf5("seed = 1", "{}");
  expect_same(read_history(folder / "run.h5"), record.epochs());
  expect_same(RunRecord(folder.path(), hosts, 4).epochs(), record.epochs());
}

TEST(RunRecord, writes_no_number_as_null) {
  const Folder folder;
  record_of(folder, 1);
  const std::string line = text_of(folder / "log.jsonl");
  EXPECT_NE(line.find("\"duality_gap\":null"), std::string::npos) << line;
  EXPECT_NE(line.find("\"valid_acc\":null"), std::string::npos) << line;
  EXPECT_EQ(std::ranges::count(line, '\n'), 1);
}

TEST(RunRecord, is_cut_to_the_epoch_resumed_from) {
  const Folder folder;
  const RunRecord before = record_of(folder, 5);
  RunRecord after(folder.path(), hosts, 2);
  EXPECT_EQ(after.epochs().size(), 3U);
  for (Index e = 3; e < 5; ++e) after.append(sample_epoch(e));
  expect_same(after.epochs(), before.epochs());
  expect_same(RunRecord(folder.path(), hosts, 9).epochs(), before.epochs());
}

TEST(RunRecord, starts_anew_when_not_resumed) {
  const Folder folder;
  record_of(folder, 5);
  EXPECT_TRUE(RunRecord(folder.path(), hosts, -1).epochs().empty());
  EXPECT_EQ(text_of(folder / "log.jsonl"), "");
}

TEST(RunRecord, a_torn_last_line_is_dropped_wherever_it_is_cut) {
  const Folder folder;
  record_of(folder, 2);
  const std::string whole = text_of(folder / "log.jsonl");
  const std::size_t first = whole.find('\n') + 1;
  for (std::size_t n = first; n < whole.size() - 1; n += 17) {
    write_file(folder / "log.jsonl", whole.substr(0, n));
    EXPECT_EQ(RunRecord(folder.path(), hosts, 9).epochs().size(), 1U) << n;
    EXPECT_EQ(text_of(folder / "log.jsonl"), whole.substr(0, first)) << n;
  }
}

TEST(RunRecord, a_damaged_line_in_the_middle_is_refused) {
  const Folder folder;
  record_of(folder, 3);
  std::string text = text_of(folder / "log.jsonl");
  text[text.find('\n') + 1] = '#';
  write_file(folder / "log.jsonl", text);
  EXPECT_THROW(RunRecord(folder.path(), hosts, 9), DataError);
}

TEST(RunRecord, can_be_written_before_the_first_epoch) {
  const Folder folder;
  record_of(folder, 0).write_hdf5("", "");
  EXPECT_TRUE(read_history(folder / "run.h5").empty());
}

TEST(RunRecord, goes_on_with_another_number_of_ranks) {
  const Folder folder;
  record_of(folder, 2);
  RunRecord record(folder.path(), {"node1"}, 1);
  record.append(sample_epoch(2, 1));
  record.write_hdf5("", "");
  const auto epochs = read_history(folder / "run.h5");
  ASSERT_EQ(epochs.size(), 3U);
  EXPECT_EQ(epochs[0].max_rss.size(), 2U);
  EXPECT_TRUE(std::isnan(epochs[2].max_rss[1]));
  EXPECT_TRUE(std::isnan(epochs[2].phase_seconds[1][0]));
}

TEST(RunRecord, metrics_may_come_and_go) {
  const Folder folder;
  RunRecord record = record_of(folder, 1);
  EpochRecord other = sample_epoch(1);
  other.metrics = {{"valid_mse", 2.0}};
  record.append(other);
  record.write_hdf5("", "");
  const auto epochs = read_history(folder / "run.h5");
  EXPECT_TRUE(std::isnan(epochs[0].metrics.at("valid_mse")));
  EXPECT_EQ(epochs[1].metrics.at("valid_mse"), 2.0);
}

TEST(RunRecord, a_metric_cannot_take_a_name_of_the_record) {
  const Folder folder;
  RunRecord record = record_of(folder, 0);
  EpochRecord epoch = sample_epoch(0);
  epoch.metrics = {{"step", 1.0}};
  EXPECT_THROW(record.append(epoch), Error);
}

TEST(RunRecord, fails_with_a_message_where_the_folder_is_gone) {
  const Folder folder;
  EXPECT_THROW(RunRecord(folder / "gone", hosts, -1), OutputError);
  RunRecord record = record_of(folder, 1);
  std::filesystem::remove_all(folder.path());
  EXPECT_THROW(record.append(sample_epoch(1)), OutputError);
  EXPECT_THROW(record.write_hdf5("", ""), OutputError);
  EXPECT_EQ(record.epochs().size(), 1U);
}

// open_with_python.py runs this program to get files to open.
TEST(Samples, are_written_for_other_readers) {
  const char* target = std::getenv("SVRG_IO_SAMPLES");
  if (!target) GTEST_SKIP() << "SVRG_IO_SAMPLES names no folder";
  const std::string folder = target;
  RunRecord record(folder, hosts, -1);
  record.write_hdf5("", "");
  std::filesystem::rename(folder + "/run.h5", folder + "/empty_run.h5");
  for (Index e = 0; e < 5; ++e) record.append(sample_epoch(e));
  record.write_hdf5("seed = 1\n", "{}");
  save_model(folder + "/model.h5", sample_model());
  CheckpointStore store(folder + "/checkpoints", 3, {});
  State state = sample_state();
  store.save(42, state);
}

}  // namespace
}  // namespace svrg::io
