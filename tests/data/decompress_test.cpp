// Compressed files read as what they hold, however many streams they are made of; damaged ones are
// refused.
#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <map>

#include "data/decompress.hpp"
#include "data_test.hpp"

namespace svrg {
namespace {

std::string gzipped(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string bzipped(const std::string& text) {
  auto size = static_cast<unsigned>(text.size() + text.size() / 50 + 600);
  std::string out(size, '\0');
  EXPECT_EQ(BZ2_bzBuffToBuffCompress(out.data(), &size, const_cast<char*>(text.data()),
                                     static_cast<unsigned>(text.size()), 9, 0, 0),
            BZ_OK);
  out.resize(size);
  return out;
}

std::string xzipped(const std::string& text) {
  std::string out(lzma_stream_buffer_bound(text.size()), '\0');
  std::size_t size = 0;
  EXPECT_EQ(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC64, nullptr,
                                    reinterpret_cast<const std::uint8_t*>(text.data()), text.size(),
                                    reinterpret_cast<std::uint8_t*>(out.data()), &size, out.size()),
            LZMA_OK);
  out.resize(size);
  return out;
}

std::string zstandard(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

const std::map<std::string, std::string (*)(const std::string&)> kinds = {
    {".gz", gzipped}, {".bz2", bzipped}, {".xz", xzipped}, {".zst", zstandard}};

std::string unpacked(const std::string& bytes) {
  std::string text;
  decompress(bytes, "file", [&](std::string_view piece) { text += piece; });
  return text;
}

std::string some_text(Index lines) {
  std::string text;
  for (Index i = 0; i < lines; ++i)
    text += fmt::format("{} {}:{:.4f} 9:{}\n", i % 3 == 0 ? 1 : -1, 1 + i % 8,
                        static_cast<double>(i) / 7, i);
  return text;
}

TEST(Decompress, gives_back_what_was_packed_in_one_stream_or_several) {
  const std::string text = some_text(60000), more = some_text(5);
  ASSERT_GT(text.size(), std::size_t{1} << 20);
  for (const auto& [suffix, pack] : kinds) {
    EXPECT_TRUE(is_compressed(pack(text))) << suffix;
    EXPECT_EQ(unpacked(pack(text)), text) << suffix;
    EXPECT_EQ(unpacked(pack(text) + pack(more) + pack("")), text + more) << suffix;
    EXPECT_EQ(unpacked(pack("")), "") << suffix;
    // Where the last piece is full: nothing may be missing, or asked for behind the end.
    for (const std::size_t size : {std::size_t{256} << 10, std::size_t{1} << 20}) {
      const std::string exact = text.substr(0, size);
      EXPECT_EQ(unpacked(pack(exact)), exact) << suffix;
      EXPECT_EQ(unpacked(pack(exact) + pack(exact)), exact + exact) << suffix;
    }
  }
  EXPECT_FALSE(is_compressed("BZhang,1,2\n3,4,5\n")) << "text that begins like bzip2";
  EXPECT_EQ(without_compression_suffix("a.svm.zst"), "a.svm");
  EXPECT_EQ(without_compression_suffix(".gz"), ".gz");
}

TEST(Decompress, refuses_every_file_that_was_cut_or_changed) {
  const std::string text = some_text(200);
  for (const auto& [suffix, pack] : kinds) {
    const std::string whole = pack(text);
    for (std::size_t size = 6; size < whole.size(); ++size)
      EXPECT_THROW(unpacked(whole.substr(0, size)), DataError) << suffix << " cut at " << size;
    EXPECT_THROW(unpacked(whole + "1 1:1\n"), DataError) << suffix;
    // A changed byte may lie where nothing depends on it (gzip's name and time), and zstd as
    // packed here has no checksum; it must never end in anything but an error or some text.
    for (std::size_t at = 0; at < whole.size(); ++at) {
      std::string broken = whole;
      broken[at] = static_cast<char>(broken[at] ^ 0x41);
      if (!is_compressed(broken)) continue;
      try {
        const std::string read = unpacked(broken);
        EXPECT_TRUE(suffix == ".zst" || read == text) << suffix << " changed at " << at;
      } catch (const DataError&) {
      }
    }
  }
}

TEST(Decompress, refuses_headers_that_ask_for_all_memory) {
  using namespace std::string_view_literals;
  // A window of 2^31 bytes, in a frame of ten.
  try {
    unpacked(std::string("\x28\xb5\x2f\xfd\x04\xa8\xff\xff\xff\x16"sv));
    ADD_FAILURE() << "read";
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("memory"), std::string::npos) << error.what();
  }
}

TEST(Decompress, readers_take_compressed_files_on_any_ranks) {
  const auto world = Communicator::world();
  const std::string text = some_text(500);
  const TemporaryFile plain(world, text, ".svm");
  const auto expected = all_rows(world, read_text(world, plain.path(), {}));
  for (const auto& [suffix, pack] : kinds) {
    const TemporaryFile file(world, pack(text), ".svm" + suffix);
    const auto rows = all_rows(world, read_text(world, file.path(), {}));
    ASSERT_EQ(rows.size(), expected.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(rows[i].label, expected[i].label);
      EXPECT_EQ(rows[i].values, expected[i].values);
    }
    const TemporaryFile cut(world, pack(text).substr(0, 100), ".svm" + suffix);
    EXPECT_THROW(read_text(world, cut.path(), {}), CollectiveError);
    const TemporaryFile twice(world, pack(pack(text)), ".svm" + suffix + suffix);
    EXPECT_THROW(read_text(world, twice.path(), {}), CollectiveError);
    EXPECT_THROW(read_text(world, file.path(), {.max_memory = 1000}), CollectiveError);
  }
}

}  // namespace
}  // namespace svrg
