// HDF5 1.10 reports a full disk as success and may crash after a failed metadata write, so it never
// sees one: the file is built by the core driver and handed out as bytes. Default format bounds,
// because an image with newer ones does not open again (HDF5 issue 1915).
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <set>

#include "io/handle.hpp"
#include "io/path.hpp"
#include "io/scales.hpp"
#include "svrg/io/document.hpp"

namespace svrg::io {
namespace {

constexpr unsigned tracked = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED;
constexpr hsize_t chunk_length = 256, max_chunk_bytes = hsize_t{1} << 20;

std::vector<hsize_t> to_dimensions(const std::vector<Index>& shape) {
  std::vector<hsize_t> dimensions;
  for (const Index n : shape) {
    SVRG_EXPECT(n >= 0, "a shape has no negative lengths");
    dimensions.push_back(static_cast<hsize_t>(n));
  }
  return dimensions;
}

const char* c_text(const std::string& text, const std::string& where) {
  if (text.find('\0') != std::string::npos)
    throw OutputError("a string of " + where +
                      " holds a NUL byte, which HDF5's strings cannot hold");
  return text.c_str();
}

// Types of the file are little-endian whatever the machine is.
Handle file_type(const std::vector<double>&) {
  return {H5Tcopy(H5T_IEEE_F64LE), H5Tclose, "make a type"};
}
Handle file_type(const std::vector<float>&) {
  return {H5Tcopy(H5T_IEEE_F32LE), H5Tclose, "make a type"};
}
Handle file_type(const std::vector<std::int64_t>&) {
  return {H5Tcopy(H5T_STD_I64LE), H5Tclose, "make a type"};
}
Handle file_type(const std::vector<std::int32_t>&) {
  return {H5Tcopy(H5T_STD_I32LE), H5Tclose, "make a type"};
}
Handle file_type(const std::vector<std::uint8_t>&) {
  return {H5Tcopy(H5T_STD_U8LE), H5Tclose, "make a type"};
}
Handle file_type(const std::vector<std::string>&) { return string_type(); }

class AttributeWriter {
 public:
  AttributeWriter(hid_t object, const std::string& object_name, const std::string& name)
      : object_(object), name_(name), task_("write attribute " + name + " of /" + object_name) {
    SVRG_EXPECT(!name.empty() && name.find('\0') == std::string::npos, "an attribute has a name");
  }
  template <class T>
  void operator()(const std::vector<T>& values) const {
    const hsize_t length = values.size();
    put(Handle(H5Screate_simple(1, &length, nullptr), H5Sclose, task_), values);
  }
  template <class T>
  void operator()(const T& value) const {
    put(Handle(H5Screate(H5S_SCALAR), H5Sclose, task_), std::vector<T>{value});
  }

 private:
  template <class T>
  void put(const Handle& space, const std::vector<T>& values) const {
    const Handle type = file_type(values);
    const Handle attribute(
        H5Acreate2(object_, name_.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose, task_);
    if (values.empty()) return;
    if constexpr (std::is_same_v<T, std::string>) {
      std::vector<const char*> texts;
      texts.reserve(values.size());
      for (const auto& value : values) texts.push_back(c_text(value, "attribute " + name_));
      checked(H5Awrite(attribute, type, texts.data()), task_);
    } else {
      checked(H5Awrite(attribute, native_type<T>(), values.data()), task_);
    }
  }
  hid_t object_;
  const std::string& name_;
  std::string task_;
};

void write_attributes(hid_t object, const std::string& object_name, const Attributes& attributes) {
  for (const auto& [name, value] : attributes)
    std::visit(AttributeWriter(object, object_name, name), value);
}

std::string readable(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '/' || c == '_'; }, ' ');
  return text;
}

template <class T>
std::size_t bytes_of(const std::vector<T>& values) {
  if constexpr (std::is_same_v<T, std::string>)
    return std::accumulate(values.begin(), values.end(), std::size_t{0},
                           [](std::size_t sum, const auto& s) { return sum + s.size() + 64; });
  else
    return values.size() * sizeof(T);
}

class Writer {
 public:
  Writer(const Document& document, std::size_t user_block)
      : document_(document), plan_(plan_scales(document)), file_(create(user_block)) {}
  Writer(const Document& document, const std::string& path)
      : document_(document), plan_(plan_scales(document)), file_(create(path)) {}

  void write() {
    write_attributes(file_, "", document_.attributes);
    for (const auto& [path, attributes] : document_.groups) make_group(path);
    for (const auto& [path, variable] : document_.variables)
      make_group(std::string(group_of(path)));
    for (const auto& [path, scale] : plan_.scales)
      if (!scale.is_variable) write_pure_scale(path, scale);
    for (const auto& [path, variable] : document_.variables) write_data(path, variable);
    // Attaching rewrites attributes of the scale, which HDF5 1.10 gets wrong once there are more
    // than eight with their order tracked: so it comes before ours.
    for (const auto& [path, scales] : plan_.of_variable) attach(path, scales);
    for (const auto& [path, variable] : document_.variables) describe(path, variable);
    for (const auto& [path, attributes] : document_.groups)
      write_attributes(
          Handle(H5Gopen2(file_, path.c_str(), H5P_DEFAULT), H5Gclose, "open /" + path), path,
          attributes);
  }

  std::vector<std::byte> take(std::size_t user_block) {
    const char* task = "take the file's image";
    checked(H5Fflush(file_, H5F_SCOPE_GLOBAL), task);
    const auto size = static_cast<std::size_t>(checked(H5Fget_file_image(file_, nullptr, 0), task));
    std::vector<std::byte> image(user_block + size);
    checked(H5Fget_file_image(file_, image.data() + user_block, size), task);
    file_.close("close the file's image");
    return image;
  }

  std::map<std::string, Index> reserved_places() {
    std::map<std::string, Index> places;
    for (const auto& [path, variable] : document_.variables) {
      if (!variable.reserved) continue;
      const Handle dataset(H5Dopen2(file_, path.c_str(), H5P_DEFAULT), H5Dclose, "open /" + path);
      const haddr_t place = H5Dget_offset(dataset);
      // A dataset without values has no place.
      places[path] = place == HADDR_UNDEF ? 0 : static_cast<Index>(place);
    }
    checked(H5Fflush(file_, H5F_SCOPE_GLOBAL), "write the file");
    file_.close("close the file");
    return places;
  }

 private:
  static Handle creation_list(const char* task) {
    Handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose, task);
    checked(H5Pset_link_creation_order(creation, tracked), task);
    checked(H5Pset_attr_creation_order(creation, tracked), task);
    return creation;
  }

  static Handle create(const std::string& path) {
    const std::string task = "create " + path;
    const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, task);
    checked(H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V110), task);
    return {H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation_list(task.c_str()), access), H5Fclose,
            task};
  }

  Handle create(std::size_t user_block) const {
    const char* task = "create a file in memory";
    std::size_t expected = std::size_t{1} << 16;
    for (const auto& [path, variable] : document_.variables)
      expected += std::visit([](const auto& v) { return bytes_of(v); }, variable.data.data);
    const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, task);
    checked(H5Pset_fapl_core(access, expected, 0), task);
    const Handle creation = creation_list(task);
    checked(H5Pset_userblock(creation, user_block), task);
    return {H5Fcreate("svrg-image", H5F_ACC_TRUNC, creation, access), H5Fclose, task};
  }

  void make_group(const std::string& path) {
    if (path.empty() || !groups_.insert(path).second) return;
    const std::string task = "create group /" + path;
    make_group(std::string(group_of(path)));
    const Handle creation(H5Pcreate(H5P_GROUP_CREATE), H5Pclose, task);
    checked(H5Pset_link_creation_order(creation, tracked), task);
    checked(H5Pset_attr_creation_order(creation, tracked), task);
    checked(H5Pset_obj_track_times(creation, false), task);
    const Handle group(H5Gcreate2(file_, path.c_str(), H5P_DEFAULT, creation, H5P_DEFAULT),
                       H5Gclose, task);
  }

  Handle make_dataset(const std::string& path, hid_t type, const std::vector<hsize_t>& shape,
                      bool unlimited, bool filtered, bool reserved = false) const {
    const std::string task = "create dataset /" + path;
    const Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, task);
    checked(H5Pset_attr_creation_order(creation, tracked), task);
    checked(H5Pset_obj_track_times(creation, false), task);
    if (reserved) {
      checked(H5Pset_layout(creation, H5D_CONTIGUOUS), task);
      checked(H5Pset_alloc_time(creation, H5D_ALLOC_TIME_EARLY), task);
      checked(H5Pset_fill_time(creation, H5D_FILL_TIME_NEVER), task);
    }
    std::vector<hsize_t> limits = shape;
    if (unlimited) {
      limits[0] = H5S_UNLIMITED;
      std::vector<hsize_t> chunk = shape;
      hsize_t row_bytes = std::max<hsize_t>(H5Tget_size(type), 1);
      for (std::size_t i = 1; i < chunk.size(); ++i)
        row_bytes *= chunk[i] = std::max<hsize_t>(chunk[i], 1);
      chunk[0] = std::clamp<hsize_t>(max_chunk_bytes / row_bytes, 1, chunk_length);
      checked(H5Pset_chunk(creation, static_cast<int>(chunk.size()), chunk.data()), task);
    }
    if (filtered) {
      checked(H5Pset_shuffle(creation), task);
      checked(H5Pset_deflate(creation, 4), task);
      checked(H5Pset_fletcher32(creation), task);
    }
    const Handle space =
        shape.empty()
            ? Handle(H5Screate(H5S_SCALAR), H5Sclose, task)
            : Handle(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), limits.data()),
                     H5Sclose, task);
    return {H5Dcreate2(file_, path.c_str(), type, space, H5P_DEFAULT, creation, H5P_DEFAULT),
            H5Dclose, task};
  }

  // As netCDF makes them: big-endian float32 that is never written, so that it takes no space.
  void write_pure_scale(const std::string& path, const Scale& scale) const {
    const Handle dataset =
        make_dataset(path, H5T_IEEE_F32BE, to_dimensions({scale.length}), scale.unlimited, false);
    set_scale(dataset, path, fmt::format("{}{:10}", pure_scale_name, scale.length));
  }

  void write_data(const std::string& path, const Variable& variable) const {
    SVRG_EXPECT(is_plain_path(path), "a variable has a path");
    const auto shape = to_dimensions(variable.data.shape);
    const auto size = std::accumulate(shape.begin(), shape.end(), hsize_t{1}, std::multiplies<>());
    std::visit(
        [&]<class T>(const std::vector<T>& values) {
          constexpr bool is_text = std::is_same_v<T, std::string>;
          SVRG_EXPECT(size == values.size() || variable.reserved,
                      "a variable's shape fits its values");
          const Handle type = file_type(values);
          const bool compressed = variable.compressed && !shape.empty();
          const Handle dataset = make_dataset(path, type, shape, compressed, compressed && !is_text,
                                              variable.reserved);
          if (const auto scale = plan_.scales.find(path); scale != plan_.scales.end())
            set_scale(dataset, path, std::string(leaf_of(path)));
          if (values.empty()) return;
          const std::string task = "write /" + path;
          if constexpr (is_text) {
            std::vector<const char*> texts;
            texts.reserve(values.size());
            for (const auto& value : values) texts.push_back(c_text(value, "/" + path));
            checked(H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts.data()), task);
          } else {
            checked(
                H5Dwrite(dataset, native_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()),
                task);
          }
        },
        variable.data.data);
  }

  static void set_scale(hid_t dataset, const std::string& path, const std::string& name) {
    checked(H5DSset_scale(dataset, name.c_str()), "make /" + path + " a dimension scale");
  }

  void attach(const std::string& path, const std::vector<std::string>& scales) const {
    if (scales.empty() || scales[0] == path) return;
    const std::string task = "attach dimension scales to /" + path;
    const Handle dataset(H5Dopen2(file_, path.c_str(), H5P_DEFAULT), H5Dclose, task);
    for (unsigned axis = 0; axis < scales.size(); ++axis) {
      const Handle scale(H5Dopen2(file_, scales[axis].c_str(), H5P_DEFAULT), H5Dclose, task);
      checked(H5DSattach_scale(dataset, scale, axis), task);
    }
  }

  void describe(const std::string& path, const Variable& variable) const {
    const Handle dataset(H5Dopen2(file_, path.c_str(), H5P_DEFAULT), H5Dclose, "open /" + path);
    Attributes attributes = variable.attributes;
    attributes["long_name"] = variable.long_name.empty() ? readable(path) : variable.long_name;
    attributes["units"] = variable.units.empty() ? "1" : variable.units;
    write_attributes(dataset, path, attributes);
  }

  const Document& document_;
  const ScalePlan plan_;
  Handle file_;
  std::set<std::string> groups_;
};

}  // namespace

std::vector<std::byte> to_image(const Document& document, std::size_t user_block) {
  try {
    prepare_hdf5();
    Writer writer(document, user_block);
    writer.write();
    return writer.take(user_block);
  } catch (const Hdf5Error& error) {
    throw OutputError(std::string("cannot ") + error.what());
  }
}

namespace {

// HDF5 wraps what the system said of a full disk in a dozen phrases.
std::string system_error_in(const std::string& stack) {
  constexpr std::string_view mark = "error message = '";
  const std::size_t at = stack.find(mark);
  if (at == std::string::npos) return stack;
  const std::size_t begin = at + mark.size();
  return stack.substr(begin, stack.find('\'', begin) - begin);
}

}  // namespace

std::map<std::string, Index> to_file(const Document& document, const std::string& path) {
  try {
    prepare_hdf5();
    Writer writer(document, path);
    writer.write();
    return writer.reserved_places();
  } catch (const Hdf5Error& error) {
    throw OutputError("cannot write " + path + ": " + system_error_in(error.what()));
  }
}

}  // namespace svrg::io
