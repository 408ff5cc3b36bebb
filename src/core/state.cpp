#include "svrg/core/state.hpp"

#include "svrg/core/error.hpp"

namespace svrg {
namespace {

template <class T>
const T& value(const State& state, const std::string& name, const char* type) {
  const auto found = state.values.find(name);
  if (found == state.values.end()) throw DataError("state has no value '" + name + "'");
  if (const T* v = std::get_if<T>(&found->second)) return *v;
  throw DataError("state value '" + name + "' is not " + type);
}

}  // namespace

const Array& State::array(const std::string& name) const {
  const auto found = arrays.find(name);
  if (found == arrays.end()) throw DataError("state has no array '" + name + "'");
  return found->second;
}

std::int64_t State::integer(const std::string& name) const {
  return value<std::int64_t>(*this, name, "an integer");
}

double State::real(const std::string& name) const { return value<double>(*this, name, "a number"); }

const std::string& State::text(const std::string& name) const {
  return value<std::string>(*this, name, "a text");
}

Vec<double> State::vector(const std::string& name, Index size) const {
  const auto* data = std::get_if<std::vector<double>>(&array(name).data);
  if (!data) throw DataError("state array '" + name + "' is not of doubles");
  if (static_cast<Index>(data->size()) != size)
    throw DataError("state array '" + name + "' has " + std::to_string(data->size()) +
                    " elements, expected " + std::to_string(size));
  return Eigen::Map<const Vec<double>>(data->data(), size);
}

std::vector<std::int64_t> State::integers(const std::string& name) const {
  const auto* data = std::get_if<std::vector<std::int64_t>>(&array(name).data);
  if (!data) throw DataError("state array '" + name + "' is not of 64-bit integers");
  return *data;
}

}  // namespace svrg
