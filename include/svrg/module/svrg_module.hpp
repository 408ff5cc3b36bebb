#pragma once
#include "svrg/module/module.hpp"

namespace svrg {

/// A Module whose steps use ∇f_B(w) − α∇f_B(w̃) + αμ, with w̃ the weights at the last
/// update_full_grads() and μ the mean gradient of all rows there.
/// Source: Johnson & Zhang (2013); α: Yin et al. (2023).
class SVRGModule : public Module {
 public:
  /// @throws ConfigError unless options.update_freq is a whole number above 0.
  SVRGModule(Symbol symbol, const ModuleOptions& options, Communicator comm);

  Index update_freq() const noexcept { return update_freq_; }
  /// Snapshot of the weights and the full gradient there, padding not counted; leaves the iterator
  /// at its end. Collective.
  void update_full_grads(DataIter& train_data);
  bool has_full_grads() const;
  /// Mean per row, by parameter.
  NDArrays get_full_grads() const;
  /// The weights there.
  NDArrays get_snapshot() const;

  /// Keeps update_freq (unless given anew), snapshot and full gradient, so that fit() may go on at
  /// any epoch. From MXNet's own files, which have none of these, fit() begins with a full
  /// gradient.
  static SVRGModule load(const std::string& prefix, Index epoch, bool load_optimizer_states,
                         ModuleOptions options, Communicator comm);

 protected:
  /// With buckets.
  SVRGModule(SymGen sym_gen, Index default_bucket_key, const ModuleOptions& options,
             Communicator comm);
  void begin_epoch(Index epoch, Index num_epoch, DataIter& train_data) override;
  void end_epoch(DataIter&) override {}
  Index resets_at_end() const override { return 0; }

 private:
  Index update_freq_;
  double coefficient_;
  bool decays_;
};

}  // namespace svrg
