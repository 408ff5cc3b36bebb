"""What runs on the hosts of hosts_up.sh, seen from outside."""
import pathlib


def below(pid):
    """What it started, and what that started."""
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = task.read_text().split()
        except OSError:
            continue  # gone meanwhile
        for child in children:
            yield int(child)
            yield from below(int(child))


def processes(folder, host, name):
    """Those of this name on a host of hosts_up.sh."""
    found = []
    for pid in below(int((folder / f"{host}.pid").read_text())):
        try:
            if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == name:
                found.append(pid)
        except OSError:
            pass
    return found
