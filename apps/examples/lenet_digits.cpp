// A small LeNet (LeCun et al. 1998) on 8 x 8 digits, SVRG beside SGD: two convolutions with tanh
// and pooling, one hidden layer, softmax.
//   build/bin/lenet_digits apps/data/digits.train.svm apps/data/digits.test.svm
#include "digits.hpp"

int main(int argc, char** argv) {
  return svrg::run(argc, argv, [](int count, char** arguments) {
    if (count < 3) throw svrg::ConfigError("usage: lenet_digits TRAIN TEST [epochs]");
    namespace sym = svrg::sym;
    auto x = sym::Convolution(
        sym::Variable("data"),
        {{"kernel", {3, 3}}, {"num_filter", 8}, {"pad", {1, 1}}, {"name", "conv1"}});
    x = sym::Activation(x, {{"act_type", "tanh"}});
    x = sym::Pooling(x, {{"pool_type", "max"}, {"kernel", {2, 2}}, {"stride", {2, 2}}});
    x = sym::Convolution(x, {{"kernel", {3, 3}}, {"num_filter", 16}, {"name", "conv2"}});
    x = sym::Activation(x, {{"act_type", "tanh"}});
    x = sym::Flatten(x);
    x = sym::FullyConnected(x, {{"num_hidden", 32}, {"name", "fc1"}});
    x = sym::Activation(x, {{"act_type", "tanh"}});
    x = sym::FullyConnected(x, {{"num_hidden", 10}, {"name", "fc2"}});
    const auto net = sym::SoftmaxOutput(x, {{"name", "softmax"}});
    return digits::compare(net, digits::read_text(arguments[1], {1, 8, 8}),
                           digits::read_text(arguments[2], {1, 8, 8}),
                           count > 3 ? std::stol(arguments[3]) : 10, 0.1, 0.9);
  });
}
