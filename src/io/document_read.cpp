// Reads an image into values. Nothing a file says of its sizes is believed before it is compared
// with what the image can hold, so a damaged header costs an error and not the memory of the node.
#include <fmt/format.h>

#include <array>
#include <limits>
#include <map>
#include <memory>
#include <new>

#include "io/attribute_read.hpp"
#include "io/handle.hpp"
#include "io/path.hpp"
#include "io/scales.hpp"
#include "svrg/io/document.hpp"

namespace svrg::io {
namespace {

constexpr std::size_t max_bytes = std::size_t{1} << 40, deflate_ratio = 1032;
constexpr std::array<const char*, 6> internal_attributes = {
    "CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", "_Netcdf4Dimid", "_Netcdf4Coordinates"};

// What HDF5 allocates for variable-length text, with a bound, so that many elements that point to
// one long text cannot fill the memory.
class TextArena {
 public:
  explicit TextArena(std::size_t budget) : left_(budget) {}
  static void* allocate(std::size_t size, void* self) {
    auto& arena = *static_cast<TextArena*>(self);
    if (size > arena.left_) return nullptr;
    arena.left_ -= size;
    try {
      return arena.blocks_.emplace_back(new char[size]).get();
    } catch (...) {
      return nullptr;
    }
  }
  static void keep(void*, void*) {}

 private:
  std::size_t left_;
  std::vector<std::unique_ptr<char[]>> blocks_;
};

struct Link {
  std::string name;
  H5L_type_t type;
};
herr_t add_link(hid_t, const char* name, const H5L_info_t* info, void* out) {
  try {
    static_cast<std::vector<Link>*>(out)->push_back({name, info->type});
    return 0;
  } catch (...) {  // an exception must not cross HDF5's C frames
    return -1;
  }
}

// HDF5 would copy an image twice. With these it reads the bytes where they lie and frees nothing.
// (H5LTopen_file_image has the like, but loses 72 bytes at each call.)
H5FD_file_image_callbacks_t uncopied(void* bytes) {
  return {[](std::size_t, H5FD_file_image_op_t, void* image) { return image; },
          [](void* to, const void*, std::size_t, H5FD_file_image_op_t, void*) { return to; },
          [](void*, std::size_t, H5FD_file_image_op_t, void*) -> void* { return nullptr; },
          [](void*, H5FD_file_image_op_t, void*) -> herr_t { return 0; },
          [](void* image) { return image; },
          [](void*) -> herr_t { return 0; },
          bytes};
}

class Reader {
 public:
  explicit Reader(std::span<const std::byte> image)
      : image_size_(image.size()), file_(open(image)) {}

  Document read() {
    const Handle root(H5Gopen2(file_, "/", H5P_DEFAULT), H5Gclose, "open the root group");
    document_.attributes = read_attributes(root);
    document_.attributes.erase("_NCProperties");
    walk(root, "");
    for (const auto& path : datasets_) read_dataset(path);
    return std::move(document_);
  }

 private:
  static Handle open(std::span<const std::byte> image) {
    const char* task = "open as HDF5";
    const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, task);
    checked(H5Pset_fapl_core(access, std::size_t{1} << 16, 0), task);
    // Read-only, so HDF5's interface without const does no harm.
    void* bytes = const_cast<std::byte*>(image.data());
    H5FD_file_image_callbacks_t callbacks = uncopied(bytes);
    checked(H5Pset_file_image_callbacks(access, &callbacks), task);
    checked(H5Pset_file_image(access, bytes, image.size()), task);
    return {H5Fopen("svrg-image", H5F_ACC_RDONLY, access), H5Fclose, task};
  }

  // Addresses are kept to find the scales by, and to refuse an object that is linked twice: a
  // damaged link may make a circle.
  void walk(hid_t group, const std::string& group_path) {
    std::vector<Link> links;
    checked(H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, nullptr, add_link, &links),
            "list group /" + group_path);
    for (const auto& [name, type] : links) {
      const std::string path = join(group_path, name);
      if (type != H5L_TYPE_HARD) throw Hdf5Error("/" + path + " is a soft or external link");
      const Handle object(H5Oopen(group, name.c_str(), H5P_DEFAULT), H5Oclose, "open /" + path);
      H5O_info_t info;
      checked(H5Oget_info2(object, &info, H5O_INFO_BASIC), "look at /" + path);
      if (!addresses_.emplace(info.addr, path).second)
        throw Hdf5Error("/" + path + " is linked twice");
      if (info.type == H5O_TYPE_GROUP) {
        document_.groups[path] = read_attributes(object);
        walk(object, path);
      } else if (info.type == H5O_TYPE_DATASET) {
        datasets_.push_back(path);
      } else {
        throw Hdf5Error("/" + path + " is neither group nor dataset");
      }
    }
  }

  void read_dataset(const std::string& path) {
    const Handle dataset(H5Dopen2(file_, path.c_str(), H5P_DEFAULT), H5Dclose, "open /" + path);
    const bool is_scale = read_text_attribute(dataset, "CLASS") == "DIMENSION_SCALE";
    if (is_scale && read_text_attribute(dataset, "NAME").value_or("").starts_with(pure_scale_name))
      return;
    Variable variable;
    variable.attributes = read_attributes(dataset);
    for (const char* name : internal_attributes) variable.attributes.erase(name);
    variable.long_name = take_text(variable.attributes, "long_name");
    variable.units = take_text(variable.attributes, "units");
    read_values(dataset, path, variable.data);
    if (is_scale && variable.data.shape.size() == 1) {
      variable.axes.emplace_back(leaf_of(path));
    } else {
      for (const haddr_t address : read_scale_addresses(dataset, variable.data.shape.size())) {
        const auto scale = addresses_.find(address);
        variable.axes.emplace_back(scale == addresses_.end() ? "" : leaf_of(scale->second));
      }
    }
    document_.variables.emplace(path, std::move(variable));
  }

  static std::string take_text(Attributes& attributes, const char* name) {
    const auto found = attributes.find(name);
    if (found == attributes.end() || !std::holds_alternative<std::string>(found->second)) return {};
    std::string text = std::get<std::string>(found->second);
    attributes.erase(found);
    return text;
  }

  // @return whether the bytes are packed, so that there are fewer in the file than in memory.
  static bool check_storage(hid_t dataset, const std::string& path) {
    const std::string task = "look at the storage of /" + path;
    const Handle creation(H5Dget_create_plist(dataset), H5Pclose, task);
    const H5D_layout_t layout = H5Pget_layout(creation);
    if (layout != H5D_COMPACT && layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED)
      throw Hdf5Error("/" + path + " is a virtual dataset");
    if (checked(H5Pget_external_count(creation), task) > 0)
      throw Hdf5Error("/" + path + " keeps its data in other files");
    bool packed = false;
    const int filters = checked(H5Pget_nfilters(creation), task);
    for (unsigned i = 0; i < static_cast<unsigned>(filters); ++i) {
      unsigned flags = 0, config = 0;
      std::size_t values = 0;
      const H5Z_filter_t filter =
          checked(H5Pget_filter2(creation, i, &flags, &values, nullptr, 0, nullptr, &config), task);
      if (filter != H5Z_FILTER_DEFLATE && filter != H5Z_FILTER_SHUFFLE &&
          filter != H5Z_FILTER_FLETCHER32)
        throw Hdf5Error(fmt::format("/{} needs filter {}, which is not one of ours", path, filter));
      packed = packed || filter == H5Z_FILTER_DEFLATE;
    }
    return packed;
  }

  void read_values(hid_t dataset, const std::string& path, Array& array) const {
    const std::string task = "read /" + path;
    const Handle type(H5Dget_type(dataset), H5Tclose, task);
    const Handle space(H5Dget_space(dataset), H5Sclose, task);
    const std::size_t count = count_elements(space, &array.shape);
    if (array.shape.empty() && count != 1) throw Hdf5Error("/" + path + " has a null data space");
    const std::size_t element = H5Tget_size(type);
    const bool packed = check_storage(dataset, path);
    const std::size_t stored = H5Dget_storage_size(dataset);
    std::size_t promised = 0;
    const std::size_t ratio = packed ? deflate_ratio : 1;
    if (element == 0 || __builtin_mul_overflow(count, element, &promised) || promised > max_bytes ||
        stored > image_size_ || promised > stored * ratio)
      throw Hdf5Error(
          fmt::format("/{} promises {} elements of {} bytes, but the file holds {} bytes of it",
                      path, count, element, stored));
    const bool is_unsigned = H5Tget_sign(type) == H5T_SGN_NONE;
    switch (H5Tget_class(type)) {
      case H5T_STRING:
        array.data = read_strings(dataset, type, count, task);
        return;
      case H5T_FLOAT:
        if (element > 8) break;
        if (element > 4)
          array.data = read_numbers<double>(dataset, count, task);
        else
          array.data = read_numbers<float>(dataset, count, task);
        return;
      case H5T_INTEGER:
        if (element > 8) break;
        if (element == 1 && is_unsigned)
          array.data = read_numbers<std::uint8_t>(dataset, count, task);
        else if (element < 4 || (element == 4 && !is_unsigned))
          array.data = read_numbers<std::int32_t>(dataset, count, task);
        else if (element < 8 || !is_unsigned)
          array.data = read_numbers<std::int64_t>(dataset, count, task);
        else
          array.data = read_unsigned(dataset, count, path, task);
        return;
      default:
        break;
    }
    throw Hdf5Error("/" + path + " holds a type that is neither number nor string");
  }

  template <class T>
  static std::vector<T> read_numbers(hid_t dataset, std::size_t count, const std::string& task) {
    std::vector<T> values(count);
    if (count > 0)
      checked(H5Dread(dataset, native_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()),
              task);
    return values;
  }

  // HDF5 would clip what does not fit.
  static std::vector<std::int64_t> read_unsigned(hid_t dataset, std::size_t count,
                                                 const std::string& path, const std::string& task) {
    const auto values = read_numbers<std::uint64_t>(dataset, count, task);
    for (const auto value : values)
      if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        throw Hdf5Error(fmt::format("/{} holds {}, above 2^63 - 1", path, value));
    return {values.begin(), values.end()};
  }

  std::vector<std::string> read_strings(hid_t dataset, hid_t type, std::size_t count,
                                        const std::string& task) const {
    if (count == 0) return {};
    if (checked(H5Tis_variable_str(type), task) == 0) {
      std::vector<char> buffer(count * H5Tget_size(type));
      checked(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer.data()), task);
      return read_fixed_strings(type, count, buffer.data());
    }
    TextArena arena(image_size_ * 2 + count * 64);
    const Handle transfer(H5Pcreate(H5P_DATASET_XFER), H5Pclose, task);
    checked(
        H5Pset_vlen_mem_manager(transfer, TextArena::allocate, &arena, TextArena::keep, nullptr),
        task);
    std::vector<const char*> texts(count, nullptr);
    checked(H5Dread(dataset, type, H5S_ALL, H5S_ALL, transfer, texts.data()), task);
    std::vector<std::string> values;
    values.reserve(count);
    for (const char* text : texts) values.emplace_back(text ? text : "");
    return values;
  }

  std::size_t image_size_;
  Handle file_;
  Document document_;
  std::map<haddr_t, std::string> addresses_;
  std::vector<std::string> datasets_;
};

}  // namespace

Document from_image(std::span<const std::byte> image, const std::string& name) {
  try {
    prepare_hdf5();
    if (image.empty()) throw Hdf5Error("the file is empty");
    return Reader(image).read();
  } catch (const Hdf5Error& error) {
    throw DataError(name + ": cannot be read: " + error.what());
  } catch (const std::bad_alloc&) {
    throw LimitError(name + ": needs more memory than there is");
  }
}

}  // namespace svrg::io
