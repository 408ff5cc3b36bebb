# Libraries without a CMake package of their own, for this project and, installed, for those that use
# a static svrg: no path of the machine that built it is kept.

# svrg_find_library(NAME header library [PATH_SUFFIXES]): the target svrg::NAME where both are found.
function(svrg_find_library name header library)
  if(TARGET svrg::${name})
    return()
  endif()
  string(TOUPPER ${name} upper)
  find_path(${upper}_INCLUDE_DIR ${header} PATH_SUFFIXES ${ARGN})
  find_library(${upper}_LIBRARY ${library} PATH_SUFFIXES ${ARGN})
  mark_as_advanced(${upper}_INCLUDE_DIR ${upper}_LIBRARY)
  if(${upper}_INCLUDE_DIR AND ${upper}_LIBRARY)
    add_library(svrg::${name} UNKNOWN IMPORTED)
    set_target_properties(svrg::${name} PROPERTIES
      IMPORTED_LOCATION "${${upper}_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${${upper}_INCLUDE_DIR}")
  endif()
endfunction()

function(svrg_find_libraries)
  svrg_find_library(xxhash xxhash.h xxhash)
  svrg_find_library(zstd zstd.h zstd)
  svrg_find_library(hwy hwy/highway.h hwy)
  svrg_find_library(openblas cblas.h openblas openblas-serial openblas-pthread openblas)
endfunction()
