#!/usr/bin/env bash
# usage: tidy.sh ROOT BUILD [FOLDER…]   clang-tidy has nothing to say about the sources of these folders
# (the ones that are clean so far if there are none). BUILD/tidy is configured for it, since clang does
# not read GCC's precompiled headers. Exit 77 (skipped) without clang-tidy.
set -euo pipefail
command -v clang-tidy >/dev/null || { echo "skipped: no clang-tidy here"; exit 77; }
root=$1
build=$2/tidy
shift 2
source "$root/tests/checks/files.sh"
mkdir -p "$build"
cmake -S "$root" -B "$build" -DSVRG_PRECOMPILE=OFF -DSVRG_BUILD_TESTS=ON >"$build/configure.log" 2>&1 ||
  { tail -n 20 "$build/configure.log"; exit 1; }
cd "$root"
# Not src/solver: the analyser takes the buffer that Eigen solves in for lost (SolveTriangular.h).
(( $# )) || set -- src/core src/comm src/io src/data src/model src/objective src/estimator src/optimizer src/train \
  src/module apps/svrg
mapfile -t sources < <(our_files "${@/%//*.cpp}")
(( ${#sources[@]} )) || { echo "found no sources in $*"; exit 1; }
# Two at a time, behind whatever else runs. GCC's own options are none of clang's.
if ! printf '%s\0' "${sources[@]}" | nice -n 19 xargs -0 -P 2 -n 1 \
    clang-tidy --quiet -p "$build" --extra-arg=-Wno-unknown-warning-option >"$build/tidy.log" 2>&1; then
  grep -E '(warning|error):' "$build/tidy.log" | sed "s|^$root/||" | sort -u
  echo "remedy: mend it, or NOLINT(check) with the reason behind it; all is in $build/tidy.log"
  exit 1
fi
echo "${#sources[@]} sources are tidy"
