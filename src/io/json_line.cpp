// One epoch as one line of JSON, and back.
#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "io/run_history.hpp"
#include "svrg/core/error.hpp"

namespace svrg::io {
namespace {

// nlohmann writes the shortest digits that read back to the same double, and null for what is no
// number.
using Json = nlohmann::ordered_json;

double number_of(const Json& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

}  // namespace

bool is_reserved(std::string_view name) {
  for (const Column& column : columns)
    if (name == column.name) return true;
  return name == "is_snapshot" || name == "max_rss" || name == "phase_seconds" ||
         name == "hostname" || name == "rank" || name == "phase" || name.empty() ||
         name.find('/') != std::string_view::npos;
}

std::string to_json_line(const EpochRecord& record) {
  Json line;
  for (const Column& column : columns)
    if (column.real)
      line[column.name] = record.*column.real;
    else
      line[column.name] = record.*column.count;
  line["is_snapshot"] = record.is_snapshot;
  for (const auto& [name, value] : record.metrics) line[name] = value;
  line["max_rss"] = record.max_rss;
  line["phase_seconds"] = record.phase_seconds;
  return line.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

EpochRecord from_json_line(std::string_view text) {
  try {
    const Json line = Json::parse(text);
    EpochRecord record;
    for (const Column& column : columns)
      if (column.real)
        record.*column.real = number_of(line.at(column.name));
      else
        record.*column.count = line.at(column.name).get<Index>();
    record.is_snapshot = line.at("is_snapshot").get<bool>();
    for (const auto& value : line.at("max_rss")) record.max_rss.push_back(number_of(value));
    for (const auto& values : line.at("phase_seconds")) {
      auto& seconds = record.phase_seconds.emplace_back();
      for (std::size_t i = 0; i < seconds.size(); ++i) seconds[i] = number_of(values.at(i));
    }
    for (const auto& [name, value] : line.items())
      if (!is_reserved(name) && (value.is_number() || value.is_null()))
        record.metrics[name] = number_of(value);
    return record;
  } catch (const nlohmann::json::exception& error) {
    throw DataError(fmt::format("no record of an epoch: {}", error.what()));
  }
}

}  // namespace svrg::io
