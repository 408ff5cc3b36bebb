// Text data: whatever is read must be the same wherever a byte range ends.
#include <algorithm>
#include <bit>
#include <optional>

#include "data/csv.hpp"
#include "data/decompress.hpp"
#include "data/svmlight.hpp"
#include "data/text_file.hpp"
#include "svrg/core/error.hpp"
#include "targets.hpp"

namespace svrg::fuzz {
namespace {

using text::RowBlock;

std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

struct Rows {
  std::vector<double> labels, weights, values;
  std::vector<std::int32_t> indices;
  std::vector<Index> lengths;
  Index columns = 0;
};

// NaN is unequal to itself: what is compared are bits.
bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](double x, double y) {
           return std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y);
         });
}

bool same(const Rows& a, const Rows& b) {
  return same_bits(a.labels, b.labels) && same_bits(a.weights, b.weights) &&
         same_bits(a.values, b.values) && a.indices == b.indices && a.lengths == b.lengths &&
         a.columns == b.columns;
}

struct Reading {
  std::optional<Rows> rows;
  std::string error;
};

// As `ranks` ranks read it, one after the other.
template <class Parser>
Reading read(std::string_view text, const ReadOptions& options, int ranks) {
  Reading result;
  try {
    Parser parser("file", text, options);
    text::Scan total;
    for (int rank = 0; rank < ranks; ++rank)
      for (text::Blocks blocks(text::part_of_lines(parser.body(), rank, ranks)); !blocks.empty();)
        parser.scan(blocks.next(), total);
    if (total.rows == 0) return {{}, "no rows"};
    parser.settle(total);
    Rows rows;
    Index line = parser.lines_before() + 1;
    for (int rank = 0; rank < ranks; ++rank) {
      RowBlock block;
      for (text::Blocks blocks(text::part_of_lines(parser.body(), rank, ranks)); !blocks.empty();) {
        const std::string_view piece = blocks.next();
        block.clear(piece.size());
        line += parser.parse(piece, line, block);
        rows.labels.insert(rows.labels.end(), block.labels.begin(), block.labels.end());
        rows.weights.insert(rows.weights.end(), block.weights.begin(), block.weights.end());
        for (Index i = 0; i < block.rows(); ++i) {
          const auto row = static_cast<std::size_t>(i);
          const Index begin = block.starts[row], end = block.starts[row + 1];
          rows.lengths.push_back(end - begin);
          for (Index e = begin; e < end; ++e) {
            const auto index = block.indices[static_cast<std::size_t>(e)];
            rows.indices.push_back(index);
            rows.values.push_back(block.values[static_cast<std::size_t>(e)]);
            expect(index >= 0 && index < parser.columns(), "an index is within the columns");
            expect(e == begin || index > block.indices[static_cast<std::size_t>(e) - 1],
                   "indices ascend within a row");
          }
        }
      }
    }
    rows.columns = parser.columns();
    expect(static_cast<Index>(rows.labels.size()) == total.rows, "the scan counts the rows");
    result.rows = std::move(rows);
  } catch (const Error& e) {
    result.error = e.what();
  }
  return result;
}

template <class Parser>
void read_anywhere(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  const auto choice = std::to_integer<unsigned>(bytes[0]);
  ReadOptions options;
  options.labels_required = (choice & 1) == 0;
  options.allow_nonfinite = (choice & 2) != 0;
  options.index_base = (choice & 4) != 0 ? IndexBase::automatic : IndexBase::one;
  if ((choice & 8) != 0) options.columns = 5;
  if ((choice & 16) != 0) options.dtype = Storage::f32;
  if ((choice & 32) != 0) options.weight_column = "-1";
  const std::string_view text = as_text(bytes.subspan(1));
  const Reading whole = read<Parser>(text, options, 1);
  for (const int ranks : {2, 3}) {
    const Reading parts = read<Parser>(text, options, ranks);
    expect(parts.error == whole.error, "a byte range's end changes no error");
    expect(parts.rows.has_value() == whole.rows.has_value() &&
               (!parts.rows || same(*parts.rows, *whole.rows)),
           "a byte range's end changes no row");
  }
  if (!whole.rows) throw DataError(whole.error);
}

}  // namespace

void read_svmlight(std::span<const std::byte> bytes) { read_anywhere<text::SvmlightParser>(bytes); }

void read_csv(std::span<const std::byte> bytes) { read_anywhere<text::CsvParser>(bytes); }

void unpack(std::span<const std::byte> bytes) {
  constexpr std::size_t most = std::size_t{16} << 20;  // a bomb may be larger than any memory
  if (!is_compressed(as_text(bytes))) return;
  std::size_t total = 0;
  decompress(as_text(bytes), "file", [&](std::string_view piece) {
    total += piece.size();
    if (total > most) throw LimitError("file: more than is wanted here");
  });
}

}  // namespace svrg::fuzz
