#pragma once
#include "settings.hpp"

namespace svrg::app {

// One source each; they return the exit code or throw svrg::Error.
int convert(const Settings& settings);
int config(const Settings& settings);
int train(const Settings& settings);
int tune(const Settings& settings);
int evaluate(const Settings& settings);
int predict(const Settings& settings);
int inspect(const Settings& settings);
int report(const Settings& settings);
int bench(const Settings& settings);

}  // namespace svrg::app
