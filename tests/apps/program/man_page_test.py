#!/usr/bin/env python3
"""The man page that `svrg config man` prints: roff without a warning, and all that the help says."""
import re
import subprocess

from harness import Case, main

COMMANDS = ["train", "evaluate", "predict", "bench", "inspect", "report", "tune",
            "convert", "config"]


class ManPage(Case):
    def setUp(self):
        super().setUp()
        self.roff = self.succeeds("config", "man").out

    def rendered(self):
        """As on a wide terminal, without bold and underlined."""
        done = subprocess.run(["groff", "-man", "-ww", "-Tutf8", "-P-cbou", "-rLL=1000n"],
                              input=self.roff, capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_is_plain_ascii_without_warnings(self):
        self.assertTrue(self.roff.isascii())
        self.assertTrue(self.rendered().strip())

    def test_has_the_sections_of_a_man_page(self):
        titles = re.findall(r"^([A-Z][A-Z ]+)$", self.rendered(), re.M)
        self.assertEqual(titles, ["NAME", "SYNOPSIS", "DESCRIPTION",
                                  *(f"SVRG {command.upper()}" for command in COMMANDS),
                                  "EXIT STATUS", "ENVIRONMENT", "FILES", "SEE ALSO"])

    def test_says_what_the_help_says(self):
        page = re.sub(r"\s+", " ", self.rendered().replace("\u2010", "-"))
        for command in COMMANDS:
            text = self.succeeds(command, "--help").out
            self.assertIn(text.splitlines()[0].removeprefix("Usage: "), page)
            for flag in re.findall(r"(?<!\S)--[\w-]+", text):
                self.assertIn(flag, page)
            for example in re.findall(r"^  (?:svrg|mpirun|srun) .*", text, re.M):
                self.assertIn(example.strip(), page)
            for _, default in re.findall(r"(\w) \[(\S+)\]$", text, re.M):
                self.assertIn(f"[{default}]", page)
            for code, meaning in re.findall(r"^  +(\d+)  (.*)", text.split("Exit codes:")[1], re.M):
                self.assertRegex(page, rf" {code} {re.escape(meaning)}")


if __name__ == "__main__":
    main(needs=["groff"])
