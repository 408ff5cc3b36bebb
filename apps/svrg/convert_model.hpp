#pragma once
#include "screen.hpp"
#include "settings.hpp"
#include "svrg/comm/communicator.hpp"

namespace svrg::app {

/// Whether `svrg convert` was given a model: by the content of IN, or because only models go to
/// files like OUT. Root looks. Collective.
bool converts_model(const Settings& settings, const Communicator& comm);
/// The model of IN in the format of OUT; root does all of it. Collective. Returns the exit code.
/// @throws CollectiveError (usage) also for an option of rows
int convert_model(const Settings& settings, const Communicator& comm, Screen& screen);

}  // namespace svrg::app
