// A module that is saved and loaded goes on as if nothing had happened.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "module/nets.hpp"
#include "svrg/core/error.hpp"

namespace svrg {
namespace {

class Saved : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("svrg_module_" + comm_.broadcast(std::to_string(::getpid())));
    if (comm_.is_root()) std::filesystem::create_directories(folder_);
    comm_.barrier();
    prefix_ = (folder_ / "net").string();
  }
  void TearDown() override {
    comm_.barrier();
    if (comm_.is_root()) std::filesystem::remove_all(folder_);
  }
  Communicator comm_ = Communicator::world();
  std::filesystem::path folder_;
  std::string prefix_;
};

TEST_F(Saved, a_run_that_is_loaded_at_any_epoch_goes_on_as_one_never_stopped) {
  const auto data = [] {
    return NDArrayIter(images(0, rows), labels(0, rows), {.batch_size = 12});
  };
  const ModuleOptions options{.context = {cpu(0), cpu(1), cpu(2)}, .update_freq = 3};
  SVRGModule through(net(true, 0.2), options, comm_);
  auto all = data();
  through.fit(all, fit_options(5));
  for (const Index stop : {1, 2, 3}) {
    SVRGModule first(net(true, 0.2), options, comm_);
    auto before = data();
    first.fit(before, fit_options(stop));
    first.save_checkpoint(prefix_, stop, true);
    ModuleOptions kept = options;
    kept.update_freq = {};  // comes back with the checkpoint
    auto second = SVRGModule::load(prefix_, stop, true, kept, comm_);
    EXPECT_EQ(second.update_freq(), 3);
    auto after = data();
    second.fit(after, fit_options(5, stop));
    EXPECT_EQ(flat(second.get_params().arg), flat(through.get_params().arg)) << stop;
    EXPECT_EQ(flat(second.get_params().aux), flat(through.get_params().aux)) << stop;
  }
}

TEST_F(Saved, shuffled_rows_come_in_the_order_of_a_run_never_stopped) {
  for (const bool svrg : {true, false}) {
    const auto make = [&]() -> std::unique_ptr<Module> {
      if (svrg) return std::make_unique<SVRGModule>(net(), ModuleOptions{.update_freq = 3}, comm_);
      return std::make_unique<Module>(net(), ModuleOptions{}, comm_);
    };
    const auto through = make(), first = make();
    auto all = iterator(), before = iterator(), after = iterator();
    through->fit(all, fit_options(4));
    FitOptions options = fit_options(2);
    options.epoch_end_callback = {callback::module_checkpoint(*first, prefix_, 1, true)};
    first->fit(before, options);
    std::unique_ptr<Module> second;
    if (svrg)
      second = std::make_unique<SVRGModule>(SVRGModule::load(prefix_, 2, true, {}, comm_));
    else
      second = std::make_unique<Module>(Module::load(prefix_, 2, true, {}, comm_));
    second->fit(after, fit_options(4, 2));
    EXPECT_EQ(flat(second->get_params().arg), flat(through->get_params().arg)) << svrg;
  }
}

TEST_F(Saved, states_of_another_optimizer_are_refused) {
  Module first(net(), {}, comm_);
  auto data = iterator();
  first.fit(data, fit_options(1));
  first.save_checkpoint(prefix_, 1, true);
  auto second = Module::load(prefix_, 1, true, {}, comm_);
  FitOptions options = fit_options(2, 1);
  options.optimizer = "adam";
  options.optimizer_params = {{"learning_rate", 0.1}};
  EXPECT_THROW(second.fit(data, options), DataError);
}

TEST_F(Saved, a_plain_modules_checkpoint_lacks_update_freq_and_says_so) {
  Module first(net(), {}, comm_);
  auto data = iterator();
  first.fit(data, fit_options(1));
  first.save_checkpoint(prefix_, 1, true);
  EXPECT_THROW(SVRGModule::load(prefix_, 1, false, {}, comm_), ConfigError);
  EXPECT_EQ(SVRGModule::load(prefix_, 1, false, {.update_freq = 4}, comm_).update_freq(), 4);
}

TEST_F(Saved, the_coefficient_comes_back_with_the_snapshot) {
  const ModuleOptions options{.dtype = Dtype::float64, .update_freq = 2, .svrg_coefficient = 0.5};
  const auto step = [](SVRGModule& module) {
    DataBatch batch;
    batch.data = {images(0, 12)};
    batch.label = {labels(0, 12)};
    module.forward_backward(batch);
    module.update();
    return flat(module.get_gradients());
  };
  SVRGModule first(net(), options, comm_);
  auto data = iterator();
  first.fit(data, fit_options(1));
  first.save_checkpoint(prefix_, 1, true);
  auto second = SVRGModule::load(prefix_, 1, false, options, comm_);
  second.bind(data.provide_data(), data.provide_label());
  second.init_optimizer();
  EXPECT_EQ(step(second), step(first));
}

TEST_F(Saved, residuals_of_compression_go_on_too) {
  const auto data = [] {
    return NDArrayIter(images(0, rows), labels(0, rows), {.batch_size = 12});
  };
  const ModuleOptions options{.context = {cpu(0), cpu(1), cpu(2)},
                              .compression_params = {{"type", "2bit"}, {"threshold", 0.3}},
                              .update_freq = 2};
  SVRGModule through(net(), options, comm_), first(net(), options, comm_);
  auto all = data(), before = data(), after = data();
  through.fit(all, fit_options(4));
  first.fit(before, fit_options(1));
  first.save_checkpoint(prefix_, 1, true);
  auto second = SVRGModule::load(prefix_, 1, true, options, comm_);
  second.fit(after, fit_options(4, 1));
  EXPECT_EQ(flat(second.get_params().arg), flat(through.get_params().arg));
  SVRGModule alone(net(), options, Communicator::self());
  auto own = data();
  alone.fit(own, fit_options(4));
  EXPECT_LE(largest_difference(flat(alone.get_params().arg), flat(through.get_params().arg)), 1e-5);
}

TEST_F(Saved, parameters_of_the_original_alone_are_enough_to_begin_with) {
  SVRGModule first(net(), {.update_freq = 2}, comm_);
  auto data = iterator();
  first.fit(data, fit_options(1));
  first.save_checkpoint(prefix_, 1);
  comm_.barrier();
  if (comm_.is_root()) std::filesystem::remove(prefix_ + "-0001.h5");
  comm_.barrier();
  auto second = SVRGModule::load(prefix_, 1, false, {.update_freq = 2}, comm_);
  auto again = iterator();
  second.bind(again.provide_data(), again.provide_label());
  EXPECT_EQ(flat(second.get_params().arg), flat(first.get_params().arg));
  EXPECT_FALSE(second.has_full_grads());
  second.fit(again, fit_options(2, 1));
  EXPECT_TRUE(second.has_full_grads());
}

}  // namespace
}  // namespace svrg
