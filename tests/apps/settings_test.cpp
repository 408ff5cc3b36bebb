#include "settings.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "app_test.hpp"
#include "text.hpp"
#include "toml_text.hpp"

namespace svrg::app {
namespace {

using testing::error_of_line;
using testing::settings_of;

class File {
 public:
  explicit File(const std::string& text)
      : path_(std::filesystem::temp_directory_path() /
              ("svrg_settings_test." + std::to_string(std::rand()) + ".toml")) {
    std::ofstream(path_) << text;
  }
  ~File() { std::filesystem::remove(path_); }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

void expect_equal(const Settings& a, const Settings& b) {
  for (const Option& option : option_table()) {
    if (option.section.empty()) continue;
    EXPECT_EQ(a.has(name_of(option)), b.has(name_of(option))) << option.flag;
    EXPECT_EQ(a.text(name_of(option)), b.text(name_of(option))) << option.flag;
  }
}

TEST(Settings, take_the_command_line_before_the_environment_before_the_file_before_the_default) {
  const File file("[train]\nepochs = 20\nseed = 20\nbatch_size = 20\n");
  const auto settings = settings_of({"train", "x.svm", "-c", file.path(), "-e", "40"},
                                    {"SVRG_EPOCHS=30", "SVRG_SEED=30", "HOME=/"});
  EXPECT_EQ(settings.integer("epochs"), 40);
  EXPECT_EQ(settings.integer("seed"), 30);
  EXPECT_EQ(settings.integer("batch_size"), 20);
  EXPECT_EQ(settings.integer("update_freq"), 2);
  EXPECT_EQ(settings.source("epochs"), Source::command_line);
  EXPECT_EQ(settings.source("seed"), Source::environment);
  EXPECT_EQ(settings.source("batch_size"), Source::file);
  EXPECT_FALSE(settings.given("update_freq"));
  EXPECT_EQ(settings.place("seed"), "SVRG_SEED");
  EXPECT_EQ(settings.place("batch_size"), file.path() + ":4:14: batch_size");
}

TEST(Settings, take_the_last_of_several_on_the_command_line) {
  EXPECT_EQ(settings_of({"train", "x", "-e", "3", "--epochs=4"}).integer("epochs"), 4);
  EXPECT_EQ(settings_of({"train", "x", "-e", "3", "--set", "epochs=5"}).integer("epochs"), 5);
  EXPECT_EQ(settings_of({"train", "x", "--set", "epochs=5", "-e3"}).integer("epochs"), 3);
  EXPECT_EQ(settings_of({"train", "x", "--no-intercept"}).text("intercept"), "no");
  EXPECT_EQ(settings_of({"train", "x", "--no-intercept", "--intercept", "yes"}).text("intercept"),
            "yes");
}

TEST(Settings, give_the_same_settings_when_their_toml_is_read_back) {
  const auto settings = settings_of({"train",
                                     "odd \"name\"\\ \t\n\xc3\xa9.svm",
                                     "-e",
                                     "7",
                                     "--l2",
                                     "0.1/n",
                                     "--learning-rate",
                                     "1e-7",
                                     "--time-limit",
                                     "1h50m",
                                     "--max-memory",
                                     "4G",
                                     "-m",
                                     "mse,mae",
                                     "--positive",
                                     "3",
                                     "--label-column",
                                     "-1",
                                     "--no-intercept",
                                     "--deterministic",
                                     "--checkpoint-every",
                                     "10m",
                                     "--chains",
                                     "4",
                                     "--model",
                                     "linear",
                                     "--seed",
                                     "9223372036854775807"});
  expect_equal(settings, settings_from_toml(settings.to_toml(), "config.toml"));
  expect_equal(settings, settings_from_toml(settings.to_toml_with_sources(), "config.toml"));
  expect_equal(Settings(), settings_from_toml(Settings().to_toml(), "config.toml"));
  const auto with_c = settings_of({"train", "x", "--C", "2.5"});
  expect_equal(with_c, settings_from_toml(with_c.to_toml(), "config.toml"));
}

TEST(Settings, are_the_defaults_when_every_line_of_config_init_is_uncommented) {
  std::string toml;
  for (const auto& line : split(commented_toml(), '\n')) {
    const bool setting =
        line.starts_with('#') && !line.starts_with("# ") && !line.ends_with("\"\"");
    toml += (setting ? line.substr(1) : line) + '\n';
  }
  expect_equal(Settings(), settings_from_toml(toml, "init.toml"));
  expect_equal(Settings(), settings_from_toml(commented_toml(), "init.toml"));
}

TEST(Settings, keep_one_spelling_of_a_number) {
  EXPECT_EQ(settings_of({"train", "x", "--tol-grad", "0.0010"}).text("tol_grad"),
            settings_of({"train", "x", "--tol-grad", "1e-3"}).text("tol_grad"));
}

TEST(Settings, read_every_type) {
  const auto settings =
      settings_of({"train", "x", "--l2", "0.5/n", "--checkpoint-every", "10m", "--max-memory", "2K",
                   "--time-limit", "90", "-m", "acc, ce", "--overwrite"});
  EXPECT_DOUBLE_EQ(settings.scaled("l2").resolve(100), 0.005);
  EXPECT_EQ(settings.period("checkpoint_every").seconds, 600);
  EXPECT_EQ(settings.period("log_every").epochs, 1);
  EXPECT_EQ(settings.size("max_memory"), 2048);
  EXPECT_EQ(time_limit_seconds(settings), 90);
  EXPECT_EQ(settings.list("metrics"), (std::vector<std::string>{"acc", "ce"}));
  EXPECT_TRUE(settings.list("positive").empty());
  EXPECT_TRUE(settings.flag("overwrite"));
  EXPECT_FALSE(settings.flag("deterministic"));
  EXPECT_TRUE(settings.is("learning_rate", "auto"));
  EXPECT_FALSE(settings.has("passes"));
}

TEST(Settings, end_with_an_internal_error_where_a_getter_is_used_wrongly) {
  const Settings settings;
  for (const auto& wrong : std::vector<std::function<void()>>{
           [&] { settings.text("no_such_thing"); }, [&] { settings.number("learning_rate"); },
           [&] { settings.integer("chains"); }, [&] { settings.flag("epochs"); }}) {
    try {
      wrong();
      ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::internal);
    }
  }
}

TEST(Settings, let_the_higher_source_win_between_l2_and_C) {
  const auto by_c = settings_of({"train", "x", "--C", "2"}, {"SVRG_L2=0.5"});
  EXPECT_TRUE(by_c.has("C"));
  EXPECT_FALSE(by_c.has("l2"));
  const auto by_l2 = settings_of({"train", "x", "--l2", "0.5"}, {"SVRG_C=2"});
  EXPECT_FALSE(by_l2.has("C"));
  EXPECT_EQ(by_l2.scaled("l2").value, 0.5);
  EXPECT_EQ(error_of_line({"train", "x", "--l2", "1", "--C", "1"}),
            "--C: excludes --l2; give one of them");
}

TEST(Settings, let_the_higher_source_win_between_quiet_and_verbose) {
  const auto loud = settings_of({"train", "x", "-v"}, {"SVRG_QUIET=1"});
  EXPECT_TRUE(loud.flag("verbose"));
  EXPECT_FALSE(loud.flag("quiet"));
  EXPECT_NO_THROW(settings_of({"train", "x", "-v"}, {"SVRG_QUIET=0"}));
}

TEST(Settings, know_the_names_of_mxnet) {
  const auto settings =
      settings_of({"train", "x", "--set", "num_epoch=9", "--set", "eval_metric=mse", "--set",
                   "optimizer_params.learning_rate=0.5", "--set", "kvstore=dist_sync", "--set",
                   "train.update_freq=3"});
  EXPECT_EQ(settings.integer("epochs"), 9);
  EXPECT_EQ(settings.text("metrics"), "mse");
  EXPECT_EQ(settings.number("learning_rate"), 0.5);
  EXPECT_EQ(settings.integer("update_freq"), 3);
  EXPECT_EQ(settings.warnings(),
            std::vector<std::string>{
                "--set kvstore=dist_sync: accepted; gradients always go by Allreduce"});
}

TEST(Settings, warn_of_an_unknown_variable_and_pass_over_those_reserved) {
  const auto settings = settings_of({"train", "x"}, {"SVRG_EPOCH=3", "SVRG_SHARED=/tmp",
                                                     "SVRG_JOB_BIND=core", "PATH=/bin", "SVRG_X"});
  EXPECT_EQ(settings.warnings(),
            std::vector<std::string>{
                "unknown environment variable 'SVRG_EPOCH'; did you mean 'SVRG_EPOCHS'?"});
}

}  // namespace
}  // namespace svrg::app
