// One symbol's operators in order, with the memory that they read and write.
#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "model/graph/beginnings.hpp"
#include "model/graph/fed_rows.hpp"
#include "model/graph/layouts.hpp"
#include "model/graph/plan.hpp"
#include "svrg/model/executor.hpp"

namespace svrg {

template <class Real>
struct Executor<Real>::Impl {
  struct Step {
    std::size_t node;
    std::unique_ptr<ops::Operator<Real>> op;
    std::vector<std::size_t> in, aux;  // entries
    std::vector<ops::Source<Real>> sources, out_grads;
    std::vector<ops::Target<Real>> outputs, states, in_grads;
    bool differentiated = false;
  };
  struct Fed {
    std::string name;
    Index row_size = 0;
    bool sparse = true;  // every reader takes CSR
    std::size_t entry = 0;
    graph::FedRows<Real> rows;
    bool wants_gradient = false;
    std::vector<Real> gradient;
  };

  Symbol symbol;
  ExecutorOptions options;
  graph::Numbered numbered;
  ParameterLayout layout, auxiliaries;
  graph::Roles roles;
  graph::Beginnings beginnings;
  std::vector<Fed> fed;
  std::vector<Step> steps;
  struct RowNames {  // the rows of a row_sparse parameter that an operator reads
    std::size_t step, fed;
    Index first_row;
  };
  std::vector<RowNames> row_names;
  std::map<Index, graph::Plan> plans;  // by number of rows
  const graph::Plan* plan = nullptr;
  Index rows = 0;
  std::vector<Real> arena;
  OutputListener listener;

  Impl(const Symbol& s, ExecutorOptions o) : symbol(s), options(std::move(o)), numbered(s) {
    graph::require_names(numbered, options);
    const auto shapes = graph::complete_shapes(numbered, options);
    layout = graph::layout_of(numbered, shapes, options, false);
    auxiliaries = graph::layout_of(numbered, shapes, options, true);
    roles = graph::roles_of(numbered, layout, auxiliaries, options);
    list_inputs(shapes);
    for (std::size_t i = 0; i < numbered.nodes.size(); ++i)
      if (!numbered.nodes[i]->is_variable()) add_step(i);
    beginnings = graph::find_beginnings(symbol, numbered, roles);
    for (std::size_t i = 0; i < steps.size(); ++i) name_rows(i);
  }

  void name_rows(std::size_t number) {
    const graph::Node& node = *numbered.nodes[steps[number].node];
    for (std::size_t k = 0; k < steps[number].in.size(); ++k) {
      const std::size_t from = numbered.node_of(steps[number].in[k]);
      if (roles.variable[from].kind != graph::Place::Kind::parameter || !roles.leaf_gradient[from])
        continue;
      const Parameter& p = layout.at(numbered.nodes[from]->name);
      if (!p.row_sparse) continue;
      const graph::Node* input = graph::rows_named_by(node, k, *numbered.nodes[from], options);
      for (std::size_t f = 0; f < fed.size(); ++f)
        if (fed[f].name == input->name) row_names.push_back({number, f, p.first_row});
    }
  }

  void list_rows(std::vector<Index>& out) const {
    for (const RowNames& names : row_names) {
      const auto& data = fed[names.fed].rows;
      const std::size_t before = out.size();
      steps[names.step].op->name_rows(
          {data.dense(), plan->shapes[fed[names.fed].entry], data.csr()}, out);
      for (std::size_t i = before; i < out.size(); ++i) out[i] += names.first_row;
    }
  }

  void list_inputs(const std::vector<ops::Shape>& shapes) {
    for (std::size_t i = 0; i < numbered.nodes.size(); ++i) {
      if (roles.variable[i].kind != graph::Place::Kind::input) continue;
      Fed f;
      f.name = numbered.nodes[i]->name;
      f.entry = numbered.first_entry[i];
      f.row_size = ops::size_of(std::span(shapes[f.entry]).subspan(1));
      f.wants_gradient = roles.leaf_gradient[i];
      fed.push_back(std::move(f));
    }
  }

  void add_step(std::size_t i) {
    const graph::Node& node = *numbered.nodes[i];
    Step step;
    step.node = i;
    step.op = ops::make_operator<Real>(*node.definition, graph::operator_options(node.attributes),
                                       node.title());
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      const std::size_t e = numbered.entry(node.inputs[k]);
      if (k >= node.plain_inputs()) {
        step.aux.push_back(e);
        continue;
      }
      step.in.push_back(e);
      step.differentiated |= roles.wants_gradient[e];
      for (Fed& f : fed)
        if (f.entry == e && !step.op->takes_csr(k)) f.sparse = false;
    }
    const std::size_t outputs = numbered.first_entry[i + 1] - numbered.first_entry[i];
    step.sources.resize(step.in.size());
    step.in_grads.resize(step.in.size());
    step.states.resize(step.aux.size());
    step.outputs.resize(outputs);
    step.out_grads.resize(outputs);
    steps.push_back(std::move(step));
  }

  void begin(Index count) {
    if (count == rows && plan) return;
    auto at = plans.find(count);
    if (at == plans.end()) {
      ExecutorOptions resized = options;
      for (auto& [name, shape] : resized.inputs) shape[0] = count;
      at = plans
               .emplace(count, graph::plan_memory(symbol, numbered, roles,
                                                  graph::complete_shapes(numbered, resized),
                                                  options.training))
               .first;
      arena.resize(std::max(arena.size(), static_cast<std::size_t>(at->second.arena)));
    }
    plan = &at->second;
    rows = count;
    for (Step& step : steps) {
      ops::Shapes local;
      for (const std::size_t e : step.in) local.in.push_back(plan->shapes[e]);
      for (const std::size_t e : step.aux) local.aux.push_back(plan->shapes[e]);
      const std::size_t first = numbered.first_entry[step.node];
      for (std::size_t k = 0; k < step.outputs.size(); ++k)
        local.out.push_back(plan->shapes[first + k]);
      step.op->bind(local);
      for (std::size_t k = 0; k < step.in.size(); ++k)
        step.sources[k].shape = step.in_grads[k].shape = plan->shapes[step.in[k]];
      for (std::size_t k = 0; k < step.aux.size(); ++k)
        step.states[k].shape = plan->shapes[step.aux[k]];
      for (std::size_t k = 0; k < step.outputs.size(); ++k)
        step.outputs[k].shape = step.out_grads[k].shape = plan->shapes[first + k];
    }
  }

  const Real* value(std::size_t e, const Real* w) const {
    const graph::Place& place = plan->value[e];
    switch (place.kind) {
      case graph::Place::Kind::arena:
        return arena.data() + place.at;
      case graph::Place::Kind::parameter:
        return w + place.at;
      case graph::Place::Kind::input:
        return fed[static_cast<std::size_t>(place.at)].rows.dense();
      default:
        return nullptr;
    }
  }

  Real* gradient(std::size_t e, std::size_t node, Real* g) {
    if (plan->gradient[e].kind == graph::Place::Kind::arena)
      return arena.data() + plan->gradient[e].at;
    if (!roles.leaf_gradient[node]) return nullptr;
    const graph::Place& place = roles.variable[node];
    return place.kind == graph::Place::Kind::parameter
               ? g + place.at
               : fed[static_cast<std::size_t>(place.at)].gradient.data();
  }

  // Seeds of nodes are apart by an odd constant, so that layers draw differently.
  ops::Call<Real> call(const Step& step) const {
    ops::Call<Real> c;
    c.in = step.sources;
    c.out = step.outputs;
    c.aux = step.states;
    c.out_grad = step.out_grads;
    c.in_grad = step.in_grads;
    c.training = context.pass.training;
    c.move_aux = context.move_auxiliaries;
    c.random = CounterRandom(options.seed + step.node * 0x9E3779B97F4A7C15U, context.pass.draw);
    c.global_rows = context.global_rows;
    c.batch_rows = context.batch_rows;
    return c;
  }

  void point_values(Step& step, const Real* w, Real* aux) {
    for (std::size_t k = 0; k < step.in.size(); ++k) {
      const graph::Place& place = plan->value[step.in[k]];
      step.sources[k].data = value(step.in[k], w);
      step.sources[k].csr = place.kind == graph::Place::Kind::input
                                ? fed[static_cast<std::size_t>(place.at)].rows.csr()
                                : nullptr;
    }
    for (std::size_t k = 0; k < step.aux.size(); ++k)
      step.states[k].data = aux ? aux + plan->value[step.aux[k]].at : nullptr;
    const std::size_t first = numbered.first_entry[step.node];
    for (std::size_t k = 0; k < step.outputs.size(); ++k)
      step.outputs[k].data = plan->value[first + k].kind == graph::Place::Kind::arena
                                 ? arena.data() + plan->value[first + k].at
                                 : nullptr;
  }

  typename Executor<Real>::Context context;
  Real* aux_of_forward = nullptr;
  std::vector<Index> rows_of_forward;

  void forward(const Real* w, Real* aux, const typename Executor<Real>::Context& given) {
    SVRG_EXPECT(plan, "begin() and load() come before forward()");
    context = given;
    rows_of_forward.assign(given.global_rows.begin(), given.global_rows.end());
    context.global_rows = rows_of_forward;
    aux_of_forward = aux;
    for (Step& step : steps) {
      point_values(step, w, aux);
      if (!step.op->is_view()) step.op->forward(call(step));
      if (listener) tell(step, w);
    }
  }

  void tell(const Step& step, const Real* w) const {
    const graph::Node& node = *numbered.nodes[step.node];
    const auto names = node.prototype->outputs();
    const std::size_t first = numbered.first_entry[step.node];
    for (std::size_t k = 0; k < names.size(); ++k) {
      const auto& shape = plan->shapes[first + k];
      const Real* from = value(first + k, w);
      const std::vector<double> values(from, from + ops::size_of(shape));
      listener(node.name + "_" + names[k], values, shape);
    }
  }

  void backward(const Real* w, std::span<const std::span<const Real>> out_grads, Real* g,
                const typename Executor<Real>::Sum& sum) {
    SVRG_EXPECT(options.training, "backward() needs an executor that was made for training");
    start_gradients(out_grads, static_cast<Real>(sum.weight));
    for (const std::size_t i : beginnings.never)
      if (sum.begins)
        std::fill_n(g + roles.variable[i].at, ops::size_of(plan->shapes[numbered.first_entry[i]]),
                    Real{0});
    for (std::size_t s = steps.size(); s-- > 0;) {
      Step& step = steps[s];
      if (!step.differentiated) continue;
      point_values(step, w, aux_of_forward);
      const std::size_t first = numbered.first_entry[step.node];
      bool given = step.op->is_loss();
      for (std::size_t k = 0; k < step.outputs.size(); ++k) {
        step.out_grads[k].data = gradient(first + k, step.node, nullptr);
        given |= step.out_grads[k].data != nullptr;
      }
      for (std::size_t k = 0; k < step.in.size(); ++k)
        point_gradient(step, k, g, sum.begins, given);
      ops::Call<Real> c = call(step);
      c.loss_weight = sum.weight;
      step.op->backward(c);
    }
  }

  // A gradient that begins here is left to the operator to write if it does, else zeroed.
  void point_gradient(Step& step, std::size_t k, Real* g, bool parameters_begin, bool given) {
    const std::size_t e = step.in[k];
    auto& to = step.in_grads[k];
    to.data = roles.wants_gradient[e] ? gradient(e, numbered.node_of(e), g) : nullptr;
    to.begins = false;
    if (!to || !beginnings.at[step.node][k]) return;
    const bool planned = plan->gradient[e].kind == graph::Place::Kind::arena;
    const bool parameter =
        roles.variable[numbered.node_of(e)].kind == graph::Place::Kind::parameter;
    if (!planned && !(parameter && parameters_begin)) return;
    const bool once = std::count(step.in.begin(), step.in.end(), e) == 1;
    if (once && given && step.op->begins_gradients())
      to.begins = true;
    else
      std::fill_n(to.data, to.size(), Real{0});
  }

  void start_gradients(std::span<const std::span<const Real>> out_grads, Real weight) {
    for (Fed& f : fed)
      if (f.wants_gradient) f.gradient.assign(static_cast<std::size_t>(f.row_size * rows), Real{0});
    for (std::size_t i = 0; i < symbol.heads().size(); ++i) {
      const Symbol::Entry& head = symbol.heads()[i];
      const std::size_t e = numbered.entry(head);
      if (head.node->is_variable() || head.node->prototype->is_loss() ||
          plan->gradient[e].kind != graph::Place::Kind::arena)
        continue;
      const auto size = static_cast<std::size_t>(ops::size_of(plan->shapes[e]));
      Real* to = arena.data() + plan->gradient[e].at;
      if (i >= out_grads.size() || out_grads[i].size() != size)
        throw ConfigError(
            fmt::format("output {} is no loss: backward() needs its gradient, {} values",
                        head.node->name, size));
      std::transform(out_grads[i].begin(), out_grads[i].end(), to,
                     [weight](Real v) { return weight * v; });
    }
  }
};

}  // namespace svrg
