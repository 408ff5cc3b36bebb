#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace svrg::io {

/// A message in protobuf's wire format, its fields in the order of the calls. Source: protobuf.dev,
/// "Encoding".
class Message {
 public:
  /// A whole number, not negative.
  Message& number(unsigned field, std::uint64_t value) {
    varint(field << 3);
    varint(value);
    return *this;
  }
  /// Text, bytes or a message.
  Message& bytes(unsigned field, std::string_view value) {
    varint(field << 3 | 2);
    varint(value.size());
    bytes_.append(value);
    return *this;
  }
  Message& message(unsigned field, const Message& value) { return bytes(field, value.bytes_); }
  const std::string& text() const noexcept { return bytes_; }

 private:
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
    bytes_ += static_cast<char>(value);
  }
  std::string bytes_;
};

}  // namespace svrg::io
