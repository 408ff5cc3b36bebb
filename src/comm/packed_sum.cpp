#include "svrg/comm/packed_sum.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "svrg/comm/two_bit.hpp"
#include "svrg/core/error.hpp"

namespace svrg {
namespace {

using Kind = Compression::Kind;
using Half = Eigen::half;

constexpr Index words_for(Index values, Index in_a_word) {
  return (values + in_a_word - 1) / in_a_word;
}

Index bytes_of(const Compression& c, Index values) {
  constexpr Index word = sizeof(std::uint32_t), scale = sizeof(float);
  switch (c.kind) {
    case Kind::two_bit:
      return words_for(values, 16) * word + (c.threshold > 0 ? 0 : scale);
    case Kind::one_bit:
      return words_for(values, 32) * word + scale;
    case Kind::half:
      return values * static_cast<Index>(sizeof(Half));
    case Kind::none:
      break;
  }
  SVRG_EXPECT(false, "a packed sum packs");
  return 0;
}

template <class Real>
float mean_size(std::span<const Real> values) {
  double sum = 0;
  for (const Real v : values) sum += std::abs(static_cast<double>(v));
  return values.empty() ? 0 : static_cast<float>(sum / static_cast<double>(values.size()));
}

template <class Real>
Half to_half(Real value) {
  constexpr float most = 65504;  // the largest
  return Half(std::clamp(static_cast<float>(value), -most, most));
}

}  // namespace

Compression Compression::of(std::string_view text) {
  const auto fail = [&] {
    throw ConfigError("must be none, 1bit, fp16, 2bit or 2bit:THRESHOLD such as 2bit:0.5, got '" +
                      std::string(text) + "'");
  };
  if (text == "none") return {};
  if (text == "1bit") return {Kind::one_bit, 0};
  if (text == "fp16") return {Kind::half, 0};
  constexpr std::string_view name = "2bit";
  if (!text.starts_with(name)) fail();
  Compression c{Kind::two_bit, 0};
  text.remove_prefix(name.size());
  if (text.empty()) return c;
  const auto [end, error] =
      std::from_chars(text.data() + 1, text.data() + text.size(), c.threshold);
  if (text[0] != ':' || error != std::errc() || end != text.data() + text.size() ||
      !(c.threshold > 0) || !std::isfinite(c.threshold))
    fail();
  return c;
}

Index packed_bytes(const Compression& compression, const ParameterLayout& layout) {
  Index bytes = 0;
  for (const Parameter& p : layout.all()) bytes += bytes_of(compression, p.size);
  return bytes;
}

template <class Real>
PackedSum<Real>::PackedSum(const Communicator& comm, Compression compression,
                           const ParameterLayout& layout, Index owned)
    : comm_(comm), compression_(compression), size_(layout.size()) {
  for (const Parameter& p : layout.all()) segments_.emplace_back(p.offset, p.size);
  message_bytes_ = packed_bytes(compression_, layout);
  owned_ = comm.gather(std::span<const Index>(&owned, 1));
  values_.assign(static_cast<std::size_t>(owned * size_), 0);
  residuals_ = values_;
  total_.assign(static_cast<std::size_t>(size_), 0);
}

template <class Real>
void PackedSum<Real>::start(Index values, Index tail, bool, const Support* support) {
  SVRG_EXPECT(values == size_ && !support, "a packed sum is of the layout's parameters");
  std::fill(values_.begin(), values_.end(), Real{0});
  tail_.assign(static_cast<std::size_t>(tail), 0);
}

template <class Real>
std::span<Real> PackedSum<Real>::values(Index s) {
  return std::span(values_).subspan(static_cast<std::size_t>(s * size_),
                                    static_cast<std::size_t>(size_));
}

template <class Real>
void PackedSum<Real>::encode(Index s, std::byte* to) {
  const auto put = [&](const auto* from, std::size_t count) {
    const std::size_t bytes = count * sizeof *from;
    std::memcpy(to, from, bytes);
    to += bytes;
  };
  for (const auto& [offset, count] : segments_) {
    const auto n = static_cast<std::size_t>(count);
    const std::span<Real> value = values(s).subspan(static_cast<std::size_t>(offset), n);
    const std::span<Real> rest(residuals_.data() + s * size_ + offset, n);
    for (std::size_t i = 0; i < n; ++i)
      if (!std::isfinite(rest[i] + value[i])) rest[i] = value[i] = 0;
    if (compression_.kind == Kind::two_bit && compression_.threshold > 0) {
      encode_two_bit<Real>(value, rest, compression_.threshold, words_);
      put(words_.data(), words_.size());
      continue;
    }
    for (std::size_t i = 0; i < n; ++i) rest[i] += value[i];
    if (compression_.kind == Kind::half) {
      for (Real& r : rest) {
        const Half h = to_half(r);
        put(&h, 1);
        r -= static_cast<Real>(static_cast<float>(h));
      }
      continue;
    }
    const float scale = mean_size<Real>(rest);
    put(&scale, 1);
    if (compression_.kind == Kind::one_bit) {
      words_.assign(static_cast<std::size_t>(words_for(count, 32)), 0);
      for (std::size_t i = 0; i < n; ++i) {
        const bool positive = rest[i] >= 0;
        if (positive) words_[i / 32] |= std::uint32_t{1} << (i % 32);
        rest[i] -= static_cast<Real>(positive ? scale : -scale);
      }
    } else if (scale > 0) {
      std::fill(value.begin(), value.end(), Real{0});  // it is in `rest` already
      encode_two_bit<Real>(value, rest, scale, words_);
    } else {
      words_.assign(static_cast<std::size_t>(words_for(count, 16)), 0);
    }
    put(words_.data(), words_.size());
  }
}

template <class Real>
void PackedSum<Real>::add(const std::byte* from) {
  const auto take = [&](auto* to, std::size_t count) {
    const std::size_t bytes = count * sizeof *to;
    std::memcpy(to, from, bytes);
    from += bytes;
  };
  for (const auto& [offset, count] : segments_) {
    const auto n = static_cast<std::size_t>(count);
    const std::span<Real> sum = std::span(total_).subspan(static_cast<std::size_t>(offset), n);
    if (compression_.kind == Kind::half) {
      for (Real& v : sum) {
        Half h;
        take(&h, 1);
        v += static_cast<Real>(static_cast<float>(h));
      }
      continue;
    }
    float scale = 0;
    const bool fixed = compression_.kind == Kind::two_bit && compression_.threshold > 0;
    if (!fixed) take(&scale, 1);
    const bool bits = compression_.kind == Kind::one_bit;
    words_.resize(static_cast<std::size_t>(words_for(count, bits ? 32 : 16)));
    take(words_.data(), words_.size());
    if (!bits) {
      add_two_bit<Real>(words_, fixed ? compression_.threshold : scale, sum);
      continue;
    }
    for (std::size_t i = 0; i < n; ++i)
      sum[i] += static_cast<Real>((words_[i / 32] >> (i % 32) & 1u) != 0 ? scale : -scale);
  }
}

template <class Real>
void PackedSum<Real>::reduce() {
  const auto tail_bytes = static_cast<Index>(tail_.size() * sizeof(double));
  const auto mine = static_cast<std::size_t>(comm_.rank());
  mine_.resize(static_cast<std::size_t>(owned_[mine] * message_bytes_ + tail_bytes));
  for (Index s = 0; s < owned_[mine]; ++s) encode(s, mine_.data() + s * message_bytes_);
  if (tail_bytes > 0)
    std::memcpy(mine_.data() + owned_[mine] * message_bytes_, tail_.data(),
                static_cast<std::size_t>(tail_bytes));
  lengths_.clear();
  for (const Index owned : owned_) lengths_.push_back(owned * message_bytes_ + tail_bytes);
  comm_.gather(std::span<const std::byte>(mine_), lengths_, all_);
  std::fill(total_.begin(), total_.end(), Real{0});
  total_tail_.assign(tail_.size(), 0);
  const std::byte* at = all_.data();
  for (const Index owned : owned_) {
    for (Index s = 0; s < owned; ++s, at += message_bytes_) add(at);
    for (double& v : total_tail_) {
      double of_rank = 0;
      std::memcpy(&of_rank, at, sizeof of_rank);
      v += of_rank;
      at += sizeof of_rank;
    }
  }
}

template <class Real>
std::vector<Real> PackedSum<Real>::residuals() const {
  std::vector<Index> lengths;
  for (const Index owned : owned_)
    lengths.push_back(owned * size_ * static_cast<Index>(sizeof(Real)));
  std::vector<std::byte> bytes;
  comm_.gather(std::as_bytes(std::span(residuals_)), lengths, bytes);
  std::vector<Real> all(bytes.size() / sizeof(Real));
  if (!all.empty()) std::memcpy(all.data(), bytes.data(), bytes.size());
  return all;
}

template <class Real>
void PackedSum<Real>::forget() {
  std::fill(residuals_.begin(), residuals_.end(), Real{0});
}

template <class Real>
void PackedSum<Real>::set_residuals(std::span<const Real> all) {
  Index shards = 0, before = 0;
  for (std::size_t r = 0; r < owned_.size(); ++r) {
    shards += owned_[r];
    if (static_cast<int>(r) < comm_.rank()) before += owned_[r];
  }
  if (static_cast<Index>(all.size()) != shards * size_)
    throw DataError("the residuals of the checkpoint's compression are of other virtual shards");
  std::copy_n(all.data() + before * size_, residuals_.size(), residuals_.begin());
}

template class PackedSum<float>;
template class PackedSum<double>;

}  // namespace svrg
