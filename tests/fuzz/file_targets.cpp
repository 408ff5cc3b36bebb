// Models, nets, arrays and settings: what is taken comes back from what is written of it.
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

#include "config_file.hpp"
#include "data/idx_file.hpp"
#include "io/json_state.hpp"
#include "io/npz_state.hpp"
#include "svrg/core/error.hpp"
#include "svrg/io/checkpoint.hpp"
#include "svrg/io/file.hpp"
#include "svrg/io/liblinear_model.hpp"
#include "svrg/io/model_file.hpp"
#include "svrg/model/symbol.hpp"
#include "svrg/module/ndarray_file.hpp"
#include "targets.hpp"

namespace svrg::fuzz {
namespace {

std::string as_string(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void use_model(const io::ModelRecord& model) {
  expect(model.weights.size() == model.layout.size(), "a model's weights fill its layout");
  expect(model.classes.empty() || model.kind != "linear", "a linear model has no classes");
  State again;
  io::add_model(again, model);
  const io::ModelRecord twin = io::model_from_state(again, "again");
  expect(twin.kind == model.kind && twin.features == model.features &&
             twin.weights.size() == model.weights.size(),
         "a model comes back from its state");
}

}  // namespace

MemoryFile::MemoryFile(std::span<const std::byte> bytes) {
  // HDF5 wants a name with a folder, which a memfd has not.
  const int file = mkstemp(path_);
  if (file < 0) throw std::runtime_error("no file in /dev/shm");
  const ssize_t count = write(file, bytes.data(), bytes.size());
  close(file);
  if (count != static_cast<ssize_t>(bytes.size())) throw std::runtime_error("no room in /dev/shm");
}

MemoryFile::~MemoryFile() { unlink(path_); }

void expect(bool holds, const char* law) {
  if (!holds) throw std::logic_error(law);
}

void read_idx(std::span<const std::byte> bytes) {
  const MemoryFile file(bytes);
  const IdxFile idx(file.path(), Index{16} << 20);
  std::size_t values = 1;
  for (const Index extent : idx.shape) values *= static_cast<std::size_t>(extent);
  expect(values > 0, "a file of images has some");
  idx.value(values - 1);
}

void read_npz(std::span<const std::byte> bytes) {
  const State state = io::from_npz(bytes, "svrg-model", "file");
  expect(io::from_npz(io::to_npz(state, "svrg-model"), "svrg-model", "again").arrays.size() ==
             state.arrays.size(),
         "a state comes back from its archive");
  use_model(io::model_from_state(state, "file"));
}

void read_json(std::span<const std::byte> bytes) {
  const State state = io::from_json(as_string(bytes), "svrg-model", "file");
  const std::string text = io::to_json(state, "svrg-model");
  expect(io::to_json(io::from_json(text, "svrg-model", "again"), "svrg-model") == text,
         "a state comes back from its text");
  use_model(io::model_from_state(state, "file"));
}

void read_liblinear(std::span<const std::byte> bytes) {
  use_model(io::from_liblinear(as_string(bytes), "file"));
}

void read_seal(std::span<const std::byte> bytes) {
  // HDF5 itself is not meant to be fuzzed: behind a seal that matches is what we wrote.
  if (io::is_sealed(bytes)) io::unseal(bytes, "file");
  io::check_trailer(bytes, "file");
}

void read_config(std::span<const std::byte> bytes) {
  app::Settings settings;
  app::read_config_text(settings, as_string(bytes), "run.toml");
  settings.settle();
  const std::string text = settings.to_toml();
  expect(app::settings_from_toml(text, "again").to_toml() == text,
         "settings come back from their text");
}

void read_symbol(std::span<const std::byte> bytes) {
  const Symbol net = Symbol::from_json(as_string(bytes), "symbol.json");
  const std::string text = net.to_json();
  expect(Symbol::from_json(text, "again").to_json() == text, "a symbol comes back from its text");
  net.infer_shape_partial({{"data", {2, 1, 8, 8}}});
}

void read_params(std::span<const std::byte> bytes) {
  const NDArrayList list = parse_ndarrays(bytes, "file");
  std::size_t values = 0;
  for (const NDArray& array : list.arrays) values += static_cast<std::size_t>(array.size());
  if (values > std::size_t{1} << 20) return;
  const std::vector<std::byte> written = format_ndarrays(list);
  expect(format_ndarrays(parse_ndarrays(written, "again")) == written,
         "arrays come back from their file");
}

}  // namespace svrg::fuzz
