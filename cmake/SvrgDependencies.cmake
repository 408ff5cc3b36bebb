# Every dependency is a system package; nothing is fetched at configure time.
find_package(MPI REQUIRED COMPONENTS C CXX)
find_package(Boost 1.74 REQUIRED COMPONENTS mpi serialization)
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
set(HDF5_PREFER_PARALLEL OFF)
find_package(HDF5 REQUIRED COMPONENTS C HL)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(fmt 9 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(Threads REQUIRED)
# Optional: --threads. Without it a rank's threads take their turns.
find_package(OpenMP COMPONENTS CXX)
# Compressed input.
find_package(ZLIB REQUIRED)
find_package(BZip2 REQUIRED)
find_package(LibLZMA REQUIRED)

# CLI11 is header-only and ships a CMake package; toml++ ships pkg-config only on some systems,
# and Random123 and fast_float are found by their headers.
find_package(CLI11 REQUIRED)
foreach(pair "TOMLPLUSPLUS;toml++/toml.h" "RANDOM123;Random123/philox.h"
             "FAST_FLOAT;fast_float/fast_float.h")
  list(GET pair 0 name)
  list(GET pair 1 header)
  find_path(${name}_INCLUDE_DIR ${header} REQUIRED)
  mark_as_advanced(${name}_INCLUDE_DIR)
endforeach()

include(svrgLibraries)
svrg_find_libraries()
foreach(name xxhash zstd hwy)
  if(NOT TARGET svrg::${name})
    message(FATAL_ERROR "${name} not found; install its headers and library")
  endif()
endforeach()
# Optional: products of matrices in symbol graphs and factors of Hessians, several times as fast as
# what a portable build of Eigen does. SVRG_OPENBLAS=OFF leaves it out.
option(SVRG_OPENBLAS "Use OpenBLAS for products and factors of matrices where it is found" ON)
set(svrg_own_libraries svrg::xxhash svrg::zstd svrg::hwy)
if(SVRG_OPENBLAS AND TARGET svrg::openblas)
  list(APPEND svrg_own_libraries svrg::openblas)
endif()
