#pragma once
#include <vector>

#include "svrg/core/parameters.hpp"
#include "svrg/core/state.hpp"

namespace svrg {

/// One step of a weight w with memory m where the gradient is a constant `a` and a multiple of w:
/// both become linear functions of (m, w, a). So do several steps, one after the other.
struct IdleStep {
  double mm = 1, mw = 0, ma = 0;  // m ← mm·m + mw·w + ma·a
  double wm = 0, ww = 1, wa = 0;  // w ← wm·m + ww·w + wa·a
  /// This one, then `next`.
  IdleStep then(const IdleStep& next) const;
  bool operator==(const IdleStep&) const = default;
};

/// The steps that rows of row_sparse segments have not taken yet: which, by row, and what they come
/// to. Any number of them in a row is a product of matrices that is kept for blocks of 2^k steps,
/// so that a row costs no more than two blocks a k, whatever the rates were. Nothing is inverted.
class OwedSteps {
 public:
  /// Nobody owes anything.
  void clear();
  bool any() const noexcept { return count_ > 0; }
  /// Steps since clear().
  Index count() const noexcept { return count_; }
  /// A step that all rows owe from now on, by row_sparse segment.
  void add(const ParameterLayout& layout, const std::vector<IdleStep>& by_segment);
  /// Does the row (numbered as Parameter::first_row begins) owe a step?
  bool owes(Index row) const { return any() && since_[static_cast<std::size_t>(row)] < count_; }
  /// All that it owes. `segment`: its number among the row_sparse ones.
  const IdleStep& owed(std::size_t segment, Index row) const;
  /// It has taken them.
  void pay(Index row) {
    if (any()) since_[static_cast<std::size_t>(row)] = count_;
  }

  /// Could it be of these parameters?
  bool is_of(const ParameterLayout& layout) const;
  /// Under "optimizer/owed_…", where there is something. @throws DataError from load()
  void save(State& state) const;
  /// What save() left; nothing is owed where it left nothing.
  void load(const State& state);

 private:
  struct Log {
    std::vector<std::vector<IdleStep>> blocks;  // [k][i]: steps [i·2^k, (i + 1)·2^k)
    // Of the steps from each on to `count`, as far as they have been asked for.
    mutable std::vector<IdleStep> sums;
    mutable std::vector<Index> summed_at;
  };
  void append(Log& log, const IdleStep& step) const;
  Index count_ = 0;
  std::vector<Index> since_;  // by row: the first step it owes
  std::vector<Log> logs_;     // by segment
};

}  // namespace svrg
