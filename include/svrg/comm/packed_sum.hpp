#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "svrg/comm/reducer.hpp"
#include "svrg/core/parameters.hpp"

namespace svrg {

/// In how few bits a sender puts what it contributes to a step.
struct Compression {
  /// Bits a value: all, 2, 1 or 16.
  enum class Kind { none, two_bit, one_bit, half };
  Kind kind = Kind::none;
  /// Of two_bit: what a code stands for; 0: the mean size of what waits, of each parameter and
  /// step, sent along.
  double threshold = 0;

  explicit operator bool() const noexcept { return kind != Kind::none; }
  /// "none", "2bit:0.5", "2bit", "1bit" or "fp16". @throws ConfigError
  static Compression of(std::string_view text);
};

/// Bytes of one contribution to these parameters. Local.
Index packed_bytes(const Compression& compression, const ParameterLayout& layout);

/// A sum over ranks to which every virtual shard sends few bits a value. What they do not say
/// stays with the sender as a residual, which joins what it sends next, so that nothing is lost:
/// - two_bit: MXNet's rule and layout (two_bit.hpp), each parameter in words of its own;
/// - one_bit: the sign of each value, and for each parameter their mean size (Seide et al. 2014,
///   "1-bit stochastic gradient descent"; Karimireddy et al. 2019, "Error feedback fixes SignSGD");
/// - half: IEEE's 16-bit floats, values beyond their range as the largest.
/// Values that are not finite are sent as 0 and leave no residual. Messages are exchanged by one
/// MPI_Allgatherv and added in order of virtual shards: the sum has the same bits on any number of
/// ranks.
template <class Real>
class PackedSum : public Reducer<Real> {
 public:
  /// Collective. `owned`: virtual shards of this rank.
  PackedSum(const Communicator& comm, Compression compression, const ParameterLayout& layout,
            Index owned);
  using Reducer<Real>::start;
  /// `values` must be the layout's size; always zeroed, and of all of them: residuals are.
  void start(Index values, Index tail, bool zeroed, const Support* support) override;
  std::span<Real> values(Index s) override;
  std::span<double> tail(Index) override { return tail_; }
  void reduce() override;
  std::span<Real> total() override { return total_; }
  std::span<double> total_tail() override { return total_tail_; }

  /// Those of all virtual shards, in their order, on every rank. Collective.
  std::vector<Real> residuals() const;
  /// Drops them. Local.
  void forget();
  /// Takes them up again, on any number of ranks. @throws DataError on another size
  void set_residuals(std::span<const Real> all);

 private:
  void encode(Index s, std::byte* to);
  void add(const std::byte* from);

  Communicator comm_;
  Compression compression_;
  std::vector<std::pair<Index, Index>> segments_;  // offset, size
  std::vector<Index> owned_;                       // by rank
  Index size_ = 0, message_bytes_ = 0;
  std::vector<Real> values_, residuals_, total_;
  std::vector<double> tail_, total_tail_;
  std::vector<std::byte> mine_, all_;
  std::vector<Index> lengths_;  // of each rank's message
  std::vector<std::uint32_t> words_;
};

}  // namespace svrg
