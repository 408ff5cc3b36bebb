// What every file of ours says of itself, and how a reader tells whether it can read it.
#include "svrg/io/document.hpp"

#include <fmt/format.h>

#include <ctime>
#include <random>

#include "svrg/core/error.hpp"
#include "svrg/core/version.hpp"

namespace svrg::io {
namespace {

constexpr int major_version = 1, minor_version = 0;

std::string utc_now() {
  const std::time_t seconds = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[sizeof "2000-01-01T00:00:00Z"];
  // It fits. NOLINTNEXTLINE(cert-err33-c)
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

// RFC 4122, version 4: random but for six bits.
std::string random_uuid() {
  std::random_device device;
  std::uniform_int_distribution<std::uint64_t> any;
  const std::uint64_t high = (any(device) & ~0xF000ULL) | 0x4000ULL;
  const std::uint64_t low = (any(device) & ~(3ULL << 62)) | (1ULL << 63);
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xFFFF,
                     high & 0xFFFF, low >> 48, low & 0xFFFFFFFFFFFF);
}

const std::string& text_attribute(const Document& document, const char* key,
                                  const std::string& name) {
  const auto found = document.attributes.find(key);
  const auto* text =
      found == document.attributes.end() ? nullptr : std::get_if<std::string>(&found->second);
  if (!text)
    throw DataError(fmt::format("{}: no text attribute '{}': not a file of svrg's", name, key));
  return *text;
}

}  // namespace

Attributes root_attributes(const std::string& format, const std::string& title) {
  return {{"format", format},
          {"format_version", fmt::format("{}.{}", major_version, minor_version)},
          {"required_features", std::vector<std::string>{}},
          {"Conventions", "SVRG-1.0"},
          {"title", title},
          {"creator", "svrg " + version()},
          {"created", utc_now()},
          {"uuid", random_uuid()}};
}

void expect_format(const Document& document, const std::string& format, const std::string& name) {
  const std::string& got = text_attribute(document, "format", name);
  if (got != format)
    throw DataError(fmt::format("{}: format is '{}', expected '{}'", name, got, format));
  const std::string& written = text_attribute(document, "format_version", name);
  if (written.substr(0, written.find('.')) != std::to_string(major_version))
    throw DataError(fmt::format("{}: format version is {}, this svrg {} reads {}.x", name, written,
                                version(), major_version));
  const auto features = document.attributes.find("required_features");
  if (features == document.attributes.end()) return;
  // None exists so far, so each one named is unknown.
  if (const auto* list = std::get_if<std::vector<std::string>>(&features->second))
    for (const auto& feature : *list)
      throw DataError(
          fmt::format("{}: written as format {} with the feature '{}', which this svrg {} "
                      "(format {}.{}) does not know",
                      name, written, feature, version(), major_version, minor_version));
  else
    throw DataError(name + ": required_features is no list of strings");
}

}  // namespace svrg::io
