// To number the rows of a class in the drawn order, every rank takes a stretch of that order,
// counts the classes in it, and tells the rows' owners: two exchanges, and no rank sees more than
// its share.
#include "svrg/data/folds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "svrg/core/error.hpp"
#include "svrg/core/random.hpp"
#include "svrg/data/selection.hpp"
#include "svrg/data/text_reader.hpp"

namespace svrg {
namespace {

constexpr std::uint64_t fold_key = 0x666f6c6473;
constexpr Index most_classes = 1 << 20;

using Bytes = std::vector<std::byte>;

std::vector<Index> numbers_in(const Bytes& bytes) {
  std::vector<Index> numbers(bytes.size() / sizeof(Index));
  if (!bytes.empty()) std::memcpy(numbers.data(), bytes.data(), bytes.size());
  return numbers;
}

void append(Bytes& bytes, Index number) {
  const auto raw = std::as_bytes(std::span(&number, 1));
  bytes.insert(bytes.end(), raw.begin(), raw.end());
}

/// Where each of these rows comes once all are sorted by class and then by place. `places` [own
/// rows] are a permutation of {0, …, rows − 1} over the ranks. Collective.
std::vector<Index> sorted_by_class(const Communicator& comm, Index rows,
                                   const std::vector<Index>& places,
                                   const std::vector<Index>& classes, Index num_classes) {
  const auto ranks = static_cast<std::size_t>(comm.size());
  const Index stretch = (rows + comm.size() - 1) / comm.size();
  std::vector<Bytes> asked(ranks);
  for (std::size_t i = 0; i < places.size(); ++i) {
    Bytes& to = asked[static_cast<std::size_t>(places[i] / stretch)];
    append(to, places[i]);
    append(to, classes[i]);
  }
  const auto questions = comm.exchange(asked);
  // Class of each place of this rank's stretch.
  const Index first = stretch * comm.rank();
  std::vector<Index> class_at(
      static_cast<std::size_t>(std::clamp<Index>(rows - first, 0, stretch)));
  std::vector<Index> counts(static_cast<std::size_t>(num_classes), 0);
  for (const Bytes& question : questions) {
    const auto pairs = numbers_in(question);
    for (std::size_t i = 0; i < pairs.size(); i += 2) {
      class_at[static_cast<std::size_t>(pairs[i] - first)] = pairs[i + 1];
      ++counts[static_cast<std::size_t>(pairs[i + 1])];
    }
  }
  const auto all = comm.gather(std::span<const Index>(counts));
  std::vector<Index> next(counts.size());
  Index before = 0;
  for (std::size_t c = 0; c < counts.size(); ++c)
    for (std::size_t r = 0; r < ranks; ++r) {
      if (r == static_cast<std::size_t>(comm.rank())) next[c] = before;
      before += all[r * counts.size() + c];
    }
  for (Index& at : class_at) at = next[static_cast<std::size_t>(at)]++;
  std::vector<Bytes> answers(ranks);
  for (std::size_t r = 0; r < ranks; ++r) {
    const auto pairs = numbers_in(questions[r]);
    for (std::size_t i = 0; i < pairs.size(); i += 2)
      append(answers[r], class_at[static_cast<std::size_t>(pairs[i] - first)]);
  }
  std::vector<std::vector<Index>> answered;
  for (const Bytes& bytes : comm.exchange(answers)) answered.push_back(numbers_in(bytes));
  std::vector<Index> result(places.size());
  std::vector<std::size_t> taken(ranks, 0);
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto from = static_cast<std::size_t>(places[i] / stretch);
    result[i] = answered[from][taken[from]++];
  }
  return result;
}

}  // namespace

Folds::Folds(const Communicator& comm, const Shard& shard, Index folds, bool by_label,
             std::uint64_t seed)
    : rows_(shard.info().rows),
      folds_(folds),
      dealt_(shard.global_rows().begin(), shard.global_rows().end()) {
  if (folds < 2 || folds > rows_)
    throw CollectiveError(ExitCode::usage, 0,
                          fmt::format("{}: {} folds of {} rows", shard.info().path, folds, rows_));
  Permutation(rows_, fold_key ^ seed << 32).apply(dealt_);
  if (!by_label) return;
  const auto labels = distinct_labels(comm, shard, most_classes);
  if (!labels)
    throw CollectiveError(ExitCode::usage, 0,
                          shard.info().path + ": too many labels to deal rows out by");
  std::vector<Index> classes;
  classes.reserve(dealt_.size());
  for (const double label : shard.labels())
    classes.push_back(std::ranges::lower_bound(*labels, label) - labels->begin());
  dealt_ = sorted_by_class(comm, rows_, dealt_, classes, static_cast<Index>(labels->size()));
}

std::pair<Shard, Shard> Folds::split(const Communicator& comm, const Shard& shard,
                                     Index fold) const {
  // Of every `folds_` rows dealt out in turn, one is held out.
  std::vector<Index> kept, out;
  for (const Index turn : dealt_) {
    const Index round = turn / folds_, place = turn % folds_;
    out.push_back(place == fold ? round : -1);
    kept.push_back(place == fold ? -1 : turn - round - (place > fold ? 1 : 0));
  }
  const Index rows_out = held_out(fold);
  return {select(comm, shard, rows_ - rows_out, RowOrder::shuffled, kept),
          select(comm, shard, rows_out, RowOrder::shuffled, out)};
}

}  // namespace svrg
