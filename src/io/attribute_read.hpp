#pragma once
#include <optional>
#include <string>
#include <vector>

#include "io/handle.hpp"
#include "svrg/io/document.hpp"

namespace svrg::io {

/// `count` strings of a fixed-length type, without its padding.
std::vector<std::string> read_fixed_strings(hid_t type, std::size_t count, const char* bytes);
/// Elements of a data space; none for a null space. @throws Hdf5Error if the product overflows.
std::size_t count_elements(hid_t space, std::vector<Index>* shape);

/// All attributes of an object that Attribute can hold; the others are left out.
Attributes read_attributes(hid_t object);
/// A scalar string attribute, or nothing if it is absent or of another type.
std::optional<std::string> read_text_attribute(hid_t object, const char* name);
/// Addresses of the first scale of each axis, from DIMENSION_LIST; 0 where there is none.
std::vector<haddr_t> read_scale_addresses(hid_t dataset, std::size_t rank);

}  // namespace svrg::io
