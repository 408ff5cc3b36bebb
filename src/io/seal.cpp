// HDF5's own checksums leave raw data open, and its parser crashes on damaged files: the seal is
// compared first. It is canonical, so all of its 512 bytes count, padding too. Against damage, not
// forgery.
#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "svrg/core/error.hpp"
#include "svrg/io/file.hpp"

namespace svrg::io {
namespace {

constexpr std::string_view magic = "SVRG-CHECKPOINT 1\n", trailer_magic = "SVRG-SEAL 1\n";

std::string seal_text(std::string_view first_line, std::span<const std::byte> payload,
                      std::size_t size) {
  std::string text =
      fmt::format("{}bytes {}\nsha256 {}\n", first_line, payload.size(), sha256(payload));
  text.resize(size, '\n');
  return text;
}

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

std::string sha256(std::span<const std::byte> bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr) != 1)
    throw Error(ExitCode::internal, "OpenSSL cannot compute SHA-256");
  std::string hex;
  for (unsigned i = 0; i < length; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

bool is_sealed(std::span<const std::byte> file) noexcept {
  return as_text(file).starts_with(magic.substr(0, magic.find(' ')));
}

void write_seal(std::span<std::byte> file) {
  SVRG_EXPECT(file.size() >= seal_size, "a sealed file begins with room for the seal");
  const std::string text = seal_text(magic, file.subspan(seal_size), seal_size);
  std::ranges::copy(std::as_bytes(std::span(text)), file.begin());
}

std::vector<std::byte> seal(std::span<const std::byte> payload) {
  std::vector<std::byte> file(seal_size + payload.size());
  std::ranges::copy(payload, file.begin() + seal_size);
  write_seal(file);
  return file;
}

std::span<const std::byte> unseal(std::span<const std::byte> file, const std::string& name) {
  if (file.size() < seal_size)
    throw DataError(fmt::format("{}: {} bytes are too few for a sealed file", name, file.size()));
  const auto payload = file.subspan(seal_size);
  const std::string_view found = as_text(file.first(seal_size));
  const std::string expected = seal_text(magic, payload, seal_size);
  if (found == expected) return payload;
  if (!found.starts_with(magic)) throw DataError(name + ": does not begin with the seal of svrg");
  const auto sha_line = expected.find("sha256");
  if (found.substr(0, sha_line) != std::string_view(expected).substr(0, sha_line))
    throw DataError(fmt::format("{}: damaged: {} bytes after the seal, but it says otherwise", name,
                                payload.size()));
  throw DataError(name + ": damaged: SHA-256 of the content is not that of the seal");
}

void append_trailer(std::vector<std::byte>& image) {
  const std::string text = seal_text(trailer_magic, image, trailer_size);
  const auto bytes = std::as_bytes(std::span(text));
  image.insert(image.end(), bytes.begin(), bytes.end());
}

std::span<const std::byte> check_trailer(std::span<const std::byte> file, const std::string& name) {
  if (file.size() < trailer_size) return file;
  const std::string_view found = as_text(file.last(trailer_size));
  if (!found.starts_with(trailer_magic)) return file;
  const auto payload = file.first(file.size() - trailer_size);
  if (found != seal_text(trailer_magic, payload, trailer_size))
    throw DataError(name + ": damaged: the seal at its end does not match its content");
  return payload;
}

}  // namespace svrg::io
