#pragma once
#include <gtest/gtest.h>

#include "svrg/io/model_file.hpp"

namespace svrg::io {

/// All that a model file keeps, to the bit.
inline void expect_same(const ModelRecord& a, const ModelRecord& b) {
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.symbol, b.symbol);
  EXPECT_EQ(a.input_shape, b.input_shape);
  EXPECT_EQ(a.single, b.single);
  EXPECT_EQ(a.weights, b.weights);
  EXPECT_EQ(a.intercept, b.intercept);
  EXPECT_EQ(a.penalised_intercept, b.penalised_intercept);
  EXPECT_EQ(a.features, b.features);
  EXPECT_EQ(a.classes, b.classes);
  EXPECT_EQ(a.positive, b.positive);
  EXPECT_EQ(a.feature_names, b.feature_names);
  EXPECT_EQ(a.mean, b.mean);
  EXPECT_EQ(a.scale, b.scale);
  EXPECT_EQ(a.l2, b.l2);
  EXPECT_EQ(a.l1, b.l1);
  EXPECT_EQ(a.config, b.config);
  EXPECT_EQ(a.manifest, b.manifest);
  EXPECT_EQ(a.summary.values, b.summary.values);
  ASSERT_EQ(a.layout.all().size(), b.layout.all().size());
  for (std::size_t i = 0; i < a.layout.all().size(); ++i) {
    const Parameter &p = a.layout.all()[i], &q = b.layout.all()[i];
    EXPECT_EQ(p.name, q.name);
    EXPECT_EQ(p.shape, q.shape);
    EXPECT_EQ(p.offset, q.offset);
    EXPECT_EQ(p.column_major, q.column_major) << p.name;
    EXPECT_EQ(p.wd_mult, q.wd_mult) << p.name;
  }
}

}  // namespace svrg::io
