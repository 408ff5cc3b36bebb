#pragma once
#include <optional>
#include <string>

#include "svrg/io/document.hpp"
#include "svrg/io/evaluation.hpp"

namespace svrg::io {

/// Adds the attributes of /end, and /evaluation where there is one.
void add_end(Document& document, const RunEnd& end);
/// The inverse; nothing where the run has not ended. @throws DataError
std::optional<RunEnd> end_of(const Document& document, const std::string& name);

}  // namespace svrg::io
