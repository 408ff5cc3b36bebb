# `cpack -G DEB` in the build folder: one package of program, library and what it takes to build on it.
set(CPACK_PACKAGE_CONTACT "the svrg authors")
set(CPACK_PACKAGE_DESCRIPTION "Trains linear models and nets by stochastic variance-reduced gradients over MPI.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/SvrgPackageFiles.cmake)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_COMPRESSION_TYPE gzip)
# What the program links is found by dpkg-shlibdeps; mpirun is started beside it, and a program that is built on the
# library needs its headers' own.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_LIBRARY_OUTPUT_DIRECTORY})
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS openmpi-bin)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS
    "g++, libopenmpi-dev, libeigen3-dev, libboost-mpi-dev, libhdf5-dev, libssl-dev, libfmt-dev, libxxhash-dev, libhwy-dev, libopenblas-serial-dev, nlohmann-json3-dev, zlib1g-dev, libbz2-dev, liblzma-dev, libzstd-dev")
include(CPack)
