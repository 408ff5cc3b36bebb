#!/usr/bin/env python3
"""svrg train on nets: a perceptron by options, a convolutional net by its symbol.json."""
import json
import signal

from harness import (DATA, DIGITS, DIGITS_TEST, WDBC, Case, dataset, main, records, start, wait,
                     wait_for_epochs, weights)

LENET = ["--symbol", DATA / "lenet.symbol.json", "--input-shape", "1,8,8"]
MLP = ["--model", "mlp", "--hidden", "32,16"]
LAYERS = ("fc1", "fc2", "fc3")


class Nets(Case):
    def test_learn_the_digits(self):
        for name, net in ("mlp", MLP), ("lenet", LENET):
            run, result = self.train(DIGITS, "--valid", DIGITS_TEST, *net, "-e", "30", "-f", "10",
                                     name=name, ranks=2)
            self.assertGreater(result["metrics"]["valid_acc"], 0.93)
            self.assertIsNone(result["gap"], "no bound is known where nothing is convex")
            again = self.succeeds("evaluate", run / "model.h5", DIGITS_TEST).json
            self.assertEqual(again["metrics"]["acc"], result["metrics"]["valid_acc"])
            rows = self.succeeds("predict", run / "model.h5", DIGITS_TEST, "--proba",
                                 ranks=2).out.splitlines()[1:]
            with open(DIGITS_TEST, encoding="ascii") as file:
                truth = [line.split()[0] for line in file]
            hits = sum(row.split(",")[0] == label for row, label in zip(rows, truth, strict=True))
            self.assertAlmostEqual(hits / len(truth), again["metrics"]["acc"])
            for row in rows[:20]:
                self.assertAlmostEqual(sum(map(float, row.split(",")[1:])), 1, places=5)
            self.assertIn("a net of", self.succeeds("inspect", run / "model.h5").out)

    def test_take_two_classes_and_numbers(self):
        _, two = self.train(WDBC, *MLP, "-e", "20", name="two")
        self.assertGreater(two["metrics"]["train_acc"], 0.9)
        squares = self.folder / "squares.csv"
        squares.write_text("y,x\n" + "".join(f"{i * i / 1e4},{i / 100}\n" for i in range(-100, 101)))
        _, curve = self.train(squares, *MLP, "-e", "200", "-b", "16", "--activation", "tanh",
                              "--l2", "0", name="curve")
        self.assertLess(curve["metrics"]["train_rmse"], 0.1, "no line comes below 0.29")

    def test_are_the_same_on_any_ranks(self):
        losses = []
        for ranks in 1, 2, 4:
            _, result = self.train(DIGITS, *MLP, "--algorithm", "svrg", "--dtype", "f64", "-e", "3",
                                   "-f", "1", name=str(ranks), ranks=ranks)
            losses.append(result["objective"])
        for loss in losses[1:]:
            self.assertAlmostEqual(loss / losses[0], 1, delta=1e-12)

    def test_resume_with_the_same_bits(self):
        long = [DIGITS, *MLP, "--algorithm", "svrg", "-e", "400", "--checkpoint-every", "3"]
        whole, _ = self.train(*long, name="whole", ranks=2)
        run = self.folder / "run"
        process = start("train", *long, "-o", run, ranks=2)
        wait_for_epochs(run, 10, process)
        process.send_signal(signal.SIGUSR1)
        self.assertEqual(wait(process).code, 75)
        self.assertLess(records(run)[-1]["epoch"], 400)
        self.succeeds("train", *long, "-o", run, "--resume", "auto", ranks=2)
        self.assertEqual(weights(run, layers=LAYERS), weights(whole, layers=LAYERS))

    def test_step_on_the_rows_of_an_embedding_that_a_batch_reads(self):
        words = self.folder / "words.csv"
        words.write_text("y," + ",".join(f"w{j}" for j in range(6)) + "\n" + "".join(
            f"{i // 5 % 3}," + ",".join(str((i * (j + 3) ** 2 + j) % 200) for j in range(6)) + "\n"
            for i in range(400)))

        def net(sparse):
            path = self.folder / f"{sparse}.json"
            nodes = [{"op": "null", "name": "data", "inputs": []},
                     {"op": "null", "name": "embed_weight", "inputs": []},
                     {"op": "Embedding", "name": "embed", "inputs": [[0, 0, 0], [1, 0, 0]],
                      "attrs": {"input_dim": "200", "output_dim": "4", "sparse_grad": sparse}},
                     {"op": "null", "name": "fc_weight", "inputs": []},
                     {"op": "null", "name": "fc_bias", "inputs": []},
                     {"op": "FullyConnected", "name": "fc", "attrs": {"num_hidden": "3"},
                      "inputs": [[2, 0, 0], [3, 0, 0], [4, 0, 0]]},
                     {"op": "null", "name": "label", "inputs": []},
                     {"op": "SoftmaxOutput", "name": "out", "inputs": [[5, 0, 0], [6, 0, 0]]}]
            path.write_text(json.dumps({"nodes": nodes, "arg_nodes": [0, 1, 3, 4, 6],
                                        "heads": [[7, 0, 0]]}))
            return [words, "--symbol", path, "--algorithm", "svrg", "--optimizer", "sgd", "-b", "8",
                    "--optimizer-params", "momentum=0.9,wd=0.001", "--learning-rate", "0.05",
                    "--l2", "1e-4", "--dtype", "f64"]
        reached = [self.train(*net(sparse), "-e", "3", name=f"{sparse}{ranks}", ranks=ranks)[1]
                   for sparse, ranks in (("False", 1), ("True", 1), ("True", 2), ("True", 4))]
        for other in reached[1:]:
            self.assertAlmostEqual(other["objective"] / reached[0]["objective"], 1, delta=1e-11)

        long = [*net("True"), "-e", "100", "--checkpoint-every", "40"]
        whole, _ = self.train(*long, name="whole", ranks=2)
        run = self.folder / "run"
        process = start("train", *long, "-o", run, ranks=2)
        wait_for_epochs(run, 10, process)
        process.send_signal(signal.SIGUSR1)
        self.assertEqual(wait(process).code, 75)
        self.succeeds("train", *long, "-o", run, "--resume", "auto", ranks=2)
        for path in "/params/embed/weight", "/params/fc/weight":
            self.assertEqual(dataset(run / "model.h5", path), dataset(whole / "model.h5", path))

    def test_say_what_they_cannot_do(self):
        def symbol(head, **attributes):
            path = self.folder / "symbol.json"
            nodes = [{"op": "null", "name": "data", "inputs": []},
                     {"op": "Activation", "name": "a", "attrs": {"act_type": "tanh"},
                      "inputs": [[0, 0, 0]]},
                     {"op": "null", "name": "label", "inputs": []},
                     {"op": head, "name": "out", "attrs": attributes,
                      "inputs": [[1, 0, 0], [2, 0, 0]]}]
            path.write_text(json.dumps({"nodes": nodes, "arg_nodes": [0, 2],
                                        "heads": [[3, 0, 0]]}))
            return path
        self.fails(2, "train", DIGITS, "--symbol", symbol("MAERegressionOutput"), ranks=2,
                   says=["symbol.json", "MAERegressionOutput", "SoftmaxOutput"])
        self.fails(2, "train", DIGITS, "--symbol", symbol("SoftmaxOutput"), ranks=2,
                   says=["64 outputs", "10 values"])
        self.fails(2, "train", DIGITS, "--symbol", symbol("LinearRegressionOutput"),
                   says=["64 scores"])
        self.fails(2, "train", DIGITS, *MLP, "--algorithm", "local-svrg", says=["linear models"])
        self.fails(2, "train", DIGITS, *MLP, "--optimizer", "adan", says=["did you mean 'adam'"])
        self.fails(2, "train", DIGITS, *MLP, "--optimizer-params", "momentun=0.9",
                   says=["momentun"])
        self.fails(2, "train", DIGITS, *LENET[:2], "--input-shape", "1,4,4",
                   says=["--input-shape", "16", "64"])
        self.fails(2, "train", DIGITS, *MLP, "--hidden", "4,0", says=["--hidden"])


if __name__ == "__main__":
    main(needs=("h5dump", "mpirun"))
