// HDF5 1.10 does not stand hostile bytes itself. What is fuzzed is ours: regular files of any
// objects under the names that the readers of models, checkpoints and data look for, of any type,
// shape and content.
#include <algorithm>
#include <array>
#include <limits>

#include "data/hdf5_file.hpp"
#include "svrg/core/error.hpp"
#include "svrg/io/checkpoint.hpp"
#include "svrg/io/document.hpp"
#include "svrg/io/model_file.hpp"
#include "targets.hpp"

namespace svrg::fuzz {
namespace {

constexpr std::array variables = {"X",
                                  "X/data",
                                  "X/indices",
                                  "X/indptr",
                                  "y",
                                  "weight",
                                  "class",
                                  "feature_name",
                                  "positive",
                                  "input_shape",
                                  "config",
                                  "manifest",
                                  "params/linear/weight",
                                  "params/linear/bias",
                                  "params/fc1/weight",
                                  "symbol",
                                  "preprocess/mean",
                                  "preprocess/scale",
                                  "solver/ring",
                                  "y/codes",
                                  "y/categories",
                                  "precision"};
constexpr std::array attributes = {"format",
                                   "format_version",
                                   "required_features",
                                   "kind",
                                   "intercept",
                                   "n_features",
                                   "l2",
                                   "shape",
                                   "precision",
                                   "symbol",
                                   "scale_factor",
                                   "add_offset",
                                   "encoding-type",
                                   "epoch",
                                   "huber_delta",
                                   "penalised_intercept"};
constexpr std::array texts = {"svrg-model", "svrg-data", "svrg-checkpoint", "1.0",  "2.7",
                              "linear",     "logistic",  "softmax",         "net",  "csr_matrix",
                              "f32",        "",          "0.1.0",           "huber"};

class Draws {
 public:
  explicit Draws(std::span<const std::byte> bytes) : rest_(bytes) {}
  bool more() const { return !rest_.empty(); }
  unsigned next() {
    if (rest_.empty()) return 0;
    const auto value = std::to_integer<unsigned>(rest_.front());
    rest_ = rest_.subspan(1);
    return value;
  }
  template <class List>
  auto of(const List& list) {
    return list[next() % list.size()];
  }
  template <class T>
  T number() {
    const unsigned kind = next();
    using Limits = std::numeric_limits<T>;
    switch (kind) {
      case 250:
        return Limits::max();
      case 251:
        return Limits::lowest();
      case 252:
        return Limits::has_quiet_NaN ? Limits::quiet_NaN() : static_cast<T>(-1);
      case 253:
        return Limits::has_infinity ? Limits::infinity() : static_cast<T>(-2);
      case 254:
        return static_cast<T>(0.5);
      default:
        return static_cast<T>(kind);
    }
  }

 private:
  std::span<const std::byte> rest_;
};

io::Attribute attribute(Draws& draws) {
  switch (draws.next() % 5) {
    case 0:
      return draws.number<std::int64_t>();
    case 1:
      return draws.number<double>();
    case 2:
      return std::string(draws.of(texts));
    case 3:
      return std::vector<std::int64_t>{draws.number<std::int64_t>(), draws.number<std::int64_t>()};
    default:
      return std::vector<std::string>{draws.of(texts)};
  }
}

template <class T>
std::vector<T> numbers(Draws& draws, Index count) {
  std::vector<T> values(static_cast<std::size_t>(count));
  for (T& value : values) value = draws.number<T>();
  return values;
}

Array array(Draws& draws) {
  Array made;
  const unsigned type = draws.next() % 6, axes = draws.next() % 4;
  Index count = 1;
  for (unsigned axis = 0; axis < axes; ++axis) {
    made.shape.push_back(draws.next() % 6);
    count *= made.shape.back();
  }
  switch (type) {
    case 0:
      made.data = numbers<double>(draws, count);
      break;
    case 1:
      made.data = numbers<float>(draws, count);
      break;
    case 2:
      made.data = numbers<std::int64_t>(draws, count);
      break;
    case 3:
      made.data = numbers<std::int32_t>(draws, count);
      break;
    case 4:
      made.data = numbers<std::uint8_t>(draws, count);
      break;
    default: {
      std::vector<std::string> words(static_cast<std::size_t>(count));
      for (std::string& word : words) word = draws.of(texts);
      made.data = std::move(words);
    }
  }
  return made;
}

io::Document document(Draws draws) {
  io::Document made;
  while (draws.more()) {
    const unsigned kind = draws.next() % 8;
    if (kind < 4) {
      const char* name = draws.of(variables);
      made.variables[name].data = array(draws);
    } else if (kind < 6) {
      const char* name = draws.of(attributes);
      made.attributes[name] = attribute(draws);
    } else if (kind == 6) {
      const char* name = draws.of(variables);
      const auto at = made.variables.find(name);
      const char* key = draws.of(attributes);
      const io::Attribute value = attribute(draws);
      if (at != made.variables.end()) at->second.attributes[key] = value;
    } else {
      const char* group = (draws.next() & 1) != 0 ? "X" : "state";
      const char* key = draws.of(attributes);
      made.groups[group][key] = attribute(draws);
    }
  }
  return made;
}

void read_rows(const char* path, bool labels_required) {
  ReadOptions options;
  options.labels_required = labels_required;
  const Hdf5File file(path, options);
  constexpr Index step = 3;
  for (Index first = 0; first < std::min<Index>(file.rows(), 64); first += step) {
    const Index count = std::min(step, file.rows() - first);
    if (file.sparse()) file.starts(first, count);
    text::RowBlock rows;
    file.read(first, count, rows);
    expect(rows.rows() == count, "a stretch of rows has as many");
    for (const std::int32_t index : rows.indices)
      expect(index >= 0 && index < file.columns(), "an index is within the columns");
  }
}

template <class Work>
std::string refusal(const Work& work) {
  try {
    work();
    return "";
  } catch (const Error& e) {
    return e.what();
  }
}

}  // namespace

void read_document(std::span<const std::byte> bytes) {
  const std::vector<std::byte> image = io::to_image(document(Draws(bytes)));
  const MemoryFile file(image);
  const std::string state = refusal([&] { io::state_of_payload(image, "file"); }),
                    model = refusal([&] { io::load_model(file.path()); });
  const std::string rows = refusal([&] { read_rows(file.path(), true); }),
                    unlabelled = refusal([&] { read_rows(file.path(), false); });
  if (!state.empty() && !model.empty() && !rows.empty() && !unlabelled.empty())
    throw DataError(model + "; " + unlabelled);
}

}  // namespace svrg::fuzz
