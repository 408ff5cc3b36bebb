#!/usr/bin/env bash
# What quickstart.sh, tests/run.sh and local.sh share: installing packages, configuring build/.
# Sourced for its functions; run by itself (`setup.sh [tests|browser|cluster|simulation|fuzz]`) it installs what is missing.
# shellcheck disable=SC2119,SC2120  # the functions take optional arguments of their own
set -euo pipefail

svrg_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
svrg_build=$svrg_root/build

say() { printf '%s\n' "svrg: $*"; }
fail() { printf '%s\n' "svrg: error: $*" >&2; exit 1; }

# Cores this process may use. nproc alone would answer 1 where OMP_NUM_THREADS is 1.
processors() { env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc; }

# quietly LOG COMMAND…: the output goes to LOG and is shown only if the command fails.
quietly() {
  local log=$1
  shift
  mkdir -p "$(dirname "$log")"
  if ! "$@" >"$log" 2>&1 </dev/null; then
    tail -n 40 "$log" >&2
    fail "'$*' failed; everything it said is in $log"
  fi
}

# install_packages [tests|browser|cluster|simulation|fuzz]: those to build; with the tests'; with a browser for the tests
# of the report, too; with those of a private Slurm and of hosts with ssh, which daemons come with (none is started), as
# well; with SimGrid; with clang's fuzzer. Silent and instant when nothing is missing.
install_packages() {
  local packages=(g++ cmake ninja-build make git pkg-config ccache libopenmpi-dev openmpi-bin
    libboost-mpi-dev libboost-serialization-dev libeigen3-dev libhdf5-dev libcli11-dev
    libtomlplusplus-dev libfmt-dev nlohmann-json3-dev libxxhash-dev libhwy-dev librandom123-dev libssl-dev
    libfast-float-dev libopenblas-serial-dev zlib1g-dev libbz2-dev liblzma-dev libzstd-dev)
  if [[ ${1:-} == tests || ${1:-} == browser || ${1:-} == cluster ]]; then
    packages+=(libgtest-dev libgmock-dev hdf5-tools python3-venv python3-jsonschema clang-format
      liblinear-tools doxygen libbenchmark-dev)
  fi
  if [[ ${1:-} == browser ]]; then
    packages+=(chromium)
  fi
  if [[ ${1:-} == cluster ]]; then
    packages+=(slurm-wlm munge openssh-server iproute2 lua5.4)
  fi
  # 11 s and 20 MB: for `svrg bench --simulate` and its tests.
  if [[ ${1:-} == tests || ${1:-} == cluster || ${1:-} == simulation ]]; then
    packages+=(libsimgrid-dev)
  fi
  if [[ ${1:-} == fuzz ]]; then
    packages+=(clang libclang-rt-14-dev libomp-dev)
  fi
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    require_tools "this is not a Debian system: docs/install.md names the packages for others"
    return
  fi
  local installed missing=() package
  installed=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "${packages[@]}" 2>/dev/null || true)
  for package in "${packages[@]}"; do
    [[ $'\n'$installed$'\n' == *$'\n'"$package installed"$'\n'* ]] || missing+=("$package")
  done
  (( ${#missing[@]} )) || return 0

  local as_root=()
  if (( EUID != 0 )); then
    if ! command -v sudo >/dev/null; then
      require_tools "neither root nor sudo to install: ${missing[*]}"
      return
    fi
    as_root=(sudo)
  fi
  say "installing Debian packages: ${missing[*]}"
  # The lists may be old or absent, or one source of several down: the install decides.
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120)
  local log
  log=$(mktemp)
  "${apt[@]}" update >"$log" 2>&1 || true
  quietly "$log" "${apt[@]}" install -y --no-install-recommends "${missing[@]}"
  rm -f "$log"
}

# require_tools REASON: goes on without packages of ours if the tools are there; CMake checks the rest.
require_tools() {
  local tool
  for tool in c++ cmake mpicc mpirun; do
    command -v "$tool" >/dev/null || fail "$tool not found and $1"
  done
}

# cached NAME: the value of a variable in build/CMakeCache.txt, empty if there is none.
cached() { sed -n "s/^$1:[A-Z]*=//p" "$svrg_build/CMakeCache.txt" 2>/dev/null || true; }

# configure_build [NAME=VALUE…]: the release preset into build/, only if these are not set there yet.
configure_build() {
  local setting options=() stale=0
  [[ -f $svrg_build/CMakeCache.txt ]] || stale=1
  for setting in "$@"; do
    options+=("-D$setting")
    [[ $(cached "${setting%%=*}") == "${setting#*=}" ]] || stale=1
  done
  if [[ -f $svrg_build/CMakeCache.txt && ! $(cached CMAKE_HOME_DIRECTORY) -ef $svrg_root ]]; then
    say "build/ was made in another folder; configuring it anew"
    rm -rf "$svrg_build/CMakeCache.txt" "$svrg_build/CMakeFiles"
    stale=1
  fi
  # A configuration that failed leaves a cache but nothing to build.
  [[ -f $svrg_build/build.ninja || -f $svrg_build/Makefile ]] || stale=1
  (( stale )) || return 0
  if [[ ! -f $svrg_build/CMakeCache.txt ]] && command -v ninja >/dev/null; then
    export CMAKE_GENERATOR=${CMAKE_GENERATOR:-Ninja}
  fi
  quietly "$svrg_build/configure.log" cmake -S "$svrg_root" --preset release "${options[@]}"
}

# build [CMAKE ARGUMENTS…]: one line a step on a terminal, a log file otherwise.
build() {
  local command=(cmake --build "$svrg_build" --parallel "$(processors)" "$@")
  if [[ -t 1 ]]; then "${command[@]}"; else quietly "$svrg_build/build.log" "${command[@]}"; fi
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then install_packages "$@"; fi
