// svrg convert: rows in another format, order or choice; a model: convert_model.cpp.
#include <fmt/format.h>

#include <filesystem>

#include "convert_model.hpp"
#include "precautions.hpp"
#include "problem.hpp"
#include "quantity.hpp"
#include "result_line.hpp"
#include "screen.hpp"
#include "subcommands.hpp"
#include "svrg/core/clock.hpp"
#include "svrg/core/error.hpp"
#include "svrg/data/data_writer.hpp"
#include "svrg/data/selection.hpp"

namespace svrg::app {
namespace {

constexpr std::uint64_t shuffle_key = 0x73687566666c65;

/// "A:B" of so many rows, as Python means it but without negative numbers.
std::pair<Index, Index> row_range(const Settings& settings, Index rows) {
  const std::string text = settings.text("rows");
  const std::size_t colon = text.find(':');
  const auto bound = [&](const std::string& part, Index otherwise) {
    if (part.empty()) return otherwise;
    const auto number = parse_integer(part);
    return number && *number >= 0 ? Index{*number} : Index{-1};
  };
  const Index from = colon == text.npos ? -1 : bound(text.substr(0, colon), 0);
  const Index to = colon == text.npos ? -1 : bound(text.substr(colon + 1), rows);
  if (from < 0 || to < 0)
    throw ConfigError(settings.place("rows") + ": must be A:B, such as 0:1000, got '" + text + "'");
  if (from >= std::min(to, rows))
    throw ConfigError(fmt::format("{}: {} holds no row; there are {}", settings.place("rows"), text,
                                  grouped(rows)));
  return {from, std::min(to, rows)};
}

Shard rows_to_write(const Settings& settings, const Communicator& comm, Shard shard) {
  Index from = 0, to = shard.info().rows;
  comm.agree("", [&] {
    if (settings.has("rows")) std::tie(from, to) = row_range(settings, to);
  });
  const bool shuffled = settings.flag("shuffle");
  if (to - from == shard.info().rows && !shuffled) return shard;
  const Permutation order(to - from,
                          shuffle_key ^ static_cast<std::uint64_t>(settings.integer("seed")) << 32);
  return select(comm, shard, to - from, RowOrder::file, [&](Index row) {
    if (row < from || row >= to) return Index{-1};
    return shuffled ? order(row - from) : row - from;
  });
}

/// "year.h5" to "year.valid.h5".
std::string beside(const std::string& path) {
  const std::filesystem::path p(path);
  return (p.parent_path() / (p.stem().string() + ".valid" + p.extension().string())).string();
}

}  // namespace

int convert(const Settings& settings) {
  const Communicator comm = Communicator::world();
  require_same_settings(comm, settings);
  Screen screen(comm.is_root() ? screen_options(settings) : silent_screen());
  if (converts_model(settings, comm)) return convert_model(settings, comm, screen);
  const std::string in = settings.text("in_file"), out = settings.text("out_file");
  const double share = settings.number("valid_fraction");
  const std::string valid = share > 0 ? beside(out) : "";
  DataFormat format = DataFormat::automatic;
  comm.agree("", [&] {
    format = format_of_suffix(out);
    if (settings.source("fold_scaling") == Source::command_line)
      throw ConfigError(settings.place("fold_scaling") + ": an option of models, but " + in +
                        " holds rows");
    for (const std::string& rows : {out, valid})
      if (comm.is_root() && !rows.empty())
        for (const std::string& path : files_of(rows, format))
          require_replaceable(settings, path, in);
  });
  ReadOptions options = read_options(settings, comm.size());
  options.row_order = RowOrder::file;
  if (settings.has("n_features")) options.columns = settings.integer("n_features");
  const double start = now();
  Shard shard = read_data(comm, in, options);
  screen.fact("data", describe(shard, comm, now() - start));
  shard = rows_to_write(settings, comm, std::move(shard));
  std::optional<Shard> held_out;
  if (share > 0) {
    auto parts = split(comm, shard, share, RowOrder::file,
                       static_cast<std::uint64_t>(settings.integer("seed")));
    shard = std::move(parts.first);
    held_out = std::move(parts.second);
  }
  // What is held out is scaled as the rest is: its own figures must not help it.
  const DataNotes notes{in, chosen_scaling(settings, comm, shard, Reduction::plain)};
  const double written = now();
  apply(notes.scaling, shard);
  write_data(comm, shard, out, format, notes);
  if (held_out) {
    apply(notes.scaling, *held_out);
    write_data(comm, *held_out, valid, format, notes);
  }
  const auto told = [&](const Shard& rows, const std::string& path) {
    screen.fact("written",
                fmt::format("{}  {} x {} in {}", path, grouped(rows.info().rows),
                            grouped(rows.info().columns), format_seconds(now() - written)));
  };
  told(shard, out);
  if (held_out) told(*held_out, valid);
  comm.agree("", [&] {
    if (!comm.is_root()) return;
    Results results = {{"in", in},
                       {"out", out},
                       {"rows", shard.info().rows},
                       {"features", shard.info().columns},
                       {"nonzeros", shard.info().nonzeros},
                       {"ranks", comm.size()}};
    if (held_out) {
      results["valid"] = valid;
      results["rows_valid"] = held_out->info().rows;
    }
    print_results(settings, results);
  });
  return 0;
}

}  // namespace svrg::app
