#!/usr/bin/env bash
# usage: slurm_up.sh FOLDER SWITCH [NODES]   A private Slurm on hosts of hosts_up.sh: the controller on host0,
# NODES (4) nodes on the others. FOLDER/run COMMAND… runs sbatch and its like on host0. Called again it
# brings back what is missing. Exit 77 where this is not possible.
set -euo pipefail
[[ $# -ge 2 ]] || { sed -n '2,4s/^# //p' "$0"; exit 2; }
PATH=$PATH:/usr/sbin:/sbin
for tool in munged slurmctld slurmd sbatch; do
  command -v $tool >/dev/null ||
    { echo "skipped: $tool not found (jobscripts/setup.sh cluster installs it on Debian)"; exit 77; }
done
nodes=${3:-4}
bash "$(dirname "$0")/hosts_up.sh" "$1" "$2" $((nodes + 1))
folder=$(cd "$1" && pwd -P)
slurm=$folder/slurm

alive() { [[ -s $1 ]] && kill -0 "$(cat "$1")" 2>/dev/null; }
mkdir -p "$slurm"/{munge,state,spool,log,pid,tmp}
chmod 755 "$folder" "$slurm" "$slurm/munge"
if [[ ! -s $slurm/slurm.conf ]]; then
  (umask 077; head -c 256 /dev/urandom >"$slurm/munge/key")
  cat >"$slurm/slurm.conf" <<END
ClusterName=private
SlurmctldHost=host0(10.99.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# A requeued job waits until its former credential has expired: two minutes, unless told the least there is.
AuthInfo=socket=$slurm/munge/socket,cred_expire=5
CredType=cred/munge
MpiDefault=none
# Neither control groups nor an accounting daemon are to be had here; CPUs are counted, not bound.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
SlurmctldPidFile=$slurm/pid/slurmctld
SlurmdPidFile=$slurm/pid/slurmd-%n
SlurmctldLogFile=$slurm/log/slurmctld
SlurmdLogFile=$slurm/log/%n
StateSaveLocation=$slurm/state
SlurmdSpoolDir=$slurm/spool/%n
TmpFS=$slurm/tmp/%n
SwitchType=switch/none
# Quick to notice, so that tests are short.
SlurmctldTimeout=10
SlurmdTimeout=6
InactiveLimit=0
KillWait=3
MessageTimeout=10
MinJobAge=3600
ReturnToService=2
JobRequeue=1
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,sched_min_interval=100000,bf_interval=1,batch_sched_delay=0
# Jobs of "urgent" take the nodes of those in "batch", which are asked to stop and queued again.
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
NodeName=host[1-$nodes] NodeAddr=10.99.0.[2-$((nodes + 1))] CPUs=2 RealMemory=1000
PartitionName=batch Nodes=ALL Default=YES DefaultTime=10 MaxTime=60 PriorityTier=1 GraceTime=10
PartitionName=urgent Nodes=ALL DefaultTime=10 MaxTime=60 PriorityTier=100 PreemptMode=OFF
END
  echo "export SLURM_CONF=$slurm/slurm.conf" >>"$folder/env.sh"
fi
export SLURM_CONF=$slurm/slurm.conf

if ! alive "$slurm/pid/munged"; then
  rm -f "$slurm"/munge/socket*
  munged --force --key-file="$slurm/munge/key" --socket="$slurm/munge/socket" \
    --pid-file="$slurm/pid/munged" --log-file="$slurm/log/munged" --seed-file="$slurm/munge/seed" \
    --num-threads=2 2>>"$slurm/log/munged.start"
fi
# on HOST COMMAND…: among its processes, which end with the host.
on() {
  local first
  first=$(cat /proc/"$(cat "$folder/$1.pid")"/task/*/children | awk '{ print $1; exit }')
  shift
  nsenter --target "$first" --net --uts --mount --pid "$@"
}
answers() { timeout 5 "$folder/run" scontrol ping 2>/dev/null | grep -q UP; }
answers || on host0 slurmctld -f "$SLURM_CONF" 2>>"$slurm/log/slurmctld.start"
for (( i = 1; i <= nodes; ++i )); do
  [[ ! -e $slurm/pid/on-host$i || $(cat "$slurm/pid/on-host$i") != "$(cat "$folder/host$i.pid")" ]] || continue
  # As after a boot: what PMIx left of a lost job would be in the way of the same job.
  rm -rf "${slurm:?}/tmp/host$i" "$slurm/spool/host$i"
  mkdir -p "$slurm/tmp/host$i" "$slurm/spool/host$i"
  on "host$i" slurmd -f "$SLURM_CONF" -N "host$i" 2>>"$slurm/log/host$i.start"
  cp "$folder/host$i.pid" "$slurm/pid/on-host$i"
done

for (( i = 0; i < 150; ++i )); do
  up=$(timeout 5 "$folder/run" sinfo -h -N -p batch -o %T 2>/dev/null |
    grep -cE '^(idle|allocated|mixed|completing)$' || true)
  [[ $up != "$nodes" ]] || { echo "$up nodes are up: $folder/run sinfo"; exit 0; }
  sleep 0.2
done
echo "only $up of $nodes nodes came up"
"$folder/run" sinfo || true
tail -n 5 "$slurm"/log/*
exit 1
