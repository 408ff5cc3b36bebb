#include <nlohmann/json.hpp>

#include "golden/comparison.hpp"
#include "golden/json_options.hpp"
#include "svrg/module/metric.hpp"

namespace golden {
namespace {

using svrg::Index;
using svrg::NDArray;

NDArray rows_of(const svrg::io::Document& file, const std::string& path, Index begin, Index end) {
  std::vector<Index> extents = shape(file, path);
  const std::vector<double> all = numbers(file, path);
  const Index width = static_cast<Index>(all.size()) / extents[0];
  extents[0] = end - begin;
  return {extents, std::vector<float>(all.begin() + begin * width, all.begin() + end * width)};
}

}  // namespace

void replay_metrics(const svrg::io::Document& file, Comparison& result) {
  for (const auto& [group, attributes] : file.groups) {
    if (!has(file, group + "/running")) continue;
    const auto params = nlohmann::json::parse(attribute(file, group, "params"));
    const auto metric = svrg::metric::create(attribute(file, group, "metric"), options_of(params));
    const std::vector<double> cuts = numbers(file, group + "/cuts");
    std::vector<double> running;
    for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
      const auto begin = static_cast<Index>(cuts[i]), end = static_cast<Index>(cuts[i + 1]);
      const NDArray label = rows_of(file, group + "/label", begin, end);
      const NDArray pred = rows_of(file, group + "/pred", begin, end);
      metric->update({&label, 1}, {&pred, 1});
      metric->reduce(svrg::Communicator::self());
      running.push_back(metric->get_name_value()[0].second);
    }
    result.compare(group, running, numbers(file, group + "/running"));
    result.check(group + ": reported name",
                 metric->get_name_value()[0].first == attribute(file, group, "reported_name"));
  }
}

}  // namespace golden
