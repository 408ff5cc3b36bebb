#include "svrg/io/checkpoint.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "folder.hpp"
#include "samples.hpp"
#include "svrg/core/error.hpp"
#include "svrg/io/document.hpp"
#include "svrg/io/file.hpp"

namespace svrg::io {
namespace {

namespace fs = std::filesystem;

struct Log {
  std::vector<std::string> lines;
  LogSink sink() {
    return [this](LogLevel, std::string_view line) { lines.emplace_back(line); };
  }
  bool says(std::string_view text) const {
    return std::ranges::any_of(lines,
                               [&](const auto& l) { return l.find(text) != std::string::npos; });
  }
};

State small_state(Index epoch) {
  State state;
  state.arrays["params/linear/weight"] = {{1, 2}, std::vector<double>{0.1, 0.2}};
  state.values["epoch"] = epoch;
  return state;
}

void damage(const std::string& path) {
  auto bytes = read_file(path);
  bytes[bytes.size() / 2] ^= std::byte{1};
  write_file(path, bytes);
}

std::vector<std::string> checkpoints_in(const Folder& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder.path()))
    if (entry.path().filename().string().starts_with("step-"))
      names.push_back(entry.path().filename().string());
  std::ranges::sort(names);
  return names;
}

TEST(Checkpoint, comes_back_bit_for_bit) {
  const Folder folder;
  const State state = sample_state();
  CheckpointStore store(folder.path(), 3, {});
  const std::string path = store.save(123, state);
  EXPECT_EQ(path, folder / "step-000000000123.h5");
  EXPECT_TRUE(same(read_checkpoint(path), state));
  EXPECT_EQ(store.current(), path);
}

TEST(Checkpoint, of_an_empty_state_comes_back_empty) {
  const Folder folder;
  CheckpointStore store(folder.path(), 3, {});
  const State state = read_checkpoint(store.save(0, {}));
  EXPECT_TRUE(state.arrays.empty());
  EXPECT_TRUE(state.values.empty());
}

TEST(Checkpoint, image_is_what_the_seal_guards) {
  const Folder folder;
  const auto image = checkpoint_image(sample_state());
  write_file(folder / "c.h5", seal(image));
  EXPECT_TRUE(same(read_checkpoint(folder / "c.h5"), sample_state()));
  EXPECT_EQ(std::get<std::string>(from_image(image, "c").attributes.at("format")),
            "svrg-checkpoint");
}

TEST(Checkpoint, names_that_would_not_come_back_are_refused) {
  for (const char* name : {"state/x", "", "/a", "a/", "a//b", "a/../b"}) {
    State state;
    state.values[name] = 1.0;
    EXPECT_THROW(checkpoint_image(state), OutputError) << name;
  }
  for (const char* name : {"config", "state", "", "a//b", "."}) {
    State state;
    state.arrays[name] = {{1}, std::vector<double>{1}};
    EXPECT_THROW(checkpoint_image(state), OutputError) << name;
  }
  State state;
  state.values["config"] = 1.0;
  EXPECT_THROW(checkpoint_image(state), OutputError);
}

TEST(Checkpoint, every_flipped_bit_and_every_cut_is_refused) {
  const auto file = seal(checkpoint_image(small_state(1)));
  ASSERT_LT(file.size(), 16384U);
  ASSERT_NO_THROW(unseal(file, "f"));
  std::size_t accepted = 0;
  const auto try_it = [&](std::span<const std::byte> bytes) {
    try {
      unseal(bytes, "f");
      ++accepted;
    } catch (const DataError&) {
    }
  };
  auto damaged = file;
  for (std::size_t i = 0; i < file.size(); ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      damaged[i] = file[i] ^ std::byte(1U << bit);
      try_it(damaged);
    }
    damaged[i] = ~file[i];
    try_it(damaged);
    damaged[i] = file[i];
  }
  for (std::size_t n = 0; n < file.size(); ++n) try_it(std::span(file).first(n));
  EXPECT_EQ(accepted, 0U);
}

TEST(CheckpointStore, keeps_the_newest_and_links_them) {
  const Folder folder;
  CheckpointStore store(folder.path(), 2, {});
  for (Index step = 1; step <= 5; ++step) store.save(step, small_state(step));
  EXPECT_EQ(checkpoints_in(folder),
            (std::vector<std::string>{"step-000000000004.h5", "step-000000000005.h5"}));
  EXPECT_EQ(fs::read_symlink(folder / "last.h5"), "step-000000000005.h5");
  EXPECT_EQ(read_checkpoint(folder / "last.h5").integer("epoch"), 5);
}

TEST(CheckpointStore, keeps_the_best_beyond_the_number_kept) {
  const Folder folder;
  CheckpointStore store(folder.path(), 2, {});
  store.save(1, small_state(1));
  store.mark_best(1);
  for (Index step = 2; step <= 5; ++step) store.save(step, small_state(step));
  EXPECT_EQ(read_checkpoint(folder / "best.h5").integer("epoch"), 1);
  EXPECT_EQ(checkpoints_in(folder).size(), 2U);
  store.mark_best(5);
  EXPECT_EQ(std::filesystem::read_symlink(folder / "best.h5"),
            std::filesystem::read_symlink(folder / "last.h5"));
  store.mark_best(99);  // there is none: no link that misleads
  EXPECT_FALSE(std::filesystem::is_symlink(folder / "best.h5"));
}

TEST(CheckpointStore, never_deletes_the_one_resumed_from_before_a_newer_one_is_safe) {
  const Folder folder;
  CheckpointStore(folder.path(), 5, {}).save(7, small_state(7));
  CheckpointStore store(folder.path(), 1, {});
  ASSERT_TRUE(store.newest());
  store.save(3, small_state(3));
  EXPECT_EQ(checkpoints_in(folder).size(), 2U);
  store.save(8, small_state(8));
  EXPECT_EQ(checkpoints_in(folder), std::vector<std::string>{"step-000000000008.h5"});
}

TEST(CheckpointStore, a_failed_save_leaves_the_older_ones) {
  const Folder folder;
  CheckpointStore store(folder.path(), 1, {});
  store.save(1, small_state(1));
  fs::create_directories(folder / ".step-000000000002.h5.tmp");
  EXPECT_THROW(store.save(2, small_state(2)), OutputError);
  EXPECT_EQ(store.newest()->integer("epoch"), 1);
  EXPECT_EQ(fs::read_symlink(folder / "last.h5"), "step-000000000001.h5");
}

TEST(CheckpointStore, starts_with_nothing_and_removes_stale_temporary_files) {
  const Folder folder;
  write_file(folder / ".step-000000000002.h5.tmp", "half");
  CheckpointStore store(folder.path(), 3, {});
  EXPECT_FALSE(store.newest());
  EXPECT_FALSE(fs::exists(folder / ".step-000000000002.h5.tmp"));
}

TEST(CheckpointStore, newest_skips_a_damaged_one_and_renames_it) {
  const Folder folder;
  Log log;
  CheckpointStore store(folder.path(), 5, log.sink());
  for (const Index step : {9, 10, 100}) store.save(step, small_state(step));
  damage(folder / "step-000000000100.h5");
  EXPECT_EQ(store.newest()->integer("epoch"), 10);
  EXPECT_EQ(store.current(), folder / "step-000000000010.h5");
  EXPECT_TRUE(fs::exists(folder / "step-000000000100.h5.bad"));
  EXPECT_TRUE(log.says("step-000000000100.h5"));
}

TEST(CheckpointStore, refuses_to_start_afresh_when_all_are_damaged_also_the_second_time) {
  const Folder folder;
  CheckpointStore store(folder.path(), 5, {});
  store.save(1, small_state(1));
  damage(folder / "step-000000000001.h5");
  EXPECT_THROW(store.newest(), DataError);
  EXPECT_THROW(store.newest(), DataError);
}

TEST(CheckpointStore, refuses_the_version_of_a_later_program_instead_of_taking_an_older_file) {
  const Folder folder;
  CheckpointStore store(folder.path(), 5, {});
  store.save(1, small_state(1));
  Document document;
  document.attributes = root_attributes("svrg-checkpoint", "");
  document.attributes["format_version"] = "2.0";
  write_file(folder / "step-000000000002.h5", seal(to_image(document)));
  EXPECT_THROW(store.newest(), DataError);
  EXPECT_TRUE(fs::exists(folder / "step-000000000002.h5"));
}

TEST(CheckpointStore, ignores_other_names) {
  const Folder folder;
  CheckpointStore store(folder.path(), 5, {});
  store.save(1, small_state(1));
  for (const char* name :
       {"step-2.h5", "step-00000000000x.h5", "step-0000000000003.h5", "other.h5"})
    write_file(folder / name, "not ours");
  EXPECT_EQ(store.newest()->integer("epoch"), 1);
}

TEST(CheckpointStore, refuses_a_second_holder_and_names_the_first) {
  const Folder folder;
  {
    CheckpointStore first(folder.path(), 3, {});
    try {
      CheckpointStore second(folder.path(), 3, {}, 0.15);
      ADD_FAILURE() << "two stores hold one folder";
    } catch (const InUseError& error) {
      EXPECT_NE(std::string(error.what()).find("pid " + std::to_string(getpid())),
                std::string::npos)
          << error.what();
    }
  }
  EXPECT_NO_THROW(CheckpointStore(folder.path(), 3, {}, 0));
}

TEST(CheckpointStore, waits_for_a_holder_that_is_about_to_go) {
  const Folder folder;
  auto first = std::make_unique<CheckpointStore>(folder.path(), 3, LogSink{});
  const pid_t child = fork();
  if (child == 0) {  // holds the same open file, so the lock lives until it goes
    usleep(300000);
    _exit(0);
  }
  first.reset();
  EXPECT_NO_THROW(CheckpointStore(folder.path(), 3, {}, 5));
  waitpid(child, nullptr, 0);
}

// SVRG_NIGHTLY=1 for 2,000 kills.
TEST(CheckpointStore, survives_being_killed_at_any_moment) {
  const Folder folder;
  const int kills = std::getenv("SVRG_NIGHTLY") != nullptr ? 2000 : 20;
  for (int kill_number = 0; kill_number < kills; ++kill_number) {
    int acknowledged[2];
    ASSERT_EQ(pipe(acknowledged), 0);
    const pid_t child = fork();
    if (child == 0) {
      CheckpointStore store(folder.path(), 2, {});
      for (Index step = 1000 * kill_number + 1;; ++step) {
        store.save(step, small_state(step));
        if (write(acknowledged[1], &step, sizeof step) < 0) _exit(1);
      }
    }
    close(acknowledged[1]);
    Index last = -1, step = 0;
    if (read(acknowledged[0], &step, sizeof step) == sizeof step) last = step;
    usleep(static_cast<useconds_t>(1000 + 937 * kill_number % 20011));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    while (read(acknowledged[0], &step, sizeof step) == sizeof step) last = step;
    close(acknowledged[0]);
    Log log;
    CheckpointStore store(folder.path(), 2, log.sink());
    const auto state = store.newest();
    ASSERT_TRUE(state);
    EXPECT_GE(state->integer("epoch"), last);
    EXPECT_TRUE(log.lines.empty()) << log.lines.front();
  }
}

}  // namespace
}  // namespace svrg::io
