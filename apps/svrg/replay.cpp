// SimGrid's smpirun runs svrg_replay, a program of its own: the MPI of a simulated platform and
// that of this one do not go into one process.
#include "replay.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "svrg/core/error.hpp"
#include "svrg/io/file.hpp"

namespace svrg::app {
namespace {

namespace fs = std::filesystem;

// Where MPICH changes its algorithm of an allreduce; Open MPI does so between 1 and 10 kB.
constexpr Index longest_short = 2048;

/// A folder for as long as it lives.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "svrg-replay-XXXXXX").string();
    if (!mkdtemp(name.data())) throw OutputError(name + ": cannot be made");
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string operator/(const char* name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

/// Beside the program, or where it is installed; empty: nowhere.
std::string replay_program() {
  const fs::path here = fs::read_symlink("/proc/self/exe").parent_path();
  for (const fs::path& path : {here / "svrg_replay", here / "../libexec/svrg/svrg_replay"})
    if (fs::exists(path)) return path.string();
  return {};
}

bool on_path(const std::string& program) {
  // Nothing sets variables while this runs. NOLINTNEXTLINE(concurrency-mt-unsafe)
  const char* variable = std::getenv("PATH");
  std::istringstream folders(variable ? variable : "");
  for (std::string folder; std::getline(folders, folder, ':');)
    if (access((fs::path(folder) / program).c_str(), X_OK) == 0) return true;
  return false;
}

/// The environment without what tells a process that it is a rank of this job.
std::vector<std::string> clean_environment() {
  std::vector<std::string> clean;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view text = *entry;
    const auto about = [&](std::string_view prefix) { return text.starts_with(prefix); };
    if (!about("OMPI_") && !about("PMIX_") && !about("PMI_") && !about("ORTE_"))
      clean.emplace_back(text);
  }
  return clean;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

/// Runs it, both streams into the file `said`; whether it ended well. It stays in the process group
/// of this rank, which launchers kill as a whole.
bool run(std::vector<std::string> command, const std::string& said, double seconds) {
  auto environment = clean_environment();
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, 1, said.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&files, 1, 2);
  pid_t child = 0;
  const int failed = posix_spawnp(&child, command.front().c_str(), &files, nullptr,
                                  pointers(command).data(), pointers(environment).data());
  posix_spawn_file_actions_destroy(&files);
  if (failed != 0) throw ConfigError(command.front() + " cannot be started");
  using Clock = std::chrono::steady_clock;
  const auto until = Clock::now() + std::chrono::duration<double>(seconds);
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    if (Clock::now() > until) {
      kill(child, SIGTERM);  // smpirun ends what it started
      waitpid(child, &status, 0);
      throw LimitError(fmt::format("the simulation took longer than {:.0f} s", seconds));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// What SimGrid or the program in it complained of; its last line where neither did.
std::string complaint_in(const std::string& said) {
  std::ifstream file(said);
  std::string last = "it said nothing";
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) last = line;
    for (const std::string_view mark : {"/CRITICAL] ", "svrg_replay: ", "/ERROR] "})
      if (const auto at = line.find(mark); at != line.npos) return line.substr(at + mark.size());
  }
  return last;
}

bool is_short(const PlannedStep& step) {
  return step.bytes <= longest_short ||
         (step.meeting != Meeting::allreduce && step.meeting != Meeting::broadcast);
}

/// Adds a step to those with an equal meeting.
void add(std::vector<PlannedStep>& plan, const PlannedStep& step) {
  const auto same = std::find_if(plan.begin(), plan.end(), [&](const PlannedStep& p) {
    return p.meeting == step.meeting && p.bytes == step.bytes;
  });
  if (same == plan.end()) return plan.push_back(step);
  const double seconds = static_cast<double>(same->count) * same->seconds +
                         static_cast<double>(step.count) * step.seconds;
  same->count += step.count;
  same->seconds = seconds / static_cast<double>(same->count);
}

/// With what it takes to add the others' values, and with sizes rounded up to 64 bytes, which no
/// network tells from less: fewer kinds of steps to be simulated.
std::vector<PlannedStep> in_packets(const std::vector<PlannedStep>& plan, Index ranks,
                                    double adding) {
  constexpr Index packet = 64;
  std::vector<PlannedStep> steps;
  for (PlannedStep step : plan) {
    if (step.meeting == Meeting::allreduce && ranks > 1) {
      const auto bytes = static_cast<double>(step.bytes), p = static_cast<double>(ranks);
      step.seconds += adding * bytes * (is_short(step) ? std::ceil(std::log2(p)) : (p - 1) / p);
    }
    step.bytes = (step.bytes + packet - 1) / packet * packet;
    add(steps, step);
  }
  return steps;
}

}  // namespace

std::vector<PlannedStep> plan_of(const Schedule& schedule, Index recorded_on, Index ranks) {
  std::vector<PlannedStep> plan;
  for (const ScheduleStep& step : schedule) {
    double share = static_cast<double>(recorded_on) / static_cast<double>(ranks);
    if (step.rows > 0)  // the rank with most of them
      share = static_cast<double>((step.rows * recorded_on + ranks - 1) / ranks) /
              static_cast<double>(step.rows);
    const double seconds = step.repeated + share * step.divided;
    add(plan, {1, step.meeting, step.bytes, seconds});
  }
  return plan;
}

double own_seconds(const std::vector<PlannedStep>& plan) {
  double sum = 0;
  for (const PlannedStep& step : plan) sum += static_cast<double>(step.count) * step.seconds;
  return sum;
}

Index bytes_of(const std::vector<PlannedStep>& plan) {
  Index sum = 0;
  for (const PlannedStep& step : plan) sum += step.count * step.bytes;
  return sum;
}

Index messages_of(const std::vector<PlannedStep>& plan) {
  Index sum = 0;
  for (const PlannedStep& step : plan)
    if (step.meeting == Meeting::allreduce) sum += step.count;
  return sum;
}

double seconds_of_adding_a_byte() {
  std::vector<double> mine(1 << 17, 1), others(1 << 17, 1e-9);
  constexpr int repeats = 20;
  double least = 1;
  for (int i = 0; i < repeats; ++i) {
    const double start = now();
    std::transform(mine.begin(), mine.end(), others.begin(), mine.begin(), std::plus<>());
    least = std::min(least, now() - start);
  }
  return least / static_cast<double>(8 * mine.size());
}

std::string missing_for_replays() {
  if (replay_program().empty())
    return "this svrg was built without SimGrid: jobscripts/setup.sh simulation, and build it anew";
  if (!on_path("smpirun"))
    return "SimGrid's smpirun is not on the PATH: jobscripts/setup.sh simulation";
  return {};
}

double replayed_seconds(const std::vector<PlannedStep>& plan, const Platform& platform, Index ranks,
                        const ReplayOptions& options) {
  if (const std::string missing = missing_for_replays(); !missing.empty())
    throw ConfigError("--simulate: " + missing);
  const Folder folder;
  const PlatformFiles files = files_of(platform, ranks);
  const std::string xml = files.xml.empty() ? platform.path : folder / "platform.xml";
  if (!files.xml.empty()) io::write_file(xml, files.xml);
  if (!files.hosts.empty()) io::write_file(folder / "hosts", files.hosts);
  double total = 0;
  for (const bool of_short : {true, false}) {
    std::string lines;
    for (const PlannedStep& step : in_packets(plan, ranks, options.adding))
      if (is_short(step) == of_short)
        lines += fmt::format("{} {} {} {:.17g}\n", step.count,
                             meeting_names[static_cast<std::size_t>(step.meeting)], step.bytes,
                             step.seconds);
    if (lines.empty()) continue;
    io::write_file(folder / "plan", lines);
    std::vector<std::string> command = {"smpirun",   "-quiet", "-np", fmt::format("{}", ranks),
                                        "-platform", xml};
    if (!files.hosts.empty()) command.insert(command.end(), {"-hostfile", folder / "hosts"});
    command.insert(
        command.end(),
        {// Time is that of the plan and of the network, never of this machine.
         "--cfg=smpi/simulate-computation:no",
         // A platform's latency and bandwidth are what messages see, without further factors.
         "--cfg=smpi/lat-factor:0:1", "--cfg=smpi/bw-factor:0:1", "--cfg=network/crosstraffic:0",
         "--cfg=smpi/coll-selector:ompi",
         // By name: what its selectors choose begins with exchanges of its own.
         fmt::format("--cfg=smpi/allreduce:{}", of_short ? "rdb" : "rab_rdb"),
         fmt::format("--cfg=smpi/bcast:{}", of_short ? "binomial_tree" : "scatter_rdb_allgather"),
         // Ranks share what is not theirs alone, so that thousands fit.
         "--cfg=smpi/privatization:no", "--cfg=contexts/stack-size:128", "--log=root.thres:error",
         replay_program(), folder / "plan", fmt::format("{}", options.rounds)});
    const std::string said = folder / "said";
    const bool well = run(command, said, options.seconds);
    std::ifstream answer(said);
    double seconds = 0;
    if (!well || !(answer >> seconds)) {
      throw ConfigError(fmt::format("--simulate: SimGrid failed on {} with {} ranks: {}",
                                    platform.name, ranks, complaint_in(said)));
    }
    total += seconds;
  }
  return total;
}

}  // namespace svrg::app
