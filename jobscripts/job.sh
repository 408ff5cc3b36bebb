# shellcheck shell=bash disable=SC2034  # sets variables for those who source it
# Sourced by local.sh and by the batch scripts: finds the program and the run directory, writes down
# where and how a job ran, hands signals on, and counts resumes that bring nothing.
#
# Variables that a site or a user may set (the program leaves SVRG_JOB_… to these scripts):
#   SVRG_JOB_ROOT      the checkout, where jobs are not submitted from there
#   SVRG_JOB_PROGRAM   the program; without it build/bin/svrg of the checkout, else the one in PATH
#   SVRG_JOB_MODULES   modules to load, such as "openmpi hdf5"
#   SVRG_JOB_LAUNCHER  srun or mpirun, under Slurm; without it srun where it speaks PMIx
#   SVRG_JOB_BIND      what a rank is bound to: core (the default), socket or none
#   SVRG_JOB_FLAGS     further flags of the launcher

say() { printf '%s\n' "svrg: $*"; }
fail() { printf '%s\n' "svrg: error: $*" >&2; exit 1; }

# prepare_job ROOT: loads modules and sets `root` and `program`.
prepare_job() {
  local name
  root=$1
  for name in ${SVRG_JOB_MODULES:-}; do module load "$name"; done
  program=${SVRG_JOB_PROGRAM:-$root/build/bin/svrg}
  [[ -x $program ]] || program=$(command -v svrg) ||
    fail "no svrg program; run jobscripts/quickstart.sh first, or set SVRG_JOB_PROGRAM"
  # Else mpirun waits for hours for a host whose line is dead.
  export OMPI_MCA_oob_tcp_keepalive_time=${OMPI_MCA_oob_tcp_keepalive_time:-3}
  export OMPI_MCA_oob_tcp_keepalive_intvl=${OMPI_MCA_oob_tcp_keepalive_intvl:-1}
  export OMPI_MCA_oob_tcp_keepalive_probes=${OMPI_MCA_oob_tcp_keepalive_probes:-2}
}

# run_directory ARGUMENTS…: prints what the options say, else what the configuration says, else nothing.
run_directory() {
  local argument previous='' run='' config=''
  for argument in "$@"; do
    case $previous in
      -o | --run-dir) run=$argument ;;
      -c | --config) config=$argument ;;
    esac
    case $argument in
      --run-dir=*) run=${argument#*=} ;;
      -o?*) run=${argument#-o} ;;
      --config=*) config=${argument#*=} ;;
    esac
    previous=$argument
  done
  run=${run:-${SVRG_RUN_DIR:-}}
  if [[ -z $run && -f $config ]]; then
    run=$(sed -n 's/^ *run_dir *= *"\([^"]*\)".*/\1/p' "$config" | head -n 1)
  fi
  printf '%s' "$run"
}

# job_hosts: the hosts of this job, by whatever queued it.
job_hosts() {
  if [[ -n ${SLURM_JOB_NODELIST:-} ]]; then
    scontrol show hostnames "$SLURM_JOB_NODELIST" | paste -sd ' '
  elif [[ -n ${PBS_NODEFILE:-${LSB_DJOB_HOSTFILE:-}} ]]; then
    sort -u "${PBS_NODEFILE:-$LSB_DJOB_HOSTFILE}" | paste -sd ' '
  else
    uname -n
  fi
}

# record_job COMMAND…: the facts of env.txt.
record_job() {
  echo "date      $(date -u +%Y-%m-%dT%H:%M:%SZ)"
  echo "host      $(uname -n)"
  echo "hosts     $(job_hosts)"
  echo "system    $(uname -srm)"
  echo "processor $(sed -n '0,/^model name/s/^model name.*: //p' /proc/cpuinfo 2>/dev/null)"
  echo "cores     $(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc) usable here"
  echo "binding   ${binding:-as the launcher does}"
  echo "modules   ${LOADEDMODULES:-none}"
  echo "mpi       $(mpirun --version 2>&1 | head -n 1)"
  echo "svrg      $("$program" --version 2>&1 | head -n 1)"
  echo "revision  $(git -C "$root" describe --always --dirty 2>/dev/null || echo unknown)"
  printf 'command  '; printf ' %q' "$@"; echo
  env | grep -E '^(OMP_|OMPI_|SVRG_|SLURM_(JOB|ARRAY|NTASKS|CPUS|PMIX)|PBS_JOBID|LSB_JOBID)' | sort || true
}

# srun_or_mpirun: sets the array `launcher` and the text `binding` for this job of Slurm's.
srun_or_mpirun() {
  export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
  threads_of_rank
  export SRUN_CPUS_PER_TASK=${SLURM_CPUS_PER_TASK:-1}  # from Slurm 22.05 on srun does not ask sbatch
  # For --time-limit auto; Slurm 22.05 does not set it.
  [[ -n ${SLURM_JOB_END_TIME:-} ]] || SLURM_JOB_END_TIME=$(slurm_end)
  export SLURM_JOB_END_TIME
  local bind=${SVRG_JOB_BIND:-core} more
  if [[ ${SVRG_JOB_LAUNCHER:-} == mpirun || $(srun --mpi=list 2>&1) != *pmix* ]]; then
    mpirun_on_hosts ''  # which knows the job's hosts
    return
  fi
  # With Slurm's own choice, a mixture, some ranks got messages of others while they still were in MPI_Init.
  export SLURM_PMIX_FENCE=${SLURM_PMIX_FENCE:-tree}
  read -ra more <<<"${SVRG_JOB_FLAGS:-}"
  [[ $bind == none ]] || bind+=s
  launcher=(srun --mpi=pmix --kill-on-bad-exit=1 "--cpu-bind=$bind" "${more[@]}")
  binding="srun, to $bind, $OMP_NUM_THREADS thread(s) a rank"
}

# threads_of_rank: as --threads, where a rank has got several cores and nobody has said otherwise.
threads_of_rank() {
  [[ -n ${SVRG_THREADS:-} || $OMP_NUM_THREADS == 1 ]] || export SVRG_THREADS=$OMP_NUM_THREADS
}

# slurm_end: when this job ends, in seconds since 1970; nothing where Slurm does not say.
slurm_end() {
  local moment
  moment=$(squeue -h -j "$SLURM_JOB_ID" -o %e 2>/dev/null) || return 0
  date -d "$moment" +%s 2>/dev/null || return 0
}

# mpirun_on_hosts FILE: the same by mpirun, on the hosts that FILE lists, one line a rank.
mpirun_on_hosts() {
  export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
  threads_of_rank
  local bind=${SVRG_JOB_BIND:-core} threads=$OMP_NUM_THREADS more
  read -ra more <<<"${SVRG_JOB_FLAGS:-}"
  launcher=(mpirun -x OMP_NUM_THREADS)
  [[ -z ${SVRG_THREADS:-} ]] || launcher+=(-x SVRG_THREADS)
  if [[ -n $1 ]]; then
    # A host that a file names once would be taken to have as many slots as cores.
    launcher+=(-n "$(wc -l <"$1")"
      --host "$(sort "$1" | uniq -c | awk '{ printf "%s%s:%d", comma, $2, $1; comma = "," }')")
  fi
  # Binding to several cores for threads needs to be said by the way of mapping.
  if [[ $bind == core && $threads != 1 ]]; then launcher+=(--map-by "slot:PE=$threads"); fi
  launcher+=(--bind-to "$bind" "${more[@]}")
  binding="mpirun, to $bind, $threads thread(s) a rank"
}

# pbs_time_left: for --time-limit, since PBS tells jobs neither their end nor that it is near.
pbs_time_left() {
  local limit
  limit=$(qstat -f "$PBS_JOBID" 2>/dev/null |
    sed -n 's/^ *Resource_List.walltime = \([0-9]*\):\([0-9]*\):\([0-9]*\).*/\1 * 3600 + 10#\2 * 60 + 10#\3/p')
  [[ -n $limit ]] || { echo auto; return; }
  limit=$(( 10#$limit - SECONDS - 120 ))  # two minutes are for the end
  echo "$(( limit > 1 ? limit : 1 ))s"
}

# run_job COMMAND…: sets `code`. In the background, because bash runs a trap only while it waits. The
# launchers hand USR1 to every rank; their own way with TERM and INT leaves the ranks little time.
run_job() {
  local job='' signalled=0
  trap 'signalled=1; say "signalled: asking the ranks to save and stop"
    [[ -z $job ]] || kill -USR1 "$job" 2>/dev/null' USR1 TERM INT
  code=75
  (( signalled )) || { "$@" & job=$!; signalled=1; }
  while (( signalled )) && [[ -n $job ]]; do
    signalled=0 code=0
    wait "$job" || code=$?
  done
  trap - USR1 TERM INT
}

# train_job NAME [options of svrg train]: trains in runs/NAME if the options name no run directory, on the
# digits that ship with the project if there are none at all. Sets `code`.
train_job() {
  local run name=$1 about
  shift
  (( $# )) || set -- "$root/apps/data/digits.train.svm"
  run=$(run_directory "$@")
  if [[ -z $run ]]; then
    run=runs/$name
    set -- "$@" -o "$run"
  fi
  local command=("${launcher[@]}" "$program" train "$@")
  about=$(record_job "${command[@]}")
  # Not over what an earlier run left, which the program may refuse to touch.
  if [[ ! -e $run/log.jsonl ]]; then mkdir -p "$run"; printf '%s\n' "$about" >"$run/env.txt"; fi
  run_job "${command[@]}"
  # Unless the program has refused to touch the folder.
  (( code == 2 || code == 73 )) || printf '%s\n' "$about" >"$run/env.txt"
}

# restart_job ORIGIN [options of svrg train]: one attempt of the job that was first submitted as ORIGIN;
# goes on from the newest checkpoint. Sets `code`; 75: to be submitted again.
restart_job() {
  local run origin=$1 newest
  shift
  (( $# )) || set -- "$root/apps/data/digits.train.svm"
  run=$(run_directory "$@")
  if [[ -z $run ]]; then
    run=runs/job-$origin
    set -- "$@" -o "$run"
  fi
  newest=$(newest_checkpoint "$run")
  say "attempt $(attempts "$run" "$origin") of job $origin on $(job_hosts), from checkpoint: $newest"
  (( $(idle_resumes "$run" "$origin" "$newest") < 3 )) ||
    fail "three resumes have brought no newer checkpoint in $run: giving up"
  mkdir -p "$run"
  echo "$origin $newest $(date -u +%Y-%m-%dT%H:%M:%SZ) on $(job_hosts)" >>"$run/attempts.txt"
  local command=("${launcher[@]}" "$program" train "$@" --resume auto) about
  about=$(cat "$run/env.txt" 2>/dev/null || true)
  record_job "${command[@]}" >"$run/env.txt"
  run_job "${command[@]}"
  (( code != 73 )) || printf '%s\n' "$about" >"$run/env.txt"  # another job is in there
  say "ended with exit code $code"
}

# newest_checkpoint RUN: its name, or "none".
newest_checkpoint() {
  local newest=none path
  for path in "$1"/checkpoints/step-*.h5; do
    [[ ! -f $path ]] || newest=${path##*/}
  done
  echo "$newest"
}

# attempts RUN ORIGIN: how many there were.
attempts() {
  if [[ -f $1/attempts.txt ]]; then grep -c "^$2 " "$1/attempts.txt" || true; else echo 0; fi
}

# idle_resumes RUN ORIGIN NEWEST: resumes, up to now without a break, that began at the checkpoint which is
# still the newest.
idle_resumes() {
  local idle=-1 job at _  # the first attempt is no resume
  [[ -f $1/attempts.txt ]] || { echo 0; return; }
  while read -r job at _; do
    [[ $job == "$2" ]] || continue
    if [[ $at == "$3" ]]; then idle=$((idle + 1)); else idle=0; fi
  done <"$1/attempts.txt"
  echo "$idle"
}
