// The list of optimizers. A new one is a class in a file of its own and a line here.
#include "svrg/optimizer/optimizer.hpp"

#include <algorithm>

#include "svrg/core/error.hpp"
#include "svrg/core/suggest.hpp"

// clang-format off
#define SVRG_OPTIMIZERS(X) \
  X(sgd, Sgd) \
  X(ccsgd, Sgd) \
  X(nag, Nag) \
  X(signum, Signum) \
  X(signsgd, Signum) \
  X(dcasgd, Dcasgd) \
  X(lars, Lars) \
  X(lbsgd, Lbsgd) \
  X(adam, Adam) \
  X(adamax, Adamax) \
  X(nadam, Nadam) \
  X(ftml, Ftml) \
  X(lamb, Lamb) \
  X(adagrad, AdaGrad) \
  X(groupadagrad, GroupAdaGrad) \
  X(rmsprop, RmsProp) \
  X(adadelta, AdaDelta) \
  X(ftrl, Ftrl)
// clang-format on

namespace svrg {

#define SVRG_DECLARE(name, Class) \
  template <class Real>           \
  std::unique_ptr<Optimizer<Real>> make_##Class(OptionReader& options);
SVRG_OPTIMIZERS(SVRG_DECLARE)
#undef SVRG_DECLARE

template <class Real>
std::unique_ptr<Optimizer<Real>> make_optimizer(std::string_view name, const Options& params) {
  std::string wanted(name);
  std::transform(wanted.begin(), wanted.end(), wanted.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  OptionReader options("optimizer " + wanted, params);
  std::unique_ptr<Optimizer<Real>> made;
  std::vector<std::string> known;
#define SVRG_TRY(entry, Class)                                       \
  if (!made && wanted == #entry) made = make_##Class<Real>(options); \
  known.push_back(#entry);
  SVRG_OPTIMIZERS(SVRG_TRY)
#undef SVRG_TRY
  if (!made)
    throw ConfigError("there is no optimizer '" + wanted + "'" + suggestion(wanted, known));
  options.done();
  return made;
}

template std::unique_ptr<Optimizer<float>> make_optimizer<float>(std::string_view, const Options&);
template std::unique_ptr<Optimizer<double>> make_optimizer<double>(std::string_view,
                                                                   const Options&);

}  // namespace svrg
