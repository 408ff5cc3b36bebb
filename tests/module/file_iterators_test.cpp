// The iterators that read files.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "iterator_rows.hpp"
#include "svrg/core/error.hpp"
#include "svrg/data/idx_reader.hpp"
#include "svrg/module/iterators.hpp"

namespace svrg {
namespace {

class FileIterators : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string file(const std::string& name, const std::string& bytes) const {
    const std::string path = (folder_ / name).string();
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / fmt::format("svrg_iterators_{}", getpid());
};

template <class Make>
std::string message_of(Make make) {
  try {
    make();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST_F(FileIterators, csv_rows_have_the_shape_asked_for) {
  const std::string data = file("x.csv", "0,1,2,3\r\n4, 5,-6e0,.5\n\n8,9,10,11");
  const std::string label = file("y.csv", "1\n2\n3\n");
  CSVIter iter({.data_csv = data, .data_shape = {2, 2}, .label_csv = label, .batch_size = 2});
  EXPECT_EQ(iter.provide_data()[0].shape, (std::vector<Index>{2, 2, 2}));
  EXPECT_EQ(iter.provide_label()[0].shape, (std::vector<Index>{2}));
  EXPECT_EQ(iter.next()->data[0].values(), (std::vector<double>{0, 1, 2, 3, 4, 5, -6, 0.5}));
  const DataBatch* last = iter.next();
  EXPECT_EQ(last->pad, 1);
  EXPECT_EQ(last->label[0].values(), (std::vector<double>{3, 1}));
  EXPECT_EQ(epoch(iter), range(0, 3));
  CSVIter unlabelled({.data_csv = data, .data_shape = {4}, .batch_size = 3});
  EXPECT_EQ(unlabelled.next()->label[0].values(), (std::vector<double>{0, 0, 0}));
}

TEST_F(FileIterators, csv_without_round_batch_leaves_old_rows_in_the_padding) {
  const std::string data = file("x.csv", "0\n1\n2\n3\n4\n");
  CSVIter iter({.data_csv = data, .data_shape = {1}, .batch_size = 3, .round_batch = false});
  iter.next();
  EXPECT_EQ(iter.next()->data[0].values(), (std::vector<double>{3, 4, 2}));
}

TEST_F(FileIterators, csv_errors_name_file_and_line) {
  const auto read = [&](const std::string& text) {
    return message_of([&] { CSVIter({.data_csv = file("bad.csv", text), .data_shape = {2}}); });
  };
  for (const char* text : {"1,2\n3\n", "1,2\n3,x\n", "1,2\n3,4,5\n", "1,2\n,4\n", "1,2\n3 4\n"})
    EXPECT_NE(read(text).find("bad.csv:2: "), std::string::npos) << text << read(text);
  EXPECT_NE(message_of([&] {
              CSVIter({.data_csv = "/no/such.csv", .data_shape = {1}});
            }).find("/no/such.csv"),
            std::string::npos);
  const std::string two = file("two.csv", "1\n2\n"), three = file("three.csv", "1\n2\n3\n");
  EXPECT_THROW(CSVIter({.data_csv = two, .data_shape = {1}, .label_csv = three}), DataError);
}

TEST_F(FileIterators, libsvm_parts_share_the_lines_out) {
  std::string text;
  for (int i = 0; i < 23; ++i) text += fmt::format("{} {}:{}\n", i, i % 7, i + 0.5);
  const std::string path = file("x.libsvm", text);
  for (const Index parts : {1, 2, 3, 5}) {
    std::vector<Index> all;
    for (Index part = 0; part < parts; ++part) {
      LibSVMIter iter({.data_libsvm = path,
                       .data_shape = {7},
                       .batch_size = 4,
                       .num_parts = parts,
                       .part_index = part});
      for (const DataBatch& batch : iter)
        for (std::size_t i = 0; i < 4 - static_cast<std::size_t>(batch.pad); ++i) {
          const auto row = static_cast<double>(batch.rows[i]);
          EXPECT_EQ(batch.label[0].values()[i], row);
          EXPECT_EQ(batch.data[0].values()[7 * i + static_cast<std::size_t>(batch.rows[i] % 7)],
                    row + 0.5);
          all.push_back(batch.rows[i]);
        }
    }
    EXPECT_EQ(all, range(0, 23)) << parts << " parts";
  }
}

TEST_F(FileIterators, libsvm_labels_may_come_from_a_file_of_their_own) {
  const std::string data = file("x.libsvm", "9 0:1\n9\n9 2:3\n");
  const std::string label = file("y.libsvm", "0 0:5\n0 1:6\n0 0:7 1:8\n");
  LibSVMIter iter({.data_libsvm = data,
                   .data_shape = {3},
                   .label_libsvm = label,
                   .label_shape = {2},
                   .batch_size = 3});
  const DataBatch* batch = iter.next();
  EXPECT_EQ(batch->label[0].values(), (std::vector<double>{5, 0, 0, 6, 7, 8}));
  EXPECT_EQ(batch->data[0].values(), (std::vector<double>{1, 0, 0, 0, 0, 0, 0, 0, 3}));
}

TEST_F(FileIterators, libsvm_errors_name_file_and_line_whatever_the_part) {
  const auto read = [&](const std::string& line, Index parts, Index part) {
    const std::string path = file("bad.libsvm", "1 0:1\n\n1 1:1\n" + line);
    return message_of([&] {
      LibSVMIter({.data_libsvm = path, .data_shape = {3}, .num_parts = parts, .part_index = part});
    });
  };
  for (const char* line : {"x 0:1", "1 0:", "1 3:1", "1 1:1 1:2", "1 2", "1 0.5:1", "1 -1:2"}) {
    EXPECT_NE(read(line, 1, 0).find("bad.libsvm:4: "), std::string::npos) << read(line, 1, 0);
    Index told = 0;  // by the part that has the line
    for (Index part = 0; part < 3; ++part)
      told += read(line, 3, part).find("bad.libsvm:4: ") != std::string::npos;
    EXPECT_EQ(told, 1) << line;
  }
  const std::string good = file("good.libsvm", "1 0:1\n");
  EXPECT_THROW(LibSVMIter({.data_libsvm = good, .data_shape = {3}, .round_batch = false}),
               ConfigError);
  EXPECT_THROW(LibSVMIter({.data_libsvm = good, .data_shape = {3, 2}}), ConfigError);
}

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(value >> shift));
  return bytes;
}
std::string idx(std::uint32_t magic, const std::vector<std::uint32_t>& shape,
                const std::string& values) {
  std::string bytes = big_endian(magic);
  for (const std::uint32_t extent : shape) bytes += big_endian(extent);
  return bytes + values;
}

class Mnist : public FileIterators {
 protected:
  std::string pixels_ = [] {
    std::string p;
    for (int i = 0; i < 5 * 2 * 3; ++i) p.push_back(static_cast<char>(8 * i));
    return p;
  }();
  std::string labels_{"\x05\x04\x03\x02\x01"};
};

TEST_F(Mnist, gives_whole_batches_of_pixels_below_one) {
  const MNISTIterOptions options{.image = file("images", idx(0x803, {5, 2, 3}, pixels_)),
                                 .label = file("labels", idx(0x801, {5}, labels_)),
                                 .batch_size = 2,
                                 .shuffle = false};
  MNISTIter iter(options);
  EXPECT_EQ(iter.provide_data()[0].shape, (std::vector<Index>{2, 1, 2, 3}));
  EXPECT_EQ(rows_left(iter), range(0, 4));
  iter.reset();
  iter.next();
  const DataBatch* second = iter.next();
  EXPECT_EQ(second->label[0].values(), (std::vector<double>{3, 2}));
  EXPECT_EQ(second->data[0].values()[1], 8.0 * 13 / 256);

  MNISTIterOptions flat = options;
  flat.flat = true;
  flat.num_parts = 2;
  flat.part_index = 1;
  MNISTIter half(flat);
  EXPECT_EQ(half.provide_data()[0].shape, (std::vector<Index>{2, 6}));
  EXPECT_EQ(rows_left(half), range(2, 4));
}

TEST_F(Mnist, shuffles_images_together_with_their_labels) {
  MNISTIter iter({.image = file("images", idx(0x803, {5, 2, 3}, pixels_)),
                  .label = file("labels", idx(0x801, {5}, labels_)),
                  .batch_size = 5,
                  .seed = 2});
  const DataBatch* batch = iter.next();
  EXPECT_NE(batch->rows, range(0, 5));
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(batch->label[0].values()[i], 5 - static_cast<double>(batch->rows[i]));
    EXPECT_EQ(batch->data[0].values()[6 * i], 48.0 * static_cast<double>(batch->rows[i]) / 256);
  }
}

TEST_F(Mnist, errors_name_the_file_and_what_is_wrong) {
  const auto good = file("images", idx(0x803, {5, 2, 3}, pixels_));
  const auto message = [&](const std::string& bytes) {
    return message_of([&] { MNISTIter({.image = file("bad", bytes), .label = good}); });
  };
  const std::pair<std::string, const char*> bad[] = {
      {idx(0x803, {5, 2, 4}, pixels_), "does not fit"},
      {idx(0x803, {5, 2, 3}, pixels_ + "x"), "does not fit"},
      {idx(0x803, {0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, pixels_), "does not fit"},
      {idx(0x803, {0, 2, 3}, ""), "no values"},
      {idx(0x803, {5}, ""), "ends inside"},
      {idx(0xB03, {5, 2, 3}, pixels_), "type 0x0B"},
      {idx(0x801, {5}, labels_), "3 axes"},
      {"\x1f\x8b stuff", "damaged"},
      {"PNG!", "two zero bytes"},
      {"", "two zero bytes"}};
  for (const auto& [bytes, what] : bad) {
    EXPECT_NE(message(bytes).find(what), std::string::npos) << message(bytes);
    EXPECT_NE(message(bytes).find("bad"), std::string::npos) << message(bytes);
  }
  const auto four = file("four", idx(0x801, {4}, "\1\2\3\4"));
  EXPECT_NE(message_of([&] { MNISTIter({.image = good, .label = four}); }).find("4 labels for 5"),
            std::string::npos);
}

TEST_F(Mnist, floats_are_read_big_endian) {
  const NDArray array =
      read_idx(file("floats", idx(0xD01, {2}, big_endian(0x3FC00000) + big_endian(0xC0000000))));
  EXPECT_EQ(array.values(), (std::vector<double>{1.5, -2}));
}

}  // namespace
}  // namespace svrg
