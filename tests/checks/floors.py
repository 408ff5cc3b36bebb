#!/usr/bin/env python3
"""The house rules that can be read off the text: which floor includes which, where MPI, HDF5 and
Boost may appear, and how long a file may be.

usage: floors.py ROOT   prints every breach as file:line: message, exit 1 if there is one
"""
import pathlib
import re
import sys

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/architecture.md"
FLOORS = {  # what each may include beside the standard library and Eigen: the table of that page
    floor: {floor, *allowed.split()} - {"–"}
    for floor, allowed in re.findall(r"^\| `(\w+)` \| ([\w –]+) \|", PAGE.read_text(encoding="utf-8"), re.M)}
MAX_LINES = 400
CODE = {".hpp", ".cpp", ".h", ".py", ".sh", ".cmake"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
MPI_CALL = re.compile(r"\bMPI_[A-Z][a-z]\w*\s*\(")
HDF5_CALL = re.compile(r"\bH5[A-Z]{0,2}[a-z]\w*")
NOISE = re.compile(r"""//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])'""",
                   re.S)


def without_comments(text):
    """Comments and strings blanked, line numbers kept; include lines keep their names."""
    def blank(match):
        start = text.rfind("\n", 0, match.start()) + 1
        if match[0][0] == '"' and INCLUDE.match(text[start:match.end()]):
            return match[0]
        return "\n" * match[0].count("\n")
    return NOISE.sub(blank, text)


def floor_of(name, own):
    """The floor that an included name belongs to, None for somebody else's header."""
    parts = name.split("/")
    if parts[0] == "svrg":
        return parts[1] if len(parts) > 2 else "svrg.hpp"
    if len(parts) > 1 and parts[0] in FLOORS:
        return parts[0]
    return own if len(parts) == 1 and name.endswith(".hpp") else None


def include_breach(path, name, quoted):
    """What is wrong with including `name` in `path` (relative to the root), or None."""
    top, public = path.parts[0], path.parts[0] == "include"
    own = path.parts[2] if public else path.parts[1]
    header = path.suffix == ".hpp"
    if name == "mpi.h" or name == "mpi-ext.h":
        allowed = path.as_posix() == "include/svrg/comm/communicator.hpp" or (
            top == "src" and own == "comm")
        return None if allowed else "mpi.h belongs to src/comm and comm/communicator.hpp"
    if re.match(r"(hdf5|H5)\w*\.h$", name):
        return None if top == "src" and own in ("io", "data") else "HDF5 belongs to src/io and src/data"
    if name.startswith("boost/iostreams/"):
        return None if top == "src" and own in ("io", "data") else "boost/iostreams belongs to src/data"
    if name.startswith("boost/"):
        allowed = top == "src" and own == "comm" and not header
        return None if allowed else "Boost belongs to the sources of src/comm"
    if top == "apps":
        # The program is many small sources: it names the public headers it needs.
        if own == "examples" and name.startswith("svrg/") and name != "svrg/svrg.hpp":
            return "an example includes svrg/svrg.hpp, nothing else of ours"
        if quoted and name.split("/")[0] in FLOORS:
            return "an app may not reach into src/"
        return None
    floor = floor_of(name, own) if quoted or name.startswith("svrg/") else None
    if floor is None:
        return None
    if own not in FLOORS:
        return f"'{own}' is not a floor"
    if floor not in FLOORS[own]:
        return f"floor '{own}' may not include floor '{floor}' ({name})"
    if public and not name.startswith("svrg/"):
        return f"a public header includes the private header {name}"
    return None


def breaches_of_source(path, text):
    umbrella = path.as_posix() == "include/svrg/svrg.hpp"
    top = path.parts[0]
    own = path.parts[1] if top == "src" else ""
    for number, line in enumerate(without_comments(text).split("\n"), 1):
        include = INCLUDE.match(line)
        if include:
            breach = None if umbrella else include_breach(path, include[2], include[1] == '"')
            if breach:
                yield number, breach
            continue
        call = MPI_CALL.search(line)
        if call and own != "comm":
            yield number, f"MPI is called only in src/comm: {call[0]}"
        call = HDF5_CALL.search(line)
        if call and own not in ("io", "data"):
            yield number, f"HDF5 is called only in src/io and src/data: {call[0]}"


def breaches(root):
    """Yields (relative path, line, message)."""
    for folder in ("include", "src", "apps", "tests", "cmake", "jobscripts"):
        for file in sorted((root / folder).rglob("*")):
            if not (file.is_file() and (file.suffix in CODE or file.name == "CMakeLists.txt")):
                continue
            path, text = file.relative_to(root), file.read_text(encoding="utf-8")
            lines = text.count("\n")
            if lines > MAX_LINES:
                yield path, lines, f"{lines} lines; past {MAX_LINES} there is a second idea in it"
            # apps/replay runs under SimGrid's MPI, and links nothing of ours.
            ours = folder in ("include", "src", "apps") and "replay" not in file.parent.parts
            if ours and file.suffix in (".hpp", ".cpp", ".h"):
                for number, message in breaches_of_source(path, text):
                    yield path, number, message


def folders(root):
    """Floors with sources but without a line in the table, and the other way round."""
    return sorted({path.name for path in (root / "src").iterdir() if path.is_dir()} ^ set(FLOORS))


def main():
    for floor in folders(pathlib.Path(sys.argv[1])):
        sys.exit(f"{PAGE.name}: its table and src/ differ in '{floor}'")
    found = list(breaches(pathlib.Path(sys.argv[1])))
    for path, number, message in found:
        print(f"{path}:{number}: {message}")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
