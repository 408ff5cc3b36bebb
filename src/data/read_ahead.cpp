#include "svrg/data/read_ahead.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>

namespace svrg {
namespace {

constexpr Index window_bytes = Index{48} << 20, piece_bytes = Index{1} << 20;
constexpr auto shortest = std::chrono::microseconds(100), longest = std::chrono::microseconds(4000);

/// Bytes of files that are mapped and resident.
Index resident_files() {
  std::ifstream statm("/proc/self/statm");
  Index pages = 0, resident = 0, shared = 0;
  statm >> pages >> resident >> shared;
  return shared * sysconf(_SC_PAGESIZE);
}

/// Of whole pages. Advice only: a refusal does no harm.
void advise(const std::byte* from, const std::byte* to, int advice) {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  from -= reinterpret_cast<std::uintptr_t>(from) & (page - 1);
  if (to > from) madvise(const_cast<std::byte*>(from), static_cast<std::size_t>(to - from), advice);
}

const std::byte* place(const ReadAhead::Strand& strand, Index row) {
  return strand.start + (strand.starts != nullptr ? strand.starts[row] : row) * strand.unit;
}

}  // namespace

ReadAhead::ReadAhead(std::vector<Strand> strands, Index rows, Index keep)
    : strands_(std::move(strands)), rows_(rows), keep_(keep + resident_files()) {
  Index bytes = 0;
  for (const Strand& strand : strands_) bytes += place(strand, rows_) - place(strand, 0);
  if (rows_ > 0) window_ = std::max<Index>(1, window_bytes / std::max<Index>(1, bytes / rows_));
  thread_ = std::thread([this] { work(); });
}

ReadAhead::~ReadAhead() {
  ends_ = true;
  thread_.join();
}

std::size_t ReadAhead::lane() noexcept {
  static std::atomic<std::size_t> next{0};
  static thread_local const std::size_t mine = next++ % lanes;
  return mine;
}

void ReadAhead::work() {
  auto pause = shortest;
  while (!ends_) {
    bool moved = false;
    for (Cursor& cursor : cursors_) moved = follow(cursor) || moved;
    if (moved && resident_files() > keep_) let_go();
    pause = moved ? shortest : std::min(2 * pause, longest);
    std::this_thread::sleep_for(pause);
  }
}

bool ReadAhead::follow(Cursor& cursor) {
  const std::lock_guard lock(visits_);
  const Index row = cursor.row.load(std::memory_order_relaxed);
  if (row < 0 || row == cursor.seen) return false;
  cursor.seen = row;
  if (!cursor.visiting) {
    if (row > cursor.asked || row + 2 * window_ < cursor.asked) cursor.asked = row;  // elsewhere
    const Index to = std::min(rows_, row + window_);
    // In pieces, as those nearest are needed first.
    const Index piece = std::max<Index>(1, window_ * piece_bytes / window_bytes);
    for (; cursor.asked < to; cursor.asked = std::min(to, cursor.asked + piece))
      fetch(cursor.asked, std::min(to, cursor.asked + piece));
    return true;
  }
  const Index block = (row - cursor.first) / cursor.block;
  if (row < cursor.first || block >= static_cast<Index>(cursor.place.size())) return false;
  const Index now = cursor.place[static_cast<std::size_t>(block)];
  const Index to = std::min(static_cast<Index>(cursor.order.size()),
                            now + std::max<Index>(1, window_ / cursor.block));
  for (cursor.asked = std::max(cursor.asked, now); cursor.asked < to; ++cursor.asked) {
    const Index from =
        cursor.first + cursor.order[static_cast<std::size_t>(cursor.asked)] * cursor.block;
    fetch(from, std::min(rows_, from + cursor.block));
  }
  return true;
}

void ReadAhead::fetch(Index from, Index to) const {
  for (const Strand& strand : strands_)
    advise(place(strand, from), place(strand, to), MADV_WILLNEED);
}

void ReadAhead::let_go() const {
  // Out of this process, not out of the system's cache: what is in use comes back at no cost.
  for (const Strand& strand : strands_)
    advise(place(strand, 0), place(strand, rows_), MADV_DONTNEED);
}

ReadAhead::Visit::Visit(ReadAhead* ahead, Index first, Index block, std::span<const Index> order)
    : ahead_(ahead) {
  if (ahead_ == nullptr || order.empty()) return;
  Cursor& cursor = ahead_->cursors_[lane()];
  const std::lock_guard lock(ahead_->visits_);
  cursor.order.assign(order.begin(), order.end());
  cursor.place.resize(order.size());
  for (std::size_t i = 0; i < order.size(); ++i)
    cursor.place[static_cast<std::size_t>(order[i])] = static_cast<Index>(i);
  cursor.first = first;
  cursor.block = block;
  cursor.asked = 0;
  cursor.visiting = true;
  cursor.row = first + order[0] * block;
  cursor.seen = -1;
}

ReadAhead::Visit::~Visit() {
  if (ahead_ == nullptr) return;
  Cursor& cursor = ahead_->cursors_[lane()];
  const std::lock_guard lock(ahead_->visits_);
  cursor.visiting = false;
  cursor.row = -1;
  cursor.seen = -1;
  cursor.asked = 0;
}

}  // namespace svrg
