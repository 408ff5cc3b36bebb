// The laws of reading with many ranks: the same data, and the same error, whatever their number and
// wherever a byte range ends.
#include <cstdlib>
#include <random>
#include <sstream>

#include "data_test.hpp"

namespace svrg {
namespace {

struct Sample {
  std::string text;
  std::vector<PlainRow> rows;
};

// Random rows with lines of very different lengths, blank lines and comments.
Sample random_svmlight(Index count, Index columns, unsigned density, unsigned seed) {
  std::mt19937 random(seed);
  Sample sample;
  for (Index i = 0; i < count; ++i) {
    if (random() % 7 == 0) sample.text += "# a remark: 3:4\n";
    if (random() % 9 == 0) sample.text += " \n";
    PlainRow row{i, static_cast<double>(random() % 3), 1, {}};
    sample.text += fmt::format("{}", row.label);
    for (Index c = 0; c < columns; ++c) {
      if (random() % 100 >= density) {
        row.values.push_back(0);
        continue;
      }
      const std::string value =
          fmt::format("{:.{}g}", static_cast<double>(random()) / 1e9 - 2, 1 + random() % 17);
      row.values.push_back(std::strtod(value.c_str(), nullptr));
      sample.text += fmt::format(" {}:{}", c + 1, value);
    }
    sample.text += random() % 5 == 0 ? " # end\r\n" : "\n";
    sample.rows.push_back(std::move(row));
  }
  return sample;
}

// One rank alone against all of them: the same rows in the same positions, the same description.
void expect_as_alone(const std::string& text, const std::string& suffix, ReadOptions options) {
  const auto comm = Communicator::world();
  options.virtual_shards = 8;
  const TemporaryFile file(comm, text, suffix);
  const Shard together = read_text(comm, file.path(), options);
  const Shard alone = read_text(Communicator::self(), file.path(), options);
  EXPECT_EQ(together.info().fingerprint, alone.info().fingerprint);
  EXPECT_EQ(together.info().rows, alone.info().rows);
  EXPECT_EQ(together.info().columns, alone.info().columns);
  EXPECT_EQ(together.info().nonzeros, alone.info().nonzeros);
  EXPECT_EQ(together.sparse(), alone.sparse());
  expect_same(all_rows(comm, together), all_rows(Communicator::self(), alone));
}

TEST(TextReader, gives_each_rank_the_rows_of_its_virtual_shards) {
  const auto comm = Communicator::world();
  for (const auto order : {RowOrder::shuffled, RowOrder::file})
    for (const unsigned density : {20U, 80U, 100U}) {
      const Sample sample = random_svmlight(301, 13, density, density);
      const Shard shard = read_string(sample.text, ".svm", {.row_order = order});
      EXPECT_EQ(shard.sparse(), density == 20);
      EXPECT_EQ(shard.first_shard(), shard.partition().first_shard(comm.rank(), comm.size()));
      expect_same(file_rows(comm, shard), sample.rows);
      const auto rows = all_rows(comm, shard);
      for (std::size_t i = 0; i < rows.size(); ++i)
        EXPECT_EQ(rows[i].global_row, shard.partition().row_at(static_cast<Index>(i)));
    }
}

TEST(TextReader, gives_the_same_on_any_number_of_ranks) {
  for (const unsigned density : {15U, 90U, 100U})
    for (const auto dtype : {Storage::f32, Storage::f64})
      expect_as_alone(random_svmlight(500, 17, density, 3).text, ".svm", {.dtype = dtype});
  std::string csv = "w,a,y,b\n";
  for (int i = 0; i < 333; ++i) csv += fmt::format("{},{},{},{}\n", i * 0.5, i % 7, i % 2, i / 3.0);
  expect_as_alone(csv, ".csv", {.weight_column = "w"});
}

TEST(TextReader, does_not_depend_on_where_a_byte_range_ends) {
  // Every length from nothing on: with P ranks the borders fall on every byte of a line.
  const Sample sample = random_svmlight(6, 4, 60, 5);
  for (std::size_t cut = 0; cut < 40; ++cut)
    expect_same(rows_of(std::string(cut, '#') + "\n" + sample.text, ".svm"), sample.rows);
}

TEST(TextReader, reads_fewer_lines_than_there_are_ranks) {
  for (const char* text :
       {"1 1:2", "1 1:2\n", "\n\n\n1 1:2\n\n", "1 1:2\n# a very long last line\n"})
    expect_same(rows_of(text, ".svm"), {{0, 1, 1, {2}}});
  expect_same(rows_of("1 1:2\n3 1:4", ".svm"), {{0, 1, 1, {2}}, {1, 3, 1, {4}}});
}

TEST(TextReader, reads_files_of_many_blocks) {
  std::string text;
  std::vector<PlainRow> rows;
  for (Index i = 0; text.size() < (std::size_t{5} << 20); ++i) {
    text += fmt::format("{} 1:{} 2:0.25", i % 2, i);
    text += i % 1000 == 7 ? std::string(70000, '#') + "\n" : "\n";
    rows.push_back({i, static_cast<double>(i % 2), 1, {static_cast<double>(i), 0.25}});
  }
  expect_same(rows_of(text, ".svm"), rows);
}

TEST(TextReader, reads_files_that_end_with_a_memory_page) {
  for (const std::string& end : {std::string("\n"), std::string()}) {
    std::string text = "1 1:2\n";
    text.append("1 1:");
    text.append(4096 - text.size() - end.size(), '0').append(end);
    EXPECT_EQ(text.size(), 4096U);
    expect_same(rows_of(text, ".svm"), {{0, 1, 1, {2}}, {1, 1, 1, {0}}});
  }
}

TEST(TextReader, gives_one_fingerprint_to_one_content) {
  const auto print = [](const std::string& text, const char* suffix, ReadOptions options = {}) {
    return read_string(text, suffix, options).info().fingerprint;
  };
  const auto expected = print("1 1:0.5 3:2\n0 2:3\n", ".svm");
  EXPECT_EQ(print("1 1:0.5 2:0 3:2\n0 1:0 2:3 3:-0\n", ".svm"), expected);  // stored dense
  EXPECT_EQ(print("1,0.5,0,2\n0,0,3,0\n", ".csv"), expected);
  EXPECT_EQ(print("1 1:0.5 3:2\n0 2:3\n", ".svm", {.virtual_shards = 2}), expected);
  EXPECT_EQ(print("1 1:0.5 3:2\n0 2:3\n", ".svm", {.row_order = RowOrder::file}), expected);
  EXPECT_NE(print("0 2:3\n1 1:0.5 3:2\n", ".svm"), expected);
  EXPECT_NE(print("1 1:0.5 3:2\n0 2:3.0000001\n", ".svm"), expected);
  EXPECT_NE(print("1 1:0.5 3:2\n1 2:3\n", ".svm"), expected);
}

TEST(TextReader, names_the_broken_line_of_a_long_file) {
  std::string text;
  for (int i = 1; i <= 5000; ++i)
    text += i == 1042 ? "1 1:0.25 2:3 9:1 5:2\n" : i == 4000 ? "x\n" : "1 1:0.25 2:3 9:1\n";
  EXPECT_EQ(refusal_of(text, ".svm"),
            "1042:18: feature index 5 after 9; indices must ascend within a line");
}

TEST(TextReader, names_the_first_of_many_broken_lines) {
  for (int first : {1, 2, 77, 150, 299, 300}) {
    std::string text;
    for (int i = 1; i <= 300; ++i) text += i < first ? "1 1:1 # fine\n\n" : "1 1:x\n\n";
    EXPECT_EQ(refusal_of(text, ".svm"),
              fmt::format("{}:5: value 'x' of feature 1 is not a number", 2 * first - 1));
  }
}

TEST(TextReader, names_the_first_broken_line_though_a_later_one_is_met_earlier) {
  // Each rank's part takes several exchanges; the last rank breaks in its first, rank 0 in its
  // last.
  const auto comm = Communicator::world();
  const std::string line = fmt::format("1 1:0.125 2:3 # {}\n", std::string(1000, '.'));
  const std::size_t lines = static_cast<std::size_t>(comm.size()) * 9000;
  std::string text;
  text.reserve(lines * line.size());
  for (std::size_t i = 1; i <= lines; ++i) {
    text += line;
    if (i == 8500 || i == std::max<std::size_t>(lines - 8000, 8900))
      text.replace(text.size() - line.size(), 1, "?");
  }
  EXPECT_EQ(refusal_of(text, ".svm"),
            "8500:1: label '?' is not a number; map the classes to numbers");
}

TEST(TextReader, refuses_a_file_without_rows) {
  for (const char* text : {"", "\n", "# only\n\n  # remarks", "\xEF\xBB\xBF"})
    for (const char* suffix : {".svm", ".csv", ".txt"})
      EXPECT_EQ(refusal_of(text, suffix), " no rows") << suffix;
  EXPECT_EQ(refusal_of("label,a,b\n", ".csv"), " no rows");
}

TEST(TextReader, refuses_lines_of_excessive_length_in_any_format) {
  std::string text = "# a file without line ends\n\n";
  text.append((std::size_t{64} << 20) + 1, '7');
  for (const char* suffix : {".svm", ".csv", ".txt"})
    EXPECT_EQ(refusal_of(text, suffix), "3:1: line longer than 64 MiB; is this a text file?");
}

TEST(TextReader, refuses_files_of_another_kind) {
  using namespace std::string_literals;
  EXPECT_EQ(refusal_of("PK\x03\x04", ".svm"), " a zip archive; unpack it first");
  EXPECT_EQ(refusal_of("\x89HDF\r\n\x1a\n", ".h5"), " an HDF5 file, not text");
  EXPECT_EQ(refusal_of("\xff\xfe"
                       "1\0"s,
                       ".csv"),
            " UTF-16 text; convert it to UTF-8 (iconv)");
  EXPECT_EQ(refusal_of("1 1:1\n\0\0\0\n"s, ".svm"),
            "2:1: label '\?\?\?' is not a number; map the classes to numbers");
}

TEST(TextReader, says_why_a_file_cannot_be_opened) {
  const auto message = [](const std::string& path) {
    try {
      read_text(Communicator::world(), path, {});
    } catch (const CollectiveError& error) {
      EXPECT_EQ(error.code(), ExitCode::data);
      return std::string(error.what());
    }
    return std::string("nothing thrown");
  };
  EXPECT_EQ(message("no/such.svm"), "cannot open no/such.svm: No such file or directory");
  const auto folder = std::filesystem::temp_directory_path().string();
  EXPECT_EQ(message(folder), "cannot open " + folder + ": Is a directory");
}

TEST(TextReader, refuses_what_does_not_fit_in_memory_with_figures) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "1 1:1 2:2 3:3\n";
  const std::string message = refusal_of(text, ".svm", {.max_memory = 1000}, ExitCode::limit);
  EXPECT_TRUE(message.starts_with(" 1000 rows of 3 features need 0.0 MiB on rank ")) << message;
  EXPECT_TRUE(message.ends_with("but --max-memory allows 0.0 MiB; use more ranks")) << message;
  EXPECT_EQ(rows_of(text, ".svm", {.max_memory = 1 << 20}).size(), 1000U);
}

TEST(TextReader, stores_floats_if_told) {
  const Shard shard = read_string("1 1:0.1 2:0.2\n", ".svm", {.dtype = Storage::f32});
  EXPECT_TRUE(std::holds_alternative<DenseRows<float>>(shard.all().inputs[0].rows));
  const auto rows = file_rows(Communicator::world(), shard);
  EXPECT_EQ(rows[0].values,
            (std::vector<double>{static_cast<double>(0.1F), static_cast<double>(0.2F)}));
}

// Real files, where the folder of shared data is there.
TEST(TextReader, reads_the_shared_data) {
  const char* shared = std::getenv("SVRG_SHARED");
  if (shared == nullptr) GTEST_SKIP() << "SVRG_SHARED names no folder with data/";
  const auto comm = Communicator::world();
  const auto info = [&](const char* name) {
    const Shard shard = read_text(comm, fmt::format("{}/data/{}", shared, name), {});
    const Shard alone =
        read_text(Communicator::self(), fmt::format("{}/data/{}", shared, name), {});
    EXPECT_EQ(shard.info().fingerprint, alone.info().fingerprint) << name;
    EXPECT_EQ(shard.partition().virtual_shards(), alone.partition().virtual_shards());
    return shard.info();
  };
  EXPECT_EQ(info("wdbc.train.svm").rows, 456);
  EXPECT_EQ(info("wdbc.csv").columns, 30);
  EXPECT_EQ(info("wdbc.csv").feature_names.front(), "mean_radius");
  EXPECT_EQ(info("digits.train.svm").columns, 64);
  EXPECT_EQ(info("heart_scale.svm").rows, 270);
  EXPECT_EQ(info("winequality-red.csv").columns, 11);
}

}  // namespace
}  // namespace svrg
