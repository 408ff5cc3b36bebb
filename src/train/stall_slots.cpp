#include "train/stall_slots.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>

namespace svrg {
namespace {

constexpr std::array<std::string_view, 4> state_names = {"waits", "works", "idles", "moves"};

template <std::size_t N>
std::optional<std::size_t> place_of(const std::array<std::string_view, N>& names,
                                    const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<std::size_t>(found - names.begin());
}

}  // namespace

std::string to_text(const StallSlot& slot) {
  std::string text = fmt::format(
      "rank {} {} {} {} {}", slot.rank, state_names[static_cast<std::size_t>(slot.state)],
      phase_names[static_cast<std::size_t>(slot.phase)], slot.collectives, slot.writes);
  text.resize(slot_size - 1, ' ');
  return text + '\n';
}

std::optional<StallSlot> slot_of(const std::string& text) {
  std::istringstream words(text);
  std::string word, state, phase;
  StallSlot slot;
  if (!(words >> word >> slot.rank >> state >> phase >> slot.collectives >> slot.writes))
    return std::nullopt;
  const auto s = place_of(state_names, state), p = place_of(phase_names, phase);
  if (word != "rank" || !s || !p) return std::nullopt;
  slot.state = static_cast<RankState>(*s);
  slot.phase = static_cast<Phase>(*p);
  return slot;
}

bool StallSlots::write(const StallSlot& slot) const {
  if (path_.empty()) return false;
  const int fd = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return false;
  const std::string text = to_text(slot);
  const auto place = static_cast<off_t>(slot_size) * slot.rank;
  const bool written = ::pwrite(fd, text.data(), text.size(), place) == ssize_t{slot_size};
  return ::close(fd) == 0 && written;
}

std::vector<std::optional<StallSlot>> StallSlots::read() const {
  std::vector<std::optional<StallSlot>> slots(static_cast<std::size_t>(ranks_));
  const int fd = path_.empty() ? -1 : ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return slots;
  std::string all(slots.size() * slot_size, '\0');
  std::size_t done = 0;
  while (done < all.size()) {
    const ssize_t got = ::pread(fd, all.data() + done, all.size() - done, static_cast<off_t>(done));
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  ::close(fd);
  for (std::size_t r = 0; r < slots.size(); ++r) {
    slots[r] = slot_of(all.substr(r * slot_size, slot_size));
    if (slots[r] && slots[r]->rank != static_cast<int>(r)) slots[r].reset();
  }
  return slots;
}

}  // namespace svrg
