#!/usr/bin/env python3
"""Steps sent as few bits: what it saves, what it costs, and that a run is the same on any number of ranks."""
import os
import signal

from harness import DIGITS, Case, main, start, svrg, wait, wait_for_epochs, weights

SCHEME = [DIGITS, "--algorithm", "svrg", "--tol-grad", "0"]
KINDS = "2bit", "1bit", "fp16", "2bit:0.01"


class Compression(Case):
    def test_saves_bytes_and_costs_little_of_the_objective(self):
        options = [*SCHEME, "-e", "20", "--virtual-shards", "4"]
        plain = self.succeeds("train", *options, ranks=4).json
        # Two shares of a double's 64 bits at most: full gradients are sent as they are.
        for kind, share in ("2bit", 0.2), ("1bit", 0.15), ("fp16", 0.4):
            packed = self.succeeds("train", *options, "--compression", kind, ranks=4).json
            self.assertLess(packed["bytes_communicated"], share * plain["bytes_communicated"], kind)
            self.assertLess(packed["objective"], plain["objective"] * 1.01, kind)

    def test_dry_run_knows_what_will_be_sent(self):
        options = [*SCHEME, "-e", "4", "--compression", "2bit"]
        said = self.succeeds("train", *options, "--dry-run", ranks=2).err
        self.assertIn("packed steps", said)

    def test_the_same_bits_on_any_number_of_ranks(self):
        for kind in KINDS:
            ends = {weights(self.train(*SCHEME, "-e", "4", "--compression", kind, "--deterministic",
                                       name=f"{kind}-{ranks}", ranks=ranks)[0]) for ranks in (1, 2, 4)}
            self.assertEqual(len(ends), 1, kind)

    def test_goes_on_from_its_residuals(self):
        options = [*SCHEME, "-e", "40", "--compression", "2bit", "--deterministic", "--checkpoint-every", "1"]
        whole, _ = self.train(*options, name="whole", ranks=2)
        cut = self.folder / "cut"
        process = start("train", *options, "-o", cut, ranks=2)
        wait_for_epochs(cut, 4, process)
        os.killpg(process.pid, signal.SIGKILL)
        wait(process)
        self.succeeds("train", *options, "-o", cut, "--resume", "auto", ranks=3)
        self.assertEqual(weights(cut), weights(whole))

    def test_nets_too(self):
        options = [DIGITS, "--model", "mlp", "--optimizer", "sgd", "--learning-rate", "0.1", "-e", "5"]
        plain = self.succeeds("train", *options, ranks=2).json
        packed = self.succeeds("train", *options, "--compression", "1bit", ranks=2).json
        self.assertLess(packed["objective"], 1.2 * plain["objective"])

    def test_says_what_is_wrong(self):
        self.fails(2, "train", DIGITS, "--compression", "3bit", says=("--compression", "2bit:0.5"))
        said = svrg("train", DIGITS, "--compression", "1bit", "-e", "1").err
        self.assertIn("--compression: not used by --algorithm auto", said)


if __name__ == "__main__":
    main()
