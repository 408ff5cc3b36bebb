// What h5py, AnnData, pandas' users and we write, found by a few names.
#include "data/hdf5_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <numeric>

#include "io/attribute_read.hpp"
#include "svrg/core/error.hpp"
#include "svrg/core/suggest.hpp"

namespace svrg {
namespace {

using io::checked;
using io::Handle;

constexpr std::array<unsigned char, 8> signature = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};

herr_t add_name(hid_t, const char* name, const H5L_info_t*, void* out) {
  try {
    static_cast<std::vector<std::string>*>(out)->emplace_back(name);
    return 0;
  } catch (...) {  // an exception must not cross HDF5's C frames
    return -1;
  }
}

double number_attribute(hid_t object, const char* name, double otherwise) {
  if (checked(H5Aexists(object, name), "look for an attribute") == 0) return otherwise;
  const Handle attribute(H5Aopen(object, name, H5P_DEFAULT), H5Aclose, "open an attribute");
  const Handle space(H5Aget_space(attribute), H5Sclose, "open an attribute");
  if (std::vector<Index> shape; io::count_elements(space, &shape) != 1) return otherwise;
  double value = otherwise;
  checked(H5Aread(attribute, H5T_NATIVE_DOUBLE, &value), "read an attribute");
  return value;
}

Handle open_file(const std::string& path) {
  io::prepare_hdf5();
  if (std::ifstream file(path); !file)
    throw DataError(fmt::format("cannot read {}: {}", path, std::strerror(errno)));  // NOLINT
  return {H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose,
          "cannot read " + path + " as HDF5"};
}

}  // namespace

bool is_hdf5(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  for (const std::streamoff at : {0, 512}) {
    std::array<char, signature.size()> head = {};
    file.seekg(at);
    if (file.read(head.data(), head.size()) &&
        std::memcmp(head.data(), signature.data(), head.size()) == 0)
      return true;
  }
  return false;
}

Hdf5File::Hdf5File(const std::string& path, const ReadOptions& options)
    : path_(path), allow_nonfinite_(options.allow_nonfinite), file_(open_file(path)) {
  if (!options.label_column.empty())
    throw ConfigError(path_ + ": --label-column is for CSV; HDF5 takes --y-name");
  const std::string format = io::read_text_attribute(file_, "format").value_or("");
  const bool own = format == "svrg-data";
  if (!own && format.starts_with("svrg-")) fail("this is an " + format + " file; it holds no rows");
  if (own) {
    const std::string version = io::read_text_attribute(file_, "format_version").value_or("");
    if (!version.starts_with("1."))
      fail(fmt::format("its data format is version '{}', this program reads 1.x", version));
  }
  x_ = found(options.x_name, "--x-name", {"X", "data", "x", "features"});
  open_rows(x_, options);
  if (rows_ > Index{1} << 40) fail(fmt::format("{} rows are more than 2^40", rows_));
  if (columns_ > options.max_columns)
    fail(fmt::format("{} columns; --max-features allows {}", columns_, options.max_columns));
  if (columns_ > std::numeric_limits<std::int32_t>::max())
    fail(fmt::format("{} columns are more than 2^31 - 1", columns_));
  if (options.columns && *options.columns != columns_)
    fail(fmt::format("{} columns, {} were expected", columns_, *options.columns));
  if (options.labels_required || !options.y_name.empty()) {
    open_labels(found(options.y_name, "--y-name", {"y", "label", "labels", "target", "targets"}),
                own);
  } else {
    // Labels that are not asked for are taken where they are numbers of these rows.
    for (const char* usual : {"y", "label", "labels"}) {
      if (labels_ || !has(usual) || is_group(usual)) continue;
      try {
        open_labels(usual, own);
      } catch (const DataError&) {
        labels_.reset();
        label_of_code_.clear();
      }
    }
  }
  std::string weight = options.weight_column;
  if (weight.empty() && own && has("weight")) weight = "weight";
  if (!weight.empty()) weights_.emplace(open_vector(found(weight, "--weight-column", {})));
  if (has("feature_name")) {
    feature_names_ = strings("feature_name");
    if (static_cast<Index>(feature_names_.size()) != columns_) feature_names_.clear();
  }
}

void Hdf5File::fail(const std::string& what) const { throw DataError(path_ + ": " + what); }

bool Hdf5File::has(const std::string& object) const {
  // HDF5 asks for every link on the way by itself.
  for (std::size_t slash = object.find('/', 1);; slash = object.find('/', slash + 1)) {
    if (H5Lexists(file_, object.substr(0, slash).c_str(), H5P_DEFAULT) <= 0) return false;
    if (slash == std::string::npos) break;
  }
  return H5Oexists_by_name(file_, object.c_str(), H5P_DEFAULT) > 0;
}

bool Hdf5File::is_group(const std::string& object) const {
  const Handle opened(H5Oopen(file_, object.c_str(), H5P_DEFAULT), H5Oclose, path_ + ": open");
  return H5Iget_type(opened) == H5I_GROUP;
}

std::string Hdf5File::found(const std::string& given, const char* option,
                            std::initializer_list<const char*> usual) const {
  if (!given.empty() && has(given)) return given;
  if (given.empty())
    for (const char* name : usual)
      if (has(name)) return name;
  std::vector<std::string> there;
  checked(H5Literate(file_, H5_INDEX_NAME, H5_ITER_INC, nullptr, add_name, &there),
          "list " + path_);
  const std::string names = fmt::format("{}", fmt::join(there, ", "));
  if (!given.empty())
    fail(fmt::format("there is no '{}'{}; the file has {}", given, did_you_mean(given, there),
                     names));
  fail(fmt::format("none of {} is there; the file has {}; {} says which to take",
                   fmt::join(usual, ", "), names, option));
}

Handle Hdf5File::open_numbers(const std::string& object) const {
  if (is_group(object)) fail("'" + object + "' is a group, not a dataset");
  Handle dataset(H5Dopen2(file_, object.c_str(), H5P_DEFAULT), H5Dclose,
                 path_ + ": open " + object);
  const Handle type(H5Dget_type(dataset), H5Tclose, path_ + ": type of " + object);
  const H5T_class_t kind = H5Tget_class(type);
  if (kind == H5T_STRING)
    fail("'" + object + "' holds text; numbers are needed: number its values, 0, 1, …");
  if (kind != H5T_INTEGER && kind != H5T_FLOAT && kind != H5T_ENUM)
    fail("'" + object + "' does not hold numbers");
  return dataset;
}

std::vector<Index> Hdf5File::shape_of(const std::string& object, hid_t dataset) const {
  const Handle space(H5Dget_space(dataset), H5Sclose, path_ + ": shape of " + object);
  std::vector<Index> shape;
  io::count_elements(space, &shape);
  return shape;
}

Hdf5File::Vector Hdf5File::open_vector(const std::string& object) const {
  Vector vector{object, open_numbers(object)};
  std::vector<Index> shape = shape_of(object, vector.dataset);
  if (shape.size() == 2 && shape[1] == 1) shape.pop_back();
  if (shape.size() != 1 || shape[0] != rows_)
    fail(fmt::format("'{}' has shape ({}); one value for each of the {} rows of '{}' is needed",
                     object, fmt::join(shape, ", "), rows_, x_));
  return vector;
}

std::vector<std::string> Hdf5File::strings(const std::string& object) const {
  const std::string task = path_ + ": read " + object;
  const Handle dataset(H5Dopen2(file_, object.c_str(), H5P_DEFAULT), H5Dclose, task);
  const Handle type(H5Dget_type(dataset), H5Tclose, task);
  const Handle space(H5Dget_space(dataset), H5Sclose, task);
  std::vector<Index> shape;
  const std::size_t count = io::count_elements(space, &shape);
  if (H5Tget_class(type) != H5T_STRING) fail("'" + object + "' does not hold text");
  if (checked(H5Tis_variable_str(type), task) == 0) {
    std::vector<char> buffer(H5Tget_size(type) * count);
    if (count > 0)
      checked(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer.data()), task);
    return io::read_fixed_strings(type, count, buffer.data());
  }
  std::vector<char*> texts(count, nullptr);
  if (count > 0) checked(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts.data()), task);
  std::vector<std::string> values;
  values.reserve(count);
  for (const char* text : texts) values.emplace_back(text != nullptr ? text : "");
  checked(H5Dvlen_reclaim(type, space, H5P_DEFAULT, texts.data()), task);
  return values;
}

void Hdf5File::open_rows(const std::string& object, const ReadOptions& options) {
  if (is_group(object)) {
    open_sparse(object, options);
  } else {
    values_.emplace(open_numbers(object));
    const auto shape = shape_of(object, *values_);
    if (shape.size() < 2)
      fail(fmt::format("'{}' has {} axes; rows and columns are needed (--x-name)", object,
                       shape.size()));
    rows_ = shape[0];
    columns_ = std::accumulate(shape.begin() + 1, shape.end(), Index{1}, std::multiplies<>());
  }
  if (rows_ == 0 || columns_ == 0) fail("'" + object + "' holds no values");
  const Handle type(H5Dget_type(*values_), H5Tclose, path_ + ": type of " + object);
  scale_ = number_attribute(*values_, "scale_factor", 1);  // as CF packs numbers
  offset_ = number_attribute(*values_, "add_offset", 0);
  floats_ = scale_ == 1 && offset_ == 0 &&
            (H5Tget_class(type) == H5T_FLOAT ? H5Tget_size(type) <= 4 : H5Tget_size(type) <= 2);
}

void Hdf5File::open_sparse(const std::string& object, const ReadOptions& options) {
  const Handle group(H5Gopen2(file_, object.c_str(), H5P_DEFAULT), H5Gclose, path_ + ": open");
  const std::string encoding =
      io::read_text_attribute(group, "encoding-type").value_or("csr_matrix");
  if (encoding != "csr_matrix")
    fail(fmt::format("'{}' is a {}; rows are needed: convert it with SciPy's tocsr()", object,
                     encoding));
  for (const char* part : {"/data", "/indices", "/indptr"})
    if (!has(object + part))
      fail(fmt::format("group '{}' has no dataset '{}' of compressed sparse rows", object,
                       part + 1));
  values_.emplace(open_numbers(object + "/data"));
  indices_.emplace(open_numbers(object + "/indices"));
  indptr_.emplace(open_numbers(object + "/indptr"));
  const auto pointers = shape_of(object, *indptr_), entries = shape_of(object, *values_);
  if (pointers.size() != 1 || pointers[0] < 1 || entries.size() != 1 ||
      shape_of(object, *indices_) != entries)
    fail("'" + object + "': data and indices need one length, indptr one value a row and one more");
  rows_ = pointers[0] - 1;
  entries_ = entries[0];
  const auto attributes = io::read_attributes(group);
  std::vector<Index> shape;
  for (const char* name : {"shape", "h5sparse_shape"})
    if (const auto at = attributes.find(name); at != attributes.end())
      if (const auto* list = std::get_if<std::vector<std::int64_t>>(&at->second))
        shape.assign(list->begin(), list->end());
  if (shape.empty() && has(object + "/shape")) {
    const Handle dataset = open_numbers(object + "/shape");
    if (shape_of(object, dataset) == std::vector<Index>{2}) {
      shape.resize(2);
      read_values(object + "/shape", dataset, 0, 2, shape.data());
    }
  }
  if (shape.empty() && options.columns) shape = {rows_, *options.columns};
  if (shape.size() != 2 || shape[1] < 0)
    fail("'" + object +
         "' has no attribute 'shape' of two numbers; --n-features gives the columns");
  if (shape[0] != rows_)
    fail(fmt::format("'{}' has {} rows by its shape, {} by its indptr", object, shape[0], rows_));
  columns_ = shape[1];
}

void Hdf5File::open_labels(const std::string& object, bool own) {
  if (is_group(object)) {
    if (!has(object + "/codes") || !has(object + "/categories"))
      fail("'" + object + "' is a group without the codes and categories of labels");
    labels_.emplace(open_vector(object + "/codes"));
    use_categories(object + "/categories");
    return;
  }
  labels_.emplace(open_vector(object));
  if (own && has("class")) use_categories("class");
}

void Hdf5File::use_categories(const std::string& object) {
  const Handle dataset(H5Dopen2(file_, object.c_str(), H5P_DEFAULT), H5Dclose, path_ + ": open");
  const Handle type(H5Dget_type(dataset), H5Tclose, path_ + ": open " + object);
  if (H5Tget_class(type) != H5T_STRING) {
    const auto shape = shape_of(object, dataset);
    if (shape.size() != 1) fail("'" + object + "' is no list of labels");
    label_of_code_.resize(static_cast<std::size_t>(shape[0]));
    read_values(object, open_numbers(object), 0, shape[0], label_of_code_.data());
    return;
  }
  // Names that are numbers are those numbers; others are numbered in their order.
  const auto names = strings(object);
  std::vector<double> numbers;
  for (const auto& name : names) {
    double value = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), value);
    if (error != std::errc() || end != name.data() + name.size() || !std::isfinite(value)) break;
    numbers.push_back(value);
  }
  if (numbers.size() != names.size()) {
    numbers.resize(names.size());
    std::iota(numbers.begin(), numbers.end(), 0.0);
  }
  label_of_code_ = std::move(numbers);
}

}  // namespace svrg
