// liblinear's text. That its programs agree: convert_models_test.py.
#include "svrg/io/liblinear_model.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "folder.hpp"
#include "samples.hpp"
#include "svrg/core/error.hpp"

namespace svrg::io {
namespace {

std::string text_of(const char* type, const std::string& labels, const std::string& weights,
                    const char* bias = "-1", int classes = 2) {
  return fmt::format("solver_type {}\nnr_class {}\n{}nr_feature 2\nbias {}\nw\n{}", type, classes,
                     labels, bias, weights);
}

double weight(const ModelRecord& model, Index k, Index j) {
  const Parameter& p = model.layout.at("linear_weight");
  return to_row_major(p, model.weights.segment(p.offset, p.size))[k * p.shape[1] + j];
}
double bias(const ModelRecord& model, Index k) {
  return model.weights[model.layout.at("linear_bias").offset + k];
}

TEST(LiblinearModel, of_two_classes_speaks_for_its_first_label) {
  for (const char* type : {"L2R_LR", "L2R_LR_DUAL", "L1R_LR", "L2R_L2LOSS_SVC",
                           "L2R_L2LOSS_SVC_DUAL", "L2R_L1LOSS_SVC_DUAL", "L1R_L2LOSS_SVC"})
    for (const bool ascending : {false, true}) {
      const char* labels = ascending ? "label -1 1\n" : "label 1 -1\n";
      const ModelRecord m = from_liblinear(text_of(type, labels, "0.5 \n-3e-2 \n"), "m");
      EXPECT_EQ(m.kind, std::string_view(type).ends_with("SVC") ||
                                std::string_view(type).ends_with("SVC_DUAL")
                            ? "svm-sq"
                            : "logistic");
      EXPECT_EQ(m.classes, (std::vector<double>{-1, 1}));
      EXPECT_EQ(weight(m, 0, 0), ascending ? -0.5 : 0.5);
      EXPECT_EQ(weight(m, 0, 1), ascending ? 0.03 : -0.03);
      EXPECT_FALSE(m.intercept || m.penalised_intercept);
    }
}

TEST(LiblinearModel, folds_the_bias_and_its_value) {
  const char* rows = "1 \n2 \n3 \n";
  const ModelRecord m = from_liblinear(text_of("L2R_LR", "label 4 2\n", rows, "0.5"), "m");
  EXPECT_TRUE(m.intercept && m.penalised_intercept);
  EXPECT_EQ(bias(m, 0), 1.5);
  EXPECT_EQ(m.features, 2);
  const ModelRecord turned = from_liblinear(text_of("L2R_LR", "label 2 4\n", rows, "0.5"), "m");
  EXPECT_EQ(bias(turned, 0), -1.5);
  EXPECT_EQ(bias(from_liblinear(text_of("L2R_LR", "label 2 4\n", rows, "0"), "m"), 0), 0);
}

TEST(LiblinearModel, of_more_classes_has_them_in_ascending_order) {
  const std::string rows = "1 2 3 \n4 5 6 \n7 8 9 \n";
  const ModelRecord m = from_liblinear(text_of("L2R_LR", "label 5 -2 3\n", rows, "1", 3), "m");
  EXPECT_EQ(m.kind, "softmax");
  EXPECT_EQ(m.classes, (std::vector<double>{-2, 3, 5}));
  for (Index k = 0; k < 3; ++k) {
    const double theirs = std::array{2.0, 3.0, 1.0}[static_cast<std::size_t>(k)];
    EXPECT_EQ(weight(m, k, 0), theirs);
    EXPECT_EQ(weight(m, k, 1), theirs + 3);
    EXPECT_EQ(bias(m, k), theirs + 6);
  }
  const ModelRecord two = from_liblinear(text_of("MCSVM_CS", "label 1 0\n", "1 2 \n3 4 \n"), "m");
  EXPECT_EQ(two.kind, "softmax");
  EXPECT_EQ(weight(two, 0, 0), 2);
  EXPECT_EQ(weight(two, 1, 0), 1);
}

TEST(LiblinearModel, of_numbers_is_a_linear_one) {
  const ModelRecord m =
      from_liblinear(text_of("L2R_L1LOSS_SVR_DUAL", "", "1 \n2 \n3 \n", "1"), "m");
  EXPECT_EQ(m.kind, "linear");
  EXPECT_TRUE(m.classes.empty());
  EXPECT_EQ(bias(m, 0), 3);
}

TEST(LiblinearModel, comes_back_with_the_scores_of_the_model) {
  const Folder folder;
  for (const char* kind : {"linear", "logistic", "svm-sq", "softmax"})
    for (const bool intercept : {true, false})
      for (const bool scaled : {true, false}) {
        ModelRecord model = sample_model(kind == std::string("softmax") ? 3 : 1, 4, intercept);
        model.kind = kind;
        if (kind == std::string("linear")) model.classes.clear();
        if (scaled) model.scale = {1, 0.1, 3, 7};
        if (scaled && intercept) model.mean = {1, 2, -3, 0.5};
        save_model(folder / "m.model", model);
        const ModelRecord back = load_model(folder / "m.model"), raw = without_scaling(model);
        EXPECT_EQ(back.kind, model.kind);
        EXPECT_EQ(back.classes, model.classes);
        EXPECT_EQ(back.weights, raw.weights);
        EXPECT_EQ(back.intercept, intercept);
        EXPECT_EQ(liblinear_text(back), liblinear_text(model));
      }
}

TEST(LiblinearModel, of_a_softmax_of_two_classes_is_the_logistic_one_of_the_difference) {
  const ModelRecord model = sample_model(2, 3, true);
  const ModelRecord back = from_liblinear(liblinear_text(model), "m");
  EXPECT_EQ(back.kind, "logistic");
  EXPECT_EQ(back.classes, model.classes);
  for (Index j = 0; j < 3; ++j)
    EXPECT_EQ(weight(back, 0, j), weight(model, 1, j) - weight(model, 0, j));
  EXPECT_EQ(bias(back, 0), bias(model, 1) - bias(model, 0));
}

TEST(LiblinearModel, errors_name_file_and_line) {
  const auto refused = [](const std::string& text, int line, const char* word) {
    try {
      from_liblinear(text, "a.model");
      ADD_FAILURE() << text;
    } catch (const DataError& error) {
      const std::string what = error.what();
      EXPECT_TRUE(what.starts_with(fmt::format("a.model:{}: ", line))) << what;
      EXPECT_NE(what.find(word), std::string::npos) << what;
    }
  };
  const std::string label = "label 1 2\n", rows = "1 \n2 \n";
  refused(text_of("ONECLASS_SVM", label, rows), 1, "ONECLASS_SVM");
  refused(text_of("L2R_LR", "label 1 x\n", rows), 3, "'x'");
  refused(text_of("L2R_LR", "label 1\n", rows), 6, "1 labels");
  refused(text_of("L2R_LR", "label 1 1\n", rows), 6, "twice");
  refused(text_of("L2R_LR", "rho 1\n", rows), 3, "'rho'");
  refused(text_of("L2R_L2LOSS_SVR", label, rows), 6, "2 labels");
  refused(text_of("L2R_LR", "label 1\n", rows, "-1", 1), 6, "one class");
  refused(text_of("L2R_LR", label, rows, "nan"), 5, "nan");
  refused(text_of("L2R_LR", label, rows, "1 2"), 5, "'2'");
  refused(text_of("L2R_LR", label, "1 \n"), 7, "1 of 2 rows");
  refused(text_of("L2R_LR", label, "1 \n2 \n3 \n"), 9, "more than 2 rows");
  refused(text_of("L2R_LR", label, "1 5 \n2 \n"), 7, "more than 1");
  refused(text_of("L2R_LR", label, "1 \n\n"), 8, "0 weights");
  refused(text_of("L2R_LR", label, "1 \ninf \n"), 8, "inf");
  refused(text_of("L2R_LR", label, "1 \n2"), 8, "cut off");
  refused("solver_type L2R_LR\nnr_feature 2147483647\nw\n", 3, "nr_class");
  refused("solver_type L2R_LR\nnr_class 2\nlabel 1 2\nnr_feature 2147483647\nbias -1\nw\n1 \n", 7,
          "2147483647 rows");
  refused("solver_type L2R_LR\nnr_feature 99999999999\n", 2, "99999999999");
}

// The text has no checksum: another digit is another model, but nothing worse.
TEST(LiblinearModel, damage_is_refused_or_still_a_model) {
  const std::string text = liblinear_text(sample_model(3, 5, true));
  const auto try_it = [](const std::string& damaged) {
    try {
      const ModelRecord model = from_liblinear(damaged, "m");
      EXPECT_EQ(model.weights.size(), model.layout.size());
    } catch (const DataError& error) {
      EXPECT_TRUE(std::string_view(error.what()).starts_with("m:")) << error.what();
    }
  };
  for (std::size_t n = 0; n < text.size(); ++n)
    EXPECT_THROW(from_liblinear(text.substr(0, n), "m"), DataError) << n;
  for (std::size_t i = 0; i < text.size(); ++i)
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = text;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      try_it(damaged);
    }
}

}  // namespace
}  // namespace svrg::io
