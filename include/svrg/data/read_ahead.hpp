#pragma once
#include <array>
#include <atomic>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "svrg/core/types.hpp"

namespace svrg {

/// Rows that stay in a mapped file: has those that are read next in memory in time, and lets those
/// that were read go. A thread of its own follows where each computing thread is; results never
/// depend on it. Local.
class ReadAhead {
 public:
  /// One array of the mapping: row i begins at start + (starts != nullptr ? starts[i] : i) · unit.
  struct Strand {
    const std::byte* start = nullptr;
    Index unit = 0;  // bytes
    const Index* starts = nullptr;
  };
  /// @param rows  of the views, whose strands these are
  /// @param keep  bytes of the mapping that may be resident
  ReadAhead(std::vector<Strand> strands, Index rows, Index keep);
  ~ReadAhead();
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  /// This thread reads from here on: rows that follow, unless a Visit says otherwise. Cheap.
  void at(Index row) noexcept { cursors_[lane()].row.store(row, std::memory_order_relaxed); }

  /// While it lives, this thread visits blocks of rows in an order of its own.
  class Visit {
   public:
    /// @param ahead  null: rows in memory; does nothing
    Visit(ReadAhead* ahead, Index first, Index block, std::span<const Index> order);
    ~Visit();
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;

   private:
    ReadAhead* ahead_;
  };

 private:
  struct alignas(64) Cursor {
    std::atomic<Index> row{-1};
    Index asked = 0;  // rows, or blocks of a visit, before this one are on their way
    Index seen = -1;
    bool visiting = false;
    Index first = 0, block = 0;
    std::vector<Index> order, place;  // blocks as they are visited, and when
  };
  static std::size_t lane() noexcept;
  void work();
  bool follow(Cursor& cursor);
  void fetch(Index from, Index to) const;
  void let_go() const;

  static constexpr std::size_t lanes = 64;
  std::vector<Strand> strands_;
  Index rows_, keep_, window_ = 1;  // the window: rows
  std::array<Cursor, lanes> cursors_;
  std::mutex visits_;
  std::atomic<bool> ends_{false};
  std::thread thread_;
};

}  // namespace svrg
