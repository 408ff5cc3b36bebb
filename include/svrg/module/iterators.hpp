#pragma once
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "svrg/module/data_iter.hpp"

namespace svrg {

/// What NDArrayIter takes as data or label: one array, a list (named name_0, name_1, …), or arrays
/// by name, sorted; or nothing.
struct NamedArrays {
  using Map = std::map<std::string, NDArray>;
  NamedArrays() = default;
  NamedArrays(NDArray array) : list{std::move(array)} {}
  NamedArrays(std::vector<NDArray> arrays) : list(std::move(arrays)) {}
  NamedArrays(Map arrays) : by_name(std::move(arrays)) {}
  NamedArrays(std::initializer_list<Map::value_type> arrays) : by_name(arrays) {}
  std::vector<NDArray> list{};
  Map by_name{};
};

/// The last rows of an epoch where they do not fill a batch: filled up with the first ones, left
/// out, or put before the next epoch's.
enum class LastBatch { pad, discard, roll_over };

/// Batches over arrays in memory. Buffers are made once. Local.
class ArrayIter : public DataIter {
 public:
  const std::vector<DataDesc>& provide_data() const override { return data_desc_; }
  const std::vector<DataDesc>& provide_label() const override { return label_desc_; }
  Index batch_size() const override { return batch_size_; }
  Index batches() const override;
  /// With roll_over, the rows left at the end of a finished epoch come first, and are no padding.
  void reset() override;
  Index resets() const override { return static_cast<Index>(resets_); }
  /// Rows rolled over from an epoch before are not remembered.
  void set_resets(Index resets) override;
  const DataBatch* next() override;

 protected:
  using Pairs = std::vector<std::pair<std::string, NDArray>>;
  /// How rows become batches.
  struct Rules {
    std::string owner;  // opens the messages
    Index batch_size = 1;
    LastBatch last = LastBatch::pad;
    bool shuffle = false;
    std::uint64_t seed = 0;
    Index num_parts = 1, part_index = 0;  // contiguous rows, as many but for one
    /// Off: padding rows hold what was in their place in the batch before.
    bool fresh_padding = true;
  };
  /// What a file holds; batches call row i by first + i.
  struct Loaded {
    NDArray data, label;
    Index first = 0;
  };
  /// @throws ConfigError where rows do not agree, or a batch cannot be filled
  ArrayIter(Pairs data, Pairs label, Rules rules);
  ArrayIter(Loaded loaded, const std::string& data_name, const std::string& label_name,
            Rules rules);

 private:
  void append_epoch();
  const DataBatch* gather(Index pad);

  Pairs data_, label_;
  Rules rules_;
  Index batch_size_;
  Index first_ = 0, end_ = 0;  // rows of the part
  std::vector<DataDesc> data_desc_, label_desc_;
  std::vector<Index> sequence_;  // rows of this epoch, in order
  std::size_t at_ = 0;           // of these the next batch's first
  bool ended_ = false;
  std::uint64_t resets_ = 0;
  Index number_offset_ = 0;
  std::vector<Index> picked_;
  DataBatch batch_;
};

/// Arguments of NDArrayIter, with MXNet's names.
struct NDArrayIterOptions {
  Index batch_size = 1;
  /// At construction and at every reset(): a function of seed and the number of resets.
  bool shuffle = false;
  std::string last_batch_handle = "pad";  // pad, discard, roll_over
  std::string data_name = "data", label_name = "softmax_label";
  std::uint64_t seed = 0;
  Index num_parts = 1, part_index = 0;  // contiguous rows
};

/// MXNet's NDArrayIter. CSR arrays may be padded, too.
class NDArrayIter : public ArrayIter {
 public:
  explicit NDArrayIter(NamedArrays data, NamedArrays label = {},
                       const NDArrayIterOptions& options = {});
};

/// Arguments of CSVIter, with MXNet's names.
struct CSVIterOptions {
  std::string data_csv{};
  std::vector<Index> data_shape{};  // of one row
  std::string label_csv{};          // none: labels are 0
  std::vector<Index> label_shape{1};
  Index batch_size = 1;
  bool round_batch = true;  // off: padding rows hold what was in their place before
  std::string data_name = "data", label_name = "softmax_label";
  Index num_parts = 1, part_index = 0;  // contiguous rows
};

/// Rows of comma separated numbers, one a line, without a header; float. Each epoch begins at the
/// first row (the original's begin behind the copies that filled up the last batch).
/// @throws DataError naming file and line
class CSVIter : public ArrayIter {
 public:
  explicit CSVIter(const CSVIterOptions& options);

 private:
  static Loaded load(const CSVIterOptions& options);
};

/// Arguments of LibSVMIter, with MXNet's names.
struct LibSVMIterOptions {
  std::string data_libsvm{};
  std::vector<Index> data_shape{};  // (columns)
  std::string label_libsvm{};       // none: the labels of data_libsvm
  std::vector<Index> label_shape{1};
  Index batch_size = 1;
  Index num_parts = 1, part_index = 0;  // as many bytes, cut at line ends
  bool round_batch = true;              // false is refused, as by the original
  std::string data_name = "data", label_name = "softmax_label";
};

/// Lines of "label column:value …", columns from 0; CSR batches of float. Labels are dense. The
/// last batch is filled up within the part.
/// @throws DataError naming file and line
class LibSVMIter : public ArrayIter {
 public:
  explicit LibSVMIter(const LibSVMIterOptions& options);

 private:
  static Loaded load(const LibSVMIterOptions& options);
};

/// Arguments of MNISTIter, with MXNet's names.
struct MNISTIterOptions {
  std::string image{}, label{};  // IDX files, unpacked
  Index batch_size = 128;
  bool shuffle = true;  // at every reset(), where the original does once
  bool flat = false;    // rows of 784 instead of 1 x 28 x 28
  std::uint64_t seed = 0;
  Index num_parts = 1, part_index = 0;  // contiguous rows
  std::string data_name = "data", label_name = "softmax_label";
};

/// Images of bytes, as pixel/256, of any size; whole batches only.
class MNISTIter : public ArrayIter {
 public:
  explicit MNISTIter(const MNISTIterOptions& options);

 private:
  static Loaded load(const MNISTIterOptions& options);
};

}  // namespace svrg
