"""What compare.py measured, as tables, and the machine that it was measured on."""
import importlib.metadata
import os
import pathlib
import platform
import statistics
import subprocess

TARGETS = (1e-3, 1e-6, 1e-9)
SETS = ("sse4_2", "avx", "avx2", "fma", "avx512f", "avx512bw", "avx512_vnni", "avx512_bf16", "amx_bf16",
        "asimd", "sve")


# ---- the machine

def machine():
    info = pathlib.Path("/proc/cpuinfo").read_text()
    fields = dict(line.split(":", 1) for line in info.split("\n\n")[0].splitlines() if ":" in line)
    fields = {key.strip(): value.strip() for key, value in fields.items()}
    flags = (fields.get("flags") or fields.get("Features") or "").split()
    caches = {}
    for cache in sorted(pathlib.Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = ((cache / what).read_text().strip() for what in ("level", "type", "size"))
        caches[f"L{level} {kind.lower()}"] = size
    return {"cpu": fields.get("model name", platform.machine()), "cores": os.cpu_count(),
            "caches": caches, "instruction_sets": [name for name in SETS if name in flags],
            "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
            "system": platform.platform(), "load": os.getloadavg()}


def versions(packages=None):
    from peers import PACKAGES
    found = {"python": platform.python_version()}
    for package in packages or PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            pass
    return found


def version_of(path):
    done = subprocess.run([str(path), "--version"], capture_output=True, text=True)
    return done.stdout.strip().splitlines()


# ---- figures

def times(contender, target):
    """Seconds to the target, a number a round."""
    return [sample["seconds"] for sample in contender["samples"].get(str(target), [])]


def middle(values):
    return statistics.median(values) if values else float("inf")


def ratios(ours, theirs):
    """Round by round, so that what disturbs a round disturbs both; a peer timed once stands for all."""
    if len(ours) == len(theirs):
        return [a / b for a, b in zip(ours, theirs)]
    return [a / middle(theirs) for a in ours] if theirs else []


def best_peer(case, target):
    """Its name and report; the name is None where no peer reaches the target."""
    reaching = [(middle(times(peer, target)), name) for name, peer in case["peers"].items()
                if times(peer, target)]
    name = min(reaching)[1] if reaching else None
    return name, case["peers"].get(name)


# ---- text

def figure(value):
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def spread(values):
    """Median [least–most]; x1 where there is one."""
    if not values:
        return "–"
    if len(values) == 1:
        return f"{figure(values[0])} x1"
    return f"{figure(middle(values))} [{figure(min(values))}–{figure(max(values))}]"


def slashed(values):
    return " / ".join(values)


def at_targets(program, key):
    """What its record says at each target."""
    at = {point["outer"]: point for point in program["curve"]}
    outers = [program["outers"].get(str(target)) for target in TARGETS]
    return slashed([figure(at[outer][key]) if outer in at else "–" for outer in outers])


def label(program, case):
    several = len({p["name"] for p in case["svrg"]}) > 1
    ranks = f"{program['ranks']} rank" + "s" * (program["ranks"] > 1)
    return f"{program['name']}, {ranks}" if several else ranks


def table(header, rows, markdown):
    rows = [[str(cell) for cell in row] for row in rows]
    if markdown:
        for cells in header, ["---"] * len(header), *rows:
            print("| " + " | ".join(cells) + " |")
    else:
        widths = [max(map(len, column)) for column in zip(header, *rows)]
        for cells in header, *rows:
            print("  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip())
    print()


def title(text, markdown):
    print(f"### {text}\n" if markdown else text)


def ratio_rows(cases):
    for case in cases:
        chosen = [best_peer(case, t) for t in TARGETS]
        names = list(dict.fromkeys(name or "none" for name, _ in chosen))
        for program in case["svrg"]:
            ours = [times(program, t) for t in TARGETS]
            compared = [ratios(mine, times(peer, t)) if peer else []
                        for mine, t, (_, peer) in zip(ours, TARGETS, chosen)]
            yield [case["problem"], case["lam"], label(program, case), program["engine"],
                   slashed([figure(middle(mine)) if mine else "–" for mine in ours]),
                   slashed([figure(middle(times(peer, t))) if peer else "–"
                            for t, (_, peer) in zip(TARGETS, chosen)]),
                   slashed(names if len(names) == 1 else [name or "none" for name, _ in chosen]),
                   *(spread(values) for values in compared)]


def cost_rows(cases):
    for case in cases:
        for program in case["svrg"]:
            yield [case["problem"], case["lam"], label(program, case),
                   *(at_targets(program, key) for key in ("outer", "passes", "allreduces", "bytes")),
                   program["note"]]


def gain_rows(cases):
    """Every run of svrg against the first one of its problem."""
    for case in cases:
        first, *others = case["svrg"]
        for program in others:
            yield [case["problem"], case["lam"],
                   f"{label(program, case)} : {label(first, case)}",
                   *(spread(ratios(times(program, t), times(first, t))) for t in TARGETS)]


def peer_rows(case):
    rows = [(middle(times(peer, 1e-6)), middle(times(peer, 1e-3)), name, peer)
            for name, peer in case["peers"].items()]
    rows += [(middle(times(p, 1e-6)), middle(times(p, 1e-3)), f"svrg {label(p, case)}", p)
             for p in case["svrg"]]
    for _, _, name, contender in sorted(rows, key=lambda row: row[:3]):
        yield [name, *(spread(times(contender, t)) for t in TARGETS), contender["note"]]


def show(result, markdown):
    cases, where = result["cases"], result["machine"]
    marks = [f"{target:.0e}".replace("e-0", "e-") for target in TARGETS]
    to = [f"to {mark}" for mark in marks]
    caches = ", ".join(f"{name} {size}" for name, size in where["caches"].items())
    print(f"{result['date']}, {where['cpu']}, {where['cores']} cores, {caches}; "
          f"{', '.join(where['instruction_sets'])}; load {where['load'][0]:.2f} at the start\n")
    print("; ".join(f"{name} {version}" for name, version in result["python"].items()) + "\n")
    print(f"`{result['command']}`\n")
    title("svrg's time over that of the best peer: median [least–most]", markdown)
    table(["problem", "λ", "svrg", "engine", "seconds to " + slashed(marks), "best peer's", "which",
           *(f"ratio {mark}" for mark in to)], list(ratio_rows(cases)), markdown)
    title("What svrg does for it", markdown)
    table(["problem", "λ", "svrg", "outers to " + slashed(marks), "passes", "Allreduces", "bytes", ""],
          list(cost_rows(cases)), markdown)
    gains = list(gain_rows(cases))
    if gains:
        title("svrg's runs against each other: ratio of seconds", markdown)
        table(["problem", "λ", "which", *to], gains, markdown)
    for case in cases:
        title(f"{case['problem']}, λ = {case['lam']}: {case['rows']:,} x {case['features']:,} "
              f"{'sparse' if case['sparse'] else 'dense'}, {case['loss']}, seconds", markdown)
        table(["", *to, ""], list(peer_rows(case)), markdown)
        for name, why in case["skipped"].items():
            print(f"skipped: {name}: {why}\n")
    for name, why in result["skipped"].items():
        print(f"skipped: {name}: {why}\n")
