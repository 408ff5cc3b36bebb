#pragma once
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "svrg/comm/communicator.hpp"
#include "svrg/core/error.hpp"
#include "svrg/data/text_reader.hpp"

namespace svrg {

/// A file that root writes and every rank may read. Collective.
class TemporaryFile {
 public:
  TemporaryFile(const Communicator& comm, const std::string& text, const std::string& suffix)
      : comm_(comm) {
    static int count = 0;
    const std::string name = fmt::format("svrg_data_test_{}_{}{}", getpid(), count++, suffix);
    path_ = comm.broadcast((std::filesystem::temp_directory_path() / name).string());
    if (comm.is_root()) std::ofstream(path_, std::ios::binary) << text;
    comm.barrier();
  }
  ~TemporaryFile() {
    comm_.barrier();
    if (comm_.is_root()) std::filesystem::remove(path_);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  Communicator comm_;
  std::string path_;
};

/// One row of a data set, zeros filled in.
struct PlainRow {
  Index global_row;
  double label, weight;
  std::vector<double> values;
};

/// The rows of all ranks, in the order of positions, on every rank. Collective.
inline std::vector<PlainRow> all_rows(const Communicator& comm, const Shard& shard) {
  const auto columns = static_cast<std::size_t>(shard.info().columns);
  std::vector<double> mine;
  const auto append = [&](const auto& rows) {
    for (Index i = 0; i < rows.rows; ++i) {
      const auto row = static_cast<std::size_t>(i);
      mine.push_back(static_cast<double>(shard.global_rows()[row]));
      mine.push_back(shard.labels()[row]);
      mine.push_back(shard.weights().empty() ? 1 : shard.weights()[row]);
      const std::size_t at = mine.size();
      mine.resize(at + columns);
      if constexpr (requires { rows.starts; }) {
        for (Index k = rows.starts[i]; k < rows.starts[i + 1]; ++k)
          mine[at + static_cast<std::size_t>(rows.indices[k])] = rows.values[k];
      } else {
        for (std::size_t c = 0; c < columns; ++c)
          mine[at + c] = rows.data[i * rows.stride + static_cast<Index>(c)];
      }
    }
  };
  std::visit(append, shard.all().inputs[0].rows);
  const std::vector<double> all = comm.gather(std::span<const double>(mine));
  std::vector<PlainRow> rows;
  for (auto at = all.begin(); at != all.end(); at += static_cast<std::ptrdiff_t>(columns) + 3)
    rows.push_back({static_cast<Index>(at[0]),
                    at[1],
                    at[2],
                    {at + 3, at + 3 + static_cast<std::ptrdiff_t>(columns)}});
  return rows;
}

/// The same, in the order of the file.
inline std::vector<PlainRow> file_rows(const Communicator& comm, const Shard& shard) {
  std::vector<PlainRow> rows = all_rows(comm, shard);
  std::sort(rows.begin(), rows.end(),
            [](const PlainRow& a, const PlainRow& b) { return a.global_row < b.global_row; });
  return rows;
}

inline Shard read_string(const std::string& text, const std::string& suffix,
                         const ReadOptions& options = {}) {
  const auto comm = Communicator::world();
  const TemporaryFile file(comm, text, suffix);
  return read_text(comm, file.path(), options);
}

inline std::vector<PlainRow> rows_of(const std::string& text, const std::string& suffix,
                                     const ReadOptions& options = {}) {
  return file_rows(Communicator::world(), read_string(text, suffix, options));
}

/// What reading says, its path cut off: "LINE:COLUMN: what; remedy". Checks that all ranks say the
/// same, with exit code `code`.
inline std::string refusal_of(const std::string& text, const std::string& suffix,
                              const ReadOptions& options = {}, ExitCode code = ExitCode::data) {
  const auto comm = Communicator::world();
  const TemporaryFile file(comm, text, suffix);
  std::string message = "nothing thrown";
  try {
    read_text(comm, file.path(), options);
  } catch (const CollectiveError& error) {
    message = error.what();
    EXPECT_EQ(error.code(), code) << message;
  }
  EXPECT_EQ(message, comm.broadcast(message));
  EXPECT_TRUE(message.starts_with(file.path() + ":")) << message;
  return message.substr(std::min(file.path().size() + 1, message.size()));
}

inline void expect_same(const std::vector<PlainRow>& a, const std::vector<PlainRow>& b) {
  EXPECT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    EXPECT_EQ(a[i].global_row, b[i].global_row) << "row " << i;
    EXPECT_EQ(a[i].label, b[i].label) << "row " << i;
    EXPECT_EQ(a[i].weight, b[i].weight) << "row " << i;
    EXPECT_EQ(a[i].values, b[i].values) << "row " << i;
  }
}

}  // namespace svrg
