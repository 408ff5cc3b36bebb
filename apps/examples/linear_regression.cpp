// Linear regression by SVRG, with the two ways of MXNet's own example: the intermediate interface
// (bind, forward_backward, update by hand) and the high-level one (fit). Both minimise
// F(W, b) = (1/n) Σ ½(x_i·W + b − y_i)² over synthetic rows y = 2 x_1 − 3.4 x_2 + 4.2 + noise.
//   build/bin/linear_regression
//   mpirun -n 2 build/bin/linear_regression
#include <svrg/svrg.hpp>

#include <cmath>
#include <cstdio>

namespace {

svrg::NDArrayIter make_iterator(svrg::Index rows, svrg::Index batch_size) {
  const svrg::CounterRandom random(2018, 0);
  std::vector<float> x, y;
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(rows); ++i) {
    const double a = random.normal(3 * i), b = random.normal(3 * i + 1);
    x.insert(x.end(), {static_cast<float>(a), static_cast<float>(b)});
    y.push_back(static_cast<float>(2 * a - 3.4 * b + 4.2 + 0.01 * random.normal(3 * i + 2)));
  }
  return svrg::NDArrayIter(
      svrg::NDArray({rows, 2}, std::move(x)), svrg::NDArray({rows, 1}, std::move(y)),
      {.batch_size = batch_size, .shuffle = true, .label_name = "lin_reg_label"});
}

svrg::Symbol make_network() {
  namespace sym = svrg::sym;
  const auto fc =
      sym::FullyConnected({{"data", sym::Variable("data")}, {"num_hidden", 1}, {"name", "fc"}});
  return sym::LinearRegressionOutput(
      {{"data", fc}, {"label", sym::Variable("lin_reg_label")}, {"name", "lro"}});
}

}  // namespace

int main(int argc, char** argv) {
  return svrg::run(argc, argv, [](int, char**) {
    const auto world = svrg::Communicator::world();
    const auto log = [&](svrg::LogLevel, std::string_view line) {
      std::printf("%.*s\n", static_cast<int>(line.size()), line.data());
    };
    auto di = make_iterator(1000, 32);
    const svrg::ModuleOptions options{
        .label_names = {"lin_reg_label"}, .logger = log, .update_freq = 2};

    // Intermediate level.
    svrg::SVRGModule mod(make_network(), options, world);
    mod.bind(di.provide_data(), di.provide_label());
    mod.init_params({.initializer = svrg::initializer::Uniform(0.01)});
    mod.init_optimizer(
        {.kvstore = "local", .optimizer = "sgd", .optimizer_params = {{"learning_rate", 0.025}}});
    const auto metric = svrg::metric::create("mse");
    for (svrg::Index epoch = 0; epoch < 10; ++epoch) {
      if (epoch % mod.update_freq() == 0) mod.update_full_grads(di);
      di.reset();
      metric->reset();
      for (const auto& batch : di) {
        mod.forward_backward(batch);
        mod.update();
        mod.update_metric(*metric, batch.label);
      }
      if (world.is_root())
        std::printf("Epoch[%d] Train-mse=%f\n", static_cast<int>(epoch),
                    metric->get_name_value()[0].second);
    }

    // High level.
    svrg::SVRGModule high(make_network(), options, world);
    const auto history =
        high.fit(di, {.eval_metric = {"mse"},
                      .batch_end_callback = {svrg::callback::Speedometer(32, 16, false)},
                      .optimizer = "sgd",
                      .optimizer_params = {{"learning_rate", 0.025}},
                      .num_epoch = 10});
    const auto params = high.get_params();
    const auto w = params.arg.at("fc_weight").values(), b = params.arg.at("fc_bias").values();
    if (world.is_root())
      std::printf("{\"mse\": %.8f, \"weight\": [%.4f, %.4f], \"bias\": %.4f}\n",
                  history.epochs.back().train.at("mse"), w[0], w[1], b[0]);
    const bool found = std::abs(w[0] - 2) < 0.01 && std::abs(w[1] + 3.4) < 0.01;
    return found ? 0 : 1;
  });
}
