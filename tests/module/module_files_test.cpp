// A module that is saved and loaded goes on as if nothing had happened.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "module/nets.hpp"

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
  // Without shuffling: an iterator's order is the caller's to restore.
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
