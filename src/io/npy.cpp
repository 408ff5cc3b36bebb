// numpy's own format of one array: a magic word, a Python dict as text, the values.
#include "io/npy.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <optional>

#include "svrg/core/error.hpp"

namespace svrg::io {
namespace {

static_assert(std::endian::native == std::endian::little, "values are copied as they are");

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t before_header = 10, alignment = 64;

template <class T>
constexpr const char* descr = nullptr;
template <>
constexpr const char* descr<double> = "<f8";
template <>
constexpr const char* descr<float> = "<f4";
template <>
constexpr const char* descr<std::int64_t> = "<i8";
template <>
constexpr const char* descr<std::int32_t> = "<i4";
template <>
constexpr const char* descr<std::uint8_t> = "|u1";

/// The code points of UTF-8; nothing if it is none.
std::optional<std::u32string> code_points(std::string_view text) {
  std::u32string points;
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i++]);
    const int more = first < 0x80 ? 0 : first < 0xc2 ? -1 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    if (more < 0 || first > 0xf4 || text.size() - i < static_cast<std::size_t>(more)) return {};
    char32_t point = more == 0 ? first : first & (0x3f >> more);
    for (int k = 0; k < more; ++k) {
      const auto next = static_cast<unsigned char>(text[i++]);
      if ((next & 0xc0) != 0x80) return {};
      point = point << 6 | (next & 0x3f);
    }
    constexpr char32_t least[] = {0, 0x80, 0x800, 0x10000};
    if (point < least[more] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return {};
    points.push_back(point);
  }
  return points;
}

void add_utf8(std::string& text, char32_t point) {
  const auto put = [&](char32_t byte) { text += static_cast<char>(byte); };
  if (point < 0x80) return put(point);
  if (point < 0x800) {
    put(0xc0 | point >> 6);
  } else {
    if (point < 0x10000) {
      put(0xe0 | point >> 12);
    } else {
      put(0xf0 | point >> 18);
      put(0x80 | (point >> 12 & 0x3f));
    }
    put(0x80 | (point >> 6 & 0x3f));
  }
  put(0x80 | (point & 0x3f));
}

/// Reads the dict: "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }".
class Header {
 public:
  Header(std::string_view text, const std::string& name) : left_(text), name_(name) { read(); }
  std::string type;
  bool fortran = false;
  std::vector<Index> shape;

 private:
  [[noreturn]] void fail() const {
    throw DataError(name_ + ": its header is not that of a .npy array");
  }
  bool take(std::string_view word) {
    left_.remove_prefix(std::min(left_.find_first_not_of(" \n"), left_.size()));
    if (!left_.starts_with(word)) return false;
    left_.remove_prefix(word.size());
    return true;
  }
  void require(std::string_view word) {
    if (!take(word)) fail();
  }
  std::string quoted() {
    const char quote = take("'") ? '\'' : take("\"") ? '"' : fail_char();
    const auto end = left_.find(quote);
    if (end == left_.npos) fail();
    std::string text(left_.substr(0, end));
    left_.remove_prefix(end + 1);
    return text;
  }
  char fail_char() const { fail(); }
  void read_shape() {
    require("(");
    while (!take(")")) {
      take("");  // spaces
      Index length = 0;
      const auto [end, error] = std::from_chars(left_.data(), left_.data() + left_.size(), length);
      if (error != std::errc() || length < 0 || shape.size() == 32) fail();
      left_.remove_prefix(static_cast<std::size_t>(end - left_.data()));
      shape.push_back(length);
      if (!take(",") && !left_.starts_with(")")) fail();
    }
  }
  void read() {
    unsigned seen = 0;
    require("{");
    while (!take("}")) {
      const std::string key = quoted();
      require(":");
      const unsigned bit = key == "descr" ? 1 : key == "fortran_order" ? 2 : key == "shape" ? 4 : 0;
      if (bit == 0 || (seen & bit) != 0) fail();
      seen |= bit;
      if (bit == 1)
        type = quoted();
      else if (bit == 4)
        read_shape();
      else if (!(fortran = take("True")))
        require("False");
      if (!take(",") && !left_.starts_with("}")) fail();
    }
    take("");
    if (seen != 7 || !left_.empty()) fail();
  }

  std::string_view left_;
  const std::string& name_;
};

template <class T>
std::vector<T> numbers_in(std::span<const std::byte> bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

std::vector<std::string> texts_in(std::span<const std::byte> bytes, std::size_t length,
                                  const std::string& name) {
  const auto points = numbers_in<std::uint32_t>(bytes);
  std::vector<std::string> texts(points.size() / length);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::span<const std::uint32_t> text(points.data() + i * length, length);
    while (!text.empty() && text.back() == 0) text = text.first(text.size() - 1);
    for (const std::uint32_t point : text) {
      if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
        throw DataError(name + ": it holds what is no Unicode text");
      add_utf8(texts[i], point);
    }
  }
  return texts;
}

/// Bytes of an element; 0 for a type that is not read.
std::size_t element_size(const std::string& type) {
  if (type == "<f8" || type == "<i8") return 8;
  if (type == "<f4" || type == "<i4") return 4;
  if (type == "|u1" || type == "|b1") return 1;
  std::uint32_t length = 0;
  if (!type.starts_with("<U")) return 0;
  const auto [end, error] = std::from_chars(type.data() + 2, type.data() + type.size(), length);
  if (error != std::errc() || end != type.data() + type.size()) return 0;
  return 4 * std::size_t{length};
}

std::vector<std::byte> text_bytes(const std::vector<std::string>& texts, std::size_t& length,
                                  const std::string& name) {
  std::vector<std::u32string> all;
  length = 1;
  for (const std::string& text : texts) {
    auto points = code_points(text);
    if (!points || text.ends_with('\0'))
      throw OutputError(name + ": it holds text that .npy cannot hold; use .h5");
    length = std::max(length, points->size());
    all.push_back(std::move(*points));
  }
  std::vector<std::byte> bytes(4 * length * all.size());
  for (std::size_t i = 0; i < all.size(); ++i)
    if (!all[i].empty())
      std::memcpy(bytes.data() + 4 * length * i, all[i].data(), 4 * all[i].size());
  return bytes;
}

}  // namespace

std::vector<std::byte> to_npy(const Array& array, const std::string& name) {
  std::string type;
  std::vector<std::byte> values;
  std::visit(
      [&]<class T>(const std::vector<T>& v) {
        if constexpr (std::is_same_v<T, std::string>) {
          std::size_t length = 0;
          values = text_bytes(v, length, name);
          type = fmt::format("<U{}", length);
        } else {
          const auto bytes = std::as_bytes(std::span(v));
          values.assign(bytes.begin(), bytes.end());
          type = descr<T>;
        }
      },
      array.data);
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", type,
                  fmt::join(array.shape, ", "), array.shape.size() == 1 ? "," : "");
  // The values begin at a multiple of 64 bytes.
  header.append(alignment - (before_header + header.size() + 1) % alignment, ' ');
  header += '\n';
  std::string head(magic);
  head +=
      {'\1', '\0', static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  head += header;
  const auto begin = std::as_bytes(std::span(head));
  values.insert(values.begin(), begin.begin(), begin.end());
  return values;
}

Array from_npy(std::span<const std::byte> file, const std::string& name) {
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  if (file.size() < before_header || !text.starts_with(magic))
    throw DataError(name + ": it is no .npy array");
  if (text[6] != '\1' || text[7] != '\0')
    throw DataError(
        fmt::format("{}: .npy version {}.{}, only 1.0 is read", name, int{text[6]}, int{text[7]}));
  const std::size_t length =
      std::to_integer<std::size_t>(file[8]) | std::to_integer<std::size_t>(file[9]) << 8;
  if (file.size() - before_header < length) throw DataError(name + ": it is cut off");
  const Header header(text.substr(before_header, length), name);
  const auto values = file.subspan(before_header + length);
  const std::size_t size = element_size(header.type);
  if (size == 0)
    throw DataError(fmt::format(
        "{}: its dtype '{}' is not read; <f8, <f4, <i8, <i4, |u1 and <U are", name, header.type));
  if (header.fortran)
    throw DataError(name + ": it is in Fortran order; save numpy.ascontiguousarray of it");
  std::size_t bytes = size, bound = size;  // the bound takes empty axes for one element
  for (const Index n : header.shape) {
    const auto axis = static_cast<std::size_t>(n);
    if (__builtin_mul_overflow(bound, std::max<std::size_t>(axis, 1), &bound) ||
        bound > std::size_t{1} << 62)
      throw DataError(name + ": its shape is impossible");
    bytes *= axis;
  }
  if (bytes != values.size())
    throw DataError(
        fmt::format("{}: {} bytes of values, but its shape needs {}", name, values.size(), bytes));
  Array array{header.shape, {}};
  if (header.type == "<f8")
    array.data = numbers_in<double>(values);
  else if (header.type == "<f4")
    array.data = numbers_in<float>(values);
  else if (header.type == "<i8")
    array.data = numbers_in<std::int64_t>(values);
  else if (header.type == "<i4")
    array.data = numbers_in<std::int32_t>(values);
  else if (header.type[1] == 'U')
    array.data = texts_in(values, size / 4, name);
  else
    array.data = numbers_in<std::uint8_t>(values);
  return array;
}

}  // namespace svrg::io
