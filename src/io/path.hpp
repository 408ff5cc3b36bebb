#pragma once
#include <string>
#include <string_view>

namespace svrg::io {

/// Paths of objects in a document: "history/epoch", no slash in front; the root group is "".
inline std::string_view group_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}
inline std::string_view leaf_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}
inline std::string join(std::string_view group, std::string_view name) {
  if (group.empty()) return std::string(name);
  return std::string(group).append(1, '/').append(name);
}
/// Whether HDF5 gives back the same path: no empty or dotted part, no NUL.
inline bool is_plain_path(std::string_view path) {
  if (path.find('\0') != std::string_view::npos) return false;
  while (true) {
    const auto slash = path.find('/');
    const auto part = path.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

}  // namespace svrg::io
