#include "data/number_parse.hpp"

#include <fast_float/fast_float.h>

#include <cctype>

namespace svrg::text {

const char* parse_long_decimal(const char* p, const char* end, double& value) {
  // Too large gives inf and too small 0 or a denormal, as with strtod.
  const auto result = fast_float::from_chars(p, end, value);
  return result.ec == std::errc::invalid_argument ? nullptr : result.ptr;
}

const char* parse_any_number(const char* p, double& value) {
  const auto in_number = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '+' || c == '-' ||
           c == '(' || c == ')' || c == '_';
  };
  const char* end = p;
  while (in_number(*end)) ++end;
  if (*p == '+' && p[1] != '-') ++p;  // the one thing of strtod's that from_chars refuses
  return parse_long_decimal(p, end, value);
}

}  // namespace svrg::text
