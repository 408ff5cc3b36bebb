#include "screen.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <sstream>
#include <vector>

#include "app_test.hpp"
#include "result_line.hpp"
#include "text.hpp"

namespace svrg::app {
namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

// A stream into memory.
class Paper {
 public:
  Paper() : file_(std::tmpfile()) {}
  ~Paper() { std::fclose(file_); }
  std::FILE* file() const { return file_; }
  std::string text() const {
    std::string all;
    std::rewind(file_);
    for (int c = std::fgetc(file_); c != EOF; c = std::fgetc(file_)) all += static_cast<char>(c);
    return all;
  }

 private:
  std::FILE* file_;
};

EpochLine line_of(Index epoch) {
  return {.epoch = epoch,
          .passes = 3.0 * static_cast<double>(epoch),
          .seconds = 0.5 * static_cast<double>(epoch),
          .objective = 45.171,
          .grad_ratio = std::pow(0.1, static_cast<double>(epoch)),
          .metrics = {{"train mse", 90.33}, {"valid mse", 90.02}},
          .rows_per_second = 4.4e6,
          .mpi_share = 0.06};
}

int count(const std::string& text, const std::string& what) {
  int found = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

TEST(Screen, draws_the_table_of_the_design_page) {
  EXPECT_EQ(epoch_header(line_of(2)),
            "epoch  passes     time   objective   |g|/|g0|  train mse  valid mse   rows/s   MPI");
  EXPECT_EQ(epoch_row(line_of(2)),
            "    2     6.0    1.0 s  4.5171e+01    1.0e-02      90.33      90.02    4.4 M   6 %");
}

TEST(Screen, shows_a_dash_where_a_value_is_not_known) {
  auto line = line_of(1);
  line.grad_ratio = line.metrics[1].second = line.mpi_share = line.objective = unknown;
  EXPECT_EQ(count(epoch_row(line), " -"), 4) << epoch_row(line);
  EXPECT_EQ(epoch_row(line).size(), epoch_header(line).size());
}

TEST(Screen, writes_no_carriage_return_and_no_escape_into_a_file) {
  const Paper paper;
  {
    const Settings settings = testing::settings_of({"train", "x"});
    Screen screen(screen_options(settings, paper.file()), paper.file());
    screen.title("svrg 0.1.0");
    screen.fact("model", "linear");
    for (Index e = 0; e < 100; ++e) {
      screen.tick({.epochs = static_cast<double>(e), .seconds = 1});
      screen.epoch(line_of(e));
    }
    screen.message(LogLevel::warning, "not converged");
    screen.message(LogLevel::error, "no disk");
    screen.detail("not shown without -v");
    screen.done("converged");
  }
  const std::string text = paper.text();
  EXPECT_EQ(text.find('\r'), std::string::npos);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(count(text, "epoch  passes"), 3);  // again after 40 and 80 rows
  EXPECT_NE(text.find("model   linear\n"), std::string::npos);
  EXPECT_NE(text.find("svrg: warning: not converged\n"), std::string::npos);
  EXPECT_NE(text.find("svrg: error: no disk\n"), std::string::npos);
  EXPECT_TRUE(text.ends_with("done    converged\n"));
  EXPECT_EQ(text.find("-v"), std::string::npos);
}

TEST(Screen, clears_the_live_line_before_anything_else_is_written) {
  const Paper paper;
  double moment = 0;
  {
    Screen screen({.bar = true, .escapes = true, .max_epochs = 10, .clock = [&] { return moment; }},
                  paper.file());
    screen.tick({.epochs = 2.5, .seconds = 1, .objective = 4.5, .rows_per_second = 4e6});
    screen.message(LogLevel::warning, "careful");
    moment = 1;
    screen.tick({.epochs = 5, .seconds = 2});
  }
  const std::string text = paper.text();
  EXPECT_NE(text.find("\r\x1b[Ksvrg: warning: careful\n["), std::string::npos) << text;
  EXPECT_NE(text.find("]  25 %  epoch 2.5  objective 4.5000e+00  4.0 M rows/s  ETA 3.0 s\r"),
            std::string::npos)
      << text;
  EXPECT_TRUE(text.ends_with("\r\x1b[K"));
}

TEST(Screen, redraws_the_live_line_at_most_ten_times_a_second) {
  const Paper paper;
  double moment = 0;
  Screen screen({.bar = true, .escapes = true, .max_epochs = 10, .clock = [&] { return moment; }},
                paper.file());
  for (int i = 0; i < 1000; ++i) {
    moment = 0.001 * i;
    screen.tick({.epochs = 1, .seconds = moment});
  }
  EXPECT_LE(count(paper.text(), "ETA"), 10);
  EXPECT_GE(count(paper.text(), "ETA"), 9);
}

TEST(Screen, keeps_the_live_line_within_the_width_of_the_terminal) {
  const Paper paper;
  {
    Screen screen({.bar = true, .width = 30, .max_epochs = 10}, paper.file());
    screen.tick({.epochs = 1, .seconds = 1});
  }
  EXPECT_EQ(paper.text().find('\r'), 29u);
  EXPECT_EQ(paper.text().find('\x1b'), std::string::npos);  // a dumb terminal: blanks
}

TEST(Screen, writes_a_row_every_n_epochs_and_the_last) {
  const Paper paper;
  Screen screen({.log_every = {.epochs = 10}}, paper.file());
  for (Index e = 0; e <= 25; ++e) screen.epoch(line_of(e));
  screen.done("stopped");
  EXPECT_EQ(count(paper.text(), "rows/s"), 1);
  EXPECT_EQ(count(paper.text(), " M "), 4) << paper.text();  // 0, 10, 20, 25
  EXPECT_NE(paper.text().find("   25    75.0"), std::string::npos);
}

TEST(Screen, writes_a_row_every_so_many_seconds) {
  const Paper paper;
  Screen screen({.log_every = {.seconds = 5}}, paper.file());
  for (Index e = 0; e <= 20; ++e) screen.epoch(line_of(e));  // half a second each
  EXPECT_EQ(count(paper.text(), " M "), 3);
}

TEST(Screen, writes_an_object_a_line_with_json_log) {
  const Paper paper;
  {
    auto options = screen_options(testing::settings_of({"train", "x", "--json-log"}));
    Screen screen(options, paper.file());
    screen.title("svrg 1");
    screen.fact("model", "linear");
    EpochLine line = line_of(0);
    line.record = R"({"epoch":0,"objective":null})";
    screen.epoch(line);
    screen.tick({});
    screen.message(LogLevel::warning, "no \"luck\"");
    screen.bypass()(LogLevel::error, "rank 3: stalled");
    screen.event("end", {{"epochs", 7}});
    screen.done("done");
  }
  std::istringstream lines(paper.text());
  std::vector<nlohmann::ordered_json> found;
  for (std::string line; std::getline(lines, line);) {
    found.push_back(nlohmann::ordered_json::parse(line));
    auto& object = found.back();
    const std::string ts = object["ts"];
    EXPECT_EQ(ts.size(), std::string("2026-01-31T12:00:00.123Z").size()) << ts;
    object.erase("ts");
  }
  ASSERT_EQ(found.size(), 5U);
  EXPECT_EQ(found[0].dump(), R"({"event":"start","title":"svrg 1","model":"linear"})");
  EXPECT_EQ(found[1].dump(), R"({"event":"epoch","epoch":0,"objective":null})");
  EXPECT_EQ(found[2].dump(), R"({"event":"warning","message":"no \"luck\""})");
  EXPECT_EQ(found[3].dump(), R"({"event":"error","message":"rank 3: stalled"})");
  EXPECT_EQ(found[4].dump(), R"({"event":"end","epochs":7})");
}

TEST(Screen, says_nothing_in_json_unless_asked) {
  const Paper paper;
  Screen screen(screen_options(testing::settings_of({"train", "x"})), paper.file());
  screen.event("end", {{"epochs", 7}});
  EXPECT_EQ(paper.text(), "");
}

TEST(Screen, only_warns_when_quiet_or_silent) {
  for (const auto& options :
       {screen_options(testing::settings_of({"train", "x", "-q"})), silent_screen()}) {
    const Paper paper;
    Screen screen(options, paper.file());
    screen.title("title");
    screen.fact("model", "linear");
    screen.epoch(line_of(0));
    screen.tick({});
    screen.message(LogLevel::info, "info");
    screen.detail("detail");
    screen.message(LogLevel::warning, "careful");
    screen.done("done");
    EXPECT_EQ(paper.text(), "svrg: warning: careful\n");
  }
}

TEST(Screen, obeys_progress_in_a_file) {
  const Paper paper;
  const auto options = [&](const char* progress) {
    return screen_options(testing::settings_of({"train", "x", "--progress", progress}),
                          paper.file());
  };
  EXPECT_FALSE(options("auto").bar);
  EXPECT_TRUE(options("bar").bar);
  EXPECT_FALSE(options("lines").bar);
  EXPECT_TRUE(options("lines").lines);
  EXPECT_FALSE(options("none").lines);
  EXPECT_FALSE(options("none").bar);
}

TEST(RemainingTime, goes_by_the_epochs_or_by_the_gradient_whichever_is_sooner) {
  RemainingTime remaining(100, 1e-6);
  EXPECT_EQ(remaining.seconds(0, 0), std::nullopt);
  EXPECT_DOUBLE_EQ(remaining.seconds(10, 5).value(), 45);
  for (int e = 1; e <= 3; ++e) remaining.observe(e, std::pow(10.0, -e));  // a digit a second
  EXPECT_NEAR(remaining.seconds(3, 3).value(), 3, 1e-9);
  EXPECT_NEAR(remaining.seconds(99.9, 3).value(), 0.003, 1e-3);
}

TEST(RemainingTime, does_not_believe_in_a_gradient_that_is_not_falling) {
  RemainingTime remaining(10, 1e-6);
  for (int e = 1; e <= 5; ++e) remaining.observe(e, 0.5);
  remaining.observe(6, unknown);
  EXPECT_DOUBLE_EQ(remaining.seconds(5, 5).value(), 5);
}

TEST(Results, are_one_json_line_in_the_given_order) {
  const Paper paper;
  print_results(testing::settings_of({"train", "x"}),
                {{"objective", 0.5},
                 {"epochs", 14},
                 {"gap", unknown},
                 {"run_dir", "a\n\xff"},
                 {"metrics", {{"train_mse", 1.0}, {"acc", 0.25}}}},
                paper.file());
  EXPECT_EQ(paper.text(),
            "{\"objective\":0.5,\"epochs\":14,\"gap\":null,\"run_dir\":\"a\\n\xef\xbf\xbd\","
            "\"metrics\":{\"train_mse\":1.0,\"acc\":0.25}}\n");
}

TEST(Results, are_not_printed_with_no_json) {
  const Paper paper;
  print_results(testing::settings_of({"train", "x", "--no-json"}), {{"a", 1}}, paper.file());
  EXPECT_EQ(paper.text(), "");
}

}  // namespace
}  // namespace svrg::app
