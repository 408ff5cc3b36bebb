// The four formats by their own libraries: all read files made of several streams (pigz, bgzip,
// pbzip2, pixz), and none takes a file that ends early for a whole one.
#include "data/decompress.hpp"

#include <bzlib.h>
#include <fmt/format.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <memory>
#include <vector>

#include "svrg/core/error.hpp"

namespace svrg {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view gzip = "\x1f\x8b"sv, bzip2 = "BZh"sv, zstd = "\x28\xb5\x2f\xfd"sv,
                           xz = "\xfd"
                                "7zXZ\0"sv;
constexpr std::size_t piece = std::size_t{256} << 10;
constexpr const char* window_too_large =
    "asks for far more memory than a file of its size needs; unpack it to disk, or is it damaged";

/// Most memory that unpacking may take because a file's header says so: ten bytes can ask for
/// 2 GiB. What the programs' usual settings need (xz -9 65 MiB, zstd --ultra 128 MiB) always fits.
std::uint64_t window_limit(std::size_t packed) {
  return std::max(std::uint64_t{128} << 20, std::uint64_t{16} * packed);
}

class Unpacking {
 public:
  Unpacking(std::string_view bytes, const std::string& path,
            const std::function<void(std::string_view)>& sink)
      : rest_(bytes), path_(path), sink_(sink), out_(piece) {}

  void from_gzip() {
    z_stream stream{};
    constexpr int with_header = 15 + 16;
    if (inflateInit2(&stream, with_header) != Z_OK) throw std::bad_alloc();
    const std::unique_ptr<z_stream, decltype(&inflateEnd)> owner(&stream, &inflateEnd);
    for (bool first = true; first || rest_.starts_with(gzip); first = false) {
      if (!first && inflateReset(&stream) != Z_OK) fail("damaged");
      for (int state = Z_OK; state != Z_STREAM_END;) {
        const auto given = give(stream.next_in, stream.avail_in);
        stream.next_out = reinterpret_cast<Bytef*>(out_.data());
        stream.avail_out = piece;
        state = inflate(&stream, Z_NO_FLUSH);
        took(given - stream.avail_in);
        put(piece - stream.avail_out);
        if (state != Z_OK && state != Z_STREAM_END && state != Z_BUF_ERROR) fail("damaged");
        require_progress(given - stream.avail_in + piece - stream.avail_out);
      }
    }
  }

  void from_bzip2() {
    while (rest_.starts_with(bzip2)) {
      bz_stream stream{};
      if (BZ2_bzDecompressInit(&stream, 0, 0) != BZ_OK) throw std::bad_alloc();
      const std::unique_ptr<bz_stream, decltype(&BZ2_bzDecompressEnd)> owner(&stream,
                                                                             &BZ2_bzDecompressEnd);
      for (int state = BZ_OK; state != BZ_STREAM_END;) {
        const auto given = give(stream.next_in, stream.avail_in);
        stream.next_out = out_.data();
        stream.avail_out = piece;
        state = BZ2_bzDecompress(&stream);
        took(given - stream.avail_in);
        put(piece - stream.avail_out);
        if (state != BZ_OK && state != BZ_STREAM_END) fail("damaged");
        require_progress(given - stream.avail_in + piece - stream.avail_out);
      }
    }
  }

  void from_xz() {
    lzma_stream stream = LZMA_STREAM_INIT;
    if (lzma_stream_decoder(&stream, window_limit(rest_.size()), LZMA_CONCATENATED) != LZMA_OK)
      throw std::bad_alloc();
    const std::unique_ptr<lzma_stream, decltype(&lzma_end)> owner(&stream, &lzma_end);
    stream.next_in = reinterpret_cast<const std::uint8_t*>(rest_.data());
    stream.avail_in = rest_.size();
    for (lzma_ret state = LZMA_OK; state != LZMA_STREAM_END;) {
      stream.next_out = reinterpret_cast<std::uint8_t*>(out_.data());
      stream.avail_out = piece;
      state = lzma_code(&stream, LZMA_FINISH);
      put(piece - stream.avail_out);
      if (state == LZMA_BUF_ERROR) fail("ends too early");
      if (state == LZMA_MEMLIMIT_ERROR) fail(window_too_large);
      if (state != LZMA_OK && state != LZMA_STREAM_END) fail("damaged");
    }
    rest_ = {};
  }

  void from_zstd() {
    const std::unique_ptr<ZSTD_DStream, decltype(&ZSTD_freeDStream)> stream(ZSTD_createDStream(),
                                                                            &ZSTD_freeDStream);
    if (!stream) throw std::bad_alloc();
    constexpr int largest_window = 31;  // zstd --long=31
    const int window = static_cast<int>(std::bit_width(window_limit(rest_.size()))) - 1;
    ZSTD_DCtx_setParameter(stream.get(), ZSTD_d_windowLogMax, std::min(largest_window, window));
    ZSTD_inBuffer in{rest_.data(), rest_.size(), 0};
    std::size_t wanted = 1;
    for (bool full = false; in.pos < in.size || (full && wanted != 0);) {
      ZSTD_outBuffer out{out_.data(), piece, 0};
      wanted = ZSTD_decompressStream(stream.get(), &out, &in);
      if (ZSTD_getErrorCode(wanted) == ZSTD_error_frameParameter_windowTooLarge)
        fail(window_too_large);
      if (ZSTD_isError(wanted)) fail("damaged");
      put(out.pos);
      full = out.pos == piece;
    }
    if (wanted != 0) fail("ends too early");
    rest_ = {};
  }

  void require_end() {
    // What gzip and bzip2 call trailing garbage; padding of zeros is usual on tapes.
    if (rest_.find_first_not_of('\0') != std::string_view::npos)
      fail("has other bytes behind its compressed data");
  }

 private:
  template <class Byte>
  unsigned give(Byte*& next, unsigned& available) {
    next = reinterpret_cast<Byte*>(const_cast<char*>(rest_.data()));
    available = static_cast<unsigned>(std::min<std::size_t>(rest_.size(), 1 << 30));
    return available;
  }
  void took(unsigned count) { rest_.remove_prefix(count); }
  void put(std::size_t count) {
    if (count > 0) sink_({out_.data(), count});
  }
  void require_progress(std::size_t bytes) {
    if (bytes == 0 && rest_.empty()) fail("ends too early");
    stuck_ = bytes == 0 ? stuck_ + 1 : 0;
    if (stuck_ > 2) fail("damaged");
  }
  [[noreturn]] void fail(const char* what) const {
    throw DataError(fmt::format("{}: the compressed file {}", path_,
                                what == "damaged"sv ? "is damaged" : what));
  }

  std::string_view rest_;
  const std::string& path_;
  const std::function<void(std::string_view)>& sink_;
  std::vector<char> out_;
  int stuck_ = 0;
};

}  // namespace

bool is_compressed(std::string_view bytes) {
  const bool is_bzip2 = bytes.starts_with(bzip2) && bytes.size() >= 10 && bytes[3] >= '1' &&
                        bytes[3] <= '9' &&
                        (bytes.substr(4, 6) == "1AY&SY" ||                   // a block, or
                         bytes.substr(4, 6) == "\x17\x72\x45\x38\x50\x90");  // none at all
  return bytes.starts_with(gzip) || is_bzip2 || bytes.starts_with(xz) || bytes.starts_with(zstd);
}

std::string without_compression_suffix(const std::string& path) {
  for (const std::string_view suffix : {".gz", ".bz2", ".xz", ".zst"})
    if (path.size() > suffix.size() && path.ends_with(suffix))
      return path.substr(0, path.size() - suffix.size());
  return path;
}

void decompress(std::string_view bytes, const std::string& path,
                const std::function<void(std::string_view)>& sink) {
  Unpacking unpacking(bytes, path, sink);
  if (bytes.starts_with(gzip))
    unpacking.from_gzip();
  else if (bytes.starts_with(bzip2))
    unpacking.from_bzip2();
  else if (bytes.starts_with(xz))
    unpacking.from_xz();
  else
    unpacking.from_zstd();
  unpacking.require_end();
}

}  // namespace svrg
