#include "train/auc.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <span>

namespace svrg {
namespace {

bool before(const ScoredRow& a, const ScoredRow& b) { return a.score < b.score; }

/// Rank r gets the rows with scores in (splitter r − 1, splitter r]: equal scores meet on one rank.
std::vector<ScoredRow> redistributed(const Communicator& comm, std::vector<ScoredRow> rows) {
  constexpr std::size_t samples = 64;
  std::vector<double> mine;
  for (std::size_t s = 0; s < samples && !rows.empty(); ++s)
    mine.push_back(rows[rows.size() * s / samples].score);
  auto all = comm.gather(std::span<const double>(mine));
  std::sort(all.begin(), all.end());
  const auto ranks = static_cast<std::size_t>(comm.size());
  std::vector<std::vector<std::byte>> outgoing(ranks);
  auto from = rows.begin();
  for (std::size_t r = 0; r < ranks; ++r) {
    auto to = rows.end();
    if (r + 1 < ranks && !all.empty())
      to = std::upper_bound(from, rows.end(),
                            ScoredRow{all[all.size() * (r + 1) / ranks], 0, false}, before);
    const auto bytes = std::as_bytes(std::span(from, to));
    outgoing[r].assign(bytes.begin(), bytes.end());
    from = to;
  }
  rows.clear();
  for (const auto& bytes : comm.exchange(outgoing)) {
    const std::size_t at = rows.size();
    rows.resize(at + bytes.size() / sizeof(ScoredRow));
    if (!bytes.empty()) std::memcpy(rows.data() + at, bytes.data(), bytes.size());
  }
  std::sort(rows.begin(), rows.end(), before);
  return rows;
}

}  // namespace

double area_under_roc(const Communicator& comm, std::vector<ScoredRow> rows) {
  std::sort(rows.begin(), rows.end(), before);
  if (comm.size() > 1) rows = redistributed(comm, std::move(rows));
  double positives = 0, negatives = 0;
  for (const auto& row : rows) (row.positive ? positives : negatives) += row.weight;
  const double mine[] = {positives, negatives};
  const auto all = comm.gather(std::span<const double>(mine));
  double below = 0, total_positives = 0, total_negatives = 0;
  for (std::size_t r = 0; r < all.size() / 2; ++r) {
    if (static_cast<int>(r) < comm.rank()) below += all[2 * r + 1];
    total_positives += all[2 * r];
    total_negatives += all[2 * r + 1];
  }
  double in_order = 0;
  for (std::size_t i = 0; i < rows.size();) {
    double ties[] = {0, 0};  // negatives, positives
    const double score = rows[i].score;
    for (; i < rows.size() && rows[i].score == score; ++i) ties[rows[i].positive] += rows[i].weight;
    in_order += ties[1] * (below + 0.5 * ties[0]);
    below += ties[0];
  }
  comm.sum(std::span<double>(&in_order, 1));
  const double pairs = total_positives * total_negatives;
  return pairs > 0 ? in_order / pairs : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace svrg
