#!/usr/bin/env python3
"""A mistake costs one line and the right exit code, on any number of ranks, and nobody hangs."""
import time

from harness import WDBC, WDBC_TEST, Case, main, svrg


def text_with(line, at=1042, lines=5000):
    """Svmlight text of a two-class problem whose line `at` is `line`."""
    rows = [f"{1 if i % 3 else -1} 1:{i % 7} 2:{i % 5}.5 9:1e-3" for i in range(1, lines + 1)]
    rows[at - 1] = line
    return "\n".join(rows) + "\n"


class Help(Case):
    # Trap: with this setting MPI_Init cannot succeed. That training fails proves it.
    no_mpi = {"OMPI_MCA_pml": "none_of_this_name"}

    def test_the_trap_for_mpi_works(self):
        self.assertNotEqual(svrg("train", WDBC, "-o", self.folder / "run", env=self.no_mpi).code, 0)

    def test_help_and_version_need_no_mpi_and_no_time(self):
        for args in ("--help",), ("train", "--help"), ("--version",), ("config", "show"):
            best = float("inf")
            for _ in range(5):
                begin = time.perf_counter()
                result = self.succeeds(*args, env=self.no_mpi)
                best = min(best, time.perf_counter() - begin)
            self.assertLess(best, 0.1, f"{args}: the aim is 20 ms, the rest is for a busy machine")
            self.assertTrue(result.out.strip(), args)

    def test_help_of_train_names_its_options_and_defaults(self):
        text = self.succeeds("train", "--help").out
        for word in "--model", "--l2", "--algorithm", "--tol-grad", "--resume", "--deterministic":
            self.assertIn(word, text)


class Usage(Case):
    def test_a_typo_is_told_once_on_four_ranks_with_the_word_meant(self):
        self.fails(2, "train", WDBC, "--epocs", "5", ranks=4, says=["epocs", "--epochs"])

    def test_bad_values_exit_2_and_name_the_option(self):
        for option, value in ("--epochs", "-4"), ("--l2", "much"), ("--algorithm", "magic"):
            self.fails(2, "train", WDBC, option, value, "-o", self.folder / "run", says=[option, value])
        self.assertFalse((self.folder / "run").exists())

    def test_an_unknown_key_in_a_config_names_file_and_line(self):
        config = self.folder / "run.toml"
        config.write_text("schema = 1\n[train]\nepochz = 3\n")
        self.fails(2, "train", WDBC, "-c", config, says=[f"{config}:3:", "epochz", "epochs"])

    def test_an_unknown_command_exits_2(self):
        self.fails(2, "trian", WDBC, says=["trian", "train"])


class Files(Case):
    def test_a_missing_file_is_one_line_on_four_ranks(self):
        self.fails(3, "train", self.folder / "nothing.svm", "-o", self.folder / "run", ranks=4,
                   says=["nothing.svm", "No such file"])

    def test_a_missing_model_is_one_line(self):
        self.fails(3, "evaluate", self.folder / "model.h5", WDBC_TEST, says=["model.h5"])

    def test_broken_line_1042_of_5000_is_named_on_four_ranks(self):
        path = self.folder / "broken.svm"
        path.write_text(text_with("1 1:2 9:1 5:3"))
        self.fails(3, "train", path, "-o", self.folder / "run", ranks=4, says=["broken.svm:1042:"])

    def test_each_kind_of_broken_line_is_named(self):
        path = self.folder / "broken.svm"
        for line in "1 1:2 x:1", "1 1:2 3", "one 1:2", "1 0:2", "1 1:nan", "1 1:2 2:", "1 -1:2":
            with self.subTest(line):
                path.write_text(text_with(line))
                self.fails(3, "train", path, "-o", self.folder / "run", says=["broken.svm:1042:"])

    def test_the_first_of_two_broken_lines_is_told_though_another_rank_meets_the_second(self):
        path = self.folder / "broken.svm"
        path.write_text(text_with("x 1:2", at=1042) + "y 1:2\n")
        self.fails(3, "train", path, "-o", self.folder / "run", ranks=4, says=["broken.svm:1042:"])

    def test_an_index_beyond_the_models_is_an_error_in_a_test_set(self):
        train, test = self.folder / "train.svm", self.folder / "test.svm"
        train.write_text("1 1:1 2:2\n-1 1:2\n1 2:1\n-1 1:3 2:1\n")
        test.write_text("1 1:1\n-1 3:1\n")
        run, _ = self.train(train)
        self.fails(3, "evaluate", run / "model.h5", test, says=["test.svm:2:", "3"])
        wide, _ = self.train(train, "--n-features", "3", name="wide")
        self.succeeds("evaluate", wide / "model.h5", test)

    def test_a_damaged_model_is_refused(self):
        path = self.folder / "model.h5"
        path.write_bytes(b"\x89HDF\r\n\x1a\n" + b"x" * 3000)
        self.fails(3, "predict", path, WDBC_TEST, says=["model.h5"])


class RunDirectory(Case):
    def test_a_used_folder_is_refused_until_overwrite_is_said(self):
        run, _ = self.train(WDBC)
        before = (run / "model.h5").read_bytes()
        refused = self.fails(2, "train", WDBC, "-o", run, ranks=2, says=["--overwrite", "--resume"])
        self.assertEqual((run / "model.h5").read_bytes(), before, str(refused))
        self.succeeds("train", WDBC, "-o", run, "--overwrite", ranks=2)

    def test_a_folder_that_cannot_be_made_exits_6(self):
        (self.folder / "file").write_text("")
        self.fails(6, "train", WDBC, "-o", self.folder / "file" / "run", ranks=2, says=["file"])


if __name__ == "__main__":
    main()
