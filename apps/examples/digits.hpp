#pragma once
#include <svrg/svrg.hpp>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

// What the examples on handwritten digits share: reading images, training with SVRG and with plain
// SGD from the same weights, and the table they print.
namespace digits {

struct Set {
  svrg::NDArray images, labels;
};

/// 8 x 8 images in svmlight text ("7 12:0.8125 …": columns from 1, values in [0, 1]).
inline Set read_text(const std::string& path, const std::vector<svrg::Index>& image) {
  std::ifstream file(path);
  if (!file) throw svrg::DataError(path + ": cannot be opened");
  std::vector<float> values, labels;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    float label = 0;
    words >> label;
    labels.push_back(label);
    values.resize(values.size() + 64);
    for (std::string word; words >> word;) {
      const auto colon = word.find(':');
      const auto column = static_cast<std::size_t>(std::stol(word.substr(0, colon)));
      if (column < 1 || column > 64) throw svrg::DataError(path + ": a column beyond 64");
      values[values.size() - 65 + column] = std::stof(word.substr(colon + 1));
    }
  }
  const auto rows = static_cast<svrg::Index>(labels.size());
  std::vector<svrg::Index> shape{rows};
  shape.insert(shape.end(), image.begin(), image.end());
  return {{shape, std::move(values)}, {{rows}, std::move(labels)}};
}

/// Trains one module and prints accuracy and cross-entropy by epoch.
inline double train(svrg::Module& module, const Set& set, const Set& test, svrg::Index epochs,
                    double rate, const std::string& title) {
  svrg::NDArrayIter train(set.images, set.labels,
                          {.batch_size = 64, .shuffle = true, .last_batch_handle = "roll_over"});
  svrg::NDArrayIter valid(test.images, test.labels, {.batch_size = 64});
  const auto history = module.fit(train, {.eval_data = &valid,
                                          .eval_metric = {"acc", "ce"},
                                          .optimizer = "sgd",
                                          .optimizer_params = {{"learning_rate", rate}},
                                          .initializer = svrg::initializer::Xavier(),
                                          .num_epoch = epochs});
  if (module.communicator().is_root())
    for (const auto& e : history.epochs)
      std::printf("%-6s epoch %2d  train ce %.5f acc %.4f   valid ce %.5f acc %.4f\n",
                  title.c_str(), static_cast<int>(e.epoch), e.train.at("cross-entropy"),
                  e.train.at("accuracy"), e.validation.at("cross-entropy"),
                  e.validation.at("accuracy"));
  return history.epochs.back().validation.at("accuracy");
}

/// SVRG beside SGD with as many passes over the rows: an epoch of SVRG takes two, and a full
/// gradient every second epoch another. The JSON line has both accuracies. Exit code 1 below
/// `least`.
inline int compare(const svrg::Symbol& net, const Set& set, const Set& test, svrg::Index epochs,
                   double rate, double least) {
  const auto world = svrg::Communicator::world();
  svrg::SVRGModule svrg_module(net, {.seed = 1, .update_freq = 2}, world);
  const double with = train(svrg_module, set, test, epochs, rate, "svrg");
  svrg::Module sgd_module(net, {.seed = 1}, world);
  const double without = train(sgd_module, set, test, epochs * 5 / 2, rate, "sgd");
  if (world.is_root())
    std::printf("{\"valid_acc_svrg\": %.4f, \"valid_acc_sgd\": %.4f}\n", with, without);
  return with >= least ? 0 : 1;
}

}  // namespace digits
