#include "svrg/module/callback.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <regex>

#include "svrg/core/error.hpp"
#include "svrg/module/ndarray_file.hpp"

namespace svrg {
namespace {

class Callbacks : public testing::Test {
 protected:
  LogSink sink() {
    return [this](LogLevel, std::string_view line) { lines_.emplace_back(line); };
  }
  /// One more batch whose mean absolute error is `error`.
  void batch(float error) {
    const NDArray label({1, 1}, std::vector<float>{0}), pred({1, 1}, std::vector<float>{error});
    metric_->update({&label, 1}, {&pred, 1});
    metric_->reduce(Communicator::self());
  }
  BatchEndParam at(Index epoch, Index nbatch) { return {epoch, nbatch, metric_.get()}; }

  std::shared_ptr<EvalMetric> metric_ = metric::create("mae");
  std::vector<std::string> lines_;
};

void expect_match(const std::string& line, const std::string& pattern) {
  EXPECT_TRUE(std::regex_match(line, std::regex(pattern))) << line;
}

TEST_F(Callbacks, speedometer_tells_the_batches_since_its_last_line) {
  const BatchEndCallback tell = callback::Speedometer(100, 2, true, sink());
  for (Index b = 0; b < 5; ++b) {
    batch(static_cast<float>(b));
    tell(at(3, b));
  }
  ASSERT_EQ(lines_.size(), 2U);
  const std::string speed = "\tSpeed: ([0-9.]+|inf) samples/sec\t";
  expect_match(lines_[0], "Epoch\\[3\\] Batch \\[0-2\\]" + speed + "mae=1\\.000000");
  expect_match(lines_[1], "Epoch\\[3\\] Batch \\[2-4\\]" + speed + "mae=3\\.500000");
  EXPECT_DOUBLE_EQ(metric_->get_global_name_value()[0].second, 2);
}

TEST_F(Callbacks, speedometer_without_auto_reset_tells_the_epoch_so_far) {
  const BatchEndCallback tell = callback::Speedometer(100, 2, false, sink());
  for (Index b = 0; b < 5; ++b) {
    batch(static_cast<float>(b));
    tell(at(0, b));
  }
  ASSERT_EQ(lines_.size(), 2U);
  expect_match(lines_[1], "Epoch\\[0\\] Batch \\[0-4\\]\tSpeed: .*\tmae=2\\.000000");
}

TEST_F(Callbacks, speedometer_starts_its_clock_anew_in_a_new_epoch) {
  const BatchEndCallback tell = callback::Speedometer(100, 1, true, sink());
  for (const Index b : {0, 1, 2, 0, 1}) tell({0, b, nullptr});
  ASSERT_EQ(lines_.size(), 3U);  // neither of the zeros
  expect_match(lines_[2], "Iter\\[0\\] Batch \\[1\\]\tSpeed: ([0-9.]+|inf) samples/sec");
}

TEST_F(Callbacks, speed_is_rows_by_time) {
  const BatchEndCallback slow = callback::Speedometer(1, 1, true, sink());
  slow({0, 0, nullptr});
  usleep(20000);
  slow({0, 1, nullptr});
  std::smatch match;
  ASSERT_TRUE(std::regex_search(lines_.at(0), match, std::regex("Speed: ([0-9.]+)")));
  EXPECT_LE(std::stod(match[1]), 50);  // one row in at least 20 ms
  EXPECT_GT(std::stod(match[1]), 0);
}

TEST_F(Callbacks, progress_bar_is_full_at_the_end) {
  const BatchEndCallback bar = callback::ProgressBar(4, 8, sink());
  for (const Index b : {0, 1, 4}) bar({0, b, nullptr});
  EXPECT_EQ(lines_,
            (std::vector<std::string>{"[--------] 0%\r", "[==------] 25%\r", "[========] 100%\r"}));
}

TEST_F(Callbacks, training_metric_is_told_every_period) {
  const BatchEndCallback tell = callback::log_train_metric(2, true, sink());
  for (Index b = 0; b < 4; ++b) {
    batch(static_cast<float>(b));
    tell(at(1, b));
  }
  EXPECT_EQ(lines_, (std::vector<std::string>{"Iter[1] Batch[0] Train-mae=0.000000",
                                              "Iter[1] Batch[2] Train-mae=1.500000"}));
}

TEST_F(Callbacks, validation_metric_is_told_with_its_epoch) {
  const BatchEndCallback tell = callback::LogValidationMetricsCallback(sink());
  tell(at(6, 0));  // nothing was measured
  batch(2);
  tell(at(7, 0));
  tell({8, 0, nullptr});
  EXPECT_EQ(lines_, (std::vector<std::string>{"Epoch[6] Validation-mae=nan",
                                              "Epoch[7] Validation-mae=2.000000"}));
}

TEST_F(Callbacks, refuse_a_period_that_is_none) {
  EXPECT_THROW(callback::Speedometer(1, 0), ConfigError);
  EXPECT_THROW(callback::ProgressBar(0), ConfigError);
  EXPECT_THROW(callback::log_train_metric(0), ConfigError);
}

TEST_F(Callbacks, checkpoints_are_numbered_by_finished_epochs) {
  const Communicator world = Communicator::world();
  const std::string folder = world.broadcast(
      (std::filesystem::temp_directory_path() / fmt::format("svrg_callback_{}", getpid()))
          .string());
  if (world.is_root()) std::filesystem::create_directories(folder);
  world.barrier();
  const std::string prefix = folder + "/net";
  const Symbol symbol = sym::Variable("data");
  const EpochEndCallback save = callback::do_checkpoint(prefix, 2, world, sink());
  for (Index e = 0; e < 5; ++e)
    save(e, symbol, {{"w", NDArray({1}, std::vector<float>{static_cast<float>(e)})}}, {});
  world.barrier();
  for (Index n = 1; n <= 5; ++n)
    EXPECT_EQ(std::filesystem::exists(params_path(prefix, n)), n == 2 || n == 4) << n;
  EXPECT_EQ(load_params(prefix, 4).arg.at("w").values(), std::vector<double>{3});
  EXPECT_EQ(Symbol::load(prefix + "-symbol.json").list_arguments(),
            std::vector<std::string>{"data"});
  EXPECT_EQ(lines_,
            (std::vector<std::string>{"Saved checkpoint to \"" + prefix + "-0002.params\"",
                                      "Saved checkpoint to \"" + prefix + "-0004.params\""}));
  const EpochEndCallback fail = callback::do_checkpoint(folder + "/no/such/net", 1, world);
  EXPECT_THROW(fail(0, symbol, {}, {}), CollectiveError);
  world.barrier();
  if (world.is_root()) std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace svrg
