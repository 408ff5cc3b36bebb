# Warnings live in an interface target of their own, so that they are never exported to users.
add_library(svrg_warnings INTERFACE)
target_compile_options(svrg_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wnon-virtual-dtor -Wformat=2
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  # GCC 12 gives false alarms of these kinds inside inlined std::string.
  $<$<BOOL:${SVRG_WERROR}>:-Werror;-Wno-error=array-bounds;-Wno-error=stringop-overflow>)

# No -ffast-math anywhere: determinism and the detection of non-finite numbers depend on it.
# -fno-math-errno lets sqrt and friends become instructions; contraction is off so that the same
# source gives the same bits in every inlining context.
# Debug is -Og: GCC 12 takes Highway's intrinsics at -O0 for calls without constants, and refuses them.
add_library(svrg_codegen INTERFACE)
target_compile_options(svrg_codegen INTERFACE -fno-math-errno -ffp-contract=off
  $<$<BOOL:${SVRG_NATIVE}>:-march=native>
  $<$<CONFIG:Release>:-O3;-fstack-protector-strong;-fstack-clash-protection>
  $<$<CONFIG:Debug>:-Og>
  $<$<BOOL:${SVRG_SANITIZE}>:-fsanitize=address,undefined;-fno-omit-frame-pointer>
  $<$<BOOL:${SVRG_FUZZ}>:-O1;-fsanitize=fuzzer-no-link,address,undefined;-fno-sanitize-recover=all;-fno-omit-frame-pointer>)
target_link_options(svrg_codegen INTERFACE -Wl,-z,relro,-z,now
  $<$<BOOL:${SVRG_SANITIZE}>:-fsanitize=address,undefined>
  $<$<BOOL:${SVRG_FUZZ}>:-fsanitize=address,undefined>)
# Eigen's alignment-dependent reductions would change bits with the address of a buffer.
target_compile_definitions(svrg_codegen INTERFACE
  $<$<AND:$<CONFIG:Release>,$<NOT:$<BOOL:${SVRG_SANITIZE}>>>:_FORTIFY_SOURCE=2>)

# Eigen costs seconds a source: parsed once. ccache must be told that this is in order.
option(SVRG_PRECOMPILE "Precompile the headers that every source needs" ON)
function(svrg_precompile target)
  if(SVRG_PRECOMPILE)
    target_precompile_headers(${target} PRIVATE <Eigen/Core> <algorithm> <cmath> <functional> <map>
                              <memory> <span> <string> <variant> <vector> <fmt/format.h> ${ARGN})
    target_compile_options(${target} PRIVATE -fpch-preprocess)
  endif()
endfunction()
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      ${CCACHE_PROGRAM})
endif()
