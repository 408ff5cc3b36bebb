#include "module/impl.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "svrg/core/error.hpp"
#include "svrg/data/partition.hpp"

namespace svrg {
namespace {

template <class T>
RowStore cut(const DenseStore<T>& store, Index size, Index begin, Index end) {
  const auto from = store.data.begin();
  return DenseStore<T>{std::vector<T>(from + begin * size, from + end * size)};
}
template <class T>
RowStore cut(const CsrStore<T>& store, Index, Index begin, Index end) {
  CsrStore<T> out;
  const Index first = store.starts[static_cast<std::size_t>(begin)];
  const Index last = store.starts[static_cast<std::size_t>(end)];
  out.values.assign(store.values.begin() + first, store.values.begin() + last);
  out.indices.assign(store.indices.begin() + first, store.indices.begin() + last);
  out.starts.clear();
  for (Index i = begin; i <= end; ++i)
    out.starts.push_back(store.starts[static_cast<std::size_t>(i)] - first);
  return out;
}

bool among(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

NDArray rows_between(const NDArray& array, Index begin, Index end) {
  NDArray out;
  out.shape = array.shape;
  if (out.shape.empty()) out.shape = {0};
  out.shape[0] = end - begin;
  out.store =
      std::visit([&](const auto& s) { return cut(s, array.row_size(), begin, end); }, array.store);
  return out;
}

NDArray filled(std::vector<Index> shape, double value) {
  Index size = 1;
  for (const Index n : shape) size *= n;
  return {std::move(shape),
          std::vector<float>(static_cast<std::size_t>(size), static_cast<float>(value))};
}

NDArray without_rows(const DataDesc& desc) {
  std::vector<Index> shape = desc.shape;
  shape[0] = 0;
  return filled(std::move(shape), 0);
}

Module::Impl::Impl(const BucketSymbol& s, ModuleOptions o, Communicator c)
    : Bound{s.symbol, {}, {}}, options(std::move(o)), comm(std::move(c)) {
  if (options.logger && comm.is_root()) log = options.logger;
  take_symbol(s);
  if (!options.group2ctxs.empty())
    throw ConfigError("group2ctxs is not supported yet: a replica is computed by one rank");
  if (!options.work_load_list.empty() && options.work_load_list.size() != options.context.size())
    throw ConfigError(fmt::format("work_load_list has {} shares for {} contexts",
                                  options.work_load_list.size(), options.context.size()));
  for (const double share : options.work_load_list)
    if (!(share > 0)) throw ConfigError("work_load_list: shares must be above 0");
}

void Module::Impl::take_symbol(const BucketSymbol& given) {
  symbol = given.symbol;
  data_names = given.data_names;
  const auto arguments = symbol.list_arguments();
  const auto require_names = [&](const std::vector<std::string>& names, const char* what) {
    for (const std::string& name : names)
      if (!among(arguments, name))
        throw ConfigError(fmt::format("{} '{}' is not an argument of the symbol; those are {}",
                                      what, name, fmt::join(arguments, ", ")));
  };
  require_names(data_names, "data name");
  require_names(options.state_names, "state name");
  require_names(options.fixed_param_names, "fixed parameter");
  for (const std::string& name : given.label_names)
    if (among(arguments, name))
      label_names.push_back(name);
    else
      say(LogLevel::warning, fmt::format("label '{}' is not an argument of the symbol; those "
                                         "are {}",
                                         name, fmt::join(arguments, ", ")));
  for (const std::string& output : symbol.list_outputs())
    if (among(arguments, output) || among(symbol.list_auxiliary_states(), output))
      throw ConfigError("'" + output + "' is a variable of the symbol: outputs must be operators");
  for (const auto& [name, attributes] : symbol.attr_dict())
    if (const auto at = attributes.find("__init__"); at != attributes.end())
      inits[name] = at->second;
}

void Module::Impl::use_bucket(Index key, const std::vector<DataDesc>& data,
                              const std::vector<DataDesc>& labels) {
  if (key == bucket_key) return;
  require(!engine->pending(), "gradients wait for update(): call it before another bucket's batch");
  Bound last = std::move(static_cast<Bound&>(*this));
  const Engine& common = *last.engine;
  try {
    const auto found = other_buckets.find(key);
    static_cast<Bound&>(*this) =
        found == other_buckets.end() ? Bound{last.symbol, {}, {}} : std::move(found->second);
    if (found == other_buckets.end()) take_symbol(sym_gen(key));
    if (!engine || !engine->shares(common)) {
      engine.reset();
      data_shapes = data;
      label_shapes = labels;
      make_engine_for_shapes(&common);
    }
  } catch (...) {
    other_buckets.erase(key);
    static_cast<Bound&>(*this) = std::move(last);
    throw;
  }
  other_buckets.erase(key);
  other_buckets.emplace(bucket_key, std::move(last));
  bucket_key = key;
}

void Module::Impl::use_bucket_of(const DataBatch& batch) {
  if (!sym_gen || !batch.bucket_key || *batch.bucket_key == bucket_key) return;
  if (const auto found = other_buckets.find(*batch.bucket_key); found != other_buckets.end()) {
    const auto data = found->second.data_shapes, labels = found->second.label_shapes;
    return use_bucket(*batch.bucket_key, data, labels);
  }
  const auto names = sym_gen(*batch.bucket_key);
  const auto described = [&](const std::vector<std::string>& given,
                             const std::vector<NDArray>& arrays) {
    std::vector<DataDesc> shapes;
    for (std::size_t i = 0; i < std::min(given.size(), arrays.size()); ++i) {
      shapes.push_back({given[i], arrays[i].shape});
      shapes.back().shape[0] = data_shapes[0].shape[0];
    }
    return shapes;
  };
  use_bucket(*batch.bucket_key, described(names.data_names, batch.data),
             described(names.label_names, batch.label));
}

void Module::Impl::require(bool condition, const char* what) const {
  if (!condition) throw ConfigError(std::string("module: ") + what);
}

void Module::Impl::require_same(bool given, const char* argument) const {
  const Index ranks = comm.sum(Index{given});
  if (ranks != 0 && ranks != comm.size())
    throw ConfigError(fmt::format("module: {} was given on {} of {} ranks; give it on all",
                                  argument, ranks, comm.size()));
}

std::map<std::string, std::vector<Index>> Module::Impl::infer_input_shapes() const {
  std::map<std::string, std::vector<Index>> shapes;
  for (const auto& desc : data_shapes) shapes[desc.name] = desc.shape;
  for (const auto& desc : label_shapes)
    if (among(label_names, desc.name)) shapes[desc.name] = desc.shape;
  // Labels and states that nobody gave a shape follow from the data.
  const auto arguments = symbol.list_arguments();
  const auto found = symbol.infer_shape_partial(shapes);
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& name = arguments[i];
    if (shapes.count(name) || !(among(label_names, name) || among(options.state_names, name)))
      continue;
    auto shape = found.arguments[i];
    // A state has a row for each of the batch's.
    if (!shape.empty() && shape[0] == 0 && among(options.state_names, name))
      shape[0] = data_shapes[0].shape[0];
    if (shape.empty() || std::count(shape.begin(), shape.end(), 0))
      throw ConfigError("bind: the shape of '" + name +
                        "' does not follow from the data's; give it");
    shapes[name] = shape;
  }
  return shapes;
}

void Module::Impl::make_engine_for_shapes(const Engine* common) {
  input_shapes = infer_input_shapes();
  EngineOptions made;
  made.executor.inputs = input_shapes;
  made.executor.training = bound.for_training;
  made.executor.fixed = options.fixed_param_names;
  if (bound.inputs_need_grad) made.executor.gradients = data_names;
  made.executor.seed = options.seed;
  made.accumulate = bound.grad_req == GradReq::add;
  if (bound.grad_req == GradReq::null)
    for (const std::string& name : symbol.list_arguments())
      if (!made.executor.inputs.count(name)) made.executor.fixed.push_back(name);
  if (!options.compression_params.empty()) {
    OptionReader o("compression_params", options.compression_params);
    made.compression = Compression::of(o.choice("type", "none", {"none", "2bit", "1bit", "fp16"}));
    if (made.compression.kind == Compression::Kind::two_bit) {
      made.compression.threshold = o.real("threshold", 0.5);
      if (!(made.compression.threshold > 0)) o.fail("threshold", "must be above 0");
    }
    if (made.compression)
      made.exact_mean = o.choice("what", "sum", {"sum", "difference"}) == "difference";
    o.done();
  }
  const Index contexts = !options.context.empty() ? static_cast<Index>(options.context.size())
                         : private_batches        ? 1
                                                  : Partition::default_virtual_shards(comm.size());
  std::vector<double> loads = options.work_load_list;
  if (loads.empty() && options.context.size() > 1) loads.assign(options.context.size(), 1);
  for (const auto& [name, attributes] : symbol.attr_dict())
    if (const auto at = attributes.find("normalization");
        at != attributes.end() && at->second == "valid" && contexts > 1)
      say(LogLevel::warning,
          fmt::format("'{}' counts valid labels within each of {} virtual shards "
                      "of a batch; give context = {{cpu()}} for one count",
                      name, contexts));
  const Slices slices(comm, contexts, std::move(loads), private_batches);
  if (engine && parameter_layout(symbol, made.executor).size() != engine->layout().size())
    throw ConfigError("module: with these shapes parameters would change theirs; bind a new one");
  auto fresh = options.dtype == Dtype::float32
                   ? make_engine<float>(comm, symbol, slices, std::move(made), common)
                   : make_engine<double>(comm, symbol, slices, std::move(made), common);
  if (engine) {
    if (!common) {
      fresh->set_weights(engine->weights());
      fresh->set_auxiliary_states(engine->auxiliary_states());
      State state;
      engine->save_snapshot(state);
      fresh->load_snapshot(state);
    }
  }
  engine = std::move(fresh);
  output_shapes = symbol.infer_shape(input_shapes).outputs;
  const auto names = symbol.list_outputs();
  const Index rows = data_shapes[0].shape[0];
  for (std::size_t i = 0; i < names.size() && slices.per_batch() > 1; ++i)
    if (output_shapes[i][0] % rows != 0)
      say(LogLevel::warning,
          fmt::format("output '{}' has {} rows for a batch of {}: each of the {} virtual shards of "
                      "a batch computes one of its own",
                      names[i], output_shapes[i][0], rows, slices.per_batch()));
}

OutputListener Module::Impl::monitor_listener() const {
  return [m = monitor](const std::string& name, std::span<const double> values,
                       std::span<const Index>) { m->see(name, values); };
}

const Feed& Module::Impl::feed_of(const DataBatch& batch) {
  feed.inputs.clear();
  feed.global_rows = {};
  no_states.clear();
  no_states.reserve(options.state_names.size());
  if (batch.data.size() != data_shapes.size())
    throw ConfigError(fmt::format("a batch has {} data arrays, the module was bound with {}",
                                  batch.data.size(), data_shapes.size()));
  feed.rows = batch.data[0].rows();
  const auto add = [&](const std::string& name, const NDArray& array) {
    if (array.rows() != feed.rows)
      throw ConfigError(
          fmt::format("a batch has {} rows, but {} of '{}'", feed.rows, array.rows(), name));
    feed.inputs.emplace_back(name, array.view());
  };
  for (std::size_t i = 0; i < batch.data.size(); ++i) add(data_shapes[i].name, batch.data[i]);
  blank_labels.resize(label_names.size());
  for (std::size_t i = 0; i < label_names.size(); ++i) {
    std::size_t at = i;
    for (std::size_t k = 0; k < label_shapes.size(); ++k)
      if (label_shapes[k].name == label_names[i]) at = k;
    if (at < batch.label.size()) {
      add(label_names[i], batch.label[at]);
      continue;
    }
    auto shape = input_shapes.at(label_names[i]);
    shape[0] = feed.rows;
    if (blank_labels[i].shape != shape) blank_labels[i] = filled(shape, 0);
    add(label_names[i], blank_labels[i]);
  }
  states.resize(options.state_names.size());
  for (std::size_t i = 0; i < states.size(); ++i) {
    auto shape = input_shapes.at(options.state_names[i]);
    shape[0] = feed.rows;
    if (state_value) {
      if (states[i].shape != shape) states[i] = filled(shape, *state_value);
    } else if (states[i].shape != shape && feed.rows > 0) {
      throw ConfigError(fmt::format("state '{}' was set for {} rows, a batch has {}",
                                    options.state_names[i], states[i].rows(), feed.rows));
    }
    if (feed.rows == 0) no_states.push_back(filled(shape, 0));
    add(options.state_names[i], feed.rows > 0 ? states[i] : no_states.back());
  }
  if (static_cast<Index>(batch.rows.size()) == feed.rows) feed.global_rows = batch.rows;
  return feed;
}

std::vector<NDArray> Module::Impl::local_outputs() const {
  std::vector<NDArray> outputs;
  for (Index i = 0; i < engine->outputs(); ++i) {
    outputs.push_back(engine->output(i));
    if (outputs.back().size() > 0) continue;
    outputs.back().shape = output_shapes[static_cast<std::size_t>(i)];
    outputs.back().shape[0] = 0;
  }
  return outputs;
}

std::vector<NDArray> Module::Impl::gathered(std::vector<NDArray> local) const {
  if (private_batches || comm.size() == 1) return local;
  for (NDArray& array : local) {
    const Index row = std::max<Index>(array.row_size(), 1);
    const auto gather = [&](auto& store) {
      if constexpr (requires { store.data; }) {
        store.data = comm.gather(std::span(std::as_const(store.data)));
        array.shape[0] = static_cast<Index>(store.data.size()) / row;
      }
    };
    std::visit(gather, array.store);
  }
  return local;
}

void Module::Impl::take_metric(EvalMetric& metric, const std::vector<NDArray>& labels) const {
  const auto [begin, end] = engine->own_rows();
  const Index rows = end - begin;
  const Index last = std::max(begin, std::min(end, fed_rows - fed_pad));
  std::vector<NDArray> own;
  for (const NDArray& label : labels) {
    if (label.rows() != fed_rows)
      throw ConfigError(
          fmt::format("update_metric: {} labels for a batch of {} rows", label.rows(), fed_rows));
    own.push_back(rows_between(label, begin, last));
  }
  std::vector<NDArray> outputs = local_outputs();
  if (last < end)  // copies that fill a batch up count in no metric
    for (NDArray& out : outputs)
      if (out.rows() == rows) out = rows_between(out, 0, last - begin);
  metric.update(own, outputs);
}

Index Module::Impl::agreed_batches(DataIter& data) const {
  return private_batches ? comm.max(data.batches()) : data.batches();
}

const DataBatch* Module::Impl::next_or_empty(DataIter& data) {
  const DataBatch* batch = data.next();
  if (batch || !private_batches) return batch;
  // Other ranks have batches left: this one joins their sums with no rows.
  empty_batch = {};
  for (const auto& desc : data.provide_data()) empty_batch.data.push_back(without_rows(desc));
  for (const auto& desc : data.provide_label()) empty_batch.label.push_back(without_rows(desc));
  return &empty_batch;
}

NDArrays Module::Impl::named(ConstVecRef<double> flat, const ParameterLayout& layout) const {
  NDArrays arrays;
  for (const Parameter& p : layout.all()) {
    const auto* from = flat.data() + p.offset;
    arrays.emplace(p.name, options.dtype == Dtype::float32
                               ? NDArray(p.shape, std::vector<float>(from, from + p.size))
                               : NDArray(p.shape, std::vector<double>(from, from + p.size)));
  }
  return arrays;
}

}  // namespace svrg
