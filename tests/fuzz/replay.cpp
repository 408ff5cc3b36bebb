// Gives every file of the corpus to its target again: replay CORPUS [TARGET …].
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "svrg/core/error.hpp"
#include "svrg/io/file.hpp"
#include "targets.hpp"

namespace {

int replay(const svrg::fuzz::Target& target, const std::filesystem::path& folder) {
  int read = 0, refused = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto bytes = svrg::io::read_file(entry.path().string());
    try {
      target.read(bytes);
      ++read;
    } catch (const svrg::Error& e) {
      ++refused;
      std::printf("  %s: %s\n", entry.path().filename().c_str(), e.what());
    } catch (const std::exception& e) {
      std::printf("%s: %s\n", entry.path().c_str(), e.what());
      return 1;
    }
  }
  std::printf("%.*s: %d read, %d refused\n", static_cast<int>(target.name.size()),
              target.name.data(), read, refused);
  // A corpus that is all one or the other would show little.
  return read > 0 && refused > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::span<char*> arguments(argv, static_cast<std::size_t>(argc));
  if (arguments.size() < 2) return 2;
  int failed = 0;
  for (const svrg::fuzz::Target& target : svrg::fuzz::targets) {
    const auto wanted = arguments.subspan(2);
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), target.name) == wanted.end())
      continue;
    failed += replay(target, std::filesystem::path(arguments[1]) / target.name);
  }
  return failed;
}
