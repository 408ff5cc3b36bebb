#!/usr/bin/env bash
# usage: hosts_down.sh FOLDER   Ends what hosts_up.sh or slurm_up.sh started, by the pids noted in FOLDER, and
# removes the folder (SVRG_KEEP=1 keeps it).
set -uo pipefail
folder=${1:?$(sed -n '2,3s/^# //p' "$0")}
[[ -s $folder/sshd_config ]] || { echo "nothing to stop in $folder"; exit 0; }
for file in "$folder"/*.pid "$folder/slurm/pid/munged"; do
  pid=$(cat "$file" 2>/dev/null)
  [[ -n $pid && -d /proc/$pid ]] || continue
  # The number may be another process's by now. Of a host it is its first: all others fall with it.
  [[ $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null) == *"$folder"* ]] && kill -KILL "$pid"
done
[[ -n ${SVRG_KEEP:-} ]] || rm -rf "$folder"
echo "stopped"
