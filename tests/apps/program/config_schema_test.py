#!/usr/bin/env python3
"""The JSON Schema that `svrg config schema` prints says of config files what the program says."""
import json
import sys
import tomllib

from harness import WDBC, Case, main, svrg

try:
    import jsonschema
except ImportError:
    print("skipped: Python's jsonschema not found")
    sys.exit(77)

SECTIONS = "data model train stop output parallel".split()
# Lines of [section] key = value, and whether they are right.
RIGHT = """[train] learning_rate = "auto" | [train] learning_rate = 0.5 | [train] chains = "ranks"
[train] chains = 4 | [model] l2 = "0.1/n" | [model] l2 = 0 | [model] l2 = "1e-4" | [model] C = 0.5
[stop] time_limit = "1h50m" | [stop] time_limit = 90 | [stop] time_limit = "1.5d"
[output] checkpoint_every = "10m" | [output] checkpoint_every = 7 | [output] log_every = "3"
[parallel] max_memory = "4G" | [parallel] max_memory = "1.5GiB" | [parallel] max_memory = 1048576
[data] index_base = 1 | [data] index_base = "auto" | [data] intercept = true
[data] intercept = "penalised" | [data] label_column = 1 | [data] label_column = "year"
[data] positive = [1, "2"] | [output] metrics = "acc,ce" | [output] metrics = ["acc", "ce"]
[model] kind = "huber" | [output] quiet = true | [stop] tol_grad = 0"""
WRONG = """[train] epoch = 5 | [train] epochs = "5" | [train] epochs = 0 | [train] learning_rate = 0
[train] learning_rate = "fast" | [train] svrg_coefficient = -1 | [model] l2 = "0.1/m"
[model] l2 = "-1/n" | [stop] time_limit = "50m1h" | [stop] time_limit = "soon" | [stop] time_limit = -5
[output] checkpoint_every = 2.5 | [output] checkpoint_every = "2x" | [parallel] max_memory = "4X"
[parallel] max_memory = "big" | [data] format = "xml" | [data] train = "" | [data] index_base = 2
[data] positive = ["a,b"] | [data] allow_nonfinite = "yes" | [model] kind = ["mlp"]
[train] virtual_shards = 2000000 | [trian] epochs = 5 | [data] epochs = 5 | schema = 2 | seed = 1
[model] l2 = 1.0; C = 1.0 | [output] quiet = true; verbose = true"""


def cases(text):
    lines = (case.strip() for line in text.splitlines() for case in line.split(" | "))
    return [case.replace("] ", "]\n", 1).replace("; ", "\n") for case in lines]


class ConfigSchema(Case):
    def setUp(self):
        super().setUp()
        self.schema = json.loads(self.succeeds("config", "schema").out)
        jsonschema.Draft202012Validator.check_schema(self.schema)
        self.validator = jsonschema.Draft202012Validator(self.schema)

    def refusal(self, toml):
        """What the schema says against a config; empty if nothing."""
        return [error.message for error in self.validator.iter_errors(tomllib.loads(toml))]

    def program_takes(self, toml):
        (self.folder / "c.toml").write_text(toml)
        return svrg("config", "check", "-c", self.folder / "c.toml").code == 0

    def test_takes_all_defaults_and_every_effective_config(self):
        commented = self.succeeds("config", "init").out
        lines = [line[1:] if line.startswith("#") and not line.startswith("# ") else line
                 for line in commented.splitlines() if not line.endswith(' = ""')]
        defaults = "\n".join(lines)
        self.assertGreater(sum(len(table) for table in tomllib.loads(defaults).values()
                               if isinstance(table, dict)), 30)
        self.assertEqual(self.refusal(defaults), [])
        self.assertTrue(self.program_takes(defaults))
        for options in [], ["--C", "2"], ["--l2", "0.5/n", "-m", "acc,top_k:5", "--quiet"], \
                ["--time-limit", "1h50m", "--max-memory", "4G", "--no-intercept"], \
                ["--symbol", "net.json", "--input-shape", "1,8,8", "--positive", "1"]:
            shown = self.succeeds("config", "show", WDBC, *options).out
            self.assertEqual(self.refusal(shown), [], options)

    def test_knows_the_keys_of_config_init_their_defaults_and_no_others(self):
        commented = self.succeeds("config", "init").out
        keys = [line[1:].split(" = ")[0] for line in commented.splitlines()
                if line.startswith("#") and not line.startswith("# ")]
        found = []
        for section in SECTIONS:
            table = self.schema["properties"][section]
            self.assertIs(table["additionalProperties"], False)
            for key, value in table["properties"].items():
                found.append(key)
                self.assertTrue(value["description"])
                if "default" in value:
                    self.assertIn(f"#{key} = ", commented)
                    jsonschema.Draft202012Validator(value).validate(value["default"])
        self.assertEqual(found, keys)
        self.assertEqual(list(self.schema["properties"]), ["schema", *SECTIONS])

    def test_agrees_with_the_program_on_right_and_wrong_values(self):
        for toml in cases(RIGHT):
            self.assertEqual(self.refusal(toml), [], toml)
            self.assertTrue(self.program_takes(toml), toml)
        for toml in cases(WRONG):
            self.assertNotEqual(self.refusal(toml), [], toml)
            self.assertFalse(self.program_takes(toml), toml)

    def test_is_printed_whatever_the_environment_says(self):
        said = self.succeeds("config", "schema", env={"SVRG_EPOCHS": "many", "SVRG_NONSENSE": "1"})
        self.assertEqual((json.loads(said.out), said.err), (self.schema, ""))


if __name__ == "__main__":
    main()
