#include <bit>
#include <cmath>
#include <limits>

#include "data/idx_file.hpp"
#include "data/row_values.hpp"
#include "data/shared_file.hpp"
#include "svrg/core/error.hpp"

namespace svrg {
namespace {

// Big-endian: bytes where all values are whole numbers up to 255, else floats.
class IdxWriting {
 public:
  IdxWriting(const Communicator& comm, const Shard& shard) : comm_(comm), shard_(shard) {}

  void write(const std::string& path) {
    const DataInfo& info = shard_.info();
    const std::string beside = labels_beside(path);
    comm_.agree("", [&] {
      if (beside == path)
        throw ConfigError(path + ": the name of an IDX file must contain 'images'");
    });
    Index other = 0;
    for_values([&](double v) { other += v != std::floor(v) || v < 0 || v > 255; });
    const bool bytes = comm_.sum(other) == 0;
    other = 0;
    for (const double y : shard_.labels()) other += y != std::floor(y) || y < 0 || y > 255;
    const bool byte_labels = comm_.sum(other) == 0;
    SharedFile images(comm_, path), labels(comm_, beside);
    const Index first = comm_.sum_before(shard_.rows());
    comm_.agree("", [&] {
      if (comm_.is_root()) {
        images.write(0, header(bytes, {info.rows, info.columns}));
        labels.write(0, header(byte_labels, {info.rows}));
      }
      write_values(labels, 8 + first * (byte_labels ? 1 : 4), byte_labels, shard_.labels());
      write_images(images, 12 + first * info.columns * (bytes ? 1 : 4), bytes);
    });
    // Neither appears before both are whole.
    images.close();
    labels.close();
    images.commit();
    labels.commit();
  }

 private:
  static void append_number(std::vector<std::byte>& to, std::uint32_t v) {
    for (int shift = 24; shift >= 0; shift -= 8) to.push_back(std::byte(v >> shift & 0xFF));
  }
  static std::vector<std::byte> header_bytes(bool bytes, std::initializer_list<Index> shape) {
    std::vector<std::byte> header;
    append_number(header, (bytes ? 0x0800U : 0x0D00U) + static_cast<std::uint32_t>(shape.size()));
    for (const Index n : shape) {
      if (n > std::numeric_limits<std::uint32_t>::max())
        throw ConfigError("an IDX file has at most 2^32 rows");
      append_number(header, static_cast<std::uint32_t>(n));
    }
    return header;
  }
  std::span<const std::byte> header(bool bytes, std::initializer_list<Index> shape) {
    return header_ = header_bytes(bytes, shape);
  }
  template <class Each>
  void for_values(Each&& each) const {
    std::visit(
        [&](const auto& x) {
          for (Index i = 0; i < shard_.rows(); ++i)
            each_value(x, i, [&](Index, auto v) { each(static_cast<double>(v)); });
        },
        shard_.all().inputs[0].rows);
  }
  static void write_values(SharedFile& file, Index at, bool bytes, std::span<const double> values) {
    std::vector<std::byte> packed;
    for (const double v : values) {
      if (bytes)
        packed.push_back(static_cast<std::byte>(v));
      else
        append_number(packed, std::bit_cast<std::uint32_t>(static_cast<float>(v)));
    }
    file.write(at, std::span<const std::byte>(packed));
  }
  void write_images(SharedFile& file, Index at, bool bytes) const {
    const Index d = shard_.info().columns, width = bytes ? 1 : 4;
    const Index some = std::max<Index>(1, (Index{1} << 19) / d);
    std::vector<double> values;
    std::visit(
        [&](const auto& x) {
          for (Index i = 0; i < shard_.rows(); i += some) {
            const Index count = std::min(some, shard_.rows() - i);
            values.assign(static_cast<std::size_t>(count * d), 0);
            for (Index k = 0; k < count; ++k)
              each_value(x, i + k, [&](Index j, auto v) {
                values[static_cast<std::size_t>(k * d + j)] = static_cast<double>(v);
              });
            write_values(file, at + i * d * width, bytes, values);
          }
        },
        shard_.all().inputs[0].rows);
  }

  const Communicator& comm_;
  const Shard& shard_;
  std::vector<std::byte> header_;
};

}  // namespace

void write_idx(const Communicator& comm, const Shard& shard, const std::string& path) {
  IdxWriting(comm, shard).write(path);
}

}  // namespace svrg
