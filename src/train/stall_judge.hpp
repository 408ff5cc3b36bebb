#pragma once
#include <optional>
#include <string>
#include <vector>

#include "svrg/core/heartbeat.hpp"
#include "train/stall_slots.hpp"

namespace svrg {

/// What one rank's watchdog concludes from its own heartbeat and the others' slots. Time comes in
/// by look(), so that it can be tested without waiting.
class StallJudge {
 public:
  struct Limits {
    double warn, abort;  // seconds; 0 is off
  };
  struct Verdict {
    std::string warning;  // empty: nothing to say
    bool ends = false;    // the process should end, with that warning as its last words
  };

  StallJudge(int rank, int ranks, Limits limits, StallSlots slots);

  /// @param seconds  since the last look, in which this process ran
  /// @param busy     it used its processor meanwhile
  Verdict look(const Heartbeat::Place& at, double seconds, bool busy);

 private:
  struct Other {
    std::optional<StallSlot> slot;
    int unchanged = 0;   // looks since it was written
    bool alive() const;  // and standing still
  };

  std::string moved(double stood);
  void exchange(const Heartbeat::Place& at, RankState state);
  bool is_there(const Other& other, const Heartbeat::Place& at) const;
  bool somebody_works(const Heartbeat::Place& at) const;
  bool speaks(RankState state) const;
  std::string missing(const Heartbeat::Place& at) const;
  double first_notice() const;           // seconds until a rank tells the others
  double stands(RankState state) const;  // seconds
  std::string story(const Heartbeat::Place& at, RankState state) const;

  int rank_;
  Limits limits_;
  StallSlots slots_;
  std::vector<Other> others_;
  std::uint64_t marks_ = 0;
  double still_ = 0;  // seconds since the last mark
  double quiet_ = 0;  // of these, since it last used its processor for work
  double dead_ = 0;   // of these, in which nobody was seen at work
  double next_warning_ = 0;
  int looks_ = 0;  // with a slot in the file, in a row
  Index writes_ = 0;
  bool shares_ = false;  // there is a file
  bool told_ = false;
};

}  // namespace svrg
