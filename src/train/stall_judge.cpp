// Every rank that stands still writes into its slot at each look and reads the others'. The lowest
// that waits speaks for all, so that a stall is told once; who is stopped or gone writes nothing,
// and that is how it is found.
#include "train/stall_judge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace svrg {
namespace {

// Looks without a new write until a slot counts as a dead rank's; looks until all have written.
constexpr int patience = 6, gathering = 3;
constexpr std::size_t most_named = 8;

std::string_view name(Phase phase) { return phase_names[static_cast<std::size_t>(phase)]; }

}  // namespace

StallJudge::StallJudge(int rank, int ranks, Limits limits, StallSlots slots)
    : rank_(rank),
      limits_(limits),
      slots_(std::move(slots)),
      others_(static_cast<std::size_t>(ranks)),
      next_warning_(limits.warn) {}

bool StallJudge::Other::alive() const {
  return slot && slot->state != RankState::moves && unchanged < patience;
}

std::string StallJudge::moved(double stood) {
  if (looks_ > 0) slots_.write({rank_, RankState::moves, Phase::other, 0, ++writes_});
  const bool told = std::exchange(told_, false);
  still_ = quiet_ = dead_ = 0;
  next_warning_ = limits_.warn;
  looks_ = 0;
  for (Other& other : others_) other = {};
  return told ? fmt::format("goes on, after {:.0f} s", stood) : std::string();
}

void StallJudge::exchange(const Heartbeat::Place& at, RankState state) {
  shares_ = slots_.write({rank_, state, at.phase, at.collectives, ++writes_});
  ++looks_;
  const auto slots = slots_.read();
  for (std::size_t r = 0; r < others_.size(); ++r) {
    Other& other = others_[r];
    const bool same = slots[r] && other.slot && slots[r]->writes == other.slot->writes;
    other.unchanged = same ? other.unchanged + 1 : 0;
    other.slot = slots[r];
  }
}

// Some leave a collective before all have: who waits in a later one has been here.
bool StallJudge::is_there(const Other& other, const Heartbeat::Place& at) const {
  return other.alive() && other.slot->state == RankState::waits &&
         other.slot->collectives >= at.collectives;
}

bool StallJudge::somebody_works(const Heartbeat::Place& at) const {
  return std::any_of(others_.begin(), others_.end(), [&](const Other& other) {
    return !is_there(other, at) && other.alive() && other.slot->state == RankState::works;
  });
}

bool StallJudge::speaks(RankState state) const {
  if (!shares_) return true;
  const auto first = std::find_if(others_.begin(), others_.end(), [](const Other& other) {
    return other.alive() && other.slot->state == RankState::waits;
  });
  if (first == others_.end()) return true;
  return state == RankState::waits && first - others_.begin() == rank_;
}

std::string StallJudge::missing(const Heartbeat::Place& at) const {
  std::string text;
  std::size_t count = 0;
  for (std::size_t r = 0; r < others_.size(); ++r) {
    const Other& other = others_[r];
    if (static_cast<int>(r) == rank_ || is_there(other, at)) continue;
    if (++count > most_named) continue;
    text += fmt::format("{}rank {}", text.empty() ? "" : ", ", r);
    if (!other.alive())
      text += " (no sign of it)";
    else if (other.slot->state == RankState::waits)
      text += fmt::format(" (still waits before that, in {})", name(other.slot->phase));
    else
      text += fmt::format(
          " ({} {})", other.slot->state == RankState::works ? "at work in" : "uses no processor in",
          name(other.slot->phase));
  }
  if (count > most_named) text += fmt::format(" and {} more", count - most_named);
  return text.empty() ? "none is missing" : "not arrived: " + text;
}

double StallJudge::first_notice() const {
  const double warn = limits_.warn > 0 ? limits_.warn : limits_.abort / 2;
  return limits_.abort > 0 ? std::min(warn, limits_.abort / 2) : warn;
}

double StallJudge::stands(RankState state) const {
  return state == RankState::waits ? still_ : quiet_;
}

std::string StallJudge::story(const Heartbeat::Place& at, RankState state) const {
  std::string text = fmt::format(
      "{} in {}{} for {:.0f} s", state == RankState::waits ? "waits" : "uses no processor",
      name(at.phase), at.epoch > 0 ? fmt::format(" of epoch {}", at.epoch) : "", stands(state));
  if (state == RankState::waits)
    text +=
        shares_ ? "; " + missing(at) : "; who has not arrived is not known without a run directory";
  return text;
}

StallJudge::Verdict StallJudge::look(const Heartbeat::Place& at, double seconds, bool busy) {
  if (at.marks != marks_) {
    marks_ = at.marks;
    return {moved(still_ + seconds), false};
  }
  still_ += seconds;
  quiet_ = busy && !at.waits ? 0 : quiet_ + seconds;
  // A busy machine does not give every process a turn between two looks.
  const RankState state = at.waits                  ? RankState::waits
                          : quiet_ < first_notice() ? RankState::works
                                                    : RankState::idles;
  dead_ = at.waits ? dead_ + seconds : quiet_;
  if (still_ < first_notice()) return {};
  exchange(at, state);
  if (state == RankState::works || (shares_ && looks_ < gathering)) return {};
  // A wait for somebody at work is long, but no reason to end.
  if (state == RankState::waits && somebody_works(at)) dead_ = std::max(0.0, dead_ - seconds);
  const bool first_to_speak = speaks(state);
  // The others leave it the last word, and the launcher the time to end them, but not for ever.
  const double grace = first_to_speak ? 0 : std::max(5.0, limits_.abort / 4);
  if (limits_.abort > 0 && dead_ >= limits_.abort + grace)
    return {"stalled: " + story(at, state) + " (--stall-abort)", true};
  const double stood = stands(state);
  if (limits_.warn == 0 || stood < next_warning_ || !first_to_speak) return {};
  next_warning_ = 2 * stood;
  told_ = true;
  return {story(at, state), false};
}

}  // namespace svrg
