// Attributes are small, but in a damaged file nothing they say of themselves is true: sizes are
// checked before they are believed.
#include "io/attribute_read.hpp"

#include <limits>

#include <cstring>

namespace svrg::io {
namespace {

// HDF5 keeps attributes in object headers (64 KiB) or dense heaps; ours have a few elements.
constexpr std::size_t max_elements = std::size_t{1} << 20;

template <class T>
std::vector<T> read_numbers(hid_t attribute, std::size_t count) {
  std::vector<T> values(count);
  if (count > 0) checked(H5Aread(attribute, native_type<T>(), values.data()), "read an attribute");
  return values;
}

std::vector<std::string> read_strings(hid_t attribute, hid_t type, hid_t space, std::size_t count) {
  const char* task = "read an attribute's text";
  if (count == 0) return {};
  if (checked(H5Tis_variable_str(type), task) == 0) {
    const std::size_t size = H5Tget_size(type);
    std::size_t bytes = 0;
    if (size == 0 || __builtin_mul_overflow(size, count, &bytes) || bytes > (std::size_t{1} << 26))
      throw Hdf5Error("a fixed-length string attribute is too long");
    std::vector<char> buffer(bytes);
    checked(H5Aread(attribute, type, buffer.data()), task);
    return read_fixed_strings(type, count, buffer.data());
  }
  const Handle memory(H5Tcopy(type), H5Tclose, task);
  std::vector<char*> texts(count, nullptr);
  const herr_t status = H5Aread(attribute, memory, texts.data());
  std::vector<std::string> values;
  if (status >= 0)
    for (const char* text : texts) values.emplace_back(text ? text : "");
  if (status < 0) fail_hdf5(task);
  checked(H5Dvlen_reclaim(memory, space, H5P_DEFAULT, texts.data()), task);
  return values;
}

template <class T>
Attribute scalar_or_list(std::vector<T> values, bool is_list) {
  if (is_list) return values;
  if constexpr (std::is_same_v<T, std::uint8_t>)
    return std::int64_t{values.at(0)};
  else
    return values.at(0);
}

std::optional<Attribute> read_attribute(hid_t object, const char* name) {
  const std::string task = std::string("read attribute ") + name;
  const Handle attribute(H5Aopen(object, name, H5P_DEFAULT), H5Aclose, task);
  const Handle type(H5Aget_type(attribute), H5Tclose, task);
  const Handle space(H5Aget_space(attribute), H5Sclose, task);
  std::vector<Index> shape;
  const std::size_t count = count_elements(space, &shape);
  if (shape.size() > 1 || count > max_elements) return {};
  const bool is_list = !shape.empty();
  if (!is_list && count != 1) return {};  // a null space
  switch (H5Tget_class(type)) {
    case H5T_STRING:
      return scalar_or_list(read_strings(attribute, type, space, count), is_list);
    case H5T_FLOAT:
      return scalar_or_list(read_numbers<double>(attribute, count), is_list);
    case H5T_INTEGER:
      if (H5Tget_size(type) == 1 && H5Tget_sign(type) == H5T_SGN_NONE)
        return scalar_or_list(read_numbers<std::uint8_t>(attribute, count), is_list);
      return scalar_or_list(read_numbers<std::int64_t>(attribute, count), is_list);
    default:
      return {};
  }
}

herr_t add_name(hid_t, const char* name, const H5A_info_t*, void* out) {
  try {
    static_cast<std::vector<std::string>*>(out)->emplace_back(name);
    return 0;
  } catch (...) {  // an exception must not cross HDF5's C frames
    return -1;
  }
}

}  // namespace

std::vector<std::string> read_fixed_strings(hid_t type, std::size_t count, const char* bytes) {
  const std::size_t size = H5Tget_size(type);
  const bool spaces = H5Tget_strpad(type) == H5T_STR_SPACEPAD;
  std::vector<std::string> values;
  values.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const char* text = bytes + i * size;
    std::string value(text, strnlen(text, size));
    if (spaces) value.erase(value.find_last_not_of(' ') + 1);
    values.push_back(std::move(value));
  }
  return values;
}

std::size_t count_elements(hid_t space, std::vector<Index>* shape) {
  const char* task = "read a data space";
  shape->clear();
  if (H5Sget_simple_extent_type(space) == H5S_NULL) return 0;
  const int rank = checked(H5Sget_simple_extent_ndims(space), task);
  std::vector<hsize_t> dimensions(static_cast<std::size_t>(rank));
  if (rank > 0) checked(H5Sget_simple_extent_dims(space, dimensions.data(), nullptr), task);
  std::size_t count = 1;
  for (const hsize_t n : dimensions) {
    if (n > static_cast<hsize_t>(std::numeric_limits<Index>::max()) ||
        __builtin_mul_overflow(count, n, &count))
      throw Hdf5Error("a data space has more elements than can be counted");
    shape->push_back(static_cast<Index>(n));
  }
  return count;
}

Attributes read_attributes(hid_t object) {
  std::vector<std::string> names;
  hsize_t position = 0;
  checked(H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, &position, add_name, &names),
          "list attributes");
  Attributes attributes;
  for (const auto& name : names)
    if (auto value = read_attribute(object, name.c_str()))
      attributes.emplace(name, std::move(*value));
  return attributes;
}

std::optional<std::string> read_text_attribute(hid_t object, const char* name) {
  if (checked(H5Aexists(object, name), "look for an attribute") == 0) return {};
  const auto value = read_attribute(object, name);
  const auto* text = value ? std::get_if<std::string>(&*value) : nullptr;
  return text ? std::optional(*text) : std::nullopt;
}

// An object reference of HDF5 1.x is the object's address. It is compared with those of the objects
// that were found by walking the groups and never followed: a damaged one leads nowhere.
std::vector<haddr_t> read_scale_addresses(hid_t dataset, std::size_t rank) {
  std::vector<haddr_t> addresses(rank, 0);
  const char *name = "DIMENSION_LIST", *task = "read DIMENSION_LIST";
  if (rank == 0 || checked(H5Aexists(dataset, name), task) == 0) return addresses;
  const Handle attribute(H5Aopen(dataset, name, H5P_DEFAULT), H5Aclose, task);
  const Handle space(H5Aget_space(attribute), H5Sclose, task);
  const Handle file_type(H5Aget_type(attribute), H5Tclose, task);
  std::vector<Index> shape;
  if (H5Tget_class(file_type) != H5T_VLEN || count_elements(space, &shape) != rank)
    throw Hdf5Error("DIMENSION_LIST does not fit its dataset");
  const Handle base(H5Tget_super(file_type), H5Tclose, task);
  if (checked(H5Tequal(base, H5T_STD_REF_OBJ), task) == 0)
    throw Hdf5Error("DIMENSION_LIST is no list of references");
  const Handle type(H5Tvlen_create(H5T_STD_REF_OBJ), H5Tclose, task);
  std::vector<hvl_t> lists(rank, hvl_t{0, nullptr});
  checked(H5Aread(attribute, type, lists.data()), task);
  for (std::size_t axis = 0; axis < rank; ++axis) {
    hobj_ref_t first = 0;
    if (lists[axis].len > 0 && lists[axis].p) std::memcpy(&first, lists[axis].p, sizeof first);
    addresses[axis] = first;
  }
  checked(H5Dvlen_reclaim(type, space, H5P_DEFAULT, lists.data()), task);
  return addresses;
}

}  // namespace svrg::io
