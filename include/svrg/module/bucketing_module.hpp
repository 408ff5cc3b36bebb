#pragma once
#include "svrg/module/svrg_module.hpp"

namespace svrg {

/// MXNet's BucketingModule: symbols for rows of several kinds (sequences of several lengths) over
/// the same weights, auxiliary states and optimizer. sym_gen(bucket_key) makes a bucket's symbol,
/// which must have the same parameters in the same order for every key; the options' data_names and
/// label_names are not used. bind() is of the default bucket. A batch says by its bucket_key whose
/// it is, forward() switches to that bucket, and everything else is as in a Module.
class BucketingModule : public Module {
 public:
  /// @throws ConfigError as Module, and for compression_params
  BucketingModule(SymGen sym_gen, Index default_bucket_key, const ModuleOptions& options,
                  Communicator comm)
      : Module(std::move(sym_gen), default_bucket_key, options, std::move(comm)) {}
  using Module::bucket_key;
  using Module::switch_bucket;
  /// As Module::load.
  static BucketingModule load(const std::string& prefix, Index epoch, bool load_optimizer_states,
                              SymGen sym_gen, Index default_bucket_key,
                              const ModuleOptions& options, Communicator comm);
};

/// The same with SVRG's steps: one snapshot and one full gradient, over the batches of all buckets.
class SVRGBucketingModule : public SVRGModule {
 public:
  /// @throws ConfigError as BucketingModule and SVRGModule
  SVRGBucketingModule(SymGen sym_gen, Index default_bucket_key, const ModuleOptions& options,
                      Communicator comm)
      : SVRGModule(std::move(sym_gen), default_bucket_key, options, std::move(comm)) {}
  using Module::bucket_key;
  using Module::switch_bucket;
  /// As SVRGModule::load.
  static SVRGBucketingModule load(const std::string& prefix, Index epoch,
                                  bool load_optimizer_states, SymGen sym_gen,
                                  Index default_bucket_key, ModuleOptions options,
                                  Communicator comm);
};

}  // namespace svrg
