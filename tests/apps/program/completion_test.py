#!/usr/bin/env python3
"""What the Tab key makes of command lines once a shell has read `svrg config completion`.
usage: completion_test.py Bash|Zsh|Fish"""
import json
import re
import shlex
import subprocess
import sys

from harness import Case, main

COMMANDS = ["train", "evaluate", "predict", "bench", "inspect", "report", "tune",
            "convert", "config"]
# Calls the function as readline does, which cuts a line at blanks and at '='.
DRIVE_BASH = """
source "$1"; shift
complete -p svrg >/dev/null || exit 9
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_svrg || exit 8
printf '%s\\n' "${COMPREPLY[@]}"
"""


class Shell(Case):
    """What every shell owes its user; `answers(line)` is what it offers for the last word."""
    shell = None

    def setUp(self):
        super().setUp()
        if self.shell is None:
            self.skipTest("not a shell")
        self.script = self.folder / "script"
        self.script.write_text(self.succeeds("config", "completion", "--shell", self.shell).out)
        self.work = self.folder / "a folder"
        (self.work / "runs").mkdir(parents=True)
        (self.work / "my rows.svm").touch()

    def run_shell(self, *args):
        done = subprocess.run([self.shell, *args], cwd=self.work, capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""), args)
        return done.stdout

    def test_the_script_parses(self):
        self.run_shell("-n", str(self.script))

    def flags_in_help(self, command):
        return set(re.findall(r"^(?:  -\w, | {6}|  DATA, )(--[\w-]+)",
                              self.succeeds(command, "--help").out, re.M))


class Answers(Shell):
    def test_commands_and_their_options(self):
        self.assertLessEqual(set(COMMANDS), set(self.answers("svrg ")))
        self.assertEqual(self.answers("svrg ev"), ["evaluate"])
        for command in COMMANDS:
            offered = set(self.answers(f"svrg {command} --"))
            flags = self.flags_in_help(command)
            self.assertGreaterEqual(len(flags), 2)
            self.assertEqual(offered - {"--no-intercept"}, flags, command)
        self.assertEqual(self.answers("svrg train --no-i"), ["--no-intercept"])

    def test_words_of_an_option(self):
        schema = json.loads(self.succeeds("config", "schema").out)["properties"]
        for flag, (section, key) in {"model": ("model", "kind"), "dtype": ("data", "dtype"),
                                     "progress": ("output", "progress")}.items():
            words = schema[section]["properties"][key]["enum"]
            self.assertEqual(sorted(self.answers(f"svrg train --{flag} ")), sorted(words))
        self.assertEqual(self.answers("svrg train --model sof"), ["softmax"])
        self.assertEqual(self.answers("svrg train --batch-size "), [])
        self.assertEqual(self.answers("svrg train -b "), [])
        self.assertEqual(self.answers("svrg config sho"), ["show"])
        self.assertEqual(self.answers("svrg train --set train.ep"), ["train.epochs="])

    def test_files_and_folders(self):
        files = ["my rows.svm", "runs"]
        for line in "train ", "train --valid ", "predict m.h5 ", "config show ", "predict -o ":
            offered = self.answers("svrg " + line)
            self.assertEqual(sorted(one.rstrip("/") for one in offered), files, line)
        self.assertEqual([one.rstrip("/") for one in self.answers("svrg train -o ")], ["runs"])
        self.assertEqual({one.rstrip("/") for one in self.answers("svrg train --resume ")},
                         {"auto", "no", *files})


class Bash(Answers):
    shell = "bash"

    def answers(self, line):
        words = re.sub("=", " = ", line).split() + ([""] if line[-1] in " " else [])
        return self.run_shell("--norc", "-c", DRIVE_BASH, "drive", str(self.script),
                              *words).splitlines() if words else []

    def run_shell(self, *args):
        # printf of an empty array prints one empty line.
        text = super().run_shell(*args)
        return "" if text == "\n" else text

    def test_a_value_behind_an_equals_sign(self):
        self.assertEqual(self.answers("svrg train --model=sof"), ["softmax"])
        self.assertIn("softmax", self.answers("svrg train --model="))
        self.assertEqual(self.answers("svrg train --set train.epochs=4"), [])

    def test_a_blank_in_a_name_is_one_answer(self):
        self.assertEqual(self.answers("svrg train --valid m"), ["my rows.svm"])


class Fish(Answers):
    shell = "fish"

    def answers(self, line):
        said = self.run_shell("--no-config", "-c",
                              f"source {shlex.quote(str(self.script))}; complete -C {shlex.quote(line)}")
        return [one.split("\t")[0].replace("\\ ", " ") for one in said.splitlines()]


class Zsh(Shell):
    """Its answers need a terminal; the script is parsed and looked through."""
    shell = "zsh"

    def test_has_every_command_and_option(self):
        text = self.script.read_text()
        self.assertTrue(text.startswith("#compdef svrg\n"))
        for command, body in re.findall(r"^    (\w+)\)\n(.*?) ;;$", text, re.M | re.S):
            found = set(re.findall(r"^        '(?:\*|\([^)]*\))?(--[\w-]+)", body, re.M))
            self.assertEqual(found - {"--no-intercept"}, self.flags_in_help(command), command)


del Answers  # only what runs in a shell is a test

if __name__ == "__main__":
    main(needs=[name.lower() for name in sys.argv[1:]])
