#!/usr/bin/env bash
# Trains on this computer with one rank per core.
# usage: jobscripts/local.sh [-n RANKS] DATA [options of svrg train]
#   jobscripts/local.sh train.svm -o runs/mine
#   jobscripts/local.sh -n 4 -c run.toml --resume auto
# Leaves env.txt (machine, revision, command) beside the results. USR1 to this script stops the run
# after a checkpoint (exit 75); --resume auto goes on from there.
set -euo pipefail
jobscripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
source "$jobscripts/setup.sh"
source "$jobscripts/mpi_env.sh"

# Real cores among those usable; hyper-threads share the units that training is bound by.
cores() {
  local real usable
  usable=$(processors)
  real=$(lscpu -p=CORE,SOCKET 2>/dev/null | grep -v '^#' | sort -u | wc -l || true)
  echo $(( real > 0 && real < usable ? real : usable ))
}

usage() { sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

ranks=$(cores)
case ${1:-} in
  '' | -h | --help) usage; exit 0 ;;
  -n) [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || fail "-n needs a number of ranks"
      ranks=$2; shift 2 ;;
esac
program=$svrg_build/bin/svrg
[[ -x $program ]] || program=$(command -v svrg) || fail "no svrg program; run jobscripts/quickstart.sh first"

# The run directory: as the options say, else as the configuration says, else named here.
run='' config='' previous=''
for argument in "$@"; do
  case $previous in
    -o | --run-dir) run=$argument ;;
    -c | --config) config=$argument ;;
  esac
  case $argument in
    --run-dir=*) run=${argument#*=} ;;
    --config=*) config=${argument#*=} ;;
  esac
  previous=$argument
done
if [[ -z $run && -f $config ]]; then
  run=$(sed -n 's/^ *run_dir *= *"\([^"]*\)".*/\1/p' "$config" | head -n 1)
fi
if [[ -z $run ]]; then
  run=runs/local-$(date +%Y%m%d-%H%M%S)
  set -- "$@" -o "$run"
fi

export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
command=(mpirun -n "$ranks" "$program" train "$@")
record() {
  echo "date      $(date -u +%Y-%m-%dT%H:%M:%SZ)"
  echo "host      $(uname -n)"
  echo "system    $(uname -srm)"
  echo "processor $(sed -n '0,/^model name/s/^model name.*: //p' /proc/cpuinfo 2>/dev/null)"
  echo "cores     $(processors) usable"
  echo "mpi       $(mpirun --version 2>&1 | head -n 1)"
  echo "svrg      $("$program" --version 2>&1 | head -n 1)"
  echo "revision  $(git -C "$svrg_root" describe --always --dirty 2>/dev/null || echo unknown)"
  printf 'command  '; printf ' %q' "${command[@]}"; echo
  env | grep -E '^(OMP_|OMPI_|SVRG_|SLURM_JOB_ID)' | sort || true
}
about=$(record)

# In the background, because bash runs a trap only while it waits. mpirun hands USR1 to every rank;
# TERM and INT would leave them a second or so to save.
"${command[@]}" &
job=$!
signalled=1
trap 'signalled=1; kill -USR1 "$job"' USR1 TERM INT
while (( signalled )); do
  signalled=0 code=0
  wait "$job" || code=$?
done
[[ ! -d $run ]] || printf '%s\n' "$about" >"$run/env.txt"
exit "$code"
