#pragma once
#include <array>
#include <string_view>
#include <vector>

#include "svrg/core/clock.hpp"
#include "svrg/core/types.hpp"

namespace svrg {

/// How ranks meet; none: the end.
enum class Meeting {
  allreduce,
  broadcast,
  gather,  // everybody's to everybody
  gather_at_root,
  exchange,
  scan,
  barrier,
  none
};
inline constexpr std::array<std::string_view, 8> meeting_names = {
    "allreduce", "broadcast", "gather", "gather_at_root", "exchange", "scan", "barrier", "none"};

/// What a rank does up to a meeting of all ranks, and that meeting. A training is a sequence of
/// these, the same on every rank but for the seconds.
struct ScheduleStep {
  double divided = 0;   // seconds of work on this rank's rows: with more ranks each has less
  double repeated = 0;  // seconds of work that every rank does alike
  Index rows = 0;       // the fewest rows of this rank that a piece of the divided work was on
  Meeting meeting = Meeting::none;
  Index bytes = 0;  // handed in by a rank; of `gather`, by all of them
  bool operator==(const ScheduleStep&) const = default;
};
using Schedule = std::vector<ScheduleStep>;

/// Writes down the schedule of a rank. Marked by the one thread that trains; off until start().
class ScheduleRecorder {
 public:
  bool on() const noexcept { return on_; }
  /// Forgets what it has, and writes down from here on.
  void start();
  /// What was recorded since start(), the last step being the work after the last meeting.
  Schedule stop();

  /// The rank comes to a meeting; from here on it does not work.
  void pause();
  /// It meets the others, as often as it takes.
  void meet(Meeting meeting, Index bytes);
  /// It works again.
  void resume();

  /// Work on so many of this rank's rows for as long as this lives, meetings taken out.
  class Divided {
   public:
    Divided(ScheduleRecorder& recorder, Index rows);
    ~Divided();
    Divided(const Divided&) = delete;
    Divided& operator=(const Divided&) = delete;

   private:
    ScheduleRecorder* recorder_;  // null: off
    bool outer_ = false;
  };

 private:
  /// Charges the time since the last mark.
  void charge();

  bool on_ = false, divided_ = false, paused_ = false;
  double since_ = 0;
  ScheduleStep next_;
  Schedule steps_;
};

}  // namespace svrg
