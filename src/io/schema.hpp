#pragma once
#include <string>

#include "svrg/core/state.hpp"
#include "svrg/io/document.hpp"

namespace svrg::io {

/// The one schema of models and checkpoints: where the entries of a State stand in an HDF5 file.
/// Arrays are datasets at their own paths; `config` and `manifest` are string datasets; the model's
/// kind, intercept, penalised_intercept, n_features, l2 and l1 are attributes of the root; other
/// values without a slash are attributes of /state, those with one ("solver/eta") of that group.
/// @throws OutputError on names that would not come back
Document to_document(const State& state, const std::string& format, const std::string& title);
/// The inverse. What a State cannot hold (lists among the attributes) is left out.
State to_state(Document document, const std::string& name);

}  // namespace svrg::io
