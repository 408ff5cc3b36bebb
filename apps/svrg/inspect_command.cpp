// svrg inspect: says what a file of ours, or a model of liblinear, holds. No MPI. HDF5 may crash
// on a file, which is then told like any other damage.
#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <system_error>

#include "contained.hpp"
#include "quantity.hpp"
#include "scaling_bench.hpp"
#include "subcommands.hpp"
#include "svrg/core/error.hpp"
#include "svrg/io/document.hpp"
#include "svrg/io/file.hpp"
#include "svrg/io/model_file.hpp"
#include "svrg/io/run_record.hpp"
#include "svrg/io/tuning_file.hpp"
#include "text.hpp"
#include "tuning_choice.hpp"

namespace svrg::app {
namespace {

std::string shown(const io::Attribute& attribute) {
  return std::visit(
      [](const auto& v) -> std::string {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, std::string>) {
          return v;
        } else if constexpr (std::is_arithmetic_v<T>) {
          return fmt::format("{}", v);
        } else {
          std::string list;
          for (const auto& x : v) list += (list.empty() ? "" : ", ") + fmt::format("{}", x);
          return "[" + list + "]";
        }
      },
      attribute);
}

std::string type_name(const Array::Data& data) {
  constexpr const char* names[] = {"f64", "f32", "i64", "i32", "u8", "text"};
  return names[data.index()];
}

std::string shape_text(const std::vector<Index>& shape) {
  std::string text;
  for (const Index n : shape) text += (text.empty() ? "" : " x ") + std::to_string(n);
  return text.empty() ? "scalar" : text;
}

void print_array(const std::string& path, const Array& array, const std::string& units) {
  if (path == "config" || path == "manifest" || path == "symbol") return;
  fmt::print("  {:<24} {} {}{}\n", path, shape_text(array.shape), type_name(array.data),
             units.empty() || units == "1" ? "" : ", " + units);
}

void print_contents(const io::Document& document) {
  for (const auto& [name, value] : document.attributes)
    fmt::print("  {:<24} {}\n", name, shown(value));
  for (const auto& [path, attributes] : document.groups)
    for (const auto& [name, value] : attributes)
      fmt::print("  {:<24} {}\n", fmt::format("{}.{}", path, name), shown(value));
  for (const auto& [path, variable] : document.variables)
    print_array(path, variable.data, variable.units);
}

void print_calibration(const io::Calibration& c) {
  if (c.method.empty()) return;
  fmt::print("proba    of {:.6g} z {} {:.6g} for the score z, by {}\n", c.slope,
             c.offset < 0 ? '-' : '+', std::fabs(c.offset), c.method);
}

void print_weights(const io::ModelRecord& model) {
  const Vec<double>& w = model.weights;
  Index zeros = 0;
  for (Index j = 0; j < w.size(); ++j) zeros += w[j] == 0;
  fmt::print("model    {}, {} features{}, {}, l2 {:.6g}{}\n", model.kind, model.features,
             model.classes.empty() ? "" : fmt::format(", {} classes", model.classes.size()),
             !model.symbol.empty()
                 ? fmt::format("a net of {} parameters", model.layout.all().size())
             : model.penalised_intercept ? "with penalised intercept"
             : model.intercept           ? "with intercept"
                                         : "no intercept",
             model.l2, model.l1 > 0 ? fmt::format(", l1 {:.6g}", model.l1) : "");
  fmt::print("weights  {} numbers, {} of them 0, |w| = {:.6g}, largest {:.6g}\n", w.size(), zeros,
             w.norm(), w.size() > 0 ? w.cwiseAbs().maxCoeff() : 0.0);
  print_calibration(model.calibration);
}

void print_history(const std::string& path) {
  const auto history = io::read_history(path);
  if (history.empty()) return;
  const auto& last = history.back();
  fmt::print("history  {} records, epoch {} to {}, {:.4g} passes, {}\n", history.size(),
             history.front().epoch, last.epoch, last.passes, format_seconds(last.wall_seconds));
  fmt::print("last     objective {:.12g}, |g| {:.4g}", last.objective, last.grad_norm);
  for (const auto& [name, value] : last.metrics)
    fmt::print(", {} {:.5g}", replaced(name, '_', ' '), value);
  fmt::print("\n");
}

void print_study(const std::string& path) {
  const io::ScalingStudy study = io::read_scaling(path);
  fmt::print("study    {} scaling of {} on {}\n", study.mode, study.solver, study.data);
  for (const ScalingPoint& p : points_of(study))
    fmt::print("{:<8} {:.4g} s in {} epochs, speed-up {:.3g}, efficiency {:.0f} %\n",
               fmt::format("{} rank{}", p.ranks, p.ranks == 1 ? "" : "s"), p.train_seconds,
               p.epochs, p.speedup, 100 * p.efficiency);
}

void print_tuning(const std::string& path) {
  const io::TuningStudy study = io::read_tuning(path);
  fmt::print("tuning   {} model of {}, {} rows, {} folds{}, {} points, by {}\n", study.kind,
             study.data, study.rows, study.held_out.size(),
             study.stratified ? " with classes in proportion" : "", study.settings.size(),
             study.metrics.front());
  for (const std::string& line : table_of(study)) fmt::print("{}\n", line);
  fmt::print("chosen   {}\n", study.settings[static_cast<std::size_t>(study.chosen)]);
}

/// A model that is no HDF5: what it would be as one.
int inspect_model(const std::string& path, const char* format) {
  const io::ModelRecord model = io::load_model(path);
  State state;
  io::add_model(state, model);
  fmt::print("file     {}\nformat   {}\n", path, format);
  print_weights(model);
  fmt::print("contents\n");
  for (const auto& [name, value] : state.values)
    if (name != "config" && name != "manifest" && name != "symbol")
      fmt::print("  {:<24} {}\n", name,
                 std::visit([](const auto& v) { return fmt::format("{}", v); }, value));
  for (const auto& [name, array] : state.arrays) print_array(name, array, "");
  if (!model.config.empty()) fmt::print("config\n{}\n", model.config);
  return 0;
}

int inspect_hdf5(const std::string& path) {
  const auto bytes = io::read_file(path);
  std::span<const std::byte> image = bytes;
  constexpr std::string_view mark = "SVRG-CHECKPOINT";
  const bool sealed =
      bytes.size() >= mark.size() &&
      std::string_view(reinterpret_cast<const char*>(bytes.data()), mark.size()) == mark;
  if (sealed) image = io::unseal(bytes, path);
  const io::Document document = io::from_image(image, path);
  const auto format = document.attributes.find("format");
  if (format == document.attributes.end())
    throw DataError(path + ": an HDF5 file, but none of svrg's: it has no attribute 'format'");
  const std::string kind = shown(format->second);
  fmt::print("file     {}\nformat   {}{}\n", path, kind, sealed ? ", sealed: intact" : "");
  if (kind == "svrg-model" || kind == "svrg-checkpoint") print_weights(io::load_model(path));
  if (kind == "svrg-run") print_history(path);
  if (kind == "svrg-bench") print_study(path);
  if (kind == "svrg-tuning") print_tuning(path);
  fmt::print("contents\n");
  print_contents(document);
  const auto config = document.variables.find("config");
  if (config != document.variables.end())
    if (const auto* text = std::get_if<std::vector<std::string>>(&config->second.data.data);
        text && !text->empty() && !text->front().empty())
      fmt::print("config\n{}\n", text->front());
  return 0;
}

}  // namespace

int inspect(const Settings& settings) {
  const std::string path = settings.text("file");
  switch (io::model_format_of(path).value_or(io::ModelFormat::hdf5)) {
    case io::ModelFormat::npz:
      return inspect_model(path, "svrg-model as .npz");
    case io::ModelFormat::json:
      return inspect_model(path, "svrg-model as JSON");
    case io::ModelFormat::liblinear:
      return inspect_model(path, "liblinear's text");
    case io::ModelFormat::onnx:
    case io::ModelFormat::hdf5:
      break;
  }
  std::error_code none;
  const auto size =
      static_cast<Index>(std::filesystem::file_size(path, none));  // -1 of a missing one
  return contained(path, {.bytes = (Index{1} << 30) + 8 * size},
                   [&] { return inspect_hdf5(path); });
}

}  // namespace svrg::app
