// A model's formats. All but liblinear's text and ONNX are the same State in other clothes.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "io/attribute_read.hpp"
#include "io/checkpoint_file.hpp"
#include "io/json_state.hpp"
#include "io/npz_state.hpp"
#include "io/schema.hpp"
#include "svrg/core/error.hpp"
#include "svrg/io/document.hpp"
#include "svrg/io/file.hpp"
#include "svrg/io/liblinear_model.hpp"
#include "svrg/io/model_file.hpp"
#include "svrg/io/onnx_model.hpp"

namespace svrg::io {
namespace {

constexpr const char* format_name = "svrg-model";
constexpr std::string_view hdf5_mark = "\x89HDF\r\n\x1a\n", npz_mark = "PK\x03\x04",
                           liblinear_mark = "solver_type";
constexpr std::size_t user_block = 512;

/// Of what begins so; HDF5 also behind a user block.
std::optional<ModelFormat> format_of(std::string_view text) {
  if (text.starts_with(hdf5_mark)) return ModelFormat::hdf5;
  if (text.size() > user_block && text.substr(user_block).starts_with(hdf5_mark))
    return ModelFormat::hdf5;
  if (text.starts_with(npz_mark)) return ModelFormat::npz;
  if (text.starts_with(liblinear_mark)) return ModelFormat::liblinear;
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first != text.npos && text[first] == '{') return ModelFormat::json;
  return {};
}

// A figure that was not measured must not cost the model.
ModelRecord with_finite_summary(ModelRecord model) {
  std::erase_if(model.summary.values, [](const auto& item) {
    const auto* number = std::get_if<double>(&item.second);
    return number && !std::isfinite(*number);
  });
  return model;
}

State state_of(const ModelRecord& model) {
  State state;
  add_model(state, model);
  return state;
}

}  // namespace

ModelRecord without_scaling(const ModelRecord& model) {
  if (!model.symbol.empty())
    throw ConfigError("what was done to the columns cannot be folded into the weights of a net");
  if (!model.mean.empty() && !model.intercept)
    throw ConfigError("means were taken off the columns, which only an intercept can make up for");
  ModelRecord raw = model;
  raw.mean.clear();
  raw.scale.clear();
  const Parameter& weight = model.layout.at("linear_weight");
  const Index K = weight.shape[0], d = model.features;
  Vec<double> w = to_row_major(weight, model.weights.segment(weight.offset, weight.size));
  for (Index k = 0; k < K; ++k)
    for (Index j = 0; j < d; ++j) {
      const auto column = static_cast<std::size_t>(j);
      if (!model.scale.empty()) w[k * d + j] /= model.scale[column];
      if (!model.mean.empty())
        raw.weights[model.layout.at("linear_bias").offset + k] -= w[k * d + j] * model.mean[column];
    }
  raw.weights.segment(weight.offset, weight.size) = from_row_major(weight, w);
  return raw;
}

std::optional<ModelFormat> known_model_format(const std::string& path) {
  constexpr std::array<std::pair<std::string_view, ModelFormat>, 6> suffixes = {
      {{".h5", ModelFormat::hdf5},
       {".hdf5", ModelFormat::hdf5},
       {".model", ModelFormat::liblinear},
       {".npz", ModelFormat::npz},
       {".json", ModelFormat::json},
       {".onnx", ModelFormat::onnx}}};
  const std::string suffix = std::filesystem::path(path).extension().string();
  for (const auto& [known, format] : suffixes)
    if (suffix == known) return format;
  return {};
}

ModelFormat model_format(const std::string& path) {
  const auto format = known_model_format(path);
  if (!format)
    throw ConfigError(path +
                      ": no known suffix; models go to .h5, .hdf5, .model (liblinear's "
                      "text), .npz, .json or .onnx");
  return *format;
}

std::optional<ModelFormat> model_format_of(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return {};
  std::string head(user_block + hdf5_mark.size(), '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  head.resize(static_cast<std::size_t>(file.gcount()));
  if (is_sealed(std::as_bytes(std::span(head)))) return ModelFormat::hdf5;
  const auto format = format_of(head);
  if (format != ModelFormat::hdf5) return format;
  try {  // rows are HDF5, too, and may be too many to read for this
    prepare_hdf5();
    const Handle opened(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose, "open");
    if (read_text_attribute(opened, "format") == format_name) return format;
  } catch (const Hdf5Error&) {  // whoever reads it will say what is wrong
  }
  return {};
}

void save_model(const std::string& path, const ModelRecord& model) {
  switch (model_format(path)) {
    case ModelFormat::liblinear:
      return write_file(path, liblinear_text(model));
    case ModelFormat::npz:
      return write_file(path, to_npz(state_of(model), format_name));
    case ModelFormat::json:
      return write_file(path, to_json(state_of(with_finite_summary(model)), format_name));
    case ModelFormat::onnx:
      return write_file(path, onnx_text(model));
    case ModelFormat::hdf5: {
      auto image = to_image(to_document(state_of(model), format_name, model.kind + " model"));
      append_trailer(image);
      return write_file(path, image);
    }
  }
}

ModelRecord load_model(const std::string& path) {
  const auto file = read_file(path);
  const std::string_view text(reinterpret_cast<const char*>(file.data()), file.size());
  if (is_sealed(file)) return model_from_state(state_of_payload(unseal(file, path), path), path);
  const auto format = format_of(text);
  if (!format)
    throw DataError(
        path + ": no model: neither HDF5, .npz, JSON nor liblinear's text (ONNX is only written)");
  switch (*format) {
    case ModelFormat::liblinear:
      return from_liblinear(text, path);
    case ModelFormat::npz:
      return model_from_state(from_npz(file, format_name, path), path);
    case ModelFormat::json:
      return model_from_state(from_json(text, format_name, path), path);
    case ModelFormat::onnx:  // is not told by its content
    case ModelFormat::hdf5:
      break;
  }
  Document document = from_image(check_trailer(file, path), path);
  expect_format(document, format_name, path);
  return model_from_state(to_state(std::move(document), path), path);
}

}  // namespace svrg::io
