#pragma once
#include <string>
#include <vector>

#include "report/run_data.hpp"

namespace svrg::app::reporting {

// Each gives HTML, or nothing where there is nothing to say.

/// How a run stands, in words: "Converged", and a class for its colour and sign.
struct Standing {
  std::string word, kind;  // kind: good, fair, bad, open
  std::string sentence;    // for who is in a hurry
};
Standing standing_of(const RunData& run);

std::string verdict_section(const ReportData& data);
/// Settings that differ and results, of several runs.
std::string comparison_section(const std::vector<RunData>& runs);
std::string convergence_section(const std::vector<RunData>& runs);
std::string time_section(const std::vector<RunData>& runs);
/// One for each study.
std::string scaling_section(const StudyData& study, int number);
std::string model_section(const std::vector<RunData>& runs);
std::string reproduce_section(const ReportData& data);

/// In one sentence: what the study says. Empty where it has only one number of ranks.
std::string summary_of(const StudyData& study);

/// How phases look in every figure.
std::vector<struct Part> phase_parts();

/// The whole page.
std::string page(const ReportData& data);

}  // namespace svrg::app::reporting
