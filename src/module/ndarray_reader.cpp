// A reader that trusts nothing: every count in the file is compared with the bytes that are left
// before it is multiplied, allocated or believed.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <optional>

#include "module/ndarray_layout.hpp"
#include "svrg/core/error.hpp"
#include "svrg/module/ndarray_file.hpp"

namespace svrg {
namespace {

using namespace ndarray_layout;
static_assert(std::endian::native == std::endian::little, "the format is little endian");

/// Of an array whose size the bytes do not tell.
constexpr Index largest_unstored = Index{1} << 28;

std::optional<std::size_t> width_of(Type type) {
  switch (type) {
    case Type::f64:
    case Type::i64:
      return 8;
    case Type::f32:
    case Type::i32:
      return 4;
    case Type::f16:
    case Type::bf16:
      return 2;
    case Type::u8:
    case Type::i8:
    case Type::boolean:
      return 1;
  }
  return {};
}

// Calls f with a null pointer of the type of the elements in the file.
template <class F>
auto with_type(Type type, F f) {
  switch (type) {
    case Type::f64:
      return f(static_cast<double*>(nullptr));
    case Type::i64:
      return f(static_cast<std::int64_t*>(nullptr));
    case Type::i32:
      return f(static_cast<std::int32_t*>(nullptr));
    case Type::f16:
      return f(static_cast<Eigen::half*>(nullptr));
    case Type::bf16:
      return f(static_cast<Eigen::bfloat16*>(nullptr));
    case Type::u8:
    case Type::boolean:
      return f(static_cast<std::uint8_t*>(nullptr));
    case Type::i8:
      return f(static_cast<std::int8_t*>(nullptr));
    case Type::f32:
      break;
  }
  return f(static_cast<float*>(nullptr));
}

bool is_wide(Type type) { return type == Type::f64 || type == Type::i32 || type == Type::i64; }

template <class To>
std::vector<To> converted(Type type, std::span<const std::byte> bytes) {
  return with_type(type, [&](auto* example) {
    using From = std::remove_pointer_t<decltype(example)>;
    std::vector<To> values(bytes.size() / sizeof(From));
    if constexpr (std::is_same_v<From, To>) {
      if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
    } else {
      for (std::size_t i = 0; i < values.size(); ++i) {
        From value;
        std::memcpy(&value, bytes.data() + i * sizeof(From), sizeof(From));
        // A signed byte is a number here. NOLINTNEXTLINE(bugprone-signed-char-misuse,cert-str34-c)
        values[i] = static_cast<To>(value);
      }
    }
    return values;
  });
}

class Reader {
 public:
  Reader(std::span<const std::byte> bytes, const std::string& source)
      : rest_(bytes), source_(source) {}

  NDArrayList list() {
    if (number<std::uint64_t>("the header") != list_magic)
      fail("this is no MXNet array file: it does not begin with 0x112");
    number<std::uint64_t>("the header");
    const auto arrays = count("the number of arrays", sizeof(std::uint32_t));
    NDArrayList list;
    for (std::size_t i = 0; i < arrays; ++i) {
      where_ = fmt::format("array {} of {}: ", i, arrays);
      list.arrays.push_back(array());
    }
    where_.clear();
    const auto names = count("the number of names", sizeof(std::uint64_t));
    if (names != 0 && names != arrays) fail(fmt::format("{} arrays, but {} names", arrays, names));
    for (std::size_t i = 0; i < names; ++i) {
      const auto name = take(count("the length of a name", 1), "a name");
      list.names.emplace_back(reinterpret_cast<const char*>(name.data()), name.size());
    }
    if (!rest_.empty()) fail(fmt::format("{} bytes too many", rest_.size()));
    return list;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw DataError(source_ + ": " + where_ + what);
  }
  std::span<const std::byte> take(std::size_t bytes, const char* what) {
    if (bytes > rest_.size())
      fail(fmt::format("the file ends inside {}: {} bytes wanted, {} left", what, bytes,
                       rest_.size()));
    const auto taken = rest_.first(bytes);
    rest_ = rest_.subspan(bytes);
    return taken;
  }
  template <class T>
  T number(const char* what) {
    T value;
    std::memcpy(&value, take(sizeof value, what).data(), sizeof value);
    return value;
  }
  /// A count of things of at least `bytes` each.
  std::size_t count(const char* what, std::size_t bytes) {
    const auto n = number<std::uint64_t>(what);
    if (n > rest_.size() / bytes)
      fail(fmt::format("{} is {}, which {} bytes cannot hold", what, n, rest_.size()));
    return static_cast<std::size_t>(n);
  }

  template <class Extent>
  std::vector<Index> extents(std::size_t axes) {
    if (axes > rest_.size() / sizeof(Extent))
      fail(fmt::format("a shape of {} axes, which {} bytes cannot hold", axes, rest_.size()));
    std::vector<Index> shape(axes);
    for (Index& extent : shape) {
      extent = static_cast<Index>(number<Extent>("a shape"));
      if (extent < 0) fail(fmt::format("a shape with an extent of {}", extent));
    }
    return shape;
  }
  std::vector<Index> shape() {
    const auto axes = number<std::int32_t>("a shape");
    if (axes < 0) fail(fmt::format("a shape of {} axes", axes));
    return extents<std::int64_t>(static_cast<std::size_t>(axes));
  }
  /// Product of the extents, or a failure above `most`.
  Index size_of(std::span<const Index> shape, Index most) const {
    const bool empty = std::find(shape.begin(), shape.end(), 0) != shape.end();
    if (empty) most = std::numeric_limits<Index>::max();
    Index size = 1;
    for (const Index extent : shape) {
      if (extent == 0) continue;
      if (size > most / extent)
        fail(fmt::format("a shape of more than {} values, which the file cannot hold", most));
      size *= extent;
    }
    return empty ? 0 : size;
  }
  Type type() {
    const auto type = static_cast<Type>(number<std::int32_t>("a data type"));
    if (!width_of(type)) fail(fmt::format("unknown data type {}", static_cast<int>(type)));
    return type;
  }
  std::span<const std::byte> values(Type type, std::span<const Index> shape) {
    const std::size_t width = *width_of(type);
    const Index size = size_of(shape, static_cast<Index>(rest_.size() / width));
    return take(static_cast<std::size_t>(size) * width, "values");
  }

  struct Sparse {
    Type type;
    std::vector<Index> shape, values;
  };

  NDArray array() {
    const auto magic = number<std::uint32_t>("an array");
    std::int32_t storage = dense;
    if (magic == v2 || magic == v3) storage = number<std::int32_t>("a storage type");
    if (storage < dense || storage > csr) fail(fmt::format("unknown storage type {}", storage));
    std::vector<Index> stored, whole;
    if (storage != dense) stored = shape();
    if (magic == v3) {  // −1 axes say that there is no array, 0 that it is a number
      if (std::int32_t axes = 0; rest_.size() >= sizeof axes) {
        std::memcpy(&axes, rest_.data(), sizeof axes);
        if (axes == -1) return take(sizeof axes, "a shape"), NDArray();
      }
    }
    // What is no known magic is the number of axes of the oldest layout.
    const bool oldest = magic != v1 && magic != v2 && magic != v3;
    whole = oldest ? extents<std::uint32_t>(magic) : shape();
    if (whole.empty() && magic != v3) return NDArray();
    number<std::int32_t>("a device");
    number<std::int32_t>("a device");
    const Type dtype = type();
    std::vector<Sparse> positions(static_cast<std::size_t>(storage == csr ? 2 : storage));
    for (Sparse& p : positions) {
      p.type = type();
      if (p.type != Type::i64 && p.type != Type::i32) fail("positions that are no whole numbers");
      p.shape = shape();
    }
    const auto bytes = values(dtype, storage == dense ? whole : stored);
    for (Sparse& p : positions) {
      p.values = converted<Index>(p.type, values(p.type, p.shape));
    }
    return is_wide(dtype) ? made<double>(storage, dtype, bytes, whole, positions)
                          : made<float>(storage, dtype, bytes, whole, positions);
  }

  template <class T>
  NDArray made(std::int32_t storage, Type dtype, std::span<const std::byte> bytes,
               const std::vector<Index>& whole, const std::vector<Sparse>& positions) const {
    std::vector<T> all = converted<T>(dtype, bytes);
    if (storage == csr) return from_csr(std::move(all), whole, positions);
    if (storage == row_sparse) return from_rows(all, whole, positions[0].values);
    return {whole, std::move(all)};
  }

  template <class T>
  NDArray from_csr(std::vector<T> all, const std::vector<Index>& whole,
                   const std::vector<Sparse>& positions) const {
    const auto &starts = positions[0].values, &columns = positions[1].values;
    if (whole.size() != 2) fail(fmt::format("a CSR array of {} axes", whole.size()));
    // Without values the original may leave out the row starts.
    CsrStore<T> store;
    store.starts = starts;
    if (starts.empty() && all.empty() && whole[0] <= largest_unstored)
      store.starts.assign(static_cast<std::size_t>(whole[0]) + 1, 0);
    if (static_cast<Index>(store.starts.size()) - 1 != whole[0] || store.starts.front() != 0 ||
        store.starts.back() != static_cast<Index>(all.size()) || columns.size() != all.size() ||
        !std::is_sorted(store.starts.begin(), store.starts.end()))
      fail("CSR row starts do not fit the shape and the values");
    if (whole[1] > std::numeric_limits<std::int32_t>::max())
      fail(fmt::format("a CSR array of {} columns; 2^31 are too many", whole[1]));
    store.indices.reserve(columns.size());
    for (const Index c : columns) {
      if (c < 0 || c >= whole[1]) fail(fmt::format("column {} of {}", c, whole[1]));
      store.indices.push_back(static_cast<std::int32_t>(c));
    }
    for (std::size_t r = 0; r + 1 < store.starts.size(); ++r) {
      const auto first = store.indices.begin() + store.starts[r];
      if (std::adjacent_find(first, store.indices.begin() + store.starts[r + 1],
                             std::greater_equal<>()) != store.indices.begin() + store.starts[r + 1])
        fail(fmt::format("columns of row {} do not ascend", r));
    }
    store.values = std::move(all);
    return {whole[1], std::move(store)};
  }

  template <class T>
  NDArray from_rows(const std::vector<T>& all, const std::vector<Index>& whole,
                    const std::vector<Index>& rows) const {
    if (whole.empty()) fail("a row_sparse array without axes");
    const Index size = size_of(whole, largest_unstored);
    const auto width = whole[0] == 0 ? std::size_t{0} : static_cast<std::size_t>(size / whole[0]);
    if (all.size() != rows.size() * width) fail("as many rows of values as row numbers are wanted");
    std::vector<T> values(static_cast<std::size_t>(size));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows[i] < 0 || rows[i] >= whole[0]) fail(fmt::format("row {} of {}", rows[i], whole[0]));
      std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(i * width), width,
                  values.begin() + static_cast<std::ptrdiff_t>(width) * rows[i]);
    }
    return {whole, std::move(values)};
  }

  std::span<const std::byte> rest_;
  const std::string& source_;
  std::string where_;
};

}  // namespace

NDArrayList parse_ndarrays(std::span<const std::byte> bytes, const std::string& source) {
  return Reader(bytes, source).list();
}

}  // namespace svrg
