// What readers of our files ask of a document: typed, of a known shape, or an error naming it.
#pragma once
#include <fmt/format.h>

#include <string>
#include <vector>

#include "svrg/core/error.hpp"
#include "svrg/io/document.hpp"

namespace svrg::io {

class DocumentReading {
 public:
  /// `what` is a file as it should be: "a scaling study".
  DocumentReading(const Document& document, const std::string& name, const char* what)
      : document_(document), name_(name), what_(what) {}

  /// The values of a variable of that shape. @throws DataError
  template <class T>
  const std::vector<T>& values(const std::string& path, const std::vector<Index>& shape) const {
    const auto found = document_.variables.find(path);
    const auto* values = found == document_.variables.end()
                             ? nullptr
                             : std::get_if<std::vector<T>>(&found->second.data.data);
    if (!values || found->second.data.shape != shape)
      throw DataError(fmt::format("{}: there is no /{} as {} has it", name_, path, what_));
    return *values;
  }
  /// Likewise of one axis of any length. @throws DataError
  template <class T>
  const std::vector<T>& list(const std::string& path) const {
    const auto found = document_.variables.find(path);
    if (found == document_.variables.end() || found->second.data.shape.size() != 1)
      throw DataError(fmt::format("{}: there is no list /{}", name_, path));
    return values<T>(path, found->second.data.shape);
  }
  /// An attribute of a group. @throws DataError
  template <class T>
  T attribute(const std::string& group, const char* name) const {
    const auto found = document_.groups.find(group);
    if (found != document_.groups.end())
      if (const auto at = found->second.find(name); at != found->second.end())
        if (const T* value = std::get_if<T>(&at->second)) return *value;
    throw DataError(fmt::format("{}: /{} has no attribute {}", name_, group, name));
  }
  [[noreturn]] void fail(const char* what) const { throw DataError(name_ + ": " + what); }
  bool has(const std::string& path) const { return document_.variables.contains(path); }

 private:
  const Document& document_;
  const std::string& name_;
  const char* what_;
};

/// A variable with what a reader of the file wants to know of it.
inline Variable described(Array data, std::vector<std::string> axes, std::string units,
                          std::string long_name) {
  Variable variable;
  variable.data = std::move(data);
  variable.axes = std::move(axes);
  variable.units = std::move(units);
  variable.long_name = std::move(long_name);
  return variable;
}

}  // namespace svrg::io
