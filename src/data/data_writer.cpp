#include "svrg/data/data_writer.hpp"

#include <fmt/format.h>

#include <bit>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <limits>

#include "data/decompress.hpp"
#include "data/idx_file.hpp"
#include "data/row_values.hpp"
#include "data/shared_file.hpp"
#include "data/text_file.hpp"
#include "svrg/core/error.hpp"
#include "svrg/io/document.hpp"

namespace svrg {
namespace {

static_assert(std::endian::native == std::endian::little, "arrays are written as they lie");
constexpr std::size_t text_at_once = std::size_t{4} << 20;
constexpr Index rows_at_once = 4096;

bool all_whole(const Communicator& comm, std::span<const double> values, double most) {
  Index fractions = 0;
  for (const double v : values) fractions += v != std::floor(v) || std::fabs(v) > most;
  return comm.sum(fractions) == 0;
}

// Rows as lines. Each rank formats its rows twice, to know its place before it writes.
class TextWriting {
 public:
  TextWriting(const Communicator& comm, const Shard& shard, DataFormat format, char separator)
      : comm_(comm), shard_(shard), csv_(format == DataFormat::csv), separator_(separator) {}

  void write(const std::string& path) {
    std::string head;
    if (csv_ && comm_.is_root()) head = header();
    Index size = static_cast<Index>(head.size());
    format_rows([&](std::string_view text) { size += static_cast<Index>(text.size()); });
    Index at = comm_.sum_before(size);
    SharedFile file(comm_, path);
    comm_.agree("", [&] {
      const auto put = [&](std::string_view text) {
        file.write(at, std::as_bytes(std::span(text)));
        at += static_cast<Index>(text.size());
      };
      put(head);
      format_rows(put);
    });
    file.commit();
  }

 private:
  std::string header() const {
    std::string line = "label";
    if (shard_.info().weighted) line += fmt::format("{}weight", separator_);
    const auto& names = shard_.info().feature_names;
    for (Index j = 0; j < shard_.info().columns; ++j) {
      line += separator_;
      if (names.empty()) {
        line += fmt::format("f{}", j + 1);
        continue;
      }
      line += '"';
      for (const char c : names[static_cast<std::size_t>(j)]) line.append(c == '"' ? 2 : 1, c);
      line += '"';
    }
    return line + '\n';
  }

  template <class Put>
  void format_rows(Put&& put) {
    std::string text;
    std::visit(
        [&](const auto& x) {
          for (Index i = 0; i < shard_.rows(); ++i) {
            append_row(x, i, text);
            if (text.size() < text_at_once) continue;
            put(std::string_view(text));
            text.clear();
          }
        },
        shard_.all().inputs[0].rows);
    put(std::string_view(text));
  }

  template <class X>
  void append_row(const X& x, Index i, std::string& text) {
    auto out = std::back_inserter(text);
    const auto row = static_cast<std::size_t>(i);
    fmt::format_to(out, "{}", shard_.labels()[row]);
    if (!csv_) {
      each_value(x, i, [&](Index j, auto v) {
        if (v != 0) fmt::format_to(out, " {}:{}", j + 1, v);
      });
    } else {
      if (shard_.info().weighted) fmt::format_to(out, "{}{}", separator_, shard_.weights()[row]);
      Index next = 0;
      const auto zeros = [&](Index to) {
        for (; next < to; ++next) text.append({separator_, '0'});
      };
      each_value(x, i, [&](Index j, auto v) {
        zeros(j);
        fmt::format_to(out, "{}{}", separator_, v);
        ++next;
      });
      zeros(x.columns);
    }
    text += '\n';
  }

  const Communicator& comm_;
  const Shard& shard_;
  bool csv_;
  char separator_;
};

io::Variable reserved(Array::Data type, std::vector<Index> shape, std::vector<std::string> axes,
                      const char* long_name) {
  io::Variable variable;
  variable.data = {std::move(shape), std::move(type)};
  variable.axes = std::move(axes);
  variable.long_name = long_name;
  variable.reserved = true;
  return variable;
}

class Hdf5Writing {
 public:
  Hdf5Writing(const Communicator& comm, const Shard& shard, const DataNotes& notes)
      : comm_(comm), shard_(shard), notes_(notes) {}

  void write(const std::string& path) {
    const DataInfo& info = shard_.info();
    whole_labels_ = all_whole(comm_, shard_.labels(), std::numeric_limits<std::int32_t>::max());
    const Index stored =
        std::visit([](const auto& x) { return entries(x); }, shard_.all().inputs[0].rows);
    first_row_ = comm_.sum_before(shard_.rows());
    first_entry_ = comm_.sum_before(stored);
    const io::Document document = describe(comm_.sum(stored));
    std::map<std::string, Index> places;
    SharedFile file(comm_, path, [&](const std::string& temporary) {
      places = io::to_file(document, temporary);
    });
    std::vector<Index> at;
    for (const auto& [name, variable] : document.variables)
      if (variable.reserved) at.push_back(comm_.is_root() ? places.at(name) : 0);
    comm_.broadcast(std::span(at));
    std::size_t next = 0;
    for (const auto& [name, variable] : document.variables)
      if (variable.reserved) places[name] = at[next++];
    comm_.agree("", [&] {
      std::visit([&](const auto& x) { write_rows(file, places, x); }, shard_.all().inputs[0].rows);
      if (whole_labels_) {
        const std::vector<std::int32_t> labels(shard_.labels().begin(), shard_.labels().end());
        file.write(places["y"] + first_row_ * 4, std::span<const std::int32_t>(labels));
      } else {
        file.write(places["y"] + first_row_ * 8, shard_.labels());
      }
      if (info.weighted) file.write(places["weight"] + first_row_ * 8, shard_.weights());
    });
    file.commit();
  }

 private:
  template <class T>
  static Index entries(const DenseRows<T>&) {
    return 0;
  }
  template <class T>
  static Index entries(const CsrRows<T>& x) {
    return x.rows > 0 ? x.starts[x.rows] : 0;
  }

  io::Document describe(Index stored) const {
    const DataInfo& info = shard_.info();
    io::Document document;
    document.attributes = io::root_attributes("svrg-data", "rows of " + notes_.source);
    document.attributes["n_rows"] = info.rows;
    document.attributes["n_features"] = info.columns;
    document.attributes["storage"] = std::string(shard_.sparse() ? "csr" : "dense");
    if (notes_.scaling.empty())
      document.attributes["fingerprint"] = fmt::format("{:016x}", info.fingerprint);
    auto& variables = document.variables;
    const bool floats =
        std::visit([]<class X>(const X&) { return std::is_same_v<typename X::Value, float>; },
                   shard_.all().inputs[0].rows);
    const Array::Data type = floats ? Array::Data(std::vector<float>()) : std::vector<double>();
    if (shard_.sparse()) {
      document.groups["X"] = {{"encoding-type", std::string("csr_matrix")},
                              {"encoding-version", std::string("0.1.0")},
                              {"shape", std::vector<std::int64_t>{info.rows, info.columns}}};
      variables["X/data"] = reserved(type, {stored}, {"entry"}, "values of the entries");
      variables["X/indices"] =
          reserved(std::vector<std::int32_t>(), {stored}, {"entry"}, "column of the entry, from 0");
      variables["X/indptr"] = reserved(std::vector<std::int64_t>(), {info.rows + 1}, {"pointer"},
                                       "where a row's entries begin");
    } else {
      variables["X"] = reserved(type, {info.rows, info.columns}, {"row", "feature"}, "features");
    }
    variables["y"] =
        reserved(whole_labels_ ? Array::Data(std::vector<std::int32_t>()) : std::vector<double>(),
                 {info.rows}, {"row"}, "label");
    if (info.weighted)
      variables["weight"] = reserved(std::vector<double>(), {info.rows}, {"row"}, "weight");
    if (!info.feature_names.empty())
      variables["feature_name"] = {Array::vector(std::vector<std::string>(info.feature_names)),
                                   {"feature"},
                                   "name of the feature",
                                   "",
                                   {}};
    for (const auto& [name, values] :
         {std::pair("mean", &notes_.scaling.mean), std::pair("scale", &notes_.scaling.scale)})
      if (!values->empty())
        variables[std::string("preprocess/") + name] = {
            Array::vector(std::vector<double>(*values)),
            {"feature"},
            std::string(name) + " of the column: rows are (x - mean) / scale",
            "",
            {}};
    return document;
  }

  template <class T>
  void write_rows(SharedFile& file, std::map<std::string, Index>& places,
                  const DenseRows<T>& x) const {
    const auto size = static_cast<std::size_t>(x.rows * x.columns);
    file.write(places["X"] + first_row_ * x.columns * static_cast<Index>(sizeof(T)),
               std::span<const T>(x.data, size));
  }
  template <class T>
  void write_rows(SharedFile& file, std::map<std::string, Index>& places,
                  const CsrRows<T>& x) const {
    const auto size = static_cast<std::size_t>(entries(x));
    file.write(places["X/data"] + first_entry_ * static_cast<Index>(sizeof(T)),
               std::span<const T>(x.values, size));
    file.write(places["X/indices"] + first_entry_ * 4,
               std::span<const std::int32_t>(x.indices, size));
    // Each rank writes the ends of its rows; root the 0 that comes before all.
    if (comm_.is_root()) {
      const Index zero = 0;
      file.write(places["X/indptr"], std::span(&zero, 1));
    }
    std::vector<Index> ends;
    for (Index i = 0; i < x.rows; i += rows_at_once) {
      ends.clear();
      for (Index k = i; k < std::min(i + rows_at_once, x.rows); ++k)
        ends.push_back(first_entry_ + x.starts[k + 1]);
      file.write(places["X/indptr"] + (first_row_ + i + 1) * 8, std::span<const Index>(ends));
    }
  }

  const Communicator& comm_;
  const Shard& shard_;
  const DataNotes& notes_;
  bool whole_labels_ = false;
  Index first_row_ = 0, first_entry_ = 0;
};

bool ends_with(const std::string& path, std::initializer_list<std::string_view> suffixes) {
  std::string low = path;
  for (char& c : low) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const auto suffix : suffixes)
    if (low.ends_with(suffix)) return true;
  return false;
}

}  // namespace

DataFormat format_of_suffix(const std::string& path) {
  const std::string name = std::filesystem::path(path).filename().string();
  if (without_compression_suffix(path) != path)
    throw ConfigError(path + ": compressed files are read, not written; compress it afterwards");
  if (ends_with(name, {".h5", ".hdf5"})) return DataFormat::hdf5;
  if (ends_with(name, {".svm", ".svmlight", ".libsvm"})) return DataFormat::svmlight;
  if (ends_with(name, {".csv", ".tsv"})) return DataFormat::csv;
  if (is_idx(path)) return DataFormat::idx;
  throw ConfigError(path + ": no known suffix; data go to .h5, .svm, .csv, .tsv or …-images-idx…");
}

std::vector<std::string> files_of(const std::string& path, DataFormat format) {
  if (format != DataFormat::idx || labels_beside(path) == path) return {path};
  return {path, labels_beside(path)};
}

void write_data(const Communicator& comm, const Shard& shard, const std::string& path,
                DataFormat format, const DataNotes& notes) {
  const bool text = format == DataFormat::svmlight || format == DataFormat::csv;
  comm.agree("", [&] {
    if (shard.info().weighted && format != DataFormat::hdf5 && format != DataFormat::csv)
      throw ConfigError(path + ": this format has no place for the weights; use .h5 or .csv");
    if (const Index columns = shard.info().columns;
        format == DataFormat::csv && columns > text::longest_line / 2)
      throw LimitError(
          fmt::format("{}: a line of {} columns is longer than any reader takes; use "
                      ".h5 or .svm",
                      path, columns));
  });
  if (text)
    TextWriting(comm, shard, format, ends_with(path, {".tsv"}) ? '\t' : ',').write(path);
  else if (format == DataFormat::idx)
    write_idx(comm, shard, path);
  else
    Hdf5Writing(comm, shard, notes).write(path);
}

}  // namespace svrg
