// A checkpoint as bytes: HDF5 image and seal. The folder of checkpoints is checkpoint_store.cpp's.
#include "svrg/io/checkpoint.hpp"

#include "io/checkpoint_file.hpp"
#include "io/schema.hpp"
#include "svrg/core/error.hpp"
#include "svrg/io/document.hpp"
#include "svrg/io/file.hpp"

namespace svrg::io {
namespace {

std::vector<std::byte> image_with_room(const State& state) {
  return to_image(to_document(state, checkpoint_format, "svrg checkpoint"), seal_size);
}

}  // namespace

std::vector<std::byte> checkpoint_image(const State& state) {
  auto image = image_with_room(state);
  image.erase(image.begin(), image.begin() + seal_size);
  return image;
}

std::vector<std::byte> checkpoint_file(const State& state) {
  auto file = image_with_room(state);
  write_seal(file);
  return file;
}

State state_of_payload(std::span<const std::byte> payload, const std::string& name) {
  Document document = from_image(payload, name);
  expect_format(document, checkpoint_format, name);
  return to_state(std::move(document), name);
}

State read_checkpoint(const std::string& path) {
  const auto file = read_file(path);
  return state_of_payload(unseal(file, path), path);
}

}  // namespace svrg::io
