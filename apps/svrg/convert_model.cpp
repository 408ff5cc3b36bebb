#include "convert_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "precautions.hpp"
#include "problem.hpp"
#include "result_line.hpp"
#include "svrg/core/error.hpp"
#include "svrg/io/model_file.hpp"

namespace svrg::app {
namespace {

// All other options of convert are about rows. One that stands in a config file or in the
// environment was meant for another command.
void refuse_options_of_rows(const Settings& settings) {
  constexpr std::array<std::string_view, 11> mine = {
      "in_file", "out_file", "fold_scaling", "overwrite", "no_json", "quiet",
      "verbose", "config",   "set",          "help",      "version"};
  for (const Option& option : option_table()) {
    const std::string name = name_of(option);
    if ((option.commands & command::convert) == 0 || std::ranges::find(mine, name) != mine.end())
      continue;
    if (settings.source(name) == Source::command_line)
      throw ConfigError(fmt::format("{}: an option of rows, but {} is a model",
                                    settings.place(name), settings.text("in_file")));
  }
}

}  // namespace

bool converts_model(const Settings& settings, const Communicator& comm) {
  std::string answer;
  comm.agree("", [&] {
    if (!comm.is_root()) return;
    const auto format = io::known_model_format(settings.text("out_file"));
    const bool model = (format && *format != io::ModelFormat::hdf5) ||
                       io::model_format_of(settings.text("in_file")).has_value();
    answer = model ? "model" : "rows";
  });
  return comm.broadcast(answer) == "model";
}

int convert_model(const Settings& settings, const Communicator& comm, Screen& screen) {
  const std::string in = settings.text("in_file"), out = settings.text("out_file");
  comm.agree("", [&] {
    if (!comm.is_root()) return;
    io::model_format(out);
    io::ModelRecord model = io::load_model(in);
    refuse_options_of_rows(settings);
    require_replaceable(settings, out, in);
    try {
      if (settings.flag("fold_scaling")) model = io::without_scaling(model);
      io::save_model(out, model);
    } catch (const ConfigError& error) {
      throw ConfigError(in + ": " + error.what());
    }
    screen.fact("written", fmt::format("{}  {}, {} weights", out, model.kind,
                                       grouped(static_cast<Index>(model.weights.size()))));
    print_results(settings, {{"in", in},
                             {"out", out},
                             {"kind", model.kind},
                             {"features", model.features},
                             {"classes", model.classes.size()},
                             {"weights", model.weights.size()}});
  });
  return 0;
}

}  // namespace svrg::app
