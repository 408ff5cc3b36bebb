#pragma once
#include <string>
#include <utility>
#include <vector>

#include "svrg/core/types.hpp"

namespace svrg::app {

/// What the screen says of an epoch. NaN where a value is not known: a dash.
struct EpochLine {
  Index epoch = 0;
  double passes = 0, seconds = 0, objective = 0, grad_ratio = 0;
  std::vector<std::pair<std::string, double>> metrics = {};  // {"train mse", 183.06}, …
  double rows_per_second = 0, mpi_share = 0;                 // the share is 0..1
  std::string record = {};                                   // the same and more, in JSON
};

/// The lines of the table, without ends of lines. At most five significant digits.
std::string epoch_header(const EpochLine& line);
std::string epoch_row(const EpochLine& line);

}  // namespace svrg::app
