#!/usr/bin/env python3
"""floors.py must be able to fail: each bad tree below is found, and the good one is not."""
import pathlib
import tempfile
import unittest

import floors

GOOD = {
    "include/svrg/svrg.hpp": '#include "svrg/core/a.hpp"\n#include "svrg/train/a.hpp"\n',
    "include/svrg/core/a.hpp": "#include <vector>\n#include <Eigen/Core>\n",
    "include/svrg/comm/communicator.hpp": '#include <mpi.h>\n#include "svrg/core/a.hpp"\nvoid f(MPI_Comm);\n',
    "src/comm/a.cpp": '#include <boost/mpi.hpp>\n#include "svrg/comm/a.hpp"\nint x = MPI_Init(0, 0);\n',
    "src/io/a.cpp": '#include <hdf5.h>\n#include "io/handle.hpp"\nauto f = &H5Fclose;\n',
    "src/data/a.cpp": '#include "svrg/comm/a.hpp"\n#include "svrg/io/a.hpp"\n#include "private.hpp"\n',
    "src/train/a.cpp": '// calls MPI_Abort(x) and H5Fopen\nauto s = "MPI_Abort(x)"; char c = \'"\';\n',
    "apps/svrg/a.cpp": '#include "svrg/svrg.hpp"\n#include "options.hpp"\n',
}
BAD = {
    "a floor includes upwards": ("src/core/b.cpp", '#include "svrg/comm/communicator.hpp"\n'),
    "in angle brackets too": ("src/core/b.cpp", "#include <svrg/data/batch.hpp>\n"),
    "a sibling": ("include/svrg/io/b.hpp", '#include "svrg/comm/communicator.hpp"\n'),
    "the model knows of ranks": ("src/model/b.cpp", '#  include "svrg/comm/communicator.hpp"\n'),
    "an optimizer knows a model": ("include/svrg/optimizer/b.hpp", '#include "svrg/model/a.hpp"\n'),
    "a private header of another floor": ("src/core/b.cpp", '#include "io/handle.hpp"\n'),
    "a private header in a public one": ("include/svrg/io/b.hpp", '#include "io/handle.hpp"\n'),
    "the umbrella from below": ("src/train/b.cpp", '#include "svrg/svrg.hpp"\n'),
    "an unknown floor": ("src/attic/b.cpp", '#include "svrg/core/a.hpp"\n'),
    "an example goes round the umbrella": ("apps/examples/b.cpp", '#include "svrg/core/a.hpp"\n'),
    "an app reaches into src": ("apps/svrg/b.cpp", '#include "io/handle.hpp"\n'),
    "mpi.h in a second public header": ("include/svrg/comm/b.hpp", "#include <mpi.h>\n"),
    "MPI above comm": ("src/solver/b.cpp", "void f() { MPI_Barrier(world); }\n"),
    "MPI after a quote character": ("src/solver/b.cpp", "char c = '\"'; int i = MPI_Barrier(w); // \"\n"),
    "HDF5 in train": ("src/train/b.cpp", "void f() { H5Fflush(id, 0); }\n"),
    "HDF5 as a pointer": ("src/train/b.cpp", "auto f = H5Dclose;\n"),
    "hdf5.h in a public header": ("include/svrg/io/b.hpp", "#include <hdf5.h>\n"),
    "Boost outside comm": ("src/data/b.cpp", "#include <boost/mpi/communicator.hpp>\n"),
    "Boost in a header of comm": ("src/comm/b.hpp", "#include <boost/mpi.hpp>\n"),
    "a long file": ("tests/io/b.cpp", "\n" * 401),
}


def found(files):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return [path.as_posix() for path, _, _ in floors.breaches(root)]


class Floors(unittest.TestCase):
    def test_a_good_tree_passes(self):
        self.assertEqual(found(GOOD), [])

    def test_each_breach_is_found_and_nothing_else(self):
        for what, (name, text) in BAD.items():
            with self.subTest(what):
                self.assertEqual(found(GOOD | {name: text}), [name])

    def test_the_table_is_read_and_goes_upwards(self):
        order = list(floors.FLOORS)
        self.assertEqual(order[0], "core")
        for i, floor in enumerate(order):
            self.assertLessEqual(floors.FLOORS[floor], set(order[:i + 1]), floor)


if __name__ == "__main__":
    unittest.main()
