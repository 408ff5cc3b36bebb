#include "svrg/module/bucket_sentence_iter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>

#include "svrg/core/error.hpp"
#include "svrg/core/random.hpp"

namespace svrg {

BucketSentenceIter::BucketSentenceIter(std::vector<std::vector<Index>> sentences,
                                       BucketSentenceIterOptions options)
    : sentences_(std::move(sentences)), options_(std::move(options)) {
  if (options_.batch_size < 1)
    throw ConfigError(
        fmt::format("BucketSentenceIter: batch_size must be above 0, got {}", options_.batch_size));
  auto& lengths = options_.buckets;
  if (lengths.empty()) {
    std::map<Index, Index> counts;
    for (const auto& sentence : sentences_) ++counts[static_cast<Index>(sentence.size())];
    for (const auto& [length, count] : counts)
      if (length > 0 && count >= options_.batch_size) lengths.push_back(length);
  }
  std::sort(lengths.begin(), lengths.end());
  if (!lengths.empty() && lengths.front() < 1)
    throw ConfigError("BucketSentenceIter: buckets are lengths, from 1 on");
  members_.resize(lengths.size());
  for (std::size_t i = 0; i < sentences_.size(); ++i) {
    const auto length = static_cast<Index>(sentences_[i].size());
    const auto at = std::lower_bound(lengths.begin(), lengths.end(), length);
    if (at != lengths.end() && length > 0)
      members_[static_cast<std::size_t>(at - lengths.begin())].push_back(static_cast<Index>(i));
  }
  set_resets(0);
  if (order_.empty())
    throw ConfigError(
        fmt::format("BucketSentenceIter: no bucket has a batch of {} sentences; lower "
                    "batch_size, or name fewer and longer buckets",
                    options_.batch_size));
  const std::vector<Index> shape{options_.batch_size, default_bucket_key()};
  data_ = {{options_.data_name, shape}};
  label_ = {{options_.label_name, shape}};
}

void BucketSentenceIter::set_resets(Index resets) {
  resets_ = resets;
  at_ = 0;
  order_.clear();
  const auto size = static_cast<std::size_t>(options_.batch_size);
  for (std::size_t b = 0; b < members_.size(); ++b) {
    std::sort(members_[b].begin(), members_[b].end());
    shuffle(std::span(members_[b]),
            CounterRandom(options_.seed + 1 + b, static_cast<std::uint64_t>(resets)));
    for (std::size_t first = 0; first + size <= members_[b].size(); first += size)
      order_.emplace_back(b, first);
  }
  shuffle(std::span(order_), CounterRandom(options_.seed, static_cast<std::uint64_t>(resets)));
}

const DataBatch* BucketSentenceIter::next() {
  if (at_ == order_.size()) return nullptr;
  const auto [bucket, first] = order_[at_++];
  const Index length = options_.buckets[bucket];
  const auto width = static_cast<std::size_t>(length);
  const auto size = static_cast<std::size_t>(options_.batch_size);
  const auto invalid = static_cast<float>(options_.invalid_label);
  std::vector<float> data(size * width, invalid), label(size * width, invalid);
  batch_.rows.clear();
  for (std::size_t i = 0; i < size; ++i) {
    batch_.rows.push_back(members_[bucket][first + i]);
    const auto& sentence = sentences_[static_cast<std::size_t>(batch_.rows.back())];
    for (std::size_t t = 0; t < sentence.size(); ++t) {
      data[i * width + t] = static_cast<float>(sentence[t]);
      if (t > 0) label[i * width + t - 1] = static_cast<float>(sentence[t]);
    }
  }
  batch_.data = {NDArray({options_.batch_size, length}, std::move(data))};
  batch_.label = {NDArray({options_.batch_size, length}, std::move(label))};
  batch_.bucket_key = length;
  return &batch_;
}

}  // namespace svrg
