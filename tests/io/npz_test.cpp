// .npz files, whole, packed and damaged. What numpy makes of them: convert_models_test.py.
#include <gtest/gtest.h>
#include <zlib.h>

#include <cstring>
#include <functional>

#include "io/npy.hpp"
#include "io/npz_state.hpp"
#include "io/zip.hpp"
#include "samples.hpp"
#include "svrg/core/error.hpp"

namespace svrg::io {
namespace {

using Bytes = std::vector<std::byte>;

State sample() {
  State state = sample_state();
  state.arrays.erase("scalar");  // an array without axes comes back as a value
  return state;
}

void put(Bytes& out, std::size_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(std::byte(value >> (8 * i) & 0xff));
}
void put(Bytes& out, std::string_view text) {
  for (const char c : text) out.push_back(std::byte(c));
}
void set(Bytes& out, std::size_t at, std::size_t value, int bytes) {
  for (int i = 0; i < bytes; ++i)
    out[at + static_cast<std::size_t>(i)] = std::byte(value >> (8 * i) & 0xff);
}

Bytes deflated(const Bytes& bytes) {
  z_stream stream = {};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY), Z_OK);
  Bytes out(bytes.size() + 100);
  Bytes in = bytes;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

/// As numpy.savez_compressed writes: packed, sizes in a zip64 field of the local header only.
Bytes packed_zip(const std::vector<ZipEntry>& entries) {
  Bytes out, directory;
  for (const ZipEntry& entry : entries) {
    const Bytes data = deflated(entry.bytes);
    const auto crc = crc32(0, reinterpret_cast<const Bytef*>(entry.bytes.data()),
                           static_cast<uInt>(entry.bytes.size()));
    const std::size_t offset = out.size();
    put(out, "PK\3\4");
    put(directory, "PK\1\2");
    put(directory, 45, 2);
    for (Bytes* head : {&out, &directory}) {
      const bool local = head == &out;
      put(*head, 45, 2);
      put(*head, 0, 2);
      put(*head, 8, 2);
      put(*head, 0x21U << 16, 4);
      put(*head, crc, 4);
      put(*head, local ? 0xffffffff : data.size(), 4);
      put(*head, local ? 0xffffffff : entry.bytes.size(), 4);
      put(*head, entry.name.size(), 2);
      put(*head, local ? 20 : 0, 2);
    }
    put(directory, 0, 10);
    put(directory, offset, 4);
    put(directory, entry.name);
    put(out, entry.name);
    put(out, 1, 2);
    put(out, 16, 2);
    put(out, entry.bytes.size(), 8);
    put(out, data.size(), 8);
    out.insert(out.end(), data.begin(), data.end());
  }
  const std::size_t begin = out.size();
  out.insert(out.end(), directory.begin(), directory.end());
  put(out, "PK\5\6");
  put(out, 0, 4);
  put(out, entries.size(), 2);
  put(out, entries.size(), 2);
  put(out, directory.size(), 4);
  put(out, begin, 4);
  put(out, 0, 2);
  return out;
}

TEST(Npz, gives_back_a_state_bit_for_bit) {
  const State state = sample();
  const Bytes file = to_npz(state, "svrg-model");
  EXPECT_TRUE(same(from_npz(file, "svrg-model", "m"), state));
  EXPECT_EQ(to_npz(state, "svrg-model"), file) << "no time or chance is in it";
  EXPECT_THROW(from_npz(file, "svrg-run", "m"), DataError);
}

TEST(Npz, reads_packed_archives) {
  const State state = sample();
  const Bytes packed = packed_zip(from_zip(to_npz(state, "svrg-model"), "m"));
  EXPECT_TRUE(same(from_npz(packed, "svrg-model", "m"), state));
}

TEST(Npz, without_a_format_is_one_of_numpys) {
  auto entries = from_zip(to_npz(sample(), "svrg-model"), "m");
  std::erase_if(entries, [](const ZipEntry& e) { return e.name.starts_with("format"); });
  EXPECT_TRUE(same(from_npz(to_zip(entries), "svrg-model", "m"), sample()));
}

TEST(Npz, refuses_to_write_what_would_not_come_back) {
  const auto refused = [](const auto& change) {
    State state = sample();
    change(state);
    EXPECT_THROW(to_npz(state, "svrg-model"), OutputError);
  };
  refused([](State& s) { s.arrays["scalar"] = {{}, std::vector<double>{1}}; });
  refused([](State& s) { s.arrays["epoch"] = Array::vector(std::vector<double>{1}); });
  refused([](State& s) { s.values["format"] = 1.0; });
  refused([](State& s) { s.values["../x"] = 1.0; });
  refused([](State& s) { s.values["x"] = std::string("a\0", 2); });
  refused([](State& s) { s.values["x"] = "\xed\xa0\x80"; });
}

TEST(Npz, damage_anywhere_is_refused_or_changes_nothing) {
  const State state = sample();
  const Bytes plain = to_npz(state, "svrg-model");
  for (const Bytes& file : {plain, packed_zip(from_zip(plain, "m"))}) {
    const auto try_it = [&](std::span<const std::byte> bytes) {
      try {
        EXPECT_TRUE(same(from_npz(bytes, "svrg-model", "m"), state));
      } catch (const DataError& error) {
        EXPECT_TRUE(std::string_view(error.what()).starts_with("m: ")) << error.what();
      }
    };
    Bytes damaged = file;
    for (std::size_t i = 0; i < file.size(); ++i)
      for (unsigned bit = 0; bit < 8; ++bit) {
        damaged[i] ^= std::byte(1U << bit);
        try_it(damaged);
        damaged[i] = file[i];
      }
    for (std::size_t n = 0; n < file.size(); ++n) {
      try_it(std::span(file).first(n));
      EXPECT_THROW(from_zip(std::span(file).first(n), "m"), DataError) << n;
      try_it(std::span(file).subspan(n));
    }
  }
}

void expect_refused(const std::function<void()>& read, const char* word) {
  try {
    read();
    ADD_FAILURE() << word;
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << error.what();
  }
}

TEST(Npz, hostile_archives_cost_no_memory) {
  // 4 MiB of zeros that claim to be a little less than 4 GiB; entries that share their bytes.
  const std::vector<ZipEntry> zeros = {{"a.npy", Bytes(std::size_t{4} << 20)}};
  Bytes bomb = packed_zip(zeros);
  const std::size_t end = bomb.size() - 22, central = end - 46 - 5;
  ASSERT_NO_THROW(from_zip(bomb, "m"));
  set(bomb, central + 24, 0xfffffff0, 4);
  expect_refused([&] { from_zip(bomb, "m"); }, "sizes");
  set(bomb, central + 24, (std::size_t{4} << 20) - 2, 4);
  expect_refused([&] { from_zip(bomb, "m"); }, "longer");
  set(bomb, central + 24, (std::size_t{4} << 20) + 1, 4);
  expect_refused([&] { from_zip(bomb, "m"); }, "checksum");

  const std::vector<ZipEntry> two = {{"a.npy", Bytes(10)}, {"b.npy", Bytes(10)}};
  Bytes twice = to_zip(two);
  const std::size_t second = twice.size() - 22 - 46 - 5;
  set(twice, second + 42, 0, 4);
  expect_refused([&] { from_zip(twice, "m"); }, "otherwise");
  const std::size_t directory = second - 46 - 5;
  for (const std::size_t name : {second + 46, std::size_t{35 + 10 + 30}})
    twice[name] = twice[directory + 46];
  expect_refused([&] { from_zip(twice, "m"); }, "twice");

  Bytes zip64 = to_zip(two);
  set(zip64, zip64.size() - 22 + 16, 0xffffffff, 4);
  expect_refused([&] { from_zip(zip64, "m"); }, "zip64");
  Bytes encrypted = to_zip(two);
  set(encrypted, second + 8, 1, 2);
  expect_refused([&] { from_zip(encrypted, "m"); }, "encrypted");
  Bytes lzma = to_zip(two);
  set(lzma, second + 10, 14, 2);
  expect_refused([&] { from_zip(lzma, "m"); }, "method 14");
}

Bytes npy(const std::string& header, std::size_t values, char version = 1) {
  Bytes bytes;
  put(bytes, "\x93NUMPY");
  put(bytes, static_cast<std::size_t>(version), 2);
  put(bytes, header.size(), 2);
  put(bytes, header);
  bytes.resize(bytes.size() + values);
  return bytes;
}

TEST(Npy, takes_headers_as_numpy_and_others_write_them) {
  for (const char* header : {"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }\n",
                             "{\"shape\":(2,3,),\"descr\":\"<f8\",\"fortran_order\":False}   ",
                             "{ 'fortran_order' : False , 'shape' : ( 2 , 3 ) , 'descr' : '<f8' }"})
    EXPECT_EQ(from_npy(npy(header, 48), "a").shape, (std::vector<Index>{2, 3})) << header;
  EXPECT_TRUE(
      from_npy(npy("{'descr': '|b1', 'fortran_order': False, 'shape': ()}", 1), "a").shape.empty());
}

TEST(Npy, refuses_other_arrays_by_name) {
  const auto refused = [](const std::string& header, std::size_t values, const char* word) {
    expect_refused([&] { from_npy(npy(header, values), "a"); }, word);
  };
  const auto of = [](const std::string& descr, const std::string& shape, const char* order) {
    return "{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
  };
  refused(of("'>f8'", "(1,)", "False"), 8, ">f8");
  refused(of("'|O'", "(1,)", "False"), 8, "|O");
  refused(of("'<U0'", "(1000000000,)", "False"), 0, "<U0");
  refused(of("'<f8'", "(2, 2)", "True"), 32, "Fortran");
  refused(of("'<f8'", "(2,)", "False"), 15, "15 bytes");
  refused(of("'<f8'", "(2,)", "False"), 17, "17 bytes");
  refused(of("'<f8'", "(9223372036854775807, 2, 0)", "False"), 0, "impossible");
  refused(of("'<f8'", "(2305843009213693952,)", "False"), 0, "impossible");
  refused(of("'<f8'", "(99999999999999999999,)", "False"), 0, "header");
  refused(of("'<f8'", "(-1,)", "False"), 0, "header");
  refused(of("[('x', '<f8')]", "(1,)", "False"), 8, "header");
  refused("{'descr': '<f8', 'fortran_order': False}", 8, "header");
  refused("{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': ()}", 8, "header");
  refused("{'descr': '<f8', 'fortran_order': False, 'shape': (1,)} x", 8, "header");
  refused("", 0, "header");
  expect_refused([] { from_npy(npy("", 8, 2), "a"); }, "version 2.0");
  Bytes text = npy(of("'<U1'", "(1,)", "False"), 4);
  set(text, text.size() - 4, 0xd800, 4);
  expect_refused([&] { from_npy(text, "a"); }, "Unicode");
}

}  // namespace
}  // namespace svrg::io
