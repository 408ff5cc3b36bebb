"""Nets in PyTorch and in MXNet, each timed in a process of its own: this file is that process.

    nets_peers.py torch      answers "NET STEP BATCH" lines with samples a second of CPU time
    nets_peers.py mxnet      answers "ROWS BATCH" lines with CPU seconds an epoch of SVRGModule.fit

The nets are those of nets_bench.cpp. One thread.
"""
import os
import sys
import time
import warnings

BATCHES = 24  # held in memory and gone through in turn


def torch_answers():
    import torch
    from torch import nn
    torch.set_num_threads(1)
    torch.manual_seed(0)

    def stage(channels, filters, padding):
        return nn.Conv2d(channels, filters, 5, padding=padding), nn.ReLU(), nn.MaxPool2d(2)

    def dense(*widths):
        layers = []
        for inputs, outputs in zip(widths, widths[1:]):
            layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        return layers[:-1]

    makers = {"mlp": lambda: nn.Sequential(nn.Flatten(), *dense(784, 128, 64, 10)),
              "lenet": lambda: nn.Sequential(*stage(1, 6, 2), *stage(6, 16, 0), nn.Flatten(),
                                             *dense(400, 120, 84, 10))}

    def gradients(net, images, labels):
        for parameter in net.parameters():
            parameter.grad = None
        nn.functional.cross_entropy(net(images), labels).backward()
        return [parameter.grad for parameter in net.parameters()]

    def measure(name, step, batch, seconds=0.5):
        net, snapshot = makers[name](), makers[name]()
        snapshot.load_state_dict(net.state_dict())
        weights, rate = list(net.parameters()), 0.01
        images, labels = torch.rand(BATCHES * batch, 1, 28, 28), torch.randint(10, (BATCHES * batch,))
        mean = gradients(snapshot, images, labels)

        def one(i):
            rows = slice(i * batch, (i + 1) * batch)
            with_respect = gradients(net, images[rows], labels[rows])
            terms = [(with_respect, -rate)]
            if step == "svrg":
                terms += [(gradients(snapshot, images[rows], labels[rows]), rate), (mean, -rate)]
            with torch.no_grad():
                for direction, factor in terms:
                    torch._foreach_add_(weights, direction, alpha=factor)

        for i in range(BATCHES):
            one(i)
        started, steps = time.process_time(), 0
        while time.process_time() - started < seconds:
            one(steps % BATCHES)
            steps += 1
        return steps * batch / (time.process_time() - started)

    return lambda line: measure(*line.split()[:2], int(line.split()[2]))


def mxnet_answers():
    import logging
    import numpy as np
    import mxnet as mx
    from mxnet.contrib.svrg_optimization.svrg_module import SVRGModule
    silent = logging.Logger("silent")
    silent.addHandler(logging.NullHandler())

    def net():
        x = mx.sym.Variable("data")
        for number, width in enumerate((128, 64), 1):
            x = mx.sym.FullyConnected(x, num_hidden=width, name=f"fc{number}")
            x = mx.sym.Activation(x, act_type="relu")
        x = mx.sym.FullyConnected(x, num_hidden=10, name="fc3")
        return mx.sym.SoftmaxOutput(x, mx.sym.Variable("softmax_label"), name="softmax")

    def measure(rows, batch, epochs=2):
        random = np.random.RandomState(1)
        images = random.rand(rows, 784).astype(np.float32)
        labels = random.randint(0, 10, rows).astype(np.float32)
        data = mx.io.NDArrayIter({"data": images}, {"softmax_label": labels}, batch_size=batch)
        module = SVRGModule(symbol=net(), update_freq=epochs, data_names=["data"],
                            label_names=["softmax_label"], logger=silent)
        started = time.process_time()
        module.fit(data, eval_metric="acc", optimizer="sgd", num_epoch=epochs,
                   optimizer_params=(("learning_rate", 0.01),))
        return (time.process_time() - started) / epochs

    measure(256, 64)  # first calls load libraries
    return lambda line: measure(*map(int, line.split()))


def main(peer):
    # What libraries print must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    answer = {"torch": torch_answers, "mxnet": mxnet_answers}[peer]()
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        print(answer(line), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
