// HDF5 keeps an error stack per thread and prints it on its own unless told otherwise; here it
// becomes the text of an exception.
#include "io/handle.hpp"

#include <algorithm>
#include <cctype>

namespace svrg::io {
namespace {

herr_t add_description(unsigned, const H5E_error2_t* error, void* out) {
  auto& text = *static_cast<std::string*>(out);
  if (error->desc && *error->desc) {
    if (!text.empty()) text += "; ";
    text += error->desc;
  }
  return 0;
}

}  // namespace

void fail_hdf5(std::string_view task) {
  std::string stack;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, add_description, &stack);
  H5Eclear2(H5E_DEFAULT);
  std::string message(task);
  if (!stack.empty()) message += " (HDF5: " + stack + ")";
  // Where a call of the system failed, HDF5 says so in lines of its own, with the time.
  std::replace_if(
      message.begin(), message.end(), [](unsigned char c) { return std::iscntrl(c) != 0; }, ' ');
  throw Hdf5Error(message);
}

void prepare_hdf5() {
  // At exit HDF5 1.10 closes again what could not be closed for a full disk, and crashes. Nothing
  // of ours is open then.
  static const bool ends_by_itself = H5dont_atexit() >= 0;
  static_cast<void>(ends_by_itself);
  checked(H5open(), "start HDF5");
  checked(H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr), "silence HDF5's error printing");
  static const bool without_plugins = [] {
    checked(H5PLset_loading_state(0), "switch HDF5's plugins off");
    return true;
  }();
  static_cast<void>(without_plugins);
}

Handle string_type() {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "make a string type");
  checked(H5Tset_size(type, H5T_VARIABLE), "make a string type");
  checked(H5Tset_cset(type, H5T_CSET_UTF8), "make a string type");
  return type;
}

}  // namespace svrg::io
