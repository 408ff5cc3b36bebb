#!/usr/bin/env bash
# usage: install_test.sh BUILD_DIR CXX [shared]   Installs into a folder of the build tree, then builds a
# program against it in both ways a user may: find_package(svrg) and pkg-config. With `shared` what is
# installed is a build of its own with a shared library, as for debugging but without what a debugger needs.
set -euo pipefail
build=$1
cxx=$2
kind=${3:-static}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(cd "$here/../.." && pwd -P)
source "$root/jobscripts/mpi_env.sh"
consumer=$here/consumer
if [[ $kind == shared ]]; then
  build=$build/shared-build
  mkdir -p "$build"
  if command -v ninja >/dev/null; then export CMAKE_GENERATOR=Ninja; fi
  if ! { cmake -S "$root" -B "$build" -DBUILD_SHARED_LIBS=ON -DCMAKE_CXX_COMPILER="$cxx" \
           -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG= &&
         cmake --build "$build" --parallel 2; } >"$build/build.log" 2>&1; then
    tail -n 40 "$build/build.log"
    exit 1
  fi
fi
work=$build/install-test
rm -rf "$work"
mkdir -p "$work"
# Installed in one place and used in another: nothing in it may point at where it was put.
cmake --install "$build" --prefix "$work/first" >"$work/install.log"
mv "$work/first" "$work/prefix"

libraries=$work/prefix/$(sed -n 's/^CMAKE_INSTALL_LIBDIR:[A-Z]*=//p' "$build/CMakeCache.txt")

fail() { echo "install_test: $*" >&2; exit 1; }
targets=$(find "$work/prefix" -name svrgTargets.cmake)
! grep -nE 'svrg_warnings|svrg_codegen|-W(all|error)' "$targets" || fail "the export carries our own flags"
! grep -rnF "$build" "$(dirname "$targets")" || fail "the export points into the build tree"
! grep -nE '[";:]/[^"]*\.(so|a)' "$targets" || fail "the export names libraries of this machine by path"
pc=$(find "$work/prefix" -name svrg.pc)
! grep -nE '(^|[ =])/[^ ]*\.(so|a)\b' "$pc" || fail "svrg.pc names libraries of this machine by path"
! grep -nF "$build" "$pc" || fail "svrg.pc points into the build tree"
program=$work/prefix/bin/svrg
"$program" --version
share=$work/prefix/share
cmp <("$program" config man) "$share/man/man1/svrg.1"
cmp <("$program" config completion) "$share/bash-completion/completions/svrg"
cmp <("$program" config completion --shell zsh) "$share/zsh/site-functions/_svrg"
cmp <("$program" config completion --shell fish) "$share/fish/vendor_completions.d/svrg.fish"
mpirun -n 2 "$program" train "$root/apps/data/wdbc.train.svm" -q
if [[ $kind == shared ]]; then
  soname=libsvrg.so.$(sed -n 's/^CMAKE_PROJECT_VERSION:[A-Z]*=\([0-9]*\.[0-9]*\)\..*/\1/p' "$build/CMakeCache.txt")
  [[ -e $libraries/$soname ]] || fail "no $soname in $libraries"
  loaded=$(ldd "$program" | sed -n "s/.*$soname => \([^ ]*\) .*/\1/p")
  [[ $loaded -ef $libraries/$soname ]] || fail "the program loads '$loaded' for $soname"
fi
for file in "$program" "$libraries"/libsvrg.so; do
  ! readelf -d "$file" 2>/dev/null | grep -E 'R(UN)?PATH' | grep -F "$build" ||
    fail "$file looks for libraries where it was built"
done

cmake -S "$consumer" -B "$work/find_package" -DCMAKE_PREFIX_PATH="$work/prefix" \
  -DCMAKE_CXX_COMPILER="$cxx" >"$work/configure.log" || { cat "$work/configure.log"; exit 1; }
cmake --build "$work/find_package"
mpirun -n 2 "$work/find_package/consumer"

if command -v pkg-config >/dev/null; then
  PKG_CONFIG_PATH=$(dirname "$pc")
  export PKG_CONFIG_PATH
  read -ra flags <<<"$(pkg-config --cflags --libs svrg)"
  "$cxx" -std=c++20 "$consumer/consumer.cpp" "${flags[@]}" -Wl,-rpath,"$libraries" -o "$work/by_pkg_config"
  mpirun -n 2 "$work/by_pkg_config"
fi
