// log.jsonl is the record: one appended line an epoch, in one write, so that a kill costs one line
// at most. run.h5 is made anew from it, because HDF5 files must never be appended to in place.
#include "svrg/io/run_record.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <limits>
#include <optional>
#include <system_error>

#include "io/descriptor.hpp"
#include "io/run_end.hpp"
#include "io/run_history.hpp"
#include "svrg/core/error.hpp"
#include "svrg/io/document.hpp"
#include "svrg/io/file.hpp"

namespace svrg::io {
namespace {

constexpr const char* run_format = "svrg-run";

std::string log_path(const std::string& folder) { return folder + "/log.jsonl"; }
std::string hdf5_path(const std::string& folder) { return folder + "/run.h5"; }

std::string read_text(const std::string& path) {
  const auto bytes = read_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A last line that cannot be read was torn by a kill and is dropped; one in the middle is damage.
std::string cut_log(const std::string& path, Index last_epoch, std::vector<EpochRecord>& epochs) {
  const std::string text = read_text(path);
  std::string kept;
  Index number = 1;
  for (std::size_t begin = 0; begin < text.size(); ++number) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    std::optional<EpochRecord> record;
    try {
      record = from_json_line(line);
    } catch (const DataError& error) {
      if (begin < text.size())
        throw DataError(fmt::format("{}:{}: {}", path, number, error.what()));
      break;
    }
    if (record->epoch > last_epoch) continue;
    kept.append(line).append(1, '\n');
    epochs.push_back(std::move(*record));
  }
  return kept;
}

// The file's length is put back after a failed write: half a line would join the next one.
void append_line(const std::string& path, const std::string& line) {
  Descriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  const auto fail = [&](int error, const char* more) {
    throw OutputError(fmt::format("cannot append {} bytes to {}: {}{}", line.size(), path,
                                  std::generic_category().message(error), more));
  };
  struct stat before {};
  if (fd < 0 || ::fstat(fd, &before) < 0) fail(errno, "");
  const int error = write_whole(fd, std::as_bytes(std::span(line)));
  if (error == 0) {
    if (fd.close() < 0) fail(errno, "");
    return;
  }
  fail(error, ::ftruncate(fd, before.st_size) < 0 ? "; half a line stays" : "");
}

Variable text_variable(const std::string& text, const char* long_name) {
  Variable variable;
  variable.data = {{}, std::vector<std::string>{text}};
  variable.long_name = long_name;
  return variable;
}

/// Of a variable of strings; none where there is no such variable.
std::vector<std::string> texts_of(const Document& document, const char* path) {
  const auto found = document.variables.find(path);
  const auto* texts = found == document.variables.end()
                          ? nullptr
                          : std::get_if<std::vector<std::string>>(&found->second.data.data);
  return texts != nullptr ? *texts : std::vector<std::string>();
}

}  // namespace

RunRecord::RunRecord(std::string folder, std::vector<std::string> hostnames, Index resume_after)
    : folder_(std::move(folder)), hostnames_(std::move(hostnames)) {
  const std::string path = log_path(folder_);
  std::string kept;
  if (resume_after >= 0 && std::filesystem::exists(path))
    kept = cut_log(path, resume_after, epochs_);
  write_file(path, kept);
}

void RunRecord::append(const EpochRecord& record) {
  for (const auto& [name, value] : record.metrics)
    SVRG_EXPECT(!is_reserved(name), "a metric's name is not one of the record's own");
  append_line(log_path(folder_), to_json_line(record));
  epochs_.push_back(record);
}

void RunRecord::write_hdf5(const std::string& config, const std::string& manifest,
                           const std::optional<RunEnd>& end) const {
  Document document = history_document(epochs_, hostnames_);
  document.attributes = root_attributes(run_format, "svrg run");
  document.variables["config"] = text_variable(config, "effective configuration, TOML");
  document.variables["manifest"] = text_variable(manifest, "what made the run, JSON");
  if (end) add_end(document, *end);
  auto image = to_image(document);
  append_trailer(image);
  write_file(hdf5_path(folder_), image);
}

RunFile read_run(const std::string& path) {
  const auto file = read_file(path);
  const Document document = from_image(check_trailer(file, path), path);
  expect_format(document, run_format, path);
  RunFile run;
  run.epochs = epochs_of(document, path);
  run.hostnames = texts_of(document, "history/hostname");
  const auto config = texts_of(document, "config"), manifest = texts_of(document, "manifest");
  if (!config.empty()) run.config = config.front();
  if (!manifest.empty()) run.manifest = manifest.front();
  run.end = end_of(document, path);
  return run;
}

std::vector<EpochRecord> read_history(const std::string& path) { return read_run(path).epochs; }

std::vector<EpochRecord> read_log(const std::string& path) {
  std::vector<EpochRecord> epochs;
  cut_log(path, std::numeric_limits<Index>::max(), epochs);
  return epochs;
}

}  // namespace svrg::io
