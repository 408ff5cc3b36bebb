#include "platform.hpp"

#include <fmt/format.h>

#include <optional>
#include <utility>
#include <vector>

#include "quantity.hpp"
#include "svrg/core/error.hpp"

namespace svrg::app {
namespace {

// Of a line at MTU 1500: 1448 bytes of 1538 that are sent are the message's.
constexpr double tcp_payload = 0.94;
constexpr Index hosts_a_leaf = 16, hosts_a_group = 64;
// SimGrid 3.32 dies of eight groups.
constexpr Index most_dragonfly_hosts = 256;

/// "10Gbit": bytes a second. @throws ConfigError
double bandwidth_from(std::string_view text) {
  for (const auto& [unit, factor] :
       {std::pair<std::string_view, double>{"kbit", 1e3}, {"Mbit", 1e6}, {"Gbit", 1e9}})
    if (text.ends_with(unit)) {
      const auto number = parse_number(text.substr(0, text.size() - unit.size()));
      if (number && *number > 0) return *number * factor / 8;
    }
  throw ConfigError(fmt::format("bandwidth must be like 100Mbit or 10Gbit, got {}", text));
}

/// "20us": seconds. @throws ConfigError
double latency_from(std::string_view text) {
  for (const auto& [unit, factor] :
       {std::pair<std::string_view, double>{"ns", 1e-9}, {"us", 1e-6}, {"ms", 1e-3}})
    if (text.ends_with(unit)) {
      const auto number = parse_number(text.substr(0, text.size() - unit.size()));
      if (number && *number > 0) return *number * factor;
    }
  throw ConfigError(fmt::format("latency must be like 20us or 1ms, got {}", text));
}

void set(Platform& platform, std::string_view key, std::string_view value) {
  if (key == "bandwidth") {
    platform.bandwidth = bandwidth_from(value);
  } else if (key == "latency") {
    platform.latency = latency_from(value);
  } else if (const auto cores = parse_integer(value);
             key == "cores" && cores && *cores >= 1 && *cores <= 1024) {
    platform.cores = *cores;
  } else {
    throw ConfigError(fmt::format("must be bandwidth=, latency= or cores=, got {}={}", key, value));
  }
}

/// Lines on the way between the hosts that are farthest apart.
int longest_path(Platform::Kind kind) {
  return kind == Platform::Kind::ethernet ? 2 : kind == Platform::Kind::fattree ? 4 : 7;
}

std::string in_bits(double bandwidth) {
  const double bits = 8 * bandwidth;
  return bits >= 1e9 ? fmt::format("{:.4g} Gbit/s", bits / 1e9)
                     : fmt::format("{:.4g} Mbit/s", bits / 1e6);
}

}  // namespace

std::string Platform::describe() const {
  if (kind == Kind::file) return fmt::format("{}: a file of the user's", path);
  const std::string lines =
      fmt::format("{} a host, {:.4g} us from end to end, {} rank{} a host", in_bits(bandwidth),
                  latency * 1e6, cores, cores == 1 ? "" : "s");
  return fmt::format("{}: {}, {}", name,
                     kind == Kind::ethernet  ? "hosts on one switch"
                     : kind == Kind::fattree ? "a tree of two levels of switches, 16 hosts on each "
                                               "of the lower, without a bottleneck"
                                             : "groups of 64 hosts, every group joined to every",
                     lines);
}

Platform platform_from(std::string_view text) {
  Platform platform;
  platform.name = text;
  std::vector<std::string_view> words;
  for (std::size_t at = 0; at <= text.size();) {
    const auto colon = std::min(text.find(':', at), text.size());
    words.push_back(text.substr(at, colon - at));
    at = colon + 1;
  }
  const std::string_view name = words.front();
  if (name.ends_with(".xml")) {
    platform.kind = Platform::Kind::file;
    platform.path = name;
    if (words.size() > 1)
      throw ConfigError(fmt::format("{}: the file says all there is to be said of it", name));
    return platform;
  }
  if (name == "ethernet") {
    platform.kind = Platform::Kind::ethernet;
    platform.bandwidth = bandwidth_from("10Gbit");
    platform.latency = 25e-6;
  } else if (name == "fattree" || name == "dragonfly") {
    platform.kind = name == "fattree" ? Platform::Kind::fattree : Platform::Kind::dragonfly;
    platform.bandwidth = bandwidth_from("100Gbit");
    platform.latency = longest_path(platform.kind) * 1e-6;
  } else {
    throw ConfigError(fmt::format(
        "must be ethernet, fattree, dragonfly or a platform file, FILE.xml, got {}", name));
  }
  for (std::size_t i = 1; i < words.size(); ++i) {
    const auto equals = std::min(words[i].find('='), words[i].size());
    set(platform, words[i].substr(0, equals),
        words[i].substr(std::min(equals + 1, words[i].size())));
  }
  return platform;
}

PlatformFiles files_of(const Platform& platform, Index ranks) {
  if (platform.kind == Platform::Kind::file) return {};
  const Index hosts = (ranks + platform.cores - 1) / platform.cores;
  Index built = hosts;
  std::string topology;
  switch (platform.kind) {
    case Platform::Kind::fattree: {
      const Index leaves = (hosts + hosts_a_leaf - 1) / hosts_a_leaf;
      built = hosts_a_leaf * leaves;
      topology = fmt::format(R"(topology="FAT_TREE" topo_parameters="2;{0},{1};1,{0};1,1")",
                             hosts_a_leaf, leaves);
      break;
    }
    case Platform::Kind::dragonfly: {
      if (hosts > most_dragonfly_hosts)
        throw LimitError(fmt::format("dragonfly: at most {} hosts, {} were asked for",
                                     most_dragonfly_hosts, hosts));
      const Index groups = (hosts + hosts_a_group - 1) / hosts_a_group;
      built = hosts_a_group * groups;
      topology = fmt::format(R"(topology="DRAGONFLY" topo_parameters="{},4;4,4;4,2;4")", groups);
      break;
    }
    default:
      break;
  }
  const double payload = platform.kind == Platform::Kind::ethernet ? tcp_payload : 1;
  PlatformFiles files;
  // SimGrid knows this name of its document type and fetches nothing. A rank's speed is any: it
  // is told the seconds of its work.
  files.xml = fmt::format(
      R"(<?xml version='1.0'?>
<!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
<platform version="4.1">
 <zone id="world" routing="Full">
  <cluster id="cluster" prefix="host" suffix="" radical="0-{}" speed="1Gf" core="{}" bw="{:.0f}Bps" lat="{:.12g}s" loopback_bw="10GBps" loopback_lat="500ns" {}/>
 </zone>
</platform>
)",
      built - 1, platform.cores, payload * platform.bandwidth,
      platform.latency / longest_path(platform.kind), topology);
  for (Index rank = 0; rank < ranks; ++rank)
    files.hosts += fmt::format("host{}\n", rank / platform.cores);
  return files;
}

}  // namespace svrg::app
