-- Module file for Lmod. Copy it as svrg/0.1.0.lua into a folder of MODULEPATH and put in the place that
-- `cmake --install build --prefix ...` was given, and the site's names of modules.
local root = "/opt/svrg/0.1.0"

help([[
svrg trains linear, logistic and softmax models and neural nets by variance-reduced gradients over MPI.
    srun svrg train train.h5 -o runs/mine
man svrg and svrg --help say more.
]])
whatis("Name: svrg")
whatis("Version: 0.1.0")
whatis("Category: machine learning")
whatis("Description: variance-reduced training on clusters")

-- The MPI that it was built with. HDF5 and the others are found by their paths in the program.
depends_on("openmpi")
conflict("svrg")

prepend_path("PATH", pathJoin(root, "bin"))
prepend_path("LD_LIBRARY_PATH", pathJoin(root, "lib"))
prepend_path("PKG_CONFIG_PATH", pathJoin(root, "lib/pkgconfig"))
prepend_path("CMAKE_PREFIX_PATH", root)
prepend_path("MANPATH", pathJoin(root, "share/man"))
prepend_path("XDG_DATA_DIRS", pathJoin(root, "share"))
