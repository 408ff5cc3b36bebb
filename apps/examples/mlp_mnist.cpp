// A multilayer perceptron, SVRG beside SGD, on MNIST's idx files (four paths: training images and
// labels, test images and labels) or on the digits in text (two paths).
//   build/bin/mlp_mnist apps/data/digits.train.svm apps/data/digits.test.svm
//   build/bin/mlp_mnist train-images train-labels test-images test-labels
#include "digits.hpp"

namespace {

digits::Set read_idx(const std::string& images, const std::string& labels) {
  svrg::NDArray x = svrg::read_idx(images);
  for (float& v : std::get<svrg::DenseStore<float>>(x.store).data) v /= 256;
  return {std::move(x), svrg::read_idx(labels)};
}

svrg::Symbol network() {
  namespace sym = svrg::sym;
  auto x = sym::Variable("data");
  int layer = 1;
  for (const int hidden : {128, 64}) {
    const auto name = std::to_string(layer++);
    x = sym::FullyConnected(x, {{"num_hidden", hidden}, {"name", "fc" + name}});
    x = sym::Activation(x, {{"act_type", "relu"}, {"name", "relu" + name}});
  }
  x = sym::FullyConnected(x, {{"num_hidden", 10}, {"name", "fc3"}});
  return sym::SoftmaxOutput(x, {{"name", "softmax"}});
}

}  // namespace

int main(int argc, char** argv) {
  return svrg::run(argc, argv, [](int count, char** arguments) {
    if (count < 3 || count > 5)
      throw svrg::ConfigError(
          "usage: mlp_mnist TRAIN TEST [epochs], or the four idx files of MNIST");
    const bool idx = count == 5;
    const auto set =
        idx ? read_idx(arguments[1], arguments[2]) : digits::read_text(arguments[1], {64});
    const auto test =
        idx ? read_idx(arguments[3], arguments[4]) : digits::read_text(arguments[2], {64});
    const svrg::Index epochs = idx ? 3 : count > 3 ? std::stol(arguments[3]) : 10;
    return digits::compare(network(), set, test, epochs, 0.1, 0.9);
  });
}
