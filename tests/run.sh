#!/usr/bin/env bash
# Installs what is missing, builds everything with the tests, runs every test through ctest.
# usage: tests/run.sh [--nightly] [--browser] [--cluster] [ctest arguments, e.g. -R io]
# --browser (or SVRG_TEST_BROWSER=1) installs Chromium, too, which looks at reports;
# --cluster (or SVRG_TEST_CLUSTER=1) installs Slurm and sshd, too; without them the tests that need them skip.
# shellcheck disable=SC2119,SC2120  # the functions take optional arguments of their own
set -euo pipefail
tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
source "$tests/../jobscripts/setup.sh"
source "$tests/../jobscripts/mpi_env.sh"

labels=(-LE nightly)
cluster=${SVRG_TEST_CLUSTER:-}
browser=${SVRG_TEST_BROWSER:-}
while [[ ${1:-} == --nightly || ${1:-} == --browser || ${1:-} == --cluster ]]; do
  case $1 in
    --nightly) labels=(); say "with the tests labelled nightly" ;;
    --browser) browser=1 ;;
    --cluster) cluster=1 ;;
  esac
  shift
done

install_packages tests
if [[ -n $cluster ]]; then
  (install_packages cluster) || say "warning: no Slurm here; the tests that need it will skip"
fi
if [[ -n $browser ]]; then
  (install_packages browser) || say "warning: no Chromium here; the test of reports in a browser will skip"
fi
settings=(SVRG_BUILD_TESTS=ON)
[[ -z ${SVRG_WERROR:-} ]] || settings+=("SVRG_WERROR=$SVRG_WERROR")
configure_build "${settings[@]}"

# What users open our files with. Without a network the tests that need it skip, visibly.
venv=$svrg_build/venv
packages=(numpy h5py pandas xarray h5netcdf netCDF4 scipy anndata scikit-learn matplotlib flit_core onnxruntime)
if [[ $(cat "$venv/complete" 2>/dev/null) != "${packages[*]}" ]]; then
  say "making a Python environment in build/venv"
  if python3 -m venv "$venv" >"$svrg_build/venv.log" 2>&1 &&
     "$venv/bin/pip" install --quiet --only-binary :all: "${packages[@]}" >>"$svrg_build/venv.log" 2>&1; then
    echo "${packages[*]}" >"$venv/complete"
  else
    say "warning: no Python packages (see build/venv.log); the tests that open files with them will skip"
  fi
fi

say "building the library, the program and the tests"
build

# Larger data sets lie beside the checkout where there are any; tests that need them skip without.
shared=$svrg_root/../shared
if [[ -z ${SVRG_SHARED:-} && -d $shared ]]; then
  SVRG_SHARED=$(cd "$shared" && pwd -P)
  export SVRG_SHARED
fi
[[ -n ${SVRG_SHARED:-} ]] || say "no ../shared beside the checkout: tests on its data will skip"
cd "$svrg_build"
ctest=(ctest --output-on-failure --parallel "$(processors)")
[[ -n $cluster ]] || exec "${ctest[@]}" "${labels[@]}" "$@"
# The cluster's scenarios stand on Slurm's own clocks, which a machine that others use upsets: they may be
# repeated once. All others have to pass at once.
failed=0
"${ctest[@]}" -LE "slurm|hosts${labels:+|nightly}" "$@" || failed=$?
"${ctest[@]}" -L "slurm|hosts" "${labels[@]}" --repeat until-pass:2 "$@" || failed=$?
exit "$failed"
