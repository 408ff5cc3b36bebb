// Hessians of dense rows, many blocks of them, beside plain sums.
#include <gtest/gtest.h>

#include <string_view>
#include <vector>

#include "svrg/core/random.hpp"
#include "svrg/model/instruction_set.hpp"
#include "svrg/model/linear_model.hpp"

namespace svrg {
namespace {

template <class T>
void check() {
  const CounterRandom random(7, 0);
  for (const Index columns : {1, 8, 21, 40})
    for (const Index rows : {1, 64, 65, 200})
      for (const Index padding : {0, 3})
        for (const bool intercept : {false, true})
          for (const bool weighted : {false, true}) {
            const Index stride = columns + padding, P = columns + (intercept ? 1 : 0);
            std::vector<T> x(static_cast<std::size_t>(rows * stride));
            for (std::size_t i = 0; i < x.size(); ++i)
              x[i] = static_cast<T>(random.uniform(i) - 0.5);
            std::vector<double> labels(static_cast<std::size_t>(rows), 1), weights;
            for (Index i = 0; weighted && i < rows; ++i)
              weights.push_back(random.uniform(static_cast<std::uint64_t>(i)));
            Input input;
            input.rows = DenseRows<T>{x.data(), rows, columns, stride};
            Batch batch;
            batch.inputs = {&input, 1};
            batch.labels = labels;
            batch.weights = weights;
            Eigen::MatrixXd expected = Eigen::MatrixXd::Zero(P, P);
            for (Index i = 0; i < rows; ++i) {
              Vec<double> row = Vec<double>::Ones(P);
              for (Index j = 0; j < columns; ++j)
                row[j] = static_cast<double>(x[static_cast<std::size_t>(i * stride + j)]);
              expected +=
                  (weighted ? weights[static_cast<std::size_t>(i)] : 1) * row * row.transpose();
            }
            const LinearModel model(Loss::squared, columns, 1, intercept);
            const std::vector<double> z(static_cast<std::size_t>(rows), 0);
            Eigen::MatrixXd h = Eigen::MatrixXd::Zero(P, P);
            model.add_curvature(batch, 0, rows, z.data(), h);
            const Eigen::MatrixXd whole = h.selfadjointView<Eigen::Lower>();
            EXPECT_LT((whole - expected).norm(), 1e-12 * expected.norm())
                << columns << " columns, " << rows << " rows, padded by " << padding
                << (intercept ? ", intercept" : "") << (weighted ? ", weighted" : "");
          }
}

template <class T>
class DenseCurvature : public ::testing::Test {};
using Types = ::testing::Types<double, float>;
TYPED_TEST_SUITE(DenseCurvature, Types);

TYPED_TEST(DenseCurvature, is_the_weighted_sum_of_products_of_rows) {
  for (const std::string_view set : instruction_sets()) {
    use_instruction_set(set);
    check<TypeParam>();
  }
  use_instruction_set(instruction_sets().front());
}

}  // namespace
}  // namespace svrg
