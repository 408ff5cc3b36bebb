"""Every call that changes a file fails once, at a time of its own: nothing that was there is lost,
nothing half-written is left, and the program says what and why. Preloads failing_calls.c, named by
SVRG_FAILING_CALLS; SVRG_NIGHTLY=1 takes every error at every call, not one at every third."""
import errno
import os
import pathlib

from harness import Case, main, records, svrg, weights

SHIM = os.environ.get("SVRG_FAILING_CALLS", "")
NIGHTLY = os.environ.get("SVRG_NIGHTLY") == "1"
ERRORS = (errno.EIO, errno.ENOSPC, errno.EDQUOT)
ROWS = "".join(f"{1 if i % 3 else -1} 1:{i % 7} 2:{i * i % 11} 3:{1 + i % 2}\n" for i in range(60))


class Faults(Case):
    def setUp(self):
        super().setUp()
        self.folder = self.folder.resolve()
        self.data = self.folder / "rows.svm"
        self.data.write_text(ROWS)
        self.place = self.folder / "place"
        self.place.mkdir()
        self.log = self.folder / "calls"

    def run_with(self, fault, *args):
        self.log.unlink(missing_ok=True)
        return svrg(*args, env={"LD_PRELOAD": SHIM, "FAULT_FOLDER": str(self.place) + "/", "FAULT": fault,
                                "FAULT_LOG": str(self.log),
                                "OMPI_MCA_ess_singleton_isolated": "1"})

    def calls(self):
        """(what, path) of each call of the last run."""
        return [tuple(line.split(" ", 2)[1:]) for line in self.log.read_text().splitlines()]

    def faults(self, count):
        """By day every third call fails with one of the errors in turn."""
        for call in range(1, count + 1, 1 if NIGHTLY else 3):
            for error in ERRORS if NIGHTLY else (ERRORS[call // 3 % len(ERRORS)],):
                yield f"{call}:{error}", os.strerror(error)

    def leftovers(self):
        return [p for p in self.place.rglob("*") if p.name.endswith(".tmp")]

    def output_survives(self, out, *args):
        """A command that replaces `out`: whatever fails, there is the old file or the new one."""
        self.assertEqual(self.run_with("none", *args).code, 0)
        new, calls = out.read_bytes(), self.calls()
        self.assertGreater(len(calls), 5)
        renamed = next(i for i, (what, _) in enumerate(calls, 1) if what == "rename")
        written = next(i for i, (what, _) in enumerate(calls, 1) if "write" in what)
        for fault, why in self.faults(len(calls)):
            number = int(fault.split(":")[0])
            with self.subTest(fault=fault, call=calls[number - 1]):
                out.write_bytes(b"old")
                result = self.run_with(fault, *args)
                # The close of an empty file loses nothing; HDF5 opens a file twice, and need not succeed at first.
                if result.code == 0 and calls[number - 1][0] in ("close", "open") and number < written:
                    self.assertEqual(len(out.read_bytes()), len(new))
                    continue
                self.assertEqual(result.code, 6, str(result))
                self.assertEqual(len(result.errors), 1, str(result))
                self.assertIn(why, result.errors[0])
                self.assertIn(out.name, result.errors[0])
                if number <= renamed:
                    self.assertEqual(out.read_bytes(), b"old")
                else:
                    self.assertEqual(len(out.read_bytes()), len(new))
                self.assertEqual(self.leftovers(), [])
        for fault in ("all:short", "all:eintr"):
            out.write_bytes(b"old")
            self.assertEqual(self.run_with(fault, *args).code, 0, fault)
            self.assertEqual(len(out.read_bytes()), len(new))
            if out.suffix != ".h5":  # which says when it was made
                self.assertEqual(out.read_bytes(), new)

    def test_rows_that_are_converted(self):
        for name in ("x.h5", "x.csv"):
            out = self.place / name
            self.output_survives(out, "convert", self.data, out, "--overwrite")

    def test_predictions(self):
        run, _ = self.train(self.data, "-e", "2")
        for name in ("p.h5", "p.jsonl"):
            out = self.place / name
            self.output_survives(out, "predict", run / "model.h5", self.data, "-o", out, "--overwrite")

    def test_a_run(self):
        """It ends with 6 or, where only a save on the way or a link failed, well and with a warning.
        What is left is gone on with to the same weights."""
        options = (self.data, "-e", "4", "--tol-grad", "0", "--checkpoint-every", "2")
        unbroken, _ = self.train(*options, name="unbroken")
        run = self.place / "run"
        self.assertEqual(self.run_with("none", "train", *options, "-o", run).code, 0)
        calls = self.calls()
        self.assertEqual(weights(run), weights(unbroken))
        for fault, why in self.faults(len(calls)):
            number = int(fault.split(":")[0])
            with self.subTest(fault=fault, call=calls[number - 1]):
                self.end_of(run)
                result = self.run_with(fault, "train", *options, "-o", run)
                self.assertIn(result.code, (0, 6), str(result))
                if result.code == 6:
                    self.assertEqual(len(result.errors), 1, str(result))
                    self.assertIn(why, result.errors[0])
                elif calls[number - 1][0] != "close" or not self.empty(calls, number):
                    self.assertIn("warning", result.err)
                    self.assertIn(why, result.err)
                self.assertEqual(self.leftovers(), [])
                again = svrg("train", *options, "-o", run, "--resume", "auto")
                self.assertEqual(again.code, 0, str(again))
                self.assertEqual(weights(run), weights(unbroken))
                self.assertEqual([r["epoch"] for r in records(run)], [0, 1, 2, 3, 4])
        for fault in ("all:short", "all:eintr"):
            self.end_of(run)
            self.assertEqual(self.run_with(fault, "train", *options, "-o", run).code, 0, fault)
            self.assertEqual(weights(run), weights(unbroken))

    def empty(self, calls, number):
        """Whether the file that is closed there had nothing written to it."""
        path = calls[number - 1][1]
        return path.endswith("LOCK") or calls[number - 2] == ("open", path)

    def end_of(self, run):
        for path in sorted(run.rglob("*"), reverse=True):
            if path.is_dir() and not path.is_symlink():
                path.rmdir()
            else:
                path.unlink()

    def test_a_save_is_on_the_disk_before_its_name_is(self):
        run = self.place / "run"
        self.assertEqual(self.run_with("none", "train", self.data, "-e", "2", "-o", run).code, 0)
        calls = [(what, pathlib.Path(path).name) for what, path in self.calls() if "/checkpoints" in path]
        last = max(i for i, (what, name) in enumerate(calls) if what == "rename" and name.startswith("step-"))
        name = calls[last][1]
        temporary = f".{name}.tmp"
        before = [what for what, path in calls[:last] if path == temporary]
        self.assertEqual(before, ["open", "close", "open", "write", "close", "open", "fsync", "close"])
        self.assertEqual(calls[last + 1], ("fsync", "checkpoints"))


if __name__ == "__main__":
    if not SHIM or not pathlib.Path(SHIM).exists():
        raise SystemExit("SVRG_FAILING_CALLS names no library")
    main(needs=["h5dump"])
