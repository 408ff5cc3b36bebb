#pragma once
#ifndef H5_USE_110_API
#define H5_USE_110_API  // later HDF5 versions then mean the same functions by the same names
#endif
#include <hdf5.h>
#include <hdf5_hl.h>

#include <concepts>
#include <string>
#include <string_view>
#include <utility>

#include "svrg/core/error.hpp"

namespace svrg::io {

/// A call of HDF5 failed; the message holds its error stack. Writers turn it into an OutputError.
struct Hdf5Error : DataError {
  using DataError::DataError;
};

/// Throws Hdf5Error: the task and what HDF5 says of it.
[[noreturn]] void fail_hdf5(std::string_view task);

/// Before the first call in any thread: HDF5 prints nothing by itself and loads no plugin because a
/// file asks for one. Cheap, so every entry point calls it.
void prepare_hdf5();

/// Any HDF5 id with its own closer: the only one that closes ids.
class Handle {
 public:
  Handle(hid_t id, herr_t (*closer)(hid_t), std::string_view task) : id_(id), close_(closer) {
    if (id_ < 0) fail_hdf5(task);
  }
  Handle(Handle&& other) noexcept
      : id_(std::exchange(other.id_, H5I_INVALID_HID)), close_(other.close_) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  Handle& operator=(Handle&&) = delete;
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  operator hid_t() const noexcept { return id_; }
  /// Closes now, for those who must know that it worked.
  void close(std::string_view task) {
    if (close_(std::exchange(id_, H5I_INVALID_HID)) < 0) fail_hdf5(task);
  }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

/// The result of an HDF5 call that reports failure by a negative number.
template <std::integral T>
T checked(T result, std::string_view task) {
  if (result < 0) fail_hdf5(task);
  return result;
}

/// Variable-length UTF-8.
Handle string_type();

template <class T>
hid_t native_type();
template <>
inline hid_t native_type<double>() {
  return H5T_NATIVE_DOUBLE;
}
template <>
inline hid_t native_type<float>() {
  return H5T_NATIVE_FLOAT;
}
template <>
inline hid_t native_type<std::int64_t>() {
  return H5T_NATIVE_INT64;
}
template <>
inline hid_t native_type<std::uint64_t>() {
  return H5T_NATIVE_UINT64;
}
template <>
inline hid_t native_type<std::int32_t>() {
  return H5T_NATIVE_INT32;
}
template <>
inline hid_t native_type<std::uint8_t>() {
  return H5T_NATIVE_UINT8;
}

}  // namespace svrg::io
