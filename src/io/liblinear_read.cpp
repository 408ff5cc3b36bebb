// Errors say the line, as the file may have been written by hand or by another program.
#include <fast_float/fast_float.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>
#include <optional>

#include "svrg/core/error.hpp"
#include "svrg/io/liblinear_model.hpp"

namespace svrg::io {
namespace {

enum class Task { logistic, hinge, numbers };
struct SolverType {
  std::string_view name;
  Task task;
};
constexpr std::array<SolverType, 11> solver_types = {{{"L2R_LR", Task::logistic},
                                                      {"L2R_LR_DUAL", Task::logistic},
                                                      {"L1R_LR", Task::logistic},
                                                      {"L2R_L2LOSS_SVC", Task::hinge},
                                                      {"L2R_L2LOSS_SVC_DUAL", Task::hinge},
                                                      {"L2R_L1LOSS_SVC_DUAL", Task::hinge},
                                                      {"L1R_L2LOSS_SVC", Task::hinge},
                                                      {"MCSVM_CS", Task::hinge},
                                                      {"L2R_L2LOSS_SVR", Task::numbers},
                                                      {"L2R_L2LOSS_SVR_DUAL", Task::numbers},
                                                      {"L2R_L1LOSS_SVR_DUAL", Task::numbers}}};

class Reader {
 public:
  Reader(std::string_view text, const std::string& name) : left_(text), name_(name) {}

  ModelRecord read() {
    while (next_line())
      if (word() == "w") {
        end_of_line();
        check_header();
        read_weights();
        return model();
      } else {
        read_entry();
      }
    fail("it ends without weights");
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw DataError(fmt::format("{}:{}: {}", name_, number_, what));
  }

  bool next_line() {
    if (left_.empty()) return false;
    ++number_;
    const auto end = left_.find('\n');
    // A number that lost its last digits would look like another.
    if (end == left_.npos) fail("the line has no end: the file is cut off");
    line_ = left_.substr(0, end);
    left_.remove_prefix(end + 1);
    word_ = next_word();
    return true;
  }
  std::string_view word() const { return word_; }
  /// Empty at the end of the line.
  std::string_view next_word() {
    constexpr const char* spaces = " \t\r";
    line_.remove_prefix(std::min(line_.find_first_not_of(spaces), line_.size()));
    const auto text = line_.substr(0, line_.find_first_of(spaces));
    line_.remove_prefix(text.size());
    return text;
  }
  void end_of_line() {
    if (const auto more = next_word(); !more.empty()) fail(fmt::format("'{}' is too much", more));
  }
  double real(std::string_view text, std::string_view what) const {
    double value = 0;
    const auto [end, error] = fast_float::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
      fail(fmt::format("{} must be a finite number, got '{}'", what, text));
    return value;
  }
  Index count(std::string_view what) {
    const std::string_view text = next_word();
    std::int32_t value = 0;  // as liblinear's
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 1)
      fail(fmt::format("{} must be a whole number from 1, got '{}'", what, text));
    return value;
  }

  void read_entry() {
    const std::string key(word());
    if (key == "solver_type") {
      const auto type = next_word();
      const auto found = std::ranges::find(solver_types, type, &SolverType::name);
      if (found == solver_types.end())
        fail(fmt::format("solver_type '{}' has no counterpart here", type));
      type_ = *found;
    } else if (key == "nr_class") {
      classes_ = count("nr_class");
    } else if (key == "nr_feature") {
      features_ = count("nr_feature");
    } else if (key == "bias") {
      bias_ = real(next_word(), "bias");
    } else if (key == "label") {
      for (auto text = next_word(); !text.empty(); text = next_word())
        labels_.push_back(real(text, "a label"));
    } else {
      fail(fmt::format("'{}' is no entry of a liblinear model", key));
    }
    end_of_line();
  }

  void check_header() {
    const auto require = [&](bool there, const char* key) {
      if (!there) fail(fmt::format("the weights begin, but there was no {}", key));
    };
    require(type_.has_value(), "solver_type");
    require(classes_ > 0, "nr_class");
    require(features_ > 0, "nr_feature");
    require(bias_.has_value(), "bias");
    const bool regression = type_->task == Task::numbers;
    if (regression ? !labels_.empty() || classes_ != 2
                   : static_cast<Index>(labels_.size()) != classes_)
      fail(fmt::format("{} labels for {} classes of {}", labels_.size(), classes_, type_->name));
    if (classes_ < 2) fail("a model of one class tells nothing apart");
    auto sorted = labels_;
    std::ranges::sort(sorted);
    if (std::ranges::adjacent_find(sorted) != sorted.end()) fail("a label is there twice");
    columns_ = regression || (classes_ == 2 && type_->name != "MCSVM_CS") ? 1 : classes_;
  }

  // Nothing is allocated for what the header promises; a short file ends the loop.
  void read_weights() {
    const Index rows = features_ + (*bias_ >= 0 ? 1 : 0);
    for (Index row = 0; row < rows; ++row) {
      if (!next_line()) fail(fmt::format("it ends after {} of {} rows of weights", row, rows));
      auto text = word();
      for (Index k = 0; k < columns_; ++k, text = next_word()) {
        if (text.empty()) fail(fmt::format("{} weights, but there are {}", k, columns_));
        weights_.push_back(real(text, "a weight"));
      }
      if (!text.empty()) fail(fmt::format("more than {} weights", columns_));
    }
    while (next_line())
      if (!word().empty()) fail(fmt::format("more than {} rows of weights", rows));
  }

  ModelRecord model() const {
    ModelRecord model;
    const bool single = columns_ == 1;
    model.kind = type_->task == Task::numbers    ? "linear"
                 : !single                       ? "softmax"
                 : type_->task == Task::logistic ? "logistic"
                                                 : "svm-sq";
    model.features = features_;
    model.intercept = model.penalised_intercept = *bias_ >= 0;
    // Ours are in ascending order, and of two the second is the one that a positive score speaks
    // for; theirs is the first.
    std::vector<std::size_t> order(labels_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::sort(order, {}, [&](std::size_t k) { return labels_[k]; });
    for (const std::size_t k : order) model.classes.push_back(labels_[k]);
    const double sign = single && !order.empty() && order[0] == 0 ? -1 : 1;
    const auto weight = [&](Index row, Index k) {
      const auto column = single ? 0 : order[static_cast<std::size_t>(k)];
      return sign * weights_[static_cast<std::size_t>(row * columns_) + column];
    };
    Parameter parameter;
    parameter.name = "linear_weight";
    parameter.shape = {columns_, features_};
    parameter.column_major = true;
    model.layout.add(parameter);
    parameter.name = "linear_bias";
    parameter.shape = {columns_};
    parameter.column_major = false;
    if (model.intercept) model.layout.add(parameter);
    model.weights.resize(model.layout.size());
    for (Index row = 0; row < features_; ++row)
      for (Index k = 0; k < columns_; ++k) model.weights[row * columns_ + k] = weight(row, k);
    if (model.intercept)
      for (Index k = 0; k < columns_; ++k)
        model.weights[features_ * columns_ + k] = *bias_ * weight(features_, k);
    return model;
  }

  std::string_view left_, line_, word_;
  const std::string& name_;
  Index number_ = 0;
  std::optional<SolverType> type_;
  Index classes_ = 0, features_ = 0, columns_ = 0;
  std::optional<double> bias_;
  std::vector<double> labels_, weights_;
};

}  // namespace

ModelRecord from_liblinear(std::string_view text, const std::string& name) {
  return Reader(text, name).read();
}

}  // namespace svrg::io
