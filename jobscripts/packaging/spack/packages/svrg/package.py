# From the checkout:
#   spack repo add jobscripts/packaging/spack
#   spack dev-build svrg@0.1.0
from spack.package import *


class Svrg(CMakePackage):
    """Variance-reduced training of finite-sum models on clusters, over MPI."""

    maintainers = []
    license("BSD-3-Clause")

    # Built from the checkout by dev-build; nothing is fetched.
    version("0.1.0")

    variant("shared", default=True, description="Build a shared library")
    variant("openblas", default=True, description="OpenBLAS for symbol graphs")
    variant("native", default=False, description="Compile for the machine at hand")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("mpi")
    depends_on("boost@1.74:+mpi+serialization")
    depends_on("eigen@3.4:3")
    # Ranks read by themselves and root writes: the serial library.
    depends_on("hdf5@1.10:+hl~mpi")
    depends_on("openssl")
    depends_on("fmt@9:")
    depends_on("nlohmann-json@3.11:")
    depends_on("cli11@2:")
    depends_on("tomlplusplus@3:")
    depends_on("xxhash")
    depends_on("highway")
    depends_on("random123")
    depends_on("fast-float")
    depends_on("zlib-api")
    depends_on("bzip2")
    depends_on("xz")
    depends_on("zstd")
    depends_on("openblas", when="+openblas")

    def cmake_args(self):
        return [
            self.define_from_variant("BUILD_SHARED_LIBS", "shared"),
            self.define_from_variant("SVRG_OPENBLAS", "openblas"),
            self.define_from_variant("SVRG_NATIVE", "native"),
            self.define("CMAKE_CXX_COMPILER", self.spec["mpi"].mpicxx),
        ]
