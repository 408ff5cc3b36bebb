#!/usr/bin/env python3
"""Runs as they are watched: stalls told and ended, JSON lines, TensorBoard's files."""
import datetime
import json
import os
import pathlib
import re
import signal
import struct
import subprocess
import time

from harness import (DIGITS, DIGITS_TEST, ROOT, WDBC, Case, alive, main, rank_pids, records, start, svrg, until,
                     wait, wait_for_epochs, weights)

PYTHON = os.environ.get("SVRG_PYTHON") or str(ROOT / "build/venv/bin/python3")
EPOCHS = 600
# Enough work that a signal finds it in the middle.
LONG = [DIGITS, "--algorithm", "svrg", "-b", "128", "-e", str(EPOCHS), "--tol-grad", "0", "--learning-rate", "0.05"]
LOCAL = [DIGITS, "--engine", "row", "-e", "3000", "--tol-grad", "0"]


def said(process):
    """What the program has written so far, with the process's own place in the file left alone."""
    size = os.fstat(process.said.fileno()).st_size
    return os.pread(process.said.fileno(), size, 0).decode()


PHASES = ["data", "full_gradient", "inner", "allreduce", "wait", "evaluate", "checkpoint", "other"]


class Phases(Case):
    def test_waits_are_told_apart_where_asked(self):
        for options in LOCAL, LONG:
            for asked in [], ["--profile"]:
                run, _ = self.train(*options, "-e", "3", *asked, "--overwrite", ranks=2)
                spent = {phase: sum(rank[i] for rank in records(run)[-1]["phase_seconds"])
                         for i, phase in enumerate(PHASES)}
                (self.assertGreater if asked else self.assertEqual)(spent["wait"], 0)
                for phase in "full_gradient", "inner", "allreduce", "evaluate":
                    self.assertGreater(spent[phase], 0, phase)


class Stalls(Case):
    def stopped(self, args, ranks, victim, name, epochs=15):
        """A run whose rank `victim` is stopped in the middle."""
        run = self.folder / name
        process = start("train", *args, "-o", run, ranks=ranks)
        wait_for_epochs(run, epochs, process)
        pids = rank_pids(process)
        self.assertEqual(len(pids), ranks)
        os.kill(pids[victim], signal.SIGSTOP)
        return run, process, pids

    def test_a_stopped_rank_is_named_and_the_run_goes_on_with_it(self):
        whole, _ = self.train(*LONG, name="whole", ranks=3)
        self.assertFalse((whole / "heartbeat").exists(), "nothing stalled")
        for victim in 0, 1, 2:
            run, process, pids = self.stopped([*LONG, "--stall-warn", "1s"], 3, victim, f"run{victim}")
            speaker = 1 if victim == 0 else 0
            warning = (fr"svrg: warning: rank {speaker}: waits in \w+ of epoch \d+ for \d s; not arrived: "
                       fr"(rank \d \(still waits before that, in \w+\), )?rank {victim} \(no sign of it\)(, |\n)")
            self.assertTrue(until(lambda p=process, w=warning: re.search(w, said(p))), said(process))
            slots = (run / "heartbeat").read_bytes().ljust(3 * 64, b"\0")
            for rank in range(3):
                slot = slots[64 * rank:64 * rank + 64].strip(b"\0").decode()
                self.assertEqual(slot.startswith(f"rank {rank} waits "), rank != victim, slot)
            os.kill(pids[victim], signal.SIGCONT)
            result = wait(process)
            self.assertEqual(result.code, 0, str(result))
            told = re.findall(r"rank (\d): waits in", result.out)
            self.assertEqual(set(told), {str(speaker)}, "one rank speaks")
            self.assertEqual(result.out.count("goes on, after"), 1)
            self.assertTrue(weights(run) == weights(whole))

    def test_local_epochs_likewise(self):
        run, process, pids = self.stopped([*LOCAL, "--stall-warn", "1s", "--stall-abort", "0"], 2, 1, "run", 5)
        self.assertTrue(until(lambda: "not arrived: rank 1 (no sign of it)" in said(process)), said(process))
        os.kill(pids[1], signal.SIGCONT)
        process.send_signal(signal.SIGUSR1)
        result = wait(process)
        self.assertIn(result.code, (0, 75), str(result))  # 0: at the limit of precision by then
        self.assertTrue((run / "heartbeat").exists())

    def test_a_stall_without_end_ends_the_job(self):
        for victim in 0, 1:
            begin = time.monotonic()
            run, process, pids = self.stopped([*LONG, "--stall-warn", "1s", "--stall-abort", "3s"], 2, victim,
                                              f"run{victim}")
            result = wait(process)
            self.assertEqual(result.code, 76, str(result))
            self.assertLess(time.monotonic() - begin, 30)
            self.assertEqual(len(result.errors), 1, str(result))
            self.assertIn(f"svrg: error: rank {1 - victim}: stalled: waits in ", result.errors[0])
            self.assertIn(f"not arrived: rank {victim} (no sign of it)", result.errors[0])
            self.assertTrue(until(lambda p=pids: not any(map(alive, p))), "somebody is left")
            # The checkpoints are good: the run goes on, and what the stall left is gone.
            again = self.succeeds("train", *LONG, "-o", run, "--resume", "auto", ranks=2)
            self.assertEqual(again.json["epochs"], EPOCHS)
            self.assertFalse((run / "heartbeat").exists())

    def test_without_a_run_directory_each_waiting_rank_speaks(self):
        process = start("train", *LONG[:-4], "-e", "100000", "--tol-grad", "0", "--stall-warn", "1s", ranks=3)
        self.assertTrue(until(lambda: len(rank_pids(process)) == 3 and "epoch" in said(process)), said(process))
        os.kill(rank_pids(process)[1], signal.SIGSTOP)
        for rank in 0, 2:
            self.assertTrue(until(lambda r=rank: f"warning: rank {r}: waits in" in said(process)), said(process))
        os.kill(rank_pids(process)[1], signal.SIGCONT)
        process.send_signal(signal.SIGUSR1)
        self.assertEqual(wait(process).code, 0, "stopped, and there is nothing to resume")

    def test_it_can_be_switched_off(self):
        run, process, pids = self.stopped([*LONG, "--stall-warn", "0", "--stall-abort", "0"], 2, 1, "run")
        time.sleep(2)
        os.kill(pids[1], signal.SIGCONT)
        result = wait(process)
        self.assertEqual(result.code, 0, str(result))
        self.assertNotIn("rank 0:", result.out)
        self.assertFalse((run / "heartbeat").exists())


class JsonLog(Case):
    def lines(self, text):
        objects = [json.loads(line) for line in text.splitlines()]
        for o in objects:
            moment = datetime.datetime.strptime(o["ts"], "%Y-%m-%dT%H:%M:%S.%fZ")
            age = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) - moment
            self.assertLess(abs(age.total_seconds()), 600, o)
        return objects

    def test_epochs_are_those_of_the_record(self):
        run = self.folder / "run"
        args = ["train", DIGITS, "--valid", DIGITS_TEST, "--algorithm", "svrg", "-e", "12", "--checkpoint-every",
                "4", "-o", run, "--json-log"]
        result = self.succeeds(*args, ranks=1)
        objects = self.lines(result.err)
        epochs = [{k: v for k, v in o.items() if k not in ("ts", "event")} for o in objects
                  if o["event"] == "epoch"]
        self.assertEqual(epochs, records(run))
        self.assertEqual([o["event"] for o in objects][:2], ["start", "epoch"])
        self.assertEqual(objects[-1]["event"], "end")
        end = {k: v for k, v in objects[-1].items() if k not in ("ts", "event")}
        self.assertEqual(end, result.json, "the line on stdout is there, too")
        saved = [o["path"] for o in objects if o["event"] == "checkpoint"]
        self.assertTrue(saved)
        self.assertTrue(pathlib.Path(saved[-1]).exists())
        self.assertIn("warning", [o["event"] for o in objects], "12 epochs do not suffice")
        self.assertIn("softmax", objects[0]["model"])

    def test_each_line_is_there_when_its_epoch_is(self):
        run = self.folder / "run"
        process = start("train", *LONG[:-4], "-e", "100000", "--tol-grad", "0", "-o", run, "--json-log", ranks=1)
        wait_for_epochs(run, 20, process)
        epochs = records(run)[-1]["epoch"]
        self.assertTrue(until(lambda: f'"event":"epoch","epoch":{epochs},' in said(process), 5))
        process.send_signal(signal.SIGUSR1)
        self.assertEqual(wait(process).code, 75)

    def test_warnings_before_the_run_and_other_ranks_are_objects_too(self):
        result = svrg("train", WDBC, "--json-log", "--batch-size", "7", "-e", "2", "-q")
        objects = self.lines(result.err)
        self.assertEqual({o["event"] for o in objects}, {"warning"})
        self.assertIn("--batch-size: not used", objects[0]["message"])


CASTAGNOLI = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    CASTAGNOLI.append(byte)


def masked_crc(raw):
    crc = 0xFFFFFFFF
    for b in raw:
        crc = crc >> 8 ^ CASTAGNOLI[(crc ^ b) & 255]
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def varint(raw, at):
    value = shift = 0
    while True:
        value |= (raw[at] & 127) << shift
        shift += 7
        at += 1
        if raw[at - 1] < 128:
            return value, at


def fields(raw):
    """Of one protobuf message: (number, value) in order."""
    at, found = 0, []
    while at < len(raw):
        key, at = varint(raw, at)
        if key & 7 == 0:
            value, at = varint(raw, at)
        else:
            size, at = {1: (8, at), 5: (4, at)}.get(key & 7) or varint(raw, at)
            value, at = raw[at:at + size], at + size
            value = {1: lambda v: struct.unpack("<d", v)[0], 5: lambda v: struct.unpack("<f", v)[0],
                     2: lambda v: v}[key & 7](value)
        found.append((key >> 3, value))
    return found


def events(path):
    """(wall time, step, {tag: value}) of each record, checksums looked at."""
    raw, at, found = path.read_bytes(), 0, []
    while at < len(raw):
        size, crc = struct.unpack_from("<QI", raw, at)
        assert crc == masked_crc(raw[at:at + 8]), "checksum of a length"
        message = raw[at + 12:at + 12 + size]
        assert struct.unpack_from("<I", raw, at + 12 + size)[0] == masked_crc(message), "checksum of a record"
        at += 16 + size
        event = dict(fields(message))
        values = [dict(fields(value)) for number, value in fields(event.get(5, b"")) if number == 1]
        found.append((event[1], event.get(2, 0), {v[1].decode(): v[2] for v in values}))
        if len(found) == 1:
            assert event[3] == b"brain.Event:2"
    return found[1:]


def as_float(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


class TensorBoard(Case):
    def files(self, run):
        return sorted((run / "tb").glob("events.out.tfevents.*"))

    def compare(self, run):
        """The events against the record; returns them."""
        found = [event for path in self.files(run) for event in events(path)]
        lines = records(run)
        self.assertEqual([step for _, step, _ in found], [line["epoch"] for line in lines])
        before = {"samples": 0, "wall_seconds": 0}
        for (wall, _, values), line in zip(found, lines):
            self.assertLess(abs(time.time() - wall), 600)
            for tag, value in values.items():
                if tag == "rows_per_second":
                    seconds = line["wall_seconds"] - before["wall_seconds"]
                    self.assertAlmostEqual(value / ((line["samples"] - before["samples"]) / seconds), 1, places=5)
                else:
                    self.assertEqual(value, as_float(line[tag.replace("/", "_")]), tag)
            missing = {name.replace("_", "/", 1) for name, value in line.items()
                       if name.startswith(("train_", "valid_")) and value is not None} - set(values)
            self.assertEqual(missing, set())
            self.assertLessEqual({"objective", "grad_norm", "learning_rate", "bytes_communicated",
                                  "rows_per_second"}, set(values))
            before = line
        return found

    def test_holds_what_the_record_holds(self):
        run, _ = self.train(DIGITS, "--valid", DIGITS_TEST, "--algorithm", "svrg", "-e", "20", "-m", "acc,ce",
                            "--tensorboard", ranks=2)
        self.assertEqual(len(self.compare(run)), 11)
        self.assertEqual(len(self.files(run)), 1)

    def test_a_killed_run_resumed_has_no_step_twice(self):
        run = self.folder / "run"
        process = start("train", *LONG, "--checkpoint-every", "40", "-o", run, "--tensorboard", ranks=2)
        wait_for_epochs(run, 35, process)
        os.kill(rank_pids(process)[1], signal.SIGKILL)
        self.assertEqual(wait(process).code, 137)
        self.succeeds("train", *LONG, "-o", run, "--resume", "auto", "--tensorboard", ranks=2)
        self.assertEqual(len(self.compare(run)), EPOCHS // 2 + 1)
        self.assertEqual(len(self.files(run)), 2)

    def test_a_run_may_be_resumed_with_and_without(self):
        args = [DIGITS, "--algorithm", "svrg", "--checkpoint-every", "1"]
        run, _ = self.train(*args, "-e", "4")
        again = ["-o", run, "--resume", "auto"]
        self.succeeds("train", *args, "-e", "8", *again, "--tensorboard", "--json-log", "--stall-warn", "5s")
        found = [event for path in self.files(run) for event in events(path)]
        self.assertEqual([step for _, step, _ in found], [6, 8])
        self.succeeds("train", *args, "-e", "10", *again)
        self.succeeds("train", *args, "-e", "4", "-o", run, "--overwrite")
        self.assertFalse((run / "tb").exists(), "of the run that was replaced")

    def test_without_a_run_directory_it_says_so(self):
        result = self.succeeds("train", WDBC, "--tensorboard")
        self.assertIn("--tensorboard: not used without --run-dir", result.err)

    def test_its_own_reader_reads_it(self):
        code = ("import json, sys\n"
                "from tensorboard.backend.event_processing.event_accumulator import EventAccumulator\n"
                "a = EventAccumulator(sys.argv[1]); a.Reload()\n"
                "print(json.dumps({t: [(e.step, e.value) for e in a.Scalars(t)] for t in a.Tags()['scalars']}))\n")
        if not os.path.exists(PYTHON) or subprocess.run([PYTHON, "-c", "import tensorboard"],
                                                        capture_output=True, check=False).returncode != 0:
            self.skipTest(f"no tensorboard at {PYTHON}: {PYTHON} -m pip install tensorboard")
        args = [DIGITS, "--algorithm", "svrg", "--checkpoint-every", "1", "--tensorboard"]
        run, _ = self.train(*args, "-e", "6")
        self.succeeds("train", *args, "-e", "12", "-o", run, "--resume", "auto")
        done = subprocess.run([PYTHON, "-c", code, str(run / "tb")], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        scalars = json.loads(done.stdout)
        for tag in "objective", "grad_norm", "train/acc":
            self.assertEqual(scalars[tag], [[line["epoch"], as_float(line[tag.replace("/", "_")])]
                                            for line in records(run)])


if __name__ == "__main__":
    main(needs=["h5dump"])
