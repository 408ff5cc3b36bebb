#pragma once
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "svrg/io/document.hpp"
#include "svrg/io/run_record.hpp"

namespace svrg::io {

/// @throws DataError
EpochRecord from_json_line(std::string_view line);

/// /history of run.h5.
Document history_document(const std::vector<EpochRecord>& epochs,
                          const std::vector<std::string>& hostnames);
std::vector<EpochRecord> epochs_of(const Document& document, const std::string& name);

/// The columns that every epoch has one number for.
struct Column {
  const char *name, *units, *long_name;
  double EpochRecord::*real;  // one of these two is set
  Index EpochRecord::*count;
};
inline constexpr std::array<Column, 11> columns = {{
    {"epoch", "1", "epochs done", nullptr, &EpochRecord::epoch},
    {"step", "1", "steps done since the start of the run", nullptr, &EpochRecord::step},
    {"passes", "1", "gradient evaluations since the start of the run, in data set sizes",
     &EpochRecord::passes, nullptr},
    {"wall_seconds", "s", "wall time since the start of the run", &EpochRecord::wall_seconds,
     nullptr},
    {"objective", "1", "objective, mean loss plus penalty", &EpochRecord::objective, nullptr},
    {"grad_norm", "1", "Euclidean norm of the objective's gradient", &EpochRecord::grad_norm,
     nullptr},
    {"duality_gap", "1", "upper bound of the objective's distance to its minimum",
     &EpochRecord::duality_gap, nullptr},
    {"learning_rate", "1", "step size at the end of the epoch", &EpochRecord::learning_rate,
     nullptr},
    {"samples", "1", "samples processed since the start of the run", nullptr,
     &EpochRecord::samples},
    {"bytes_communicated", "byte", "bytes sent by root since the start of the run", nullptr,
     &EpochRecord::bytes_communicated},
    {"messages", "1", "collective calls since the start of the run", nullptr,
     &EpochRecord::messages},
}};
/// Whether a metric of that name would hide something else of an epoch.
bool is_reserved(std::string_view name);

}  // namespace svrg::io
