#!/usr/bin/env python3
"""What the network costs: an epoch of the local-epoch algorithm and of the synchronous one on one host and on
four, with and without delay, as the table of docs/cluster.md.

usage: hosts_table.py DATA [SWITCH]      e.g. a9a.svm; needs what hosts_up.sh needs
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "apps/program"))
from harness import PROGRAM, ROOT, svrg  # noqa: E402

REPEATS = 5
METHODS = {
    "local epochs (`--engine row`)": ["--engine", "row", "-e", "10"],
    "synchronous (`--algorithm svrg -b 128`)": ["--algorithm", "svrg", "-b", "128", "-e", "4"],
    "synchronous (`--algorithm svrg -b 2048`)": ["--algorithm", "svrg", "-b", "2048", "-e", "4"],
}


def best(run):
    """Of several repeats the least: whatever else the machine does only adds."""
    results = [run() for _ in range(REPEATS)]
    return min(results, key=lambda r: r["seconds_train"])


def on_hosts(folder, args):
    done = subprocess.run([folder / "run", "mpirun", "--map-by", "node", "--hostfile", folder / "hosts", "-n", "4",
                           PROGRAM, "train", *args], capture_output=True, text=True, check=True,
                          timeout=300)
    return json.loads(done.stdout.strip().splitlines()[-1])


def main():
    data = pathlib.Path(sys.argv[1]).resolve()
    switch = sys.argv[2] if len(sys.argv) > 2 else str(ROOT / "build/bin/svrg_switch")
    rows = {name: [] for name in METHODS}
    quiet = ["--tol-grad", "0", "-q"]

    def measure(run):
        for name, args in METHODS.items():
            rows[name].append(best(lambda a=args: run([str(data), *a, *quiet])))
            print(name, rows[name][-1], file=sys.stderr)

    measure(lambda args: svrg("train", *args, ranks=4, timeout=300,
                              env={"OMPI_MCA_mpi_yield_when_idle": "1"}).json)
    with tempfile.TemporaryDirectory(prefix="svrg-hosts-") as name:
        folder = pathlib.Path(name) / "hosts"
        for delay in "0", "1000":
            up = subprocess.run(["bash", HERE / "hosts_up.sh", folder, switch, "4", delay],
                                check=False, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
            if up.returncode:
                print(up.stdout)
                sys.exit(up.returncode)
            try:
                measure(lambda args: on_hosts(folder, args))
            finally:
                subprocess.run(["bash", HERE / "hosts_down.sh", folder], check=True, stdout=subprocess.DEVNULL)

    print("| method | allreduces an epoch | kB a rank and epoch | one host | 4 hosts | 4 hosts, 1 ms |")
    print("|---|---|---|---|---|---|")
    for name, found in rows.items():
        epochs = found[0]["epochs"]
        seconds = " | ".join(f"{1000 * r['seconds_train'] / r['epochs']:.3g} ms" for r in found)
        print(f"| {name} | {found[0]['allreduces'] / epochs:.0f} | "
              f"{found[0]['bytes_communicated'] / epochs / 1000:.3g} | {seconds} |")


if __name__ == "__main__":
    main()
