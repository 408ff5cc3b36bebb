"""A long run takes neither more memory nor more open files than a short one.
SVRG_NIGHTLY=1 for 5,000 epochs instead of 500."""
import os
import pathlib

from harness import Case, dataset, end, main, rank_pids, start, wait, wait_for_epochs, numbers

EPOCHS = 5000 if os.environ.get("SVRG_NIGHTLY") == "1" else 500
WARM = 100  # epochs: allocators and MPI have what they need then
ROWS = "".join(f"{1 if i * i % 7 > 2 else -1} 1:{i % 7} 2:{i * i % 11} 3:{1 + i % 2}\n" for i in range(60))


def open_files(pid):
    """The least of some looks: a save that is under way has a file more."""
    return min(len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir())) for _ in range(50))


class LongRuns(Case):
    def test_neither_memory_nor_files_grow(self):
        data, run = self.folder / "rows.svm", self.folder / "run"
        data.write_text(ROWS)
        process = start("train", data, "-e", EPOCHS, "--tol-grad", "0", "--checkpoint-every", "10", "-b", "20",
                        "--algorithm", "svrg", "--learning-rate", "1e-4", "-o", run, ranks=2)
        try:
            wait_for_epochs(run, WARM, process)
            pids = rank_pids(process)
            self.assertEqual(len(pids), 2)
            early = [open_files(pid) for pid in pids]
            wait_for_epochs(run, EPOCHS * 3 // 4, process, timeout=240)
            try:
                late = [open_files(pid) for pid in pids]
                self.assertEqual(late, early)
            except FileNotFoundError:
                print("the run ended before its files were counted a second time")
            result = wait(process)
        finally:
            end(process)
        self.assertEqual(result.code, 0, str(result))
        peaks = numbers(dataset(run / "run.h5", "/history/max_rss"))
        ranks = [peaks[rank::2] for rank in range(2)]
        for rank in ranks:
            self.assertGreaterEqual(len(rank), EPOCHS)
            self.assertLess(rank[-1] - rank[WARM], 1 << 20, rank[WARM::50])


if __name__ == "__main__":
    main(needs=["h5dump"])
