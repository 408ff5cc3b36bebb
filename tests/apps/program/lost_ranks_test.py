"""A rank that dies, throws or stops ends the whole job soon, with a code that says why, and the run goes
on from what it left. Preloads the library that SVRG_FAILING_RANKS names; SVRG_NIGHTLY=1 takes
both victims each time, and lets them throw at each of their MPI calls, not at three."""
import os
import pathlib
import subprocess
import time

from harness import WDBC, WDBC_TEST, Case, Result, alive, command, end, environment, main, until, weights

SHIM = os.environ.get("SVRG_FAILING_RANKS", "")
NIGHTLY = os.environ.get("SVRG_NIGHTLY") == "1"
RANKS = 3
VICTIMS = (0, RANKS - 1)
SECONDS = 5  # from the fault to the end of the job
CODES = {"kill": 137, "segv": 139, "abort": 134, "exit0": 1, "exit1": 1, "throw": 70}
TRAIN = (WDBC, "--algorithm", "svrg", "-b", "64", "-e", "6", "--tol-grad", "0", "--checkpoint-every", "2",
         "--valid", WDBC_TEST)


def of_the_job(name):
    """Processes whose environment holds `name`, which only this test's do."""
    found = []
    for place in pathlib.Path("/proc").glob("[0-9]*/environ"):
        try:
            if name.encode() in place.read_bytes() and alive(int(place.parent.name)):
                found.append(int(place.parent.name))
        except OSError:
            continue  # gone meanwhile, or another's
    return found


class LostRanks(Case):
    def setUp(self):
        super().setUp()
        self.log = self.folder / "fault"
        self.run_folder = self.folder / "run"

    def run_with(self, how, victim, call, *args):
        """Returns the result and the seconds from the fault to the end."""
        self.log.unlink(missing_ok=True)
        extra = {"LD_PRELOAD": SHIM, "FAULT": how, "FAULT_RANK": str(victim), "FAULT_CALL": str(call),
                 "FAULT_LOG": str(self.log)}
        process = subprocess.Popen(command(args, RANKS), env=environment(extra), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   start_new_session=True)
        with process:
            try:
                out, err = process.communicate(timeout=30)
            except subprocess.TimeoutExpired:
                end(process)
                raise AssertionError(f"hangs: rank {victim} {how} at call {call} of {args}") from None
        ended = time.time()
        self.assertTrue(self.log.exists(), f"no fault met: {out}{err}")
        return Result(process.returncode, out, err), ended - self.log.stat().st_mtime

    def calls(self, victim, *args):
        """How many MPI calls the rank makes."""
        result, _ = self.run_with("none", victim, 0, *args)
        self.assertEqual(result.code, 0, str(result))
        return int(self.log.read_text())

    def is_over(self, seconds, limit=SECONDS):
        self.assertLess(seconds, limit)
        self.assertTrue(until(lambda: not of_the_job(f"FAULT_LOG={self.log}"), 5), "somebody is left")

    def test_every_way_to_go(self):
        args = ("train", *TRAIN, "-o", self.run_folder)
        unbroken, _ = self.train(*TRAIN, name="unbroken", ranks=RANKS)
        for number, (how, code) in enumerate(CODES.items(), 1):
            for victim in VICTIMS if NIGHTLY else (VICTIMS[number % 2],):
                with self.subTest(victim=victim, how=how):
                    call = self.calls(victim, *args, "--overwrite") * number // (len(CODES) + 1)
                    result, seconds = self.run_with(how, victim, call, *args, "--overwrite")
                    self.assertEqual(result.code, code, str(result))
                    self.is_over(seconds)
                    if how == "throw":
                        self.assertEqual(result.errors, [f"svrg: error: rank {victim}: a fault at call {call}"])
                    self.succeeds("train", *TRAIN, "-o", self.run_folder, "--resume", "auto", ranks=RANKS)
                    self.assertTrue(weights(self.run_folder) == weights(unbroken))

    def test_a_rank_that_stops(self):
        args = ("train", *TRAIN, "-o", self.run_folder, "--stall-warn", "0", "--stall-abort", "2s", "--overwrite")
        for victim in VICTIMS if NIGHTLY else VICTIMS[1:]:
            result, seconds = self.run_with("stop", victim, self.calls(victim, *args) // 2, *args)
            self.assertEqual(result.code, 76, str(result))
            self.is_over(seconds, 2 + SECONDS)

    def test_one_rank_throws_at_any_call_of_any_command(self):
        model = self.train(*TRAIN, name="model", ranks=RANKS)[0] / "model.h5"
        out = self.folder / "out.h5"
        commands = (("train", *TRAIN, "-o", self.run_folder, "--overwrite"),
                    ("train", WDBC, "-o", self.run_folder, "--overwrite"),
                    ("predict", model, WDBC_TEST, "-o", out, "--overwrite"),
                    ("evaluate", model, WDBC_TEST), ("convert", WDBC, out, "--overwrite"))
        for number, args in enumerate(commands):
            for victim in VICTIMS if NIGHTLY else (VICTIMS[number % 2],):
                count = self.calls(victim, *args)
                for call in range(1, count + 1) if NIGHTLY else (1, (count + 1) // 2, count):
                    with self.subTest(command=args[0], victim=victim, call=call):
                        result, seconds = self.run_with("throw", victim, call, *args)
                        self.assertEqual(result.code, 70, str(result))
                        self.assertEqual(result.errors, [f"svrg: error: rank {victim}: a fault at call {call}"])
                        self.is_over(seconds)


if __name__ == "__main__":
    if not SHIM or not pathlib.Path(SHIM).exists():
        raise SystemExit("SVRG_FAILING_RANKS names no library")
    main(needs=["h5dump"])
