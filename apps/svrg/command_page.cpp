#include "command_page.hpp"

#include <algorithm>

namespace svrg::app {
namespace {

constexpr CommandPage pages[] = {
    {.name = "train",
     .bit = command::train,
     .summary = "train a model; fills a run directory",
     .usage = "train [DATA] [-c run.toml] [options]",
     .positionals = "train",
     .positionals_required = false,
     .about =
         "Trains a linear model, an SVM or a neural net by stochastic variance-reduced gradients "
         "over all ranks of the launcher, and says why it stopped and how far from the optimum "
         "it can be. With a run directory it keeps the record, checkpoints and the model, and "
         "may be stopped and resumed at any moment, on any number of ranks. The last line on "
         "stdout is a JSON object of the results; everything else goes to stderr.",
     .examples =
         "# on this machine, with defaults; nothing is kept\n"
         "svrg train a9a.svm\n"
         "# four ranks; record, checkpoints and model in runs/year\n"
         "mpirun -n 4 svrg train year.csv --label-column 1 --valid year.t.csv -m mse,mae -o "
         "runs/year\n"
         "# on a cluster: goes on from the newest checkpoint, saves before the job ends\n"
         "srun svrg train -c run.toml -o runs/year --resume auto\n"
         "# MXNet's synchronous scheme with its parameters\n"
         "mpirun -n 8 svrg train a9a.svm --algorithm svrg -b 400 -f 2 --learning-rate 0.025\n"
         "# what would happen?\n"
         "svrg train -c run.toml --set model.l2=0.1/n --dry-run"},
    {.name = "evaluate",
     .bit = command::evaluate,
     .summary = "metrics of a model on data",
     .usage = "evaluate MODEL DATA [-m list] [options]",
     .positionals = "model-file|data-file",
     .positionals_required = true,
     .about = "Computes the metrics of a trained model on labelled data, over all ranks of the "
              "launcher. The last line on stdout is a JSON object of the results.",
     .examples = "# the metrics that suit the model\n"
                 "svrg evaluate runs/a9a/model.h5 a9a.t.svm\n"
                 "# four ranks, two metrics\n"
                 "mpirun -n 4 svrg evaluate runs/year/model.h5 year.t.csv -m mse,mae\n"
                 "# only the number, for a script\n"
                 "svrg evaluate runs/a9a/model.h5 a9a.t.svm -q -m acc | jq .metrics.acc"},
    {.name = "predict",
     .bit = command::predict,
     .summary = "labels, probabilities or scores of a model for data",
     .usage = "predict MODEL DATA [-o OUT] [options]",
     .positionals = "model-file|data-file",
     .positionals_required = true,
     .about =
         "Writes a line for each row of the data, in the order of the file: the label or value "
         "that the model predicts, and with --proba or --scores the classes' probabilities or "
         "raw scores. Labels in the data are not used.",
     .examples = "# to stdout\n"
                 "svrg predict runs/a9a/model.h5 a9a.t.svm | head\n"
                 "# to a file, with class probabilities\n"
                 "mpirun -n 4 svrg predict runs/a9a/model.h5 a9a.t.svm --proba -o a9a.proba.csv\n"
                 "# rows with a label, which is not looked at; replace what is there\n"
                 "srun svrg predict runs/year/model.h5 year.t.csv --label-column 1 -o pred.csv "
                 "--overwrite"},
    {.name = "bench",
     .bit = command::bench,
     .summary = "measure how training scales, or what a rank does in a second",
     .usage = "bench [DATA | --synthetic N,D] [--ranks list] [-o FILE.h5] [options]",
     .positionals = "train",
     .positionals_required = false,
     .about =
         "Trains as svrg train would, by the same options, on several numbers of the launcher's "
         "ranks in turn, and says how long an epoch and the whole took, in which phases, and how "
         "that scales: medians over the repeats, and ratios of trainings next to each other. "
         "Ranks that are not asked for sleep meanwhile. With -o the study is written as HDF5, and "
         "each training keeps a run directory beside it while it lasts, so that checkpoints are "
         "counted. The last line on stdout is a JSON object of the results. "
         "With --simulate it trains here as each of --ranks would, writes down what a rank does "
         "between its meetings with others, and has SimGrid replay that on networks that are not "
         "there: shapes, no measured seconds. "
         "Without data it measures how fast a rank reads rows, multiplies them and factors a "
         "matrix, and how fast ranks sum, and writes that to --rates FILE. svrg train --rates "
         "takes the file in place of its table when it chooses its engine; nothing is timed "
         "during training, so that the same command chooses alike each time.",
     .examples =
         "# one rank against two, five times each, in turn\n"
         "mpirun -n 2 svrg bench covtype.h5 -o scaling.h5\n"
         "# rows in proportion to the ranks, no file needed\n"
         "srun -n 64 svrg bench --synthetic 64e6,100 --scaling weak --ranks 8..64 -o weak.h5\n"
         "# MXNet's synchronous scheme, three epochs whatever they reach\n"
         "mpirun -n 4 svrg bench a9a.svm --algorithm svrg -e 3 --tol-grad 0\n"
         "# where more ranks stop paying, on two networks that are not there\n"
         "svrg bench a9a.svm --ranks 1..1024 --simulate ethernet:bandwidth=1Gbit,fattree\n"
         "# what a rank of this node does in a second, for svrg train --rates\n"
         "mpirun -n 2 svrg bench --rates node.rates"},
    {.name = "inspect",
     .bit = command::inspect,
     .summary = "explain a model, checkpoint or run file",
     .usage = "inspect FILE",
     .positionals = "file",
     .positionals_required = true,
     .about = "Says what a file of svrg, or a model of liblinear, holds: format, model, state, "
              "settings and history. "
              "Does not start MPI.",
     .examples = "# a model: classes, weights, where it came from\n"
                 "svrg inspect runs/year/model.h5\n"
                 "# a checkpoint: epoch, seal, what a resume would need\n"
                 "svrg inspect runs/year/checkpoints/last.h5\n"
                 "# the history of a run\n"
                 "svrg inspect runs/year/run.h5"},
    {.name = "report",
     .bit = command::report,
     .summary = "one HTML page of a run, of several compared, or of a scaling study",
     .usage = "report RUN... [-o report.html]",
     .positionals = "runs",
     .positionals_required = true,
     .about =
         "Makes a page that needs nothing else: verdict, convergence by epoch, pass, second and "
         "byte, "
         "phases by epoch and rank, the model with its confusion, ROC and calibration, speed-up "
         "and "
         "efficiency of scaling studies, and what it takes to do it again. Each figure has its "
         "data as "
         "CSV. A run that is going on, or was killed, is reported by its log. Does not start MPI.",
     .examples = "# a run\n"
                 "svrg report runs/year\n"
                 "# several, overlaid, with the settings that differ\n"
                 "svrg report runs/svrg runs/sgd runs/local -o methods.html\n"
                 "# a scaling study of svrg bench\n"
                 "svrg report strong.h5 -o strong.html\n"
                 "# at the end of training, into the run directory\n"
                 "mpirun -n 4 svrg train year.h5 -o runs/shown --report"},
    {.name = "tune",
     .bit = command::tune,
     .summary = "cross-validate a path of penalties; train with the best",
     .usage = "tune [DATA] [--grid KEY=VALUES] [--folds k] [options]",
     .positionals = "train",
     .positionals_required = false,
     .about =
         "Deals the rows out to folds, trains on what each fold leaves at every penalty of the "
         "grid, from the strongest on and each from the weights of the one before, and scores the "
         "rows held out. Groups of ranks take the folds in turn. Then it trains on all rows with "
         "the penalty of the best mean score, as svrg train does and with the options of svrg "
         "train; what is scored is the first of --metrics, acc for classes and mse for numbers "
         "without it. The run directory is that of svrg train, with the scores in tuning.h5 and "
         "a model for each fold and penalty in cells/; it may be stopped and resumed at any "
         "moment. The last line on stdout is a JSON object of the results.",
     .examples =
         "# ten penalties, five folds, no thought\n"
         "svrg tune a9a.svm -o runs/tuned\n"
         "# four ranks work on four folds at a time; the strongest penalty that is as good\n"
         "mpirun -n 4 svrg tune year.h5 --grid l2=1e-6:1:13 --folds 4 --one-se -o runs/tuned-year\n"
         "# the lasso's path, by cross-entropy\n"
         "svrg tune a9a.svm --l2 0 --grid l1=1e-5:1e-1:9 -m ce,acc -o runs/lasso\n"
         "# an elastic net: all combinations of two penalties\n"
         "srun svrg tune a9a.svm --grid l1=1e-4,1e-3 --grid l2=1/n:1000/n:4 -o runs/net "
         "--resume auto"},
    {.name = "convert",
     .bit = command::convert,
     .summary = "data or a model in another format",
     .usage = "convert IN OUT [options]",
     .positionals = "in-file|out-file",
     .positionals_required = true,
     .about =
         "Writes rows or a model in another format, told by the suffix of OUT. Rows are read and "
         "written by all ranks of the launcher and may be cut, shuffled, split and standardised "
         "on the way; HDF5 is what loads fastest. Models go to HDF5, .npz and JSON, which hold "
         "everything, and to liblinear's text, and come back from each; to ONNX one way. IN is "
         "told "
         "by its content. "
         "The file appears when it is complete.",
     .examples = "# text to HDF5, once, for many runs\n"
                 "mpirun -n 4 svrg convert covtype.svm.xz covtype.h5\n"
                 "# a fifth for validation: writes year.h5 and year.valid.h5\n"
                 "svrg convert year.csv year.h5 --valid-fraction 0.2\n"
                 "# the first thousand rows, as text\n"
                 "svrg convert covtype.h5 head.svm --rows :1000\n"
                 "# a model for liblinear-predict\n"
                 "svrg convert runs/a9a/model.h5 a9a.model\n"
                 "# a model of liblinear-train, for numpy.load\n"
                 "svrg convert theirs.model theirs.npz\n"
                 "# a model to be served by onnxruntime and others\n"
                 "svrg convert runs/a9a/model.h5 a9a.onnx"},
    {.name = "config",
     .bit = command::config,
     .summary = "show, check or start a config file",
     .usage = "config show|check|init|schema|completion|man [-c run.toml] [options]",
     .positionals = "action|train",
     .positionals_required = false,
     .about =
         "show prints the complete effective config as TOML, with the source of each value that "
         "is not a default; it takes all options of train. check reads a config and says "
         "whether it is good. init prints a commented file of all keys and their defaults, schema "
         "the same as JSON Schema, for editors; completion makes a shell complete command lines, "
         "man is the man page, which is installed with the program. Does not start MPI.",
     .examples = "# start a config file\n"
                 "svrg config init > run.toml\n"
                 "# is it good?\n"
                 "svrg config check -c run.toml\n"
                 "# let the Tab key complete command lines\n"
                 "svrg config completion --shell fish > ~/.config/fish/completions/svrg.fish\n"
                 "# what holds after file, environment and command line?\n"
                 "SVRG_SEED=7 svrg config show -c run.toml -e 40"},
};

}  // namespace

std::span<const CommandPage> command_pages() { return pages; }

const CommandPage* find_command(std::string_view name) {
  const auto found = std::find_if(std::begin(pages), std::end(pages),
                                  [&](const CommandPage& page) { return page.name == name; });
  return found == std::end(pages) ? nullptr : found;
}

}  // namespace svrg::app
