#pragma once
#include <string>
#include <utility>
#include <vector>

#include "svrg/module/data_iter.hpp"

namespace svrg {

/// Arguments of BucketSentenceIter, with MXNet's names.
struct BucketSentenceIterOptions {
  Index batch_size = 1;
  /// Lengths; none: those of batch_size sentences or more.
  std::vector<Index> buckets{};
  double invalid_label = -1;  // fills sentences up to their bucket's length
  std::string data_name = "data", label_name = "softmax_label";
  std::uint64_t seed = 0;  // of the order, anew at every reset()
};

/// MXNet's BucketSentenceIter: word numbers in batches of sentences of about the same length, each
/// in the shortest bucket that takes it; the label of a word is the next one. Sentences longer than
/// all buckets, and those that fill no batch of their bucket, are left out. Local.
class BucketSentenceIter : public DataIter {
 public:
  /// @throws ConfigError where no bucket has a batch
  BucketSentenceIter(std::vector<std::vector<Index>> sentences, BucketSentenceIterOptions options);
  /// The longest bucket.
  Index default_bucket_key() const noexcept { return options_.buckets.back(); }
  /// Of the default bucket.
  const std::vector<DataDesc>& provide_data() const override { return data_; }
  const std::vector<DataDesc>& provide_label() const override { return label_; }
  Index batch_size() const override { return options_.batch_size; }
  Index batches() const override { return static_cast<Index>(order_.size()); }
  void reset() override { set_resets(resets_ + 1); }
  Index resets() const override { return resets_; }
  void set_resets(Index resets) override;
  const DataBatch* next() override;

 private:
  std::vector<std::vector<Index>> sentences_;
  BucketSentenceIterOptions options_;
  std::vector<DataDesc> data_, label_;
  std::vector<std::vector<Index>> members_;                 // sentences by bucket, shuffled
  std::vector<std::pair<std::size_t, std::size_t>> order_;  // batches: bucket, first sentence
  std::size_t at_ = 0;
  Index resets_ = 0;
  DataBatch batch_;
};

}  // namespace svrg
