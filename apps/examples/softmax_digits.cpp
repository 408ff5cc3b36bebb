// Softmax regression on handwritten digits, SVRG beside SGD:
// F(W, b) = (1/n) Σ −log softmax(W x_i + b)_{y_i}.
//   build/bin/softmax_digits apps/data/digits.train.svm apps/data/digits.test.svm
#include "digits.hpp"

int main(int argc, char** argv) {
  return svrg::run(argc, argv, [](int count, char** arguments) {
    if (count < 3) throw svrg::ConfigError("usage: softmax_digits TRAIN TEST [epochs]");
    namespace sym = svrg::sym;
    const auto fc =
        sym::FullyConnected({{"data", sym::Variable("data")}, {"num_hidden", 10}, {"name", "fc"}});
    const auto net = sym::SoftmaxOutput(fc, {{"name", "softmax"}});
    return digits::compare(net, digits::read_text(arguments[1], {64}),
                           digits::read_text(arguments[2], {64}),
                           count > 3 ? std::stol(arguments[3]) : 10, 0.3, 0.92);
  });
}
