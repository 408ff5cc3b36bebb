// A program outside the project: if this compiles, links and runs from the installed tree alone, so
// will a user's.
#include <svrg/svrg.hpp>

#include <cstdio>
#include <span>
#include <vector>

int main(int argc, char** argv) {
  return svrg::run(argc, argv, [](int, char**) {
    const auto world = svrg::Communicator::world();
    std::vector<double> ones(3, 1.0);
    world.sum(std::span<double>(ones));
    if (world.is_root()) std::printf("installed svrg counts %g ranks\n", ones[2]);
    return 0;
  });
}
