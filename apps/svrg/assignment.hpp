#pragma once
#include <string_view>

#include "settings.hpp"

namespace svrg::app {

/// Does what `--set key.path=value` asks. MXNet's names work too: num_epoch, eval_metric,
/// optimizer_params.learning_rate, kvstore (accepted, with a note). @throws ConfigError
void apply_assignment(Settings& settings, std::string_view assignment);

}  // namespace svrg::app
