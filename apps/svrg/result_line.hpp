#pragma once
#include <cstdio>
#include <nlohmann/json.hpp>

#include "settings.hpp"

namespace svrg::app {

/// Names and values in the order they are printed in: {{"objective", 1.5}, {"epochs", 14}}.
using Results = nlohmann::ordered_json;

/// The last line of a command, for programs: one JSON object on stdout, unless --no-json. Numbers
/// that are not finite become null. @throws OutputError
void print_results(const Settings& settings, const Results& results, std::FILE* out = stdout);

}  // namespace svrg::app
