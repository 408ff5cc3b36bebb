// What a module leaves on disk. MXNet's two files carry the network and its parameters; the sealed
// HDF5 file beside them carries what a resume needs besides, and belongs to exactly one .params.
#include <fmt/format.h>

#include <filesystem>

#include "module/impl.hpp"
#include "svrg/core/error.hpp"
#include "svrg/io/checkpoint.hpp"
#include "svrg/io/file.hpp"
#include "svrg/io/model_file.hpp"
#include "svrg/module/bucketing_module.hpp"
#include "svrg/module/ndarray_file.hpp"

namespace svrg {
namespace {

std::string checkpoint_path(const std::string& prefix, Index epoch) {
  return fmt::format("{}-{:04}.h5", prefix, epoch);
}

void write_state(const std::string& path, const State& state) {
  io::write_file(path, io::seal(io::checkpoint_image(state)));
}

std::string hash_of_file(const std::string& path) { return io::sha256(io::read_file(path)); }

/// The checkpoint beside a .params file, if it was written with it.
std::optional<State> matching_checkpoint(const std::string& prefix, Index epoch) {
  const std::string path = checkpoint_path(prefix, epoch);
  if (!std::filesystem::exists(path)) return {};
  State state = io::read_checkpoint(path);
  if (state.text("module/params_sha256") != hash_of_file(params_path(prefix, epoch))) return {};
  return state;
}

/// The checkpoint's, unless it is given anew.
void take_update_freq(const std::string& prefix, Index epoch, ModuleOptions& options) {
  if (!options.update_freq.none()) return;
  if (const auto state = matching_checkpoint(prefix, epoch))
    if (state->values.count("module/update_freq"))
      options.update_freq = state->integer("module/update_freq");
}

Array array_of(const NDArray& values) {
  Array array;
  array.shape = values.shape;
  std::visit(
      [&](const auto& store) {
        if constexpr (requires { store.data; }) array.data = store.data;
      },
      values.store);
  return array;
}

}  // namespace

Symbol load_symbol(const std::string& prefix) { return Symbol::load(prefix + "-symbol.json"); }

void Module::save_checkpoint(const std::string& prefix, Index epoch, bool save_optimizer_states) {
  Impl& m = impl();
  const Params params = get_params();
  State state;
  m.engine->save_snapshot(state);
  if (save_optimizer_states && m.optimizer) m.engine->save_optimizer(state);
  for (const auto& [name, array] : params.arg)
    state.arrays[io::parameter_path(name)] = array_of(array);
  for (const auto& [name, array] : params.aux)
    state.arrays["aux" + io::parameter_path(name).substr(6)] = array_of(array);
  state.values["epoch"] = epoch;
  state.values["kind"] = std::string("module");
  state.values["module/train_resets"] = m.train_resets;
  if (const auto* freq = std::get_if<std::int64_t>(&m.options.update_freq.held()))
    state.values["module/update_freq"] = *freq;
  m.comm.agree("write checkpoint " + prefix, [&] {
    if (!m.comm.is_root()) return;
    io::write_file(prefix + "-symbol.json", m.main_symbol().to_json());
    save_params(prefix, epoch, params.arg, params.aux);
    state.values["module/params_sha256"] = hash_of_file(params_path(prefix, epoch));
    write_state(checkpoint_path(prefix, epoch), state);
  });
  m.say(LogLevel::info, fmt::format("Saved checkpoint to \"{}\"", params_path(prefix, epoch)));
}

void Module::restore(const std::string& prefix, Index epoch, bool load_optimizer_states) {
  Impl& m = impl();
  CheckpointParams params;
  std::optional<State> state;
  m.comm.agree("read checkpoint " + prefix, [&] {
    params = load_params(prefix, epoch);
    state = matching_checkpoint(prefix, epoch);
    if (!state && std::filesystem::exists(checkpoint_path(prefix, epoch)))
      m.say(LogLevel::warning,
            checkpoint_path(prefix, epoch) + " belongs to other parameters and is left aside");
  });
  const Index seen = m.comm.sum(Index{state.has_value()});
  if (seen != 0 && seen != m.comm.size())
    throw DataError(checkpoint_path(prefix, epoch) +
                    ": is seen by some ranks only; put checkpoints where all of them can read");
  if (state) m.train_resets = state->integer("module/train_resets");
  m.restored = Impl::Restored{std::move(params.arg), std::move(params.aux), std::move(state),
                              load_optimizer_states};
}

Module Module::load(const std::string& prefix, Index epoch, bool load_optimizer_states,
                    ModuleOptions options, Communicator comm) {
  Module module(load_symbol(prefix), std::move(options), std::move(comm));
  module.restore(prefix, epoch, load_optimizer_states);
  return module;
}

SVRGModule SVRGModule::load(const std::string& prefix, Index epoch, bool load_optimizer_states,
                            ModuleOptions options, Communicator comm) {
  take_update_freq(prefix, epoch, options);
  SVRGModule module(load_symbol(prefix), options, std::move(comm));
  module.restore(prefix, epoch, load_optimizer_states);
  return module;
}

BucketingModule BucketingModule::load(const std::string& prefix, Index epoch,
                                      bool load_optimizer_states, SymGen sym_gen,
                                      Index default_bucket_key, const ModuleOptions& options,
                                      Communicator comm) {
  BucketingModule module(std::move(sym_gen), default_bucket_key, options, std::move(comm));
  module.restore(prefix, epoch, load_optimizer_states);
  return module;
}

SVRGBucketingModule SVRGBucketingModule::load(const std::string& prefix, Index epoch,
                                              bool load_optimizer_states, SymGen sym_gen,
                                              Index default_bucket_key, ModuleOptions options,
                                              Communicator comm) {
  take_update_freq(prefix, epoch, options);
  SVRGBucketingModule module(std::move(sym_gen), default_bucket_key, options, std::move(comm));
  module.restore(prefix, epoch, load_optimizer_states);
  return module;
}

void Module::save_optimizer_states(const std::string& path) const {
  const Impl& m = impl();
  m.require(m.optimizer.has_value(), "save_optimizer_states() comes after init_optimizer()");
  State state;
  m.engine->save_optimizer(state);
  m.comm.agree("write " + path, [&] {
    if (m.comm.is_root()) write_state(path, state);
  });
}

void Module::load_optimizer_states(const std::string& path) {
  Impl& m = impl();
  m.require(m.optimizer.has_value(), "load_optimizer_states() comes after init_optimizer()");
  m.comm.agree("read " + path, [&] { m.engine->load_optimizer(io::read_checkpoint(path)); });
}

}  // namespace svrg
