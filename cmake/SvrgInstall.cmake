# What `cmake --install` leaves beside the program: library, headers, and two ways to find them.
include(CMakePackageConfigHelpers)
set(SVRG_INSTALL_CONFIG_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/svrg)

install(TARGETS svrg EXPORT svrgTargets)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/svrg DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.hpp")

# find_package(svrg)
install(EXPORT svrgTargets NAMESPACE svrg:: DESTINATION ${SVRG_INSTALL_CONFIG_DIR})
get_target_property(svrg_type svrg TYPE)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/svrgConfig.cmake.in
  ${PROJECT_BINARY_DIR}/svrgConfig.cmake INSTALL_DESTINATION ${SVRG_INSTALL_CONFIG_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/svrgConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/svrgConfig.cmake ${PROJECT_BINARY_DIR}/svrgConfigVersion.cmake
              ${CMAKE_CURRENT_LIST_DIR}/svrgLibraries.cmake
        DESTINATION ${SVRG_INSTALL_CONFIG_DIR})

# pkg-config svrg. Boost and some MPIs have no .pc file to require, so the libraries are written out; whoever links a
# static svrg needs them all. As -l, not as the files that were found: those of another machine have other versions.
function(svrg_link_flags out)
  set(folders)
  set(names)
  foreach(library IN LISTS ARGN)
    if(TARGET ${library})
      get_target_property(library ${library} LOCATION)
    endif()
    get_filename_component(folder "${library}" DIRECTORY)
    get_filename_component(name "${library}" NAME)
    if(folder AND NOT folder IN_LIST CMAKE_CXX_IMPLICIT_LINK_DIRECTORIES)
      list(APPEND folders -L${folder})
    endif()
    string(REGEX REPLACE "^(lib|-l)?(.+)$" "-l\\2" name "${name}")
    string(REGEX REPLACE "\\.(so|a|dylib)[.0-9]*$" "" name "${name}")
    list(APPEND names ${name})
  endforeach()
  set(flags ${folders} ${names})
  list(REMOVE_DUPLICATES flags)
  list(JOIN flags " " flags)
  set(${out} "${flags}" PARENT_SCOPE)
endfunction()
svrg_link_flags(svrg_pc_libraries Boost::mpi Boost::serialization ${HDF5_C_HL_LIBRARIES} ${HDF5_C_LIBRARIES}
  OpenSSL::Crypto fmt::fmt ${svrg_own_libraries} ${ZLIB_LIBRARIES} ${BZIP2_LIBRARIES} ${LIBLZMA_LIBRARIES}
  ${MPI_CXX_LIBRARIES} ${MPI_C_LIBRARIES} ${OpenMP_CXX_LIB_NAMES} pthread)
set(SVRG_PC_LIBS "${svrg_pc_libraries}")
set(SVRG_PC_LIBS_PRIVATE "")
if(svrg_type STREQUAL "SHARED_LIBRARY")
  svrg_link_flags(SVRG_PC_LIBS ${MPI_C_LIBRARIES})
  set(SVRG_PC_LIBS_PRIVATE "${svrg_pc_libraries}")
endif()
list(TRANSFORM MPI_C_INCLUDE_DIRS PREPEND "-I" OUTPUT_VARIABLE SVRG_PC_MPI_CFLAGS)
list(JOIN SVRG_PC_MPI_CFLAGS " " SVRG_PC_MPI_CFLAGS)
# Relative to the file itself, so that the installed tree may be moved.
file(RELATIVE_PATH SVRG_PC_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(${CMAKE_CURRENT_LIST_DIR}/svrg.pc.in ${PROJECT_BINARY_DIR}/svrg.pc.in @ONLY)
file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/svrg.pc INPUT ${PROJECT_BINARY_DIR}/svrg.pc.in)
install(FILES ${PROJECT_BINARY_DIR}/svrg.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)
