"""A long run takes neither more memory nor more open files than a short one.
SVRG_NIGHTLY=1 for 5,000 epochs instead of 500."""
import os
import resource

from harness import Case, dataset, main, numbers

EPOCHS = 5000 if os.environ.get("SVRG_NIGHTLY") == "1" else 500
WARM = 100  # epochs: allocators and MPI have what they need then
FILES = 90  # that a process may have open: one left open by each of a hundred saves is too many
ROWS = "".join(f"{1 if i * i % 7 > 2 else -1} 1:{i % 7} 2:{i * i % 11} 3:{1 + i % 2}\n" for i in range(60))


class LongRuns(Case):
    def test_neither_memory_nor_files_grow(self):
        data, run = self.folder / "rows.svm", self.folder / "run"
        data.write_text(ROWS)
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, hard))
        try:
            self.train(data, "-e", EPOCHS, "--tol-grad", "0", "--checkpoint-every", "5", "-b", "20", "--algorithm", "svrg",
                       "--learning-rate", "1e-4", ranks=2, timeout=600)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        peaks = numbers(dataset(run / "run.h5", "/history/max_rss"))
        ranks = [peaks[rank::2] for rank in range(2)]
        for rank in ranks:  # a line for every other epoch
            warm = WARM // 2
            self.assertGreaterEqual(len(rank), EPOCHS // 2)
            self.assertLess(rank[-1] - rank[warm], 1 << 20, rank[warm::25])


if __name__ == "__main__":
    main(needs=["h5dump"])
