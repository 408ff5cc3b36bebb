#!/usr/bin/env bash
# usage: install_test.sh BUILD_DIR CXX   Installs into a folder of the build tree, then builds a
# program against it in both ways a user may: find_package(svrg) and pkg-config.
set -euo pipefail
build=$1
cxx=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
source "$here/../../jobscripts/mpi_env.sh"
consumer=$here/consumer
work=$build/install-test
rm -rf "$work"
mkdir -p "$work"
# Installed in one place and used in another: nothing in it may point at where it was put.
cmake --install "$build" --prefix "$work/first" >"$work/install.log"
mv "$work/first" "$work/prefix"

fail() { echo "install_test: $*" >&2; exit 1; }
targets=$(find "$work/prefix" -name svrgTargets.cmake)
! grep -nE 'svrg_warnings|svrg_codegen|-W(all|error)' "$targets" || fail "the export carries our own flags"
! grep -rnF "$build" "$(dirname "$targets")" || fail "the export points into the build tree"
program=$work/prefix/bin/svrg
"$program" --version
share=$work/prefix/share
cmp <("$program" config man) "$share/man/man1/svrg.1"
cmp <("$program" config completion) "$share/bash-completion/completions/svrg"
cmp <("$program" config completion --shell zsh) "$share/zsh/site-functions/_svrg"
cmp <("$program" config completion --shell fish) "$share/fish/vendor_completions.d/svrg.fish"

cmake -S "$consumer" -B "$work/find_package" -DCMAKE_PREFIX_PATH="$work/prefix" \
  -DCMAKE_CXX_COMPILER="$cxx" >"$work/configure.log" || { cat "$work/configure.log"; exit 1; }
cmake --build "$work/find_package"
mpirun -n 2 "$work/find_package/consumer"

if command -v pkg-config >/dev/null; then
  PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name svrg.pc)")
  export PKG_CONFIG_PATH
  read -ra flags <<<"$(pkg-config --cflags --libs svrg)"
  "$cxx" -std=c++20 "$consumer/consumer.cpp" "${flags[@]}" -o "$work/by_pkg_config"
  mpirun -n 2 "$work/by_pkg_config"
fi
