// Every value has a life, from the step that makes it to the last that reads it; steps are the
// operators forwards, then backwards. Largest first, each is put at the lowest offset where nothing
// that lives at the same time is.
#include "model/graph/plan.hpp"

#include <algorithm>
#include <limits>

namespace svrg::graph {
namespace {

constexpr Index forever = std::numeric_limits<Index>::max();
constexpr Index alignment = 16;  // values: whole cache lines for float

struct Life {
  Index size = 0, from = forever, to = -1, at = 0;
  void use(Index step) { to = std::max(to, step); }
  bool alive() const { return to >= 0; }
};

Index place(std::vector<Life*> lives) {
  std::stable_sort(lives.begin(), lives.end(),
                   [](const Life* a, const Life* b) { return a->size > b->size; });
  std::vector<const Life*> placed;
  Index end = 0;
  for (Life* life : lives) {
    // In order of offsets, so that the first gap found is the lowest.
    for (const Life* other : placed) {
      const bool together = life->from <= other->to && other->from <= life->to;
      const bool overlap = life->at < other->at + other->size && other->at < life->at + life->size;
      if (together && overlap) life->at = other->at + other->size;
    }
    placed.push_back(life);
    std::sort(placed.begin(), placed.end(),
              [](const Life* a, const Life* b) { return a->at < b->at; });
    end = std::max(end, life->at + life->size);
  }
  return end;
}

}  // namespace

Plan plan_memory(const Symbol& symbol, const Numbered& graph, const Roles& roles,
                 std::vector<ops::Shape> shapes, bool training) {
  const auto nodes = static_cast<Index>(graph.nodes.size());
  const auto forward = [](std::size_t i) { return static_cast<Index>(i); };
  const auto backward = [nodes](std::size_t i) { return 2 * nodes - static_cast<Index>(i); };
  Plan plan;
  plan.value.resize(graph.entries());
  plan.gradient.resize(graph.entries());

  // Whose memory an entry's value is: its own, or that of what it is a view of.
  std::vector<std::size_t> owner(graph.entries());
  std::vector<Life> values(graph.entries()), gradients(graph.entries());
  const auto size_of = [&](std::size_t e) {
    return (ops::size_of(shapes[e]) + alignment - 1) / alignment * alignment;
  };
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = *graph.nodes[i];
    for (std::size_t e = graph.first_entry[i]; e < graph.first_entry[i + 1]; ++e) {
      owner[e] =
          !node.is_variable() && node.prototype->is_view() ? owner[graph.entry(node.inputs[0])] : e;
      if (owner[e] != e || node.is_variable()) continue;
      values[e].size = size_of(e);
      values[e].from = forward(i);
      values[e].use(forward(i));
    }
    if (node.is_variable()) continue;
    const bool differentiated =
        training && std::any_of(node.inputs.begin(), node.inputs.end(), [&](const auto& input) {
          return roles.wants_gradient[graph.entry(input)];
        });
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      const std::size_t e = graph.entry(node.inputs[k]);
      values[owner[e]].use(forward(i));
      if (!differentiated) continue;
      if (k < node.plain_inputs() && node.prototype->backward_reads_input(k))
        values[owner[e]].use(backward(i));
      if (roles.wants_gradient[e] &&
          !graph.nodes[graph.number.at(node.inputs[k].node.get())]->is_variable()) {
        gradients[e].size = size_of(e);
        gradients[e].from = std::min(gradients[e].from, backward(i));
        gradients[e].use(backward(graph.number.at(node.inputs[k].node.get())));
      }
    }
    if (differentiated && node.prototype->backward_reads_output())
      for (std::size_t e = graph.first_entry[i]; e < graph.first_entry[i + 1]; ++e)
        values[owner[e]].use(backward(i));
  }
  for (const Symbol::Entry& head : symbol.heads()) {
    const std::size_t e = graph.entry(head);
    values[owner[e]].use(forever);
    if (!training || !roles.wants_gradient[e] || head.node->is_variable() ||
        head.node->prototype->is_loss())
      continue;
    gradients[e].size = size_of(e);
    gradients[e].from = nodes;  // given before the first backward step
    gradients[e].use(backward(graph.number.at(head.node.get())));
  }

  std::vector<Life*> lives;
  for (auto* kind : {&values, &gradients})
    for (Life& life : *kind)
      if (life.size > 0 && life.alive()) lives.push_back(&life);
  plan.arena = place(lives);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i)
    for (std::size_t e = graph.first_entry[i]; e < graph.first_entry[i + 1]; ++e) {
      const std::size_t o = owner[e];
      if (values[o].size > 0) {
        plan.value[e] = {Place::Kind::arena, values[o].at};
      } else {
        for (std::size_t n = 0; n < graph.nodes.size(); ++n)
          if (graph.first_entry[n] == o) plan.value[e] = roles.variable[n];
      }
      if (gradients[e].size == 0) continue;
      plan.gradient[e] = {Place::Kind::arena, gradients[e].at};
    }
  plan.shapes = std::move(shapes);
  return plan;
}

}  // namespace svrg::graph
