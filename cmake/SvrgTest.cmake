# svrg_add_test(NAME FLOOR floor RANKS 1 2 … SOURCES …): one program per floor (few links), one ctest
# entry per number of ranks.
function(svrg_test_main)
  add_library(svrg_test_main STATIC ${PROJECT_SOURCE_DIR}/tests/test_main.cpp)
  target_include_directories(svrg_test_main PUBLIC ${PROJECT_SOURCE_DIR}/tests)
  target_link_libraries(svrg_test_main PUBLIC svrg::svrg GTest::gtest fmt::fmt
                        PRIVATE svrg_warnings svrg_codegen)
  svrg_precompile(svrg_test_main <gtest/gtest.h>)
endfunction()

# Sets `out` to the mpirun command line for `ranks` processes.
function(svrg_mpirun out ranks)
  set(${out} ${MPIEXEC_EXECUTABLE} --allow-run-as-root --oversubscribe --mca btl_vader_single_copy_mechanism none
      ${MPIEXEC_NUMPROC_FLAG} ${ranks} PARENT_SCOPE)
endfunction()

function(svrg_add_test name)
  cmake_parse_arguments(arg "" "TIMEOUT" "RANKS;SOURCES;LIBRARIES" ${ARGN})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_executable(${name}_test ${arg_SOURCES})
  target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_include_directories(${name}_test SYSTEM PRIVATE ${HDF5_INCLUDE_DIRS} ${RANDOM123_INCLUDE_DIR})
  target_link_libraries(${name}_test PRIVATE svrg_test_main svrg_warnings svrg_codegen ${arg_LIBRARIES})
  target_compile_definitions(${name}_test PRIVATE SVRG_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  # Tests call the optimised library; their own code need not be fast, but has to compile soon.
  target_compile_options(${name}_test PRIVATE -O1)
  svrg_precompile(${name}_test <gtest/gtest.h>)
  foreach(ranks IN LISTS arg_RANKS)
    svrg_mpirun(launcher ${ranks})
    add_test(NAME ${name}.n${ranks} COMMAND ${launcher} $<TARGET_FILE:${name}_test>)
    set_tests_properties(${name}.n${ranks} PROPERTIES PROCESSORS ${ranks} TIMEOUT ${arg_TIMEOUT}
                         LABELS "mpi;ranks${ranks}")
  endforeach()
endfunction()
