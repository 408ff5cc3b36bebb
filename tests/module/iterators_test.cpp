#include "svrg/module/iterators.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "iterator_rows.hpp"
#include "svrg/core/error.hpp"

namespace svrg {
namespace {

/// Row i is (i, 10 i).
NDArray table(Index rows) {
  std::vector<float> values;
  for (Index i = 0; i < rows; ++i) {
    values.push_back(static_cast<float>(i));
    values.push_back(static_cast<float>(10 * i));
  }
  return {{rows, 2}, std::move(values)};
}
NDArray numbered(Index rows) {
  std::vector<float> values(static_cast<std::size_t>(rows));
  std::iota(values.begin(), values.end(), 0.0F);
  return {{rows}, std::move(values)};
}
/// Row i has i % 3 entries, of value i.
NDArray sparse_table(Index rows) {
  CsrStore<float> store;
  for (Index i = 0; i < rows; ++i) {
    for (Index k = 0; k < i % 3; ++k) {
      store.indices.push_back(static_cast<std::int32_t>(2 * k));
      store.values.push_back(static_cast<float>(i));
    }
    store.starts.push_back(static_cast<Index>(store.values.size()));
  }
  return {5, std::move(store)};
}

std::vector<Index> sorted(std::vector<Index> rows) {
  std::sort(rows.begin(), rows.end());
  return rows;
}

TEST(NDArrayIter, pad_gives_every_row_once_and_fills_up_with_the_first) {
  for (const Index rows : {1, 4, 5, 6, 23}) {
    NDArrayIter iter(table(rows), numbered(rows), {.batch_size = 5});
    EXPECT_EQ(rows_left(iter), range(0, rows));
    Index count = 0;
    iter.reset();
    while (const DataBatch* batch = iter.next()) {
      ++count;
      for (std::size_t i = 0; i < 5; ++i) {
        const Index row = (5 * (count - 1) + static_cast<Index>(i)) % rows;
        EXPECT_EQ(batch->rows[i], row);
        EXPECT_EQ(batch->label[0].values()[i], static_cast<double>(row));
        EXPECT_EQ(batch->data[0].values()[2 * i + 1], static_cast<double>(10 * row));
      }
    }
    EXPECT_EQ(count, iter.batches());
    EXPECT_EQ(iter.next(), nullptr);
  }
}

TEST(NDArrayIter, discard_gives_whole_batches_only) {
  NDArrayIter iter(table(23), {}, {.batch_size = 5, .last_batch_handle = "discard"});
  EXPECT_EQ(iter.batches(), 4);
  EXPECT_EQ(epoch(iter), range(0, 20));
  EXPECT_EQ(epoch(iter), range(0, 20));
}

TEST(NDArrayIter, roll_over_puts_epochs_end_to_end) {
  NDArrayIter iter(table(23), {}, {.batch_size = 5, .last_batch_handle = "roll_over"});
  std::vector<Index> all;
  for (int e = 0; e < 7; ++e) {
    iter.reset();
    const Index promised = iter.batches();
    const std::vector<Index> rows = rows_left(iter);
    EXPECT_EQ(static_cast<Index>(rows.size()), 5 * promised);
    all.insert(all.end(), rows.begin(), rows.end());
  }
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], static_cast<Index>(i) % 23);
  EXPECT_EQ(all.size(), 7U * 23U / 5U * 5U);
}

TEST(NDArrayIter, roll_over_forgets_an_epoch_that_was_not_finished) {
  NDArrayIter iter(table(7), {}, {.batch_size = 5, .last_batch_handle = "roll_over"});
  iter.next();
  EXPECT_EQ(epoch(iter), range(0, 5));  // now the end was reached: rows 5 and 6 come first
  iter.reset();
  EXPECT_EQ(iter.next()->rows, (std::vector<Index>{5, 6, 0, 1, 2}));
}

TEST(NDArrayIter, shuffled_order_is_a_function_of_seed_and_resets) {
  const auto make = [](std::uint64_t seed) {
    return NDArrayIter(table(40), {}, {.batch_size = 8, .shuffle = true, .seed = seed});
  };
  NDArrayIter one = make(3), same = make(3), other = make(4);
  std::set<std::vector<Index>> orders;
  orders.insert(rows_left(one));
  same.next();  // how far one reads does not matter
  for (int e = 0; e < 3; ++e) {
    const std::vector<Index> order = epoch(one);
    EXPECT_EQ(epoch(same), order);
    EXPECT_NE(epoch(other), order);
    EXPECT_EQ(sorted(order), range(0, 40));
    orders.insert(order);
  }
  EXPECT_EQ(orders.size(), 4U);
}

TEST(NDArrayIter, parts_share_the_rows_out) {
  for (const Index parts : {1, 2, 3, 7}) {
    std::vector<Index> all;
    for (Index part = 0; part < parts; ++part) {
      NDArrayIter iter(table(23), numbered(23),
                       {.batch_size = 2, .num_parts = parts, .part_index = part});
      const std::vector<Index> rows = rows_left(iter);
      EXPECT_LE(std::abs(static_cast<Index>(rows.size()) * parts - 23), parts);
      all.insert(all.end(), rows.begin(), rows.end());
    }
    EXPECT_EQ(all, range(0, 23));
  }
  EXPECT_THROW(NDArrayIter(table(4), {}, {.num_parts = 2, .part_index = 2}), ConfigError);
}

TEST(NDArrayIter, several_inputs_come_sorted_by_name) {
  NDArrayIter iter({{"b", table(6)}, {"a", numbered(6)}}, {{"y", numbered(6)}}, {.batch_size = 3});
  EXPECT_EQ(iter.provide_data(), (std::vector<DataDesc>{{"a", {3}}, {"b", {3, 2}}}));
  EXPECT_EQ(iter.provide_label(), (std::vector<DataDesc>{{"y", {3}}}));
  const DataBatch* batch = iter.next();
  EXPECT_EQ(batch->data[0].shape, (std::vector<Index>{3}));
  EXPECT_EQ(batch->data[1].shape, (std::vector<Index>{3, 2}));
  NDArrayIter unnamed(std::vector<NDArray>{table(6), table(6)});
  EXPECT_EQ(unnamed.provide_data()[1].name, "data_1");
  EXPECT_EQ(NDArrayIter(table(6)).provide_data()[0].name, "data");
}

TEST(NDArrayIter, sparse_batches_hold_the_rows_of_dense_ones) {
  const NDArray sparse = sparse_table(11);
  const std::vector<double> values = sparse.values();
  const NDArray dense({11, 5}, std::vector<float>(values.begin(), values.end()));
  const NDArrayIterOptions options{.batch_size = 4, .shuffle = true, .seed = 1};
  NDArrayIter a(sparse, {}, options), b(dense, {}, options);
  for (int e = 0; e < 3; ++e, a.reset(), b.reset())
    while (const DataBatch* batch = a.next()) {
      EXPECT_TRUE(batch->data[0].sparse());
      EXPECT_EQ(batch->data[0].values(), b.next()->data[0].values());
    }
}

TEST(NDArrayIter, batches_stay_in_the_same_memory) {
  NDArrayIter iter({{"dense", table(17)}, {"sparse", sparse_table(17)}}, numbered(17),
                   {.batch_size = 4, .shuffle = true});
  std::set<const void*> places;
  for (int e = 0; e < 5; ++e, iter.reset())
    for (const DataBatch& batch : iter) {
      places.insert(std::get<DenseStore<float>>(batch.data[0].store).data.data());
      const auto& csr = std::get<CsrStore<float>>(batch.data[1].store);
      places.insert({csr.values.data(), csr.indices.data(), csr.starts.data()});
      places.insert(std::get<DenseStore<float>>(batch.label[0].store).data.data());
      places.insert(batch.rows.data());
    }
  EXPECT_EQ(places.size(), 6U);
}

TEST(NDArrayIter, doubles_stay_doubles) {
  NDArrayIter iter(NDArray({2}, std::vector<double>{0.1, 0.2}), {}, {.batch_size = 2});
  EXPECT_EQ(iter.next()->data[0].values(), (std::vector<double>{0.1, 0.2}));
}

TEST(NDArrayIter, refuse_what_makes_no_batch) {
  EXPECT_THROW(NDArrayIter(table(4), {}, {.batch_size = 0}), ConfigError);
  EXPECT_THROW(NDArrayIter(table(4), numbered(5)), ConfigError);
  EXPECT_THROW(NDArrayIter(NamedArrays{}), ConfigError);
  EXPECT_THROW(NDArrayIter(table(0)), ConfigError);
  EXPECT_THROW(NDArrayIter(table(4), {}, {.last_batch_handle = "keep"}), ConfigError);
  for (const char* handle : {"discard", "roll_over"})
    EXPECT_THROW(NDArrayIter(table(4), {}, {.batch_size = 5, .last_batch_handle = handle}),
                 ConfigError);
}

}  // namespace
}  // namespace svrg
