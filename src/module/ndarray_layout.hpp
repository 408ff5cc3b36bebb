#pragma once
#include <cstdint>

/// Numbers of MXNet's array files, all little endian:
/// u64 list_magic, u64 0, u64 count, arrays, u64 count of names (or 0), per name u64 length, bytes.
/// An array: u32 version (v2; v3 with numpy's shapes; v1 without a storage type; anything else is
/// the number of axes of the oldest layout, of u32 extents), i32 storage, if sparse the shape of
/// the values, the shape as i32 axes and i64 extents, i32 device type and number, i32 Type; if
/// sparse per list of positions i32 Type and shape; the values; the positions.
namespace svrg::ndarray_layout {

inline constexpr std::uint64_t list_magic = 0x112;
inline constexpr std::uint32_t v1 = 0xF993FAC8, v2 = 0xF993FAC9, v3 = 0xF993FACA;
inline constexpr std::int32_t dense = 0, row_sparse = 1, csr = 2;

enum class Type : std::int32_t { f32, f64, f16, u8, i32, i8, i64, boolean, bf16 = 12 };

}  // namespace svrg::ndarray_layout
