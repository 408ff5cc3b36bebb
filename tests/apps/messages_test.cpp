// What a user sees after a slip, word by word: place first, remedy last.
#include <gtest/gtest.h>

#include "app_test.hpp"

namespace svrg::app {
namespace {

using testing::error_of_file;
using testing::error_of_line;
using testing::invoke;

TEST(CommandLine, tells_what_was_wrong_with_an_option) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{"train", "--lerning-rate", "0.1"},
       "unknown option '--lerning-rate'; did you mean '--learning-rate'?"},
      {{"train", "--lerning-rate=0.1", "x"},
       "unknown option '--lerning-rate'; did you mean '--learning-rate'?"},
      {{"train", "x", "--zzzzzzzz"}, "unknown option '--zzzzzzzz'"},
      {{"train", "x", "-Z"}, "unknown option '-Z'"},
      {{"train", "x", "--epochs", "-4"}, "--epochs: must be at least 1, got -4"},
      {{"train", "x", "--epochs", "many"}, "--epochs: must be a whole number, got 'many'"},
      {{"train", "x", "--epochs", "99999999999999999999"},
       "--epochs: must be a whole number, got '99999999999999999999'"},
      {{"train", "x", "--epochs"}, "--epochs: needs a value"},
      {{"train", "x", "--epochs="}, "--epochs: needs a value"},
      {{"train", "--train", "--epochs", "3"}, "--train: needs a value, got '--epochs'"},
      {{"train", "x", "--chains", "few"}, "--chains: must be a whole number or 'ranks', got 'few'"},
      {{"train", "x", "--learning-rate", "0"}, "--learning-rate: must be above 0, got 0"},
      {{"train", "x", "--learning-rate", "inf"},
       "--learning-rate: must be a number or 'auto', got 'inf'"},
      {{"train", "x", "--format", "cvs"},
       "--format: must be one of auto, svmlight, csv, idx, hdf5; got 'cvs'; did you mean 'csv'?"},
      {{"train", "x", "-m", "acc,foo"},
       "--metrics: there is no metric 'foo'; there are acc, auc, ce, ece, f1, mae, mse, r2, rmse, "
       "top_k"},
      {{"train", "x", "-m", "acc,,ce"}, "--metrics: has an empty item in 'acc,,ce'"},
      {{"train", "x", "--l2", "0.1/m"},
       "--l2: must be a number, or one over n such as 0.1/n, got '0.1/m'"},
      {{"train", "x", "--set", "train.lerning_rate=3"},
       "--set: unknown key 'train.lerning_rate'; did you mean 'train.learning_rate'?"},
      {{"train", "x", "--set", "epochs"}, "--set: must be key=value, got 'epochs'"},
      {{"train", "x", "--set", "epochs=0"}, "--set epochs: must be at least 1, got 0"},
  };
  for (const auto& [line, message] : cases) EXPECT_EQ(error_of_line(line), message);
}

TEST(CommandLine, tells_what_was_wrong_with_the_command) {
  EXPECT_EQ(error_of_line({}), "no command; 'svrg --help' lists them");
  EXPECT_EQ(error_of_line({"trian"}), "unknown command 'trian'; did you mean 'train'?");
  EXPECT_EQ(error_of_line({"train"}),
            "no training data; give DATA, or train = \"FILE\" in [data] of the config");
  EXPECT_EQ(error_of_line({"train", "a", "b"}),
            "unexpected argument 'b'; usage: svrg train [DATA] [-c run.toml] [options]");
  EXPECT_EQ(error_of_line({"evaluate", "m.h5"}),
            "DATA is missing; usage: svrg evaluate MODEL DATA [-m list] [options]");
  EXPECT_EQ(error_of_line({"evaluate", "m.h5", "x", "--epochs", "3"}),
            "'svrg evaluate' has no option '--epochs'; it belongs to train, bench, tune");
  EXPECT_EQ(error_of_line({"config", "shw"}),
            "ACTION: must be one of show, check, init, schema, completion, man; got 'shw'; did you "
            "mean 'show'?");
}

TEST(CommandLine, answers_help_and_version_whatever_else_is_wrong) {
  EXPECT_TRUE(invoke({"train", "--zzz", "-e", "-4", "--help"}).help);
  EXPECT_TRUE(invoke({"--help"}).help);
  EXPECT_EQ(invoke({"help", "predict"}).page, find_command("predict"));
  EXPECT_TRUE(invoke({"--version"}).version);
  EXPECT_TRUE(invoke({"train", "-V"}).version);
  EXPECT_TRUE(invoke({"-V"}).version);
}

TEST(CommandLine, takes_files_by_place_and_a_leading_dash_after_two) {
  const auto predict = invoke({"predict", "m.h5", "-o", "out.csv", "x.svm", "--proba"}).settings;
  EXPECT_EQ(predict.text("model_file"), "m.h5");
  EXPECT_EQ(predict.text("data_file"), "x.svm");
  EXPECT_EQ(predict.text("out"), "out.csv");
  EXPECT_TRUE(predict.flag("proba"));
  EXPECT_EQ(invoke({"train", "--", "-x.svm"}).settings.text("train"), "-x.svm");
  EXPECT_EQ(invoke({"train", "--label-column", "-1", "x"}).settings.text("label_column"), "-1");
}

TEST(Environment, is_named_in_its_errors) {
  EXPECT_EQ(error_of_line({"train", "x"}, {"SVRG_EPOCHS=-4"}),
            "SVRG_EPOCHS: must be at least 1, got -4");
  EXPECT_EQ(error_of_line({"train", "x"}, {"SVRG_EPOCHS="}), "SVRG_EPOCHS: needs a value");
  EXPECT_EQ(error_of_line({"train", "x"}, {"SVRG_QUIET=maybe"}),
            "SVRG_QUIET: must be true or false, got 'maybe'");
}

TEST(ConfigFile, tells_line_and_column_of_a_slip) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"schema = 1\n[data]\ntrain = \"x\"\n\n[train]\nepochs = 3\nlerning_rate = 0.1\n",
       "run.toml:7:1: unknown key 'lerning_rate' in [train]; did you mean 'learning_rate'?"},
      {"[stop]\n  epochs = 3\n",
       "run.toml:2:3: unknown key 'epochs' in [stop]; it belongs to [train]"},
      {"[trian]\nepochs = 3\n", "run.toml:1:2: unknown section [trian]; did you mean [train]?"},
      {"epochs = 3\n",
       "run.toml:1:1: unknown key 'epochs' before the first section; it belongs to [train]"},
      {"[train]\nepochs = \"40\"\n",
       "run.toml:2:10: epochs: must be a whole number, got the string '40'"},
      {"[train]\nepochs = 2.5\n", "run.toml:2:10: epochs: must be a whole number, got 2.5"},
      {"[train]\nepochs = -4\n", "run.toml:2:10: epochs: must be at least 1, got -4"},
      {"[train]\nlearning_rate = \"fast\"\n",
       "run.toml:2:17: learning_rate: must be a number or \"auto\", got the string 'fast'"},
      {"[train]\ndeterministic = 1\n",
       "run.toml:2:17: deterministic: must be true or false, got 1"},
      {"[train]\nepochs = [1]\n", "run.toml:2:10: epochs: must be a whole number, got an array"},
      {"[output]\nmetrics = 3\n",
       "run.toml:2:11: metrics: must be an array such as [\"a\", \"b\"], got 3"},
      {"[output]\nmetrics = [\"acc\", \"fo\"]\n",
       "run.toml:2:11: metrics: there is no metric 'fo'; did you mean 'f1'?"},
      {"[data]\npositive = [\"a,b\"]\n",
       "run.toml:2:12: positive: an item may not contain a comma, got 'a,b'"},
      {"[train]\nepochs = 3\nepochs = 4\n", "run.toml:3:10: 'epochs' is here twice"},
      {"[train]\n[data]\n[train]\n", "run.toml:3:1: 'train' is here twice"},
      {"schema = 2\n", "run.toml:1:10: schema: this version reads schema 1"},
  };
  for (const auto& [toml, message] : cases) EXPECT_EQ(error_of_file(toml), message) << toml;
}

TEST(ConfigFile, tells_where_it_is_not_toml) {
  EXPECT_TRUE(error_of_file("[train\n").starts_with("run.toml:1:7: not TOML: "))
      << error_of_file("[train\n");
  EXPECT_TRUE(error_of_file("[train]\nepochs = \n").starts_with("run.toml:2:"));
}

TEST(ConfigFile, takes_the_types_that_read_naturally) {
  const auto settings = settings_from_toml(
      "[data]\nintercept = false\nindex_base = 0\nlabel_column = -1\npositive = [1, 2]\n"
      "[model]\nkind = \"linear\"\nl2 = 1e-4\n[output]\ncheckpoint_every = \"10m\"\n"
      "metrics = [\"mse\", \"mae\"]\n[stop]\ntime_limit = 90\n[parallel]\nmax_memory = 1000000\n",
      "run.toml");
  EXPECT_EQ(settings.text("intercept"), "no");
  EXPECT_EQ(settings.text("index_base"), "0");
  EXPECT_EQ(settings.text("label_column"), "-1");
  EXPECT_EQ(settings.list("positive"), (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(settings.text("model"), "linear");
  EXPECT_EQ(settings.scaled("l2").value, 1e-4);
  EXPECT_EQ(settings.period("checkpoint_every").seconds, 600);
  EXPECT_EQ(settings.duration("time_limit"), 90);
  EXPECT_EQ(settings.size("max_memory"), 1000000);
}

TEST(ConfigFile, that_cannot_be_read_is_named) {
  EXPECT_EQ(error_of_line({"train", "x", "-c", "/no/such.toml"}),
            "--config: cannot read /no/such.toml: No such file or directory");
  EXPECT_EQ(error_of_line({"train", "x", "-c", "/"}), "--config: / is a directory");
}

}  // namespace
}  // namespace svrg::app
