#pragma once
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "svrg/data/nd_array.hpp"

namespace svrg {

/// Name and shape of an input; shape[0] is the batch size.
struct DataDesc {
  std::string name;
  std::vector<Index> shape;
  friend bool operator==(const DataDesc&, const DataDesc&) = default;
};

/// The rows of one step, in order. All arrays have the same number of rows.
struct DataBatch {
  std::vector<NDArray> data, label;
  Index pad = 0;                 // so many of the last rows are copies that fill the batch up
  std::vector<Index> rows = {};  // the rows' numbers in the data set; empty: not known
  std::optional<Index> bucket_key = {};  // whose symbol it is for, in modules with buckets
};

/// MXNet's data iterator: batches in its order, with its padding.
/// Local: every rank that calls with the same arguments gets the same batches.
class DataIter {
 public:
  virtual ~DataIter() = default;
  virtual const std::vector<DataDesc>& provide_data() const = 0;
  virtual const std::vector<DataDesc>& provide_label() const = 0;
  virtual Index batch_size() const = 0;
  /// Batches that next() will give between one reset() and the end.
  virtual Index batches() const = 0;
  /// Back to the first batch, in a new order where rows are shuffled.
  virtual void reset() = 0;
  /// Resets so far, on which the order of shuffled rows depends; and the order after so many, for a
  /// run that goes on. 0 and nothing for iterators without such an order.
  virtual Index resets() const { return 0; }
  /// Takes up the order after so many resets.
  virtual void set_resets(Index) {}
  /// Null at the end. Valid until the next call.
  virtual const DataBatch* next() = 0;

  /// `for (const DataBatch& batch : iter)` takes the batches that are left; reset() comes before.
  class Iterator {
   public:
    explicit Iterator(DataIter& iter) : iter_(&iter), batch_(iter.next()) {}
    const DataBatch& operator*() const { return *batch_; }
    Iterator& operator++() {
      batch_ = iter_->next();
      return *this;
    }
    bool operator==(std::default_sentinel_t) const { return batch_ == nullptr; }

   private:
    DataIter* iter_;
    const DataBatch* batch_;
  };
  /// Takes the first batch that is left.
  Iterator begin() { return Iterator(*this); }
  std::default_sentinel_t end() const { return {}; }
};

}  // namespace svrg
