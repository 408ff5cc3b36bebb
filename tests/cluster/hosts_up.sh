#!/usr/bin/env bash
# usage: hosts_up.sh FOLDER SWITCH [HOSTS [DELAY_US [RATE_MBIT [LOSS_PERCENT]]]]
# HOSTS (4) hosts on this machine: each has its own network, name, processes, shared memory and sshd; SWITCH,
# made from switch.cpp, connects them. FOLDER/run COMMAND… runs a command on the first, as on a login node;
# FOLDER/hosts lists their names. Killing the process in FOLDER/host1.pid is the loss of host1; called again,
# this brings back what is missing. Exit 77 where hosts are not to be had.
set -euo pipefail
[[ $# -ge 2 ]] || { sed -n '2,6s/^# //p' "$0"; exit 2; }
mkdir -p "$1"
folder=$(cd "$1" && pwd -P) switch=$2 hosts=${3:-4} delay=${4:-0} rate=${5:-0} loss=${6:-0}
PATH=$PATH:/usr/sbin:/sbin
skip() { echo "skipped: $*"; exit 77; }
for tool in sshd ssh ssh-keygen unshare nsenter; do
  command -v $tool >/dev/null || skip "$tool not found (jobscripts/setup.sh cluster installs it on Debian)"
done
(( EUID == 0 )) || skip "hosts in namespaces need root"
unshare --net --uts --mount --pid --fork true 2>/dev/null || skip "no namespaces here"
[[ -c /dev/net/tun ]] || skip "no /dev/net/tun here"

if [[ ! -s $folder/hosts ]]; then
  ssh-keygen -q -t ed25519 -N '' -f "$folder/key"
  ssh-keygen -q -t ed25519 -N '' -f "$folder/host_key"
  cp "$folder/key.pub" "$folder/allowed"
  cat >"$folder/sshd_config" <<END
Port 2222
HostKey $folder/host_key
AuthorizedKeysFile $folder/allowed
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
PidFile none
MaxStartups 100
END
  cat >"$folder/ssh_config" <<END
Host *
  Port 2222
  User root
  IdentityFile $folder/key
  IdentitiesOnly yes
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  LogLevel ERROR
END
  cat >"$folder/env.sh" <<END
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_MCA_plm_rsh_agent="ssh -F $folder/ssh_config"
export OMPI_MCA_btl=self,vader,tcp OMPI_MCA_btl_vader_single_copy_mechanism=none
export OMPI_MCA_btl_tcp_if_include=eth0 OMPI_MCA_oob_tcp_if_include=eth0
# The hosts share the machine's cores.
export OMPI_MCA_mpi_yield_when_idle=1
END
  cat >"$folder/run" <<END
#!/usr/bin/env bash
first=\$(cat /proc/\$(cat "$folder/host0.pid")/task/*/children | awk '{ print \$1; exit }')
source "$folder/env.sh"
exec nsenter --target "\$first" --net --uts --mount --pid --wd="\$PWD" "\$@"
END
  chmod +x "$folder/run"
  cp /etc/hosts "$folder/etc_hosts"
  for (( i = 0; i < hosts; ++i )); do
    echo "10.99.0.$((i + 1)) host$i" >>"$folder/etc_hosts"
    echo "host$i" >>"$folder/hosts"
  done
fi

alive() { [[ -s $1 ]] && kill -0 "$(cat "$1")" 2>/dev/null; }
started=()
for (( i = 0; i < hosts; ++i )); do
  ! alive "$folder/host$i.pid" || continue
  started+=("$i")
  rm -f "$folder/host$i.is_up"
  setsid unshare --net --uts --mount --pid --fork --kill-child --mount-proc bash -c "
    hostname host$i
    mount -t tmpfs -o size=256m tmpfs /dev/shm
    mount -t tmpfs tmpfs /run && mkdir -p /run/sshd
    mount --bind '$folder/etc_hosts' /etc/hosts
    touch '$folder/host$i.is_up'
    exec $(command -v sshd) -D -e -f '$folder/sshd_config'" </dev/null >"$folder/host$i.log" 2>&1 &
  echo $! >"$folder/host$i.pid"
done
for i in "${started[@]}"; do
  for (( t = 0; t < 100; ++t )); do [[ ! -e $folder/host$i.is_up ]] || break; sleep 0.05; done
done
: >"$folder/switch.log"
if alive "$folder/switch.pid"; then
  kill -HUP "$(cat "$folder/switch.pid")"
else
  setsid "$switch" "$folder" "$hosts" "$delay" "$rate" "$loss" </dev/null >>"$folder/switch.log" 2>&1 &
  echo $! >"$folder/switch.pid"
fi
for (( t = 0; t < 100; ++t )); do ! grep -q ready "$folder/switch.log" || break; sleep 0.05; done
grep -q ready "$folder/switch.log" || skip "no network: $(cat "$folder/switch.log")"
for i in "${started[@]}"; do
  for (( t = 0; t < 50; ++t )); do
    timeout 5 "$folder/run" ssh -F "$folder/ssh_config" "host$i" true 2>/dev/null && continue 2
    sleep 0.1
  done
  echo "host$i does not answer:"; cat "$folder/host$i.log"; exit 1
done
echo "$hosts hosts are up, delay $delay us, rate $rate Mbit/s, loss $loss %: $folder/run mpirun ..."
