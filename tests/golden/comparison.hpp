#pragma once
#include <span>
#include <string>
#include <vector>

#include "svrg/io/document.hpp"

namespace golden {

/// What was compared with a file's recorded values, and how far off it was at worst.
/// Rule: |a−b| ≤ atol + rtol·max|b| per dataset.
class Comparison {
 public:
  Comparison(double rtol, double atol) : rtol_(rtol), atol_(atol) {}
  /// `scale`: a magnitude to measure by where the dataset's own is smaller (values that are sums
  /// in which larger ones cancel).
  void compare(const std::string& what, std::span<const double> got,
               std::span<const double> expected, double scale = 0);
  /// A fact that holds or does not.
  void check(const std::string& what, bool holds);
  bool passed() const { return failures_.empty() && compared_ > 0; }
  /// Largest |a−b|/max|b| of any dataset compared.
  double worst() const { return worst_; }
  std::size_t compared() const { return compared_; }
  const std::vector<std::string>& failures() const { return failures_; }

 private:
  double rtol_, atol_, worst_ = 0;
  std::size_t compared_ = 0;
  std::vector<std::string> failures_;
};

/// The numbers of a dataset, row-major. @throws svrg::DataError where it is absent.
std::vector<double> numbers(const svrg::io::Document& file, const std::string& path);
/// Its shape.
std::vector<svrg::Index> shape(const svrg::io::Document& file, const std::string& path);
bool has(const svrg::io::Document& file, const std::string& path);
/// An attribute of a group ("" is the root) as text; empty where absent.
std::string attribute(const svrg::io::Document& file, const std::string& group,
                      const std::string& name);

/// Unit files. Each takes a whole file, whatever its groups are called.
void replay_optimizers(const svrg::io::Document& file, Comparison& result);
void replay_schedulers(const svrg::io::Document& file, Comparison& result);
void replay_initializers(const svrg::io::Document& file, Comparison& result);
void replay_compression(const svrg::io::Document& file, Comparison& result);
void replay_metrics(const svrg::io::Document& file, Comparison& result);
void replay_iterators(const svrg::io::Document& file, Comparison& result);
void replay_checkpoint_bytes(const svrg::io::Document& file, Comparison& result);
/// A training case.
void replay_training(const svrg::io::Document& file, Comparison& result);

}  // namespace golden
