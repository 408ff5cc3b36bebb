// Two passes over this rank's part of the file. The first only counts, so that the second can put
// every row where it stays. Between two collectives nothing is thrown: what goes wrong on one rank
// is kept until all ranks can throw the same.
#include "svrg/data/text_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <exception>

#include "data/csv.hpp"
#include "data/decompress.hpp"
#include "data/distribute.hpp"
#include "data/fingerprint.hpp"
#include "data/number_parse.hpp"
#include "data/svmlight.hpp"
#include "data/text_file.hpp"
#include "svrg/core/error.hpp"

namespace svrg {
namespace {

using namespace text;

// Text of one exchange: large enough that its latency is nothing, small beside any shard.
constexpr Index round_bytes = Index{4} << 20;
// Read pages are given back this often.
constexpr Index forget_bytes = Index{8} << 20;

bool has_suffix(const std::string& path, std::initializer_list<std::string_view> suffixes) {
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  return std::any_of(suffixes.begin(), suffixes.end(), [&](std::string_view s) {
    return path.size() >= s.size() &&
           std::equal(s.begin(), s.end(), path.end() - static_cast<std::ptrdiff_t>(s.size()),
                      [&](char b, char a) { return same(a, b); });
  });
}

// A line of svmlight has digits and a colon at the start of some token; CSV has several fields.
bool looks_svmlight(std::string_view line) {
  for (std::size_t colon = line.find(':'); colon != std::string_view::npos;
       colon = line.find(':', colon + 1)) {
    std::size_t begin = colon;
    while (begin > 0 && is_digit(line[begin - 1])) --begin;
    const bool query = colon >= 3 && line.substr(colon - 3, 3) == "qid";
    if (query) begin = colon - 3;
    if (begin != colon && (begin == 0 || is_delimiter(line[begin - 1]))) return true;
  }
  return false;
}

DataFormat find_format(const std::string& given, std::string_view text) {
  const std::string path = without_compression_suffix(given);
  if (has_suffix(path, {".csv", ".tsv"})) return DataFormat::csv;
  if (has_suffix(path, {".svm", ".svmlight", ".libsvm"})) return DataFormat::svmlight;
  const auto head = head_lines(text, 20);
  if (std::any_of(head.begin(), head.end(),
                  [](const HeadLine& l) { return looks_svmlight(l.text); }))
    return DataFormat::svmlight;
  const auto several_fields = [](const HeadLine& l) {
    const std::size_t last = l.text.find_last_not_of(" \t\r");
    const std::string_view content = l.text.substr(0, last + 1);
    return content.find_first_of(",; \t", content.find_first_not_of(" \t")) != content.npos;
  };
  return std::any_of(head.begin(), head.end(), several_fields) ? DataFormat::csv
                                                               : DataFormat::svmlight;
}

std::unique_ptr<TextParser> make_parser(const std::string& path, std::string_view text,
                                        const ReadOptions& options) {
  const auto format =
      options.format == DataFormat::automatic ? find_format(path, text) : options.format;
  if (format == DataFormat::csv) return std::make_unique<CsvParser>(path, text, options);
  if (!options.weight_column.empty() || !options.label_column.empty())
    throw ConfigError(path +
                      ": svmlight has no columns for --label-column, --weight-column; weights "
                      "may stand in a file of their own (--weights)");
  return std::make_unique<SvmlightParser>(path, text, options);
}

// One rank's reading; the steps are those of read_text.
class Reading {
 public:
  Reading(const Communicator& comm, const std::string& path, const ReadOptions& options)
      : comm_(comm), path_(path), options_(options) {}

  void open();
  void scan();
  void prepare();
  void read();
  Shard finish();

 private:
  void parse_some(Index bytes, bool keep);
  void agree_on_errors(const std::exception_ptr& broken);
  [[noreturn]] void fail_changed() const {
    throw DataError(fmt::format("{}: the file changed while it was read", path_));
  }
  bool dense() const;

  const Communicator& comm_;
  const std::string& path_;
  const ReadOptions& options_;
  std::optional<TextFile> file_;
  std::unique_ptr<TextParser> parser_;
  std::string_view part_;             // this rank's lines
  Index next_row_ = 0, end_row_ = 0;  // this rank's rows of the data set that are still to be read
  Index line_ = 0;                    // of the file, from 1
  std::vector<std::int32_t> lengths_;
  Scan total_;  // of the whole file
  std::optional<Partition> partition_;
  std::unique_ptr<Distributor> distributor_;
  std::optional<Blocks> blocks_;
  RowBlock block_;
  Fingerprint fingerprint_;
};

void Reading::open() {
  comm_.agree("", [&] { file_.emplace(path_); });
  if (comm_.max(Index{file_->compressed()}) != 0) file_->unpack(comm_, options_.max_memory);
  const std::string_view text = file_->text();
  const auto size = static_cast<Index>(text.size()), largest = comm_.max(size);
  comm_.agree("", [&] {
    if (size != largest)
      throw DataError(
          fmt::format("{}: {} bytes on rank {}, but {} on another; do all nodes see "
                      "the same, finished file?",
                      path_, size, comm_.rank(), largest));
    parser_ = make_parser(path_, text, options_);
  });
  part_ = part_of_lines(parser_->body(), comm_.rank(), comm_.size());
}

void Reading::scan() {
  Scan mine;
  comm_.agree("", [&] {
    Index read = 0;
    for (Blocks blocks(part_); !blocks.empty();) {
      const std::string_view block = blocks.next();
      parser_->scan(block, mine);
      read += static_cast<Index>(block.size());
      if (read % forget_bytes < static_cast<Index>(block.size())) blocks.forget_read();
    }
  });
  line_ = parser_->lines_before() + comm_.sum_before(mine.lines) + 1;
  next_row_ = comm_.sum_before(mine.rows);
  end_row_ = next_row_ + mine.rows;
  lengths_ = std::move(mine.lengths);
  total_.rows = comm_.sum(mine.rows);
  total_.entries = comm_.sum(mine.entries);
  total_.largest_index = comm_.max(mine.largest_index);
  total_.zero_index = comm_.max(Index{mine.zero_index}) != 0;
  if (total_.rows == 0) throw CollectiveError(ExitCode::data, 0, fmt::format("{}: no rows", path_));
  parser_->settle(total_);
}

bool Reading::dense() const {
  const double cells = static_cast<double>(total_.rows) * static_cast<double>(parser_->columns());
  return cells > 0 && static_cast<double>(total_.entries) >=
                          options_.dense_from.value_or(parser_->dense_from()) * cells;
}

void Reading::prepare() {
  partition_.emplace(total_.rows, options_.shards(comm_.size()), options_.row_order);
  if (options_.balance == Balance::entries)
    partition_ = balanced(comm_, *partition_, {next_row_}, lengths_);
  comm_.agree("", [&] {
    distributor_ = make_distributor(comm_, *partition_, parser_->columns(), dense(),
                                    options_.dtype == Storage::f32, parser_->weighted());
  });
  distributor_->announce({next_row_}, lengths_);
  std::vector<std::int32_t>().swap(lengths_);  // no longer needed: give the memory back
  comm_.agree("", [&] {
    constexpr double mib = 1 << 20;
    const Index needed = distributor_->bytes_needed() + file_->unpacked_bytes();
    const auto refuse = [&](const std::string& limit) {
      throw LimitError(fmt::format(
          "{}: {} rows of {} features need {:.1f} MiB on rank {}, but {}; use more ranks", path_,
          total_.rows, parser_->columns(), static_cast<double>(needed) / mib, comm_.rank(), limit));
    };
    if (options_.max_memory > 0 && needed > options_.max_memory)
      refuse(fmt::format("--max-memory allows {:.1f} MiB",
                         static_cast<double>(options_.max_memory) / mib));
    try {
      distributor_->allocate();
    } catch (const std::bad_alloc&) {
      refuse("the system has less");
    } catch (const std::length_error&) {
      refuse("no machine has as much");
    }
  });
}

void Reading::parse_some(Index bytes, bool keep) {
  while (bytes > 0 && !blocks_->empty()) {
    const std::string_view block = blocks_->next();
    bytes -= static_cast<Index>(block.size());
    if (static_cast<Index>(block.size()) > longest_line)
      throw DataError(fmt::format("{}:{}:1: line longer than {} MiB; is this a text file?", path_,
                                  line_, longest_line >> 20));
    block_.clear(block.size());
    line_ += parser_->parse(block, line_, block_);
    if (!keep) continue;
    if (block_.rows() > end_row_ - next_row_) fail_changed();
    for (Index i = 0; i < block_.rows(); ++i) {
      const auto row = static_cast<std::size_t>(i);
      const auto start = static_cast<std::size_t>(block_.starts[row]);
      const auto count = static_cast<std::size_t>(block_.starts[row + 1]) - start;
      fingerprint_.add(next_row_ + i, block_.labels[row],
                       block_.weights.empty() ? 1 : block_.weights[row],
                       std::span(block_.indices).subspan(start, count),
                       std::span(block_.values).subspan(start, count));
    }
    distributor_->add({next_row_}, block_);
    next_row_ += block_.rows();
  }
  blocks_->forget_read();
}

// The first broken line of the file is that of the lowest rank that has one. A rank that is not yet
// through while a later one has failed reads on, since it may hold an earlier one.
void Reading::agree_on_errors(const std::exception_ptr& broken) {
  const Index ranks = comm_.size(), rank = comm_.rank();
  const Index lowest = ranks - comm_.max(broken ? ranks - rank : Index{0});
  if (lowest == ranks) return;
  comm_.agree("", [&] {
    if (broken) std::rethrow_exception(broken);
    if (rank < lowest) parse_some(static_cast<Index>(part_.size()), false);
  });
}

void Reading::read() {
  blocks_.emplace(part_);
  const auto size = static_cast<Index>(part_.size());
  const Index rounds = comm_.max((size + round_bytes - 1) / round_bytes);
  for (Index round = 0; round < rounds; ++round) {
    std::exception_ptr broken;
    try {
      parse_some(round_bytes, true);
    } catch (...) {
      broken = std::current_exception();
    }
    agree_on_errors(broken);
    distributor_->deliver();
  }
  comm_.agree("", [&] {
    if (next_row_ != end_row_) fail_changed();
  });
}

Shard Reading::finish() {
  auto result = distributor_->finish();
  DataInfo info;
  info.path = path_;
  info.rows = total_.rows;
  info.columns = parser_->columns();
  info.nonzeros = comm_.sum(fingerprint_.nonzeros());
  info.weighted = parser_->weighted();
  info.feature_names = parser_->feature_names();
  info.fingerprint = static_cast<std::uint64_t>(comm_.sum(static_cast<Index>(fingerprint_.sum())));
  return {std::move(info),
          *partition_,
          comm_.rank(),
          comm_.size(),
          std::move(result.store),
          std::move(result.labels),
          std::move(result.weights)};
}

}  // namespace

Shard read_text(const Communicator& comm, const std::string& path, const ReadOptions& options) {
  Reading reading(comm, path, options);
  reading.open();
  reading.scan();
  reading.prepare();
  reading.read();
  return reading.finish();
}

}  // namespace svrg
