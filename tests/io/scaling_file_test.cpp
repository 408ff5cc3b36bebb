#include "svrg/io/scaling_file.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>

#include "folder.hpp"
#include "svrg/core/error.hpp"
#include "svrg/io/document.hpp"
#include "svrg/io/file.hpp"

namespace svrg::io {
namespace {

MeasuredRun measured(Index ranks, Index repeat) {
  MeasuredRun run;
  run.ranks = ranks;
  run.repeat = repeat;
  run.rows = 1000 * ranks;
  run.epochs = 7;
  run.passes = 21.5;
  run.converged = repeat == 0;
  run.load_seconds = 0.25;
  run.train_seconds = 3.0 / static_cast<double>(ranks + repeat);
  run.bytes_communicated = 4096 * (ranks - 1);
  run.messages = 50 + repeat;
  for (Index rank = 0; rank < ranks; ++rank) {
    auto& phases = run.phase_seconds.emplace_back();
    for (std::size_t p = 0; p < phases.size(); ++p)
      phases[p] = static_cast<double>(rank) + 0.125 * static_cast<double>(p);
  }
  return run;
}

SimulatedRun simulated(const std::string& platform, Index ranks) {
  SimulatedRun run;
  run.platform = platform;
  run.ranks = ranks;
  run.rows = 5000;
  run.epochs = 9 + ranks;
  run.converged = ranks < 64;
  run.train_seconds = 8.0 / static_cast<double>(ranks);
  run.communication_seconds = 1e-3;
  run.model_seconds = run.train_seconds * 1.5;
  run.bytes_communicated = 99;
  run.messages = 11;
  return run;
}

ScalingStudy sample_study() {
  ScalingStudy study;
  study.mode = "weak";
  study.data = "synthetic 1000,54";
  study.algorithm = "local-svrg";
  study.solver = "local-svrg, inner engine row";
  study.command = "svrg bench --ranks 1,2,4";
  study.columns = 54;
  study.nonzeros = 54000;
  study.cores = 2;
  study.hostnames = {"a", "a", "b", "b"};
  for (const Index ranks : {1, 2, 4})
    for (const Index repeat : {0, 1, 2}) study.measured.push_back(measured(ranks, repeat));
  for (const char* platform : {"ethernet", "fattree"})
    for (const Index ranks : {2, 64, 4096}) study.simulated.push_back(simulated(platform, ranks));
  study.fit = {1e-6, 1e-10, 2e-8};
  study.platforms = {"ethernet: 1 Gbit/s", "fattree: 100 Gbit/s"};
  return study;
}

TEST(ScalingFile, comes_back_exactly) {
  const Folder folder;
  const ScalingStudy study = sample_study();
  write_scaling(folder / "scaling.h5", study);
  EXPECT_EQ(read_scaling(folder / "scaling.h5"), study);
}

TEST(ScalingFile, has_platforms_that_were_left_at_fewer_ranks) {
  const Folder folder;
  ScalingStudy study = sample_study();
  study.simulated.erase(study.simulated.begin() + 2);  // ethernet on 4096
  write_scaling(folder / "scaling.h5", study);
  EXPECT_EQ(read_scaling(folder / "scaling.h5"), study);
}

TEST(ScalingFile, needs_no_simulation) {
  const Folder folder;
  ScalingStudy study = sample_study();
  study.simulated.clear();
  study.platforms.clear();
  study.fit = {};
  write_scaling(folder / "scaling.h5", study);
  EXPECT_EQ(read_scaling(folder / "scaling.h5"), study);
}

TEST(ScalingFile, gives_readers_of_other_languages_the_derived_figures_too) {
  const Folder folder;
  write_scaling(folder / "scaling.h5", sample_study());
  const auto bytes = read_file(folder / "scaling.h5");
  const Document document = from_image(check_trailer(bytes, ""), "");
  const Array& epoch = document.variables.at("scaling/epoch_seconds").data;
  EXPECT_EQ(epoch.shape, (std::vector<Index>{3, 3}));
  EXPECT_DOUBLE_EQ(std::get<std::vector<double>>(epoch.data)[0], 3.0 / 7);
  const auto& rate = document.variables.at("scaling/rows_per_second").data;
  EXPECT_DOUBLE_EQ(std::get<std::vector<double>>(rate.data)[3], 2000 * 21.5 / 1.5);
  const auto& phases = document.variables.at("scaling/phase_seconds").data;
  EXPECT_EQ(phases.shape, (std::vector<Index>{3, 3, 8}));
  EXPECT_DOUBLE_EQ(std::get<std::vector<double>>(phases.data)[3 * 8], 0.5);  // ranks 0 and 1
  const auto& by_rank = document.variables.at("scaling/phase_seconds_by_rank").data;
  EXPECT_EQ(by_rank.shape, (std::vector<Index>{3, 3, 4, 8}));
  EXPECT_TRUE(std::isnan(std::get<std::vector<double>>(by_rank.data)[8]));  // rank 1 of 1
}

TEST(ScalingFile, refuses_what_is_none) {
  const Folder folder;
  Document document;
  document.attributes = root_attributes("svrg-run", "svrg run");
  write_file(folder / "other.h5", to_image(document));
  EXPECT_THROW(read_scaling(folder / "other.h5"), DataError);
  document.attributes = root_attributes("svrg-bench", "svrg scaling study");
  write_file(folder / "empty.h5", to_image(document));
  EXPECT_THROW(read_scaling(folder / "empty.h5"), DataError);
}

TEST(Samples, of_scaling_studies_are_written_for_other_readers) {
  const char* target = std::getenv("SVRG_IO_SAMPLES");
  if (!target) GTEST_SKIP() << "SVRG_IO_SAMPLES names no folder";
  const std::string folder = target;
  ScalingStudy study = sample_study();
  write_scaling(folder + "/weak.h5", study);
  study.mode = "strong";
  write_scaling(folder + "/strong.h5", study);
  study.simulated.clear();
  write_scaling(folder + "/measured.h5", study);
}

}  // namespace
}  // namespace svrg::io
