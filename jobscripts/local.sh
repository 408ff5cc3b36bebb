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
source "$jobscripts/job.sh"

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
prepare_job "$svrg_root"
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
launcher=(mpirun -n "$ranks")
train_job "local-$(date +%Y%m%d-%H%M%S)" "$@"
exit "$code"
