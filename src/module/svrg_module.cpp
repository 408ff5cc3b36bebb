#include "svrg/module/svrg_module.hpp"

#include <fmt/format.h>

#include "module/impl.hpp"
#include "svrg/core/error.hpp"

namespace svrg {
namespace {

Index checked_update_freq(const Value& given) {
  const auto* whole = std::get_if<std::int64_t>(&given.held());
  if (!whole)
    throw ConfigError("update_freq must be a whole number of epochs, got " + given.text());
  if (*whole <= 0) throw ConfigError(fmt::format("update_freq must be above 0, got {}", *whole));
  return *whole;
}

}  // namespace

SVRGModule::SVRGModule(Symbol symbol, const ModuleOptions& options, Communicator comm)
    : Module(std::move(symbol), options, std::move(comm)),
      update_freq_(checked_update_freq(options.update_freq)),
      coefficient_(options.svrg_coefficient),
      decays_(options.svrg_coefficient_decays) {}

SVRGModule::SVRGModule(SymGen sym_gen, Index default_bucket_key, const ModuleOptions& options,
                       Communicator comm)
    : Module(std::move(sym_gen), default_bucket_key, options, std::move(comm)),
      update_freq_(checked_update_freq(options.update_freq)),
      coefficient_(options.svrg_coefficient),
      decays_(options.svrg_coefficient_decays) {}

void SVRGModule::update_full_grads(DataIter& train_data) {
  Impl& m = impl();
  m.require(m.binded && m.params_initialized, "update_full_grads() comes after init_params()");
  m.engine->set_coefficient(coefficient_);
  m.engine->start_snapshot();
  train_data.reset();
  // Local sums only: ranks with batches of their own may have more or fewer of them.
  while (const DataBatch* batch = train_data.next()) {
    m.use_bucket_of(*batch);
    const Feed& feed = m.feed_of(*batch);
    m.engine->add_to_snapshot(feed, feed.rows - batch->pad);
  }
  m.engine->finish_snapshot();
}

bool SVRGModule::has_full_grads() const { return impl().engine && impl().engine->has_snapshot(); }

NDArrays SVRGModule::get_full_grads() const {
  impl().require(has_full_grads(), "get_full_grads() comes after update_full_grads()");
  return impl().named(impl().engine->full_gradient(), impl().engine->layout());
}
NDArrays SVRGModule::get_snapshot() const {
  impl().require(has_full_grads(), "get_snapshot() comes after update_full_grads()");
  return impl().named(impl().engine->snapshot_weights(), impl().engine->layout());
}

void SVRGModule::begin_epoch(Index epoch, Index num_epoch, DataIter& train_data) {
  if (epoch % update_freq_ == 0 || !has_full_grads()) update_full_grads(train_data);
  const double left = 1 - static_cast<double>(epoch) / static_cast<double>(num_epoch);
  impl().engine->set_coefficient(decays_ ? coefficient_ * left : coefficient_);
  train_data.reset();
}

}  // namespace svrg
