#include "svrg/module/ndarray_file.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <bit>
#include <cstring>
#include <filesystem>
#include <limits>

#include "svrg/core/error.hpp"
#include "svrg/io/file.hpp"

namespace svrg {
namespace {

using Bytes = std::vector<std::byte>;

/// Builds files by hand, for what we do not write.
class Raw {
 public:
  template <class T>
  Raw& operator<<(const T& value) {
    for (const std::byte b : std::as_bytes(std::span(&value, 1))) bytes_.push_back(b);
    return *this;
  }
  template <class T>
  Raw& operator<<(const std::vector<T>& values) {
    for (const T& v : values) *this << v;
    return *this;
  }
  /// A whole file of one array.
  static NDArray read(const Raw& array) {
    Raw file;
    file << std::uint64_t{0x112} << std::uint64_t{0} << std::uint64_t{1} << array.bytes_
         << std::uint64_t{0};
    return parse_ndarrays(file.bytes_, "raw").arrays.at(0);
  }
  static std::string refusal(const Raw& array) {
    try {
      read(array);
    } catch (const DataError& error) {
      return error.what();
    }
    return "it was read";
  }
  const Bytes& bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

using i32 = std::int32_t;
using i64 = std::int64_t;
constexpr std::uint32_t v1 = 0xF993FAC8, v2 = 0xF993FAC9, v3 = 0xF993FACA;

/// Version 2 up to the type: shape, device cpu(0).
Raw dense(const std::vector<i64>& shape, i32 type) {
  Raw raw;
  raw << v2 << i32{0} << static_cast<i32>(shape.size()) << shape << i32{1} << i32{0} << type;
  return raw;
}

NDArrayList everything() {
  const float inf = std::numeric_limits<float>::infinity();
  CsrStore<float> csr{{1.5F, -2, 3}, {1, 0, 2}, {0, 1, 1, 3}};
  return {
      {"arg:w", "aux:d", "csr", "", "scalar", "none"},
      {{{2, 3}, std::vector<float>{0.1F, -0.0F, inf, std::bit_cast<float>(0x7FC01234), 1e-45F, 7}},
       {{2}, std::vector<double>{0.1, -1e300}},
       {3, csr},
       {{1, 2, 1}, std::vector<float>{4, 5}},
       {{}, std::vector<double>{3}},
       {{0, 4}, std::vector<float>{}}}};
}

/// Same shape, type, and bits.
bool identical(const NDArray& a, const NDArray& b) {
  const auto bits = [](const auto& x, const auto& y) {
    return x.size() == y.size() &&
           (x.empty() || std::memcmp(x.data(), y.data(), x.size() * sizeof x[0]) == 0);
  };
  return a.shape == b.shape && a.store.index() == b.store.index() &&
         std::visit(
             [&](const auto& x) {
               const auto& y = std::get<std::decay_t<decltype(x)>>(b.store);
               if constexpr (requires { x.data; })
                 return bits(x.data, y.data);
               else
                 return bits(x.values, y.values) && x.indices == y.indices && x.starts == y.starts;
             },
             a.store);
}

TEST(NDArrayFile, round_trip_keeps_every_bit) {
  const NDArrayList list = everything();
  const NDArrayList read = parse_ndarrays(format_ndarrays(list), "memory");
  EXPECT_EQ(read.names, list.names);
  ASSERT_EQ(read.arrays.size(), list.arrays.size());
  for (std::size_t i = 0; i < list.arrays.size(); ++i)
    EXPECT_TRUE(identical(read.arrays[i], list.arrays[i])) << list.names[i];
}

TEST(NDArrayFile, names_are_all_or_none) {
  NDArrayList list = everything();
  list.names.clear();
  const NDArrayList read = parse_ndarrays(format_ndarrays(list), "memory");
  EXPECT_TRUE(read.names.empty());
  EXPECT_EQ(read.arrays.size(), list.arrays.size());
  list.names = {"one"};
  EXPECT_THROW(format_ndarrays(list), ConfigError);
  EXPECT_TRUE(parse_ndarrays(format_ndarrays({}), "memory").arrays.empty());
}

TEST(NDArrayFile, a_file_that_ends_too_early_or_too_late_is_refused) {
  Bytes bytes = format_ndarrays(everything());
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    const Bytes beginning(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
    EXPECT_THROW(parse_ndarrays(beginning, "cut"), DataError) << n;
  }
  bytes.push_back({});
  EXPECT_THROW(parse_ndarrays(bytes, "long"), DataError);
}

std::size_t held(const NDArray& array) {
  return std::visit(
      [](const auto& store) {
        if constexpr (requires { store.data; })
          return store.data.size();
        else
          return store.values.size() + store.starts.size();
      },
      array.store);
}

TEST(NDArrayFile, damage_is_refused_or_read_but_never_worse) {
  const Bytes good = format_ndarrays(everything());
  for (std::size_t at = 0; at < good.size(); ++at)
    for (const unsigned change : {0x01U, 0x02U, 0x40U, 0x80U, 0xFFU}) {
      Bytes bad = good;
      bad[at] ^= std::byte(change);
      try {
        for (const NDArray& a : parse_ndarrays(bad, "damaged").arrays)
          EXPECT_LE(held(a), bad.size());
      } catch (const DataError&) {
      }
    }
}

TEST(NDArrayFile, reads_every_type_of_value) {
  const std::vector<double> wanted{1, 2};
  EXPECT_EQ(Raw::read(dense({2}, 0) << 1.0F << 2.0F).values(), wanted);
  EXPECT_EQ(Raw::read(dense({2}, 1) << 1.0 << 2.0).values(), wanted);
  EXPECT_EQ(Raw::read(dense({2}, 2) << std::uint16_t{0x3C00} << std::uint16_t{0x4000}).values(),
            wanted);
  EXPECT_EQ(Raw::read(dense({2}, 3) << std::uint8_t{1} << std::uint8_t{2}).values(), wanted);
  EXPECT_EQ(Raw::read(dense({2}, 4) << i32{1} << i32{2}).values(), wanted);
  EXPECT_EQ(Raw::read(dense({2}, 5) << std::int8_t{1} << std::int8_t{2}).values(), wanted);
  EXPECT_EQ(Raw::read(dense({2}, 6) << i64{1} << i64{2}).values(), wanted);
  EXPECT_EQ(Raw::read(dense({1}, 7) << true).values(), std::vector<double>{1});
  EXPECT_EQ(Raw::read(dense({2}, 12) << std::uint16_t{0x3F80} << std::uint16_t{0x4000}).values(),
            wanted);
  EXPECT_NE(Raw::refusal(dense({1}, 8) << 1.0).find("type 8"), std::string::npos);
  // Whole numbers of 32 bits would not fit a float.
  EXPECT_EQ(Raw::read(dense({1}, 4) << i32{16777217}).values()[0], 16777217);
}

TEST(NDArrayFile, reads_the_older_layouts) {
  Raw first;
  first << v1 << i32{2} << i64{1} << i64{2} << i32{1} << i32{0} << i32{0} << 3.0F << 4.0F;
  Raw oldest;  // the number of axes, and extents of 32 bits
  oldest << std::uint32_t{2} << std::uint32_t{1} << std::uint32_t{2} << i32{2} << i32{1} << i32{0}
         << 3.0F << 4.0F;
  for (const Raw& raw : {first, oldest}) {
    const NDArray array = Raw::read(raw);
    EXPECT_EQ(array.shape, (std::vector<Index>{1, 2}));
    EXPECT_EQ(array.values(), (std::vector<double>{3, 4}));
  }
}

TEST(NDArrayFile, an_array_without_a_shape_is_empty) {
  EXPECT_EQ(Raw::read(Raw() << v2 << i32{0} << i32{0}).size(), 0);
  EXPECT_EQ(Raw::read(Raw() << v3 << i32{0} << i32{-1}).size(), 0);
  EXPECT_EQ(Raw::read(Raw() << std::uint32_t{0}).size(), 0);
}

Raw row_sparse(const std::vector<i64>& rows, i64 of) {
  Raw raw;
  const auto stored = static_cast<i64>(rows.size());
  raw << v2 << i32{1} << i32{2} << stored << i64{2} << i32{2} << of << i64{2} << i32{1} << i32{0}
      << i32{0} << i32{6} << i32{1} << stored;
  for (i64 i = 0; i < 2 * stored; ++i) raw << static_cast<float>(i + 1);
  raw << rows;
  return raw;
}

TEST(NDArrayFile, row_sparse_becomes_dense) {
  const NDArray array = Raw::read(row_sparse({0, 2}, 3));
  EXPECT_FALSE(array.sparse());
  EXPECT_EQ(array.values(), (std::vector<double>{1, 2, 0, 0, 3, 4}));
  EXPECT_NE(Raw::refusal(row_sparse({3}, 3)).find("row 3 of 3"), std::string::npos);
  EXPECT_NE(Raw::refusal(row_sparse({-1}, 3)).find("row -1 of 3"), std::string::npos);
  EXPECT_NE(Raw::refusal(row_sparse({0}, i64{1} << 40)).find("more than"), std::string::npos);
}

/// Two rows of three columns, two values.
Raw csr(const std::vector<i64>& starts, const std::vector<i64>& columns, i64 width = 3) {
  Raw raw;
  raw << v2 << i32{2} << i32{1} << i64{2} << i32{2} << i64{2} << width << i32{1} << i32{0} << i32{0}
      << i32{6} << i32{1} << static_cast<i64>(starts.size()) << i32{6} << i32{1}
      << static_cast<i64>(columns.size()) << 5.0F << 6.0F << starts << columns;
  return raw;
}

TEST(NDArrayFile, csr_positions_are_checked) {
  EXPECT_EQ(Raw::read(csr({0, 1, 2}, {2, 0})).values(), (std::vector<double>{0, 0, 5, 6, 0, 0}));
  for (const std::vector<i64>& starts :
       {std::vector<i64>{0, 2}, {0, 3, 2}, {1, 1, 2}, {0, 1, 3}, {0, -1, 2}, {0, 1, 2, 2}})
    EXPECT_NE(Raw::refusal(csr(starts, {2, 0})).find("row starts"), std::string::npos);
  EXPECT_NE(Raw::refusal(csr({0, 1, 2}, {3, 0})).find("column 3 of 3"), std::string::npos);
  EXPECT_NE(Raw::refusal(csr({0, 1, 2}, {-1, 0})).find("column -1"), std::string::npos);
  EXPECT_NE(Raw::refusal(csr({0, 2, 2}, {1, 1})).find("ascend"), std::string::npos);
  EXPECT_NE(Raw::refusal(csr({0, 1, 2}, {1})).find("row starts"), std::string::npos);
  EXPECT_NE(Raw::refusal(csr({0, 1, 2}, {2, 0}, i64{1} << 33)).find("columns"), std::string::npos);
}

TEST(NDArrayFile, sizes_that_overflow_are_refused) {
  constexpr i64 huge = i64{1} << 62;
  for (const std::vector<i64>& shape : {std::vector<i64>{huge},
                                        {huge, 4},
                                        {huge, huge},
                                        {i64{1} << 32, i64{1} << 32},
                                        {0, huge, huge},
                                        {-1},
                                        {-2, -2}})
    EXPECT_NE(Raw::refusal(dense(shape, 0) << 1.0F).find("shape"), std::string::npos) << shape[0];
  EXPECT_NE(Raw::refusal(Raw() << std::uint32_t{0xFFFFFFFF}).find("axes"), std::string::npos);
  EXPECT_NE(Raw::refusal(Raw() << v2 << i32{0} << i32{0x7FFFFFFF}).find("axes"), std::string::npos);
  Raw many;
  many << std::uint64_t{0x112} << std::uint64_t{0} << ~std::uint64_t{0};
  EXPECT_THROW(parse_ndarrays(many.bytes(), "many"), DataError);
}

TEST(NDArrayFile, errors_name_the_file) {
  const auto message = [](const std::string& path) {
    try {
      load_ndarrays(path);
    } catch (const DataError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(message("/no/such.params").find("/no/such.params"), std::string::npos);
  const std::string path =
      (std::filesystem::temp_directory_path() / fmt::format("svrg_nd_{}", getpid())).string();
  io::write_file(path, std::string_view("PK not arrays at all"));
  EXPECT_NE(message(path).find(path), std::string::npos);
  EXPECT_NE(message(path).find("0x112"), std::string::npos);
  std::filesystem::remove(path);
}

TEST(NDArrayFile, parameters_come_back_by_name_and_kind) {
  const std::string prefix =
      (std::filesystem::temp_directory_path() / fmt::format("svrg_params_{}", getpid())).string();
  const std::map<std::string, NDArray> arg{{"w", {{2}, std::vector<float>{1, 2}}}};
  const std::map<std::string, NDArray> aux{{"mean", {{1}, std::vector<float>{3}}}};
  save_params(prefix, 7, arg, aux);
  EXPECT_TRUE(params_path(prefix, 7).ends_with("-0007.params"));
  const CheckpointParams params = load_params(prefix, 7);
  EXPECT_EQ(load_ndarrays(params_path(prefix, 7)).names,
            (std::vector<std::string>{"arg:w", "aux:mean"}));
  std::filesystem::remove(params_path(prefix, 7));
  EXPECT_TRUE(identical(params.arg.at("w"), arg.at("w")));
  EXPECT_TRUE(identical(params.aux.at("mean"), aux.at("mean")));
  save_ndarrays(params_path(prefix, 8), {{"w"}, {arg.at("w")}});
  EXPECT_THROW(load_params(prefix, 8), DataError);
  std::filesystem::remove(params_path(prefix, 8));
}

}  // namespace
}  // namespace svrg
