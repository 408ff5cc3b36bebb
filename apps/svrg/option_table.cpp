// Whoever adds an option adds one row here; flags, keys, environment, help and record follow.
#include "option_table.hpp"

#include <array>

#include "monitor_choice.hpp"
#include "platform.hpp"
#include "svrg/comm/packed_sum.hpp"
#include "svrg/train/metric.hpp"
#include "tuning_grid.hpp"

namespace svrg::app {
namespace {

using enum Type;
using namespace command;

// clang-format off
constexpr Option table[] = {
    {.flag = "train", .section = "data", .positional = "DATA", .type = path, .group = "Data",
     .help = "training rows: svmlight, CSV, IDX (.gz .bz2 .xz .zst too) or HDF5"},
    {.flag = "synthetic", .type = list, .value_name = "N,D[,DENSITY]", .group = "Data",
     .commands = bench,
     .help = "made-up rows of two classes in place of DATA: N rows, D columns, this share of them "
             "filled"},
    {.flag = "valid", .section = "data", .type = path, .group = "Data",
     .help = "validation rows; metrics are also reported on these"},
    {.flag = "model-file", .positional = "MODEL", .type = path, .group = "Data",
     .commands = evaluate | predict, .help = "a model (HDF5, .npz, JSON or liblinear's text) or checkpoint"},
    {.flag = "data-file", .positional = "DATA", .type = path, .group = "Data",
     .commands = evaluate | predict, .help = "rows: svmlight, CSV, IDX or HDF5"},
    {.flag = "file", .positional = "FILE", .type = path, .group = "Data", .commands = inspect,
     .help = "a model, checkpoint or run file"},

    {.flag = "runs", .positional = "RUN", .type = path, .group = "Data", .commands = report,
     .repeats = true,
     .help = "run directories, run.h5 or files of svrg bench; several runs are compared"},

    {.flag = "in-file", .positional = "IN", .type = path, .group = "Data", .commands = convert,
     .help = "rows (svmlight, CSV, IDX or HDF5) or a model"},
    {.flag = "out-file", .positional = "OUT", .type = path, .group = "Data", .commands = convert,
     .help = "rows go to .h5, .svm, .csv, .tsv or …-images-idx3-ubyte; models to .h5, .model "
             "(liblinear), .npz, .json or .onnx"},

    {.flag = "action", .positional = "ACTION", .type = choice,
     .choices = "show|check|init|schema|completion|man", .group = "Common", .commands = config,
     .help = "show the effective config, check a file, write a commented one, a JSON Schema, "
             "completions for a shell, or the man page"},
    {.flag = "shell", .type = choice, .default_text = "bash", .choices = "bash|zsh|fish",
     .group = "Common", .commands = config, .help = "of completion"},

    {.flag = "format", .section = "data", .type = choice, .default_text = "auto",
     .choices = "auto|svmlight|csv|idx|hdf5", .group = "Data", .commands = reads_data,
     .help = "of the data files; auto: by name and suffix, else by the first lines; idx: MNIST's, "
             "images-idx3 with labels-idx1 beside it"},
    {.flag = "x-name", .section = "data", .value_name = "PATH", .group = "Data",
     .commands = reads_data,
     .help = "HDF5: the rows, a dataset or a group of compressed sparse rows; without it X or data"},
    {.flag = "y-name", .section = "data", .value_name = "PATH", .group = "Data",
     .commands = reads_data,
     .help = "HDF5: the labels, a dataset or AnnData's categories such as obs/type; without it y or "
             "label"},
    {.flag = "label-column", .section = "data", .value_name = "NAME", .group = "Data",
     .commands = reads_data,
     .help = "CSV: name, or number from 1, from the end if negative; without it a column named "
             "label, target, class or y, else the first"},
    {.flag = "weight-column", .section = "data", .value_name = "NAME", .group = "Data",
     .commands = reads_data, .help = "CSV: name or number of the column of sample weights; HDF5: their path"},
    {.flag = "valid-fraction", .section = "data", .type = number, .default_text = "0",
     .range = {.low = 0, .high = 1}, .group = "Data", .commands = runs | convert,
     .help = "this share of the rows, drawn by the seed, is kept for validation; convert writes it "
             "to OUT with .valid in its name"},
    {.flag = "calibrate", .section = "model", .type = choice, .choices = "platt|temperature",
     .group = "Model", .commands = train | config,
     .help = "make the model's probabilities agree with rows held out (--valid, --valid-fraction or "
             "--calibrate-fraction), once it is trained: platt, slope and offset of the score of two classes; "
             "temperature, a slope; labels go by the scores as before"},
    {.flag = "calibrate-fraction", .section = "data", .type = number, .default_text = "0",
     .range = {.low = 0, .high = 1}, .group = "Data", .commands = train | config,
     .help = "this share of the rows, drawn by the seed, is kept for --calibrate alone"},
    {.flag = "rows", .value_name = "A:B", .group = "Data", .commands = convert,
     .help = "only rows A to B - 1, counted from 0; either may be left out"},
    {.flag = "shuffle", .type = Type::flag, .default_text = "false", .group = "Data",
     .commands = convert, .help = "write the rows in an order drawn by the seed"},
    {.flag = "weights", .section = "data", .type = path, .group = "Data",
     .help = "sample weights of the training rows: a text file, one number a line; a row of weight 2 "
             "is the row twice"},
    {.flag = "n-features", .section = "data", .type = integer, .range = at_least_one,
     .group = "Data", .commands = trains | convert, .help = "fixes the number of columns; without it the data's largest index"},
    {.flag = "positive", .section = "data", .type = list, .group = "Data",
     .help = "these labels against the rest: makes any data a two-class problem"},
    {.flag = "index-base", .section = "data", .type = choice, .default_text = "1",
     .choices = "1|0|auto", .group = "Data", .commands = reads_data,
     .help = "svmlight: number of the first feature"},
    {.flag = "intercept", .section = "data", .off_flag = "no-intercept", .type = choice,
     .default_text = "yes", .choices = "yes|no|penalised", .group = "Data",
     .help = "adds a constant term, which is not penalised; penalised: as the weight of a feature "
             "that is always 1 (liblinear's -B 1)"},
    {.flag = "standardize", .section = "data", .type = choice, .default_text = "none",
     .choices = "none|scale|zscore", .group = "Data", .commands = trains | convert,
     .help = "scale: divide each column by its deviation, so that zeros stay; zscore: take off its "
             "mean first; kept in the model and done again on whatever it scores"},
    {.flag = "x-scale", .section = "data", .value_name = "C", .group = "Data",
     .commands = trains | convert,
     .help = "multiply all values by a number such as 1/255; kept in the model likewise"},
    {.flag = "dtype", .section = "data", .type = choice, .default_text = "auto",
     .choices = "auto|f32|f64", .group = "Data", .commands = reads_data,
     .help = "type the rows are kept in; auto: f64, for nets and what HDF5 holds as such f32"},
    {.flag = "row-order", .section = "data", .type = choice, .default_text = "shuffled",
     .choices = "shuffled|file", .group = "Data",
     .commands = runs, .help = "shuffled: rows go to ranks by a fixed permutation, so sorted files do no harm"},
    {.flag = "load", .section = "data", .type = choice, .default_text = "memory",
     .choices = "memory|stream", .group = "Data", .commands = runs | evaluate | predict,
     .help = "stream: rows stay in their HDF5 file, in its order, and are read ahead at each pass, where memory "
             "is too small for them; 'svrg convert --shuffle' makes a good file"},
    {.flag = "partition", .section = "data", .type = choice, .default_text = "rows",
     .choices = "rows|nnz", .group = "Data",
     .help = "what ranks get alike of sparse data: rows, or non-zeros where rows differ much; nnz is for "
             "--algorithm auto and local-svrg"},
    {.flag = "allow-nonfinite", .section = "data", .type = Type::flag, .default_text = "false",
     .group = "Data", .commands = reads_data, .help = "accept NaN and infinity in the data"},
    {.flag = "max-features", .section = "data", .type = integer, .default_text = "2147483648",
     .range = at_least_one, .group = "Data", .commands = reads_data,
     .help = "refuse a larger feature index: most likely a broken file"},

    {.flag = "model", .section = "model", .renamed_key = "kind", .type = choice,
     .default_text = "auto", .choices = "auto|linear|logistic|softmax|svm-sq|huber|mlp", .group = "Model",
     .help = "auto: two label values logistic, other whole numbers up to 1000 values softmax, else "
             "linear; svm-sq: squared hinge; huber: linear beyond an error of --huber-delta; mlp: a "
             "multilayer perceptron"},
    {.flag = "huber-delta", .section = "model", .type = number, .default_text = "1",
     .range = positive, .group = "Model", .help = "huber: errors beyond it count linearly"},
    {.flag = "hidden", .section = "model", .type = list, .default_text = "128",
     .value_name = "N,N", .group = "Model", .commands = runs, .help = "mlp: widths of the hidden layers"},
    {.flag = "activation", .section = "model", .type = choice, .default_text = "relu",
     .choices = "relu|tanh|sigmoid|softrelu|softsign", .group = "Model",
     .commands = runs, .help = "mlp: between its layers"},
    {.flag = "symbol", .section = "model", .type = path, .excludes = "model",
     .value_name = "FILE.json", .group = "Model",
     .commands = runs, .help = "the model as MXNet's symbol.json: any net without batch normalisation that ends in "
             "SoftmaxOutput, LogisticRegressionOutput or LinearRegressionOutput"},
    {.flag = "input-shape", .section = "model", .type = list, .value_name = "N,N",
     .group = "Model", .commands = runs, .help = "of a row for the symbol, such as 1,28,28 for an image; without it "
     "the number of columns"},
    {.flag = "class-weight", .section = "model", .type = list, .value_name = "balanced|A:W,B:W",
     .group = "Model",
     .help = "factors of the loss by label, 1 for labels that are not named; balanced: every class "
             "weighs the same; metrics do not see them"},
    {.flag = "l2", .section = "model", .type = scaled, .default_text = "1/n", .range = not_negative,
     .group = "Model",
     .help = "weight of the penalty l2/2 |w|^2; 0.1/n means 0.1 over the number of training rows"},
    {.flag = "l1", .section = "model", .type = scaled, .default_text = "0", .range = not_negative,
     .group = "Model",
     .help = "weight of the penalty l1 |w|_1, which makes weights exactly 0; together with --l2 an "
             "elastic net, with --l2 0 the lasso"},
    {.flag = "C", .section = "model", .type = number, .range = positive, .excludes = "l2",
     .group = "Model", .help = "liblinear's way to say it: l2 = 1/(C * sum of weights)"},

    {.flag = "warm-start", .section = "model", .type = path, .value_name = "MODEL",
     .group = "Model",
     .commands = runs, .help = "start from the weights of this model (any format) or checkpoint, of the same kind, classes "
             "and features; a checkpoint that --resume finds wins"},

    {.flag = "algorithm", .section = "train", .type = choice, .default_text = "auto",
     .choices = "auto|svrg|local-svrg|sgd|gd", .group = "Solver",
     .help = "svrg: MXNet's synchronous minibatch scheme; local-svrg: one chain a rank between "
             "snapshots, guarded; auto: local-svrg, for nets sgd"},
    {.flag = "engine", .section = "train", .type = choice, .default_text = "auto",
     .choices = "auto|row|ssn|newton", .group = "Solver",
     .help = "of local-svrg: steps on single rows, on minibatches by a sub-sampled Hessian, or by the "
             "whole Hessian; auto: the cheapest by the sizes of the data, rows to begin with in doubt"},
    {.flag = "rates", .section = "train", .type = path, .value_name = "FILE", .group = "Solver",
     .commands = trains,
     .help = "what a rank does in a second, for --engine auto; written by svrg bench where it has no data"},
    {.flag = "learning-rate", .section = "train", .type = number, .default_text = "auto",
     .choices = "auto", .range = positive, .group = "Solver",
     .help = "step size; auto: from the data's curvature for linear models under optimizer sgd, "
             "else the optimizer's usual one"},
    {.flag = "optimizer", .section = "train", .default_text = "auto", .value_name = "NAME",
     .group = "Solver", .help = "of svrg, sgd and gd: sgd, nag, adam, adagrad, rmsprop, adadelta, "
     "lamb … (MXNet's names); auto: sgd, for nets adam"},
    {.flag = "optimizer-params", .section = "train", .type = list, .value_name = "KEY=VALUE,…",
     .group = "Solver", .help = "further options of the optimizer, such as momentum=0.9"},
    {.flag = "batch-size", .short_flag = "b", .section = "train", .type = integer,
     .default_text = "128", .range = at_least_one, .group = "Solver",
     .help = "rows of a step over all ranks together"},
    {.flag = "update-freq", .short_flag = "f", .section = "train", .type = integer,
     .default_text = "2", .range = at_least_one, .group = "Solver",
     .help = "epochs between two snapshots (full gradients)"},
    {.flag = "svrg-coefficient", .section = "train", .type = number, .default_text = "1",
     .range = not_negative, .group = "Solver",
     .help = "weight of the variance correction; 0 is plain sgd"},
    {.flag = "seed", .section = "train", .type = integer, .default_text = "1",
     .range = not_negative, .group = "Solver", .commands = trains | convert,
     .help = "of all random choices"},
    {.flag = "virtual-shards", .section = "train", .type = integer, .default_text = "0",
     .range = {.low = 0, .high = 1 << 20}, .group = "Solver",
     .help = "fixed parts of the rows, a power of two; 0: 8, more on more than 8 ranks x threads"},
    {.flag = "chains", .section = "train", .type = integer, .default_text = "ranks",
     .choices = "ranks", .range = at_least_one, .group = "Solver",
     .help = "of local-svrg: one on each thread of each rank, or a fixed number whatever the ranks"},
    {.flag = "threads", .section = "train", .type = integer, .default_text = "1",
     .range = {.low = 1, .high = 1024}, .group = "Solver",
     .help = "of local-svrg, on each rank: they share its rows as so many ranks would; bind ranks to as many "
             "cores (mpirun --map-by slot:PE=N, srun --cpus-per-task=N)"},
    {.flag = "deterministic", .section = "train", .type = Type::flag, .default_text = "false",
     .group = "Solver", .help = "same bits on any number of ranks (sums in a fixed tree)"},
    {.flag = "compression", .section = "train", .default_text = "none",
     .value_name = "none|2bit[:T]|1bit|fp16", .group = "Solver",
     .check = [](std::string_view text) { Compression::of(text); },
     .help = "of svrg and sgd: what a virtual shard contributes to a step goes as so few bits, what they do "
             "not say with its next; 2bit:T stands for multiples of T, 2bit for the mean size of a "
             "parameter's; full gradients stay exact"},
    {.flag = "inner-copy", .section = "train", .type = choice, .default_text = "auto",
     .choices = "auto|none", .group = "Solver",
     .help = "of local-svrg: row steps read a copy of the rows in single precision, which takes half as "
             "much memory again; what they lead to is exact either way"},
    {.flag = "instructions", .section = "train", .type = choice, .default_text = "auto",
     .choices = "auto|avx512|avx2|plain", .group = "Solver", .commands = trains,
     .help = "vector instructions of linear models; auto: the best of this machine. Name one to get the same "
             "bits on machines of different kinds"},

    {.flag = "epochs", .short_flag = "e", .section = "train", .type = integer,
     .default_text = "100", .range = at_least_one, .group = "Stop", .help = "at most so many"},
    {.flag = "passes", .section = "stop", .type = number, .range = positive, .group = "Stop",
     .help = "at most so many gradient evaluations per row"},
    {.flag = "tol-grad", .section = "stop", .type = number, .default_text = "1e-6",
     .range = not_negative, .group = "Stop",
     .help = "stop when |gradient| is this part of that at the initial weights; 0: off"},
    {.flag = "tol-gap", .section = "stop", .type = number, .range = positive, .group = "Stop",
     .help = "stop when the objective is at most this above its minimum, by the duality gap; "
             "--tol-grad is then off unless it is given, too"},
    {.flag = "patience", .section = "stop", .type = integer, .range = at_least_one, .group = "Stop", .commands = train | config,
     .help = "stop after so many measured epochs in a row without a better figure of --monitor"},
    {.flag = "monitor", .section = "stop", .value_name = "SET:METRIC", .group = "Stop", .commands = train | config,
     .check = [](std::string_view text) { MonitorChoice::of(text); },
     .help = "figure that --patience and --save-best go by, such as valid:acc, train:ce or train:objective; "
             "without it the first metric of the validation rows"},
    {.flag = "time-limit", .section = "stop", .type = duration, .default_text = "auto",
     .choices = "auto", .range = positive, .group = "Stop", .commands = train | tune | config,
     .help = "such as 1h50m: save and stop in time; auto: SLURM_JOB_END_TIME where it is set"},
    {.flag = "require-tol", .section = "stop", .type = Type::flag, .default_text = "false",
     .group = "Stop", .commands = train | tune | config, .help = "exit with 5 if the tolerance is not reached"},

    {.flag = "run-dir", .short_flag = "o", .section = "output", .type = path, .value_name = "DIR",
     .group = "Output", .commands = train | tune | config,
     .help = "record, checkpoints and model go here; without it nothing is kept"},
    {.flag = "out", .short_flag = "o", .type = path, .value_name = "FILE", .group = "Output",
     .commands = predict | bench,
     .help = "predict: predictions go here instead of stdout; bench: the study as HDF5"},
    {.flag = "report-file", .short_flag = "o", .type = path, .default_text = "report.html",
     .group = "Output", .commands = report, .help = "the page; one that is a report already is replaced"},
    {.flag = "proba", .type = Type::flag, .default_text = "false", .group = "Output",
     .commands = predict, .help = "write class probabilities"},
    {.flag = "scores", .type = Type::flag, .default_text = "false", .group = "Output",
     .commands = predict, .help = "write raw scores"},
    {.flag = "layout", .type = choice, .default_text = "auto",
     .choices = "auto|csv|h5|jsonl|liblinear", .group = "Output", .commands = predict,
     .help = "of the predictions; auto: by the suffix of --out (.h5, .jsonl), else csv; liblinear: "
             "what liblinear-predict writes"},
    {.flag = "checkpoint-every", .section = "output", .type = period, .default_text = "5",
     .range = positive, .group = "Output", .commands = train | tune | config, .help = "epochs, or a time such as 10m"},
    {.flag = "keep", .section = "output", .type = integer, .default_text = "3",
     .range = at_least_one, .group = "Output", .commands = train | tune | config, .help = "number of checkpoints kept"},
    {.flag = "save-best", .section = "output", .type = Type::flag, .default_text = "false",
     .group = "Output", .commands = train | config,
     .help = "model.h5 and --export are those of the best epoch by --monitor (without it the first "
             "validation metric, else the objective); its checkpoint is kept as best.h5"},
    {.flag = "resume", .section = "output", .type = path, .default_text = "no",
     .value_name = "auto|FILE|no", .group = "Output", .commands = train | tune | config,
     .help = "auto: from the newest valid checkpoint of the run directory, if there is one"},
    {.flag = "metrics", .short_flag = "m", .section = "output", .type = list,
     .group = "Output", .commands = trains | evaluate,
     .check = [](std::string_view item) { Metric::of(item); },
     .help = "of acc, auc, ce, ece, f1, top_k:5 for classes, mae, mse, r2, rmse for numbers, separated by "
             "commas; without it what suits the model"},
    {.flag = "log-every", .section = "output", .type = period, .default_text = "1",
     .range = positive, .group = "Output", .commands = train | tune | config, .help = "epochs, or a time such as 30s, between lines"},
    {.flag = "progress", .section = "output", .type = choice, .default_text = "auto",
     .choices = "auto|bar|lines|none", .group = "Output", .commands = train | tune | config,
     .help = "auto: a live line on a terminal, plain lines in a file"},
    {.flag = "json-log", .section = "output", .type = Type::flag, .default_text = "false",
     .group = "Output", .commands = train | tune | config, .help = "JSON objects on stderr, one a line, in place of header, table and messages"},
    {.flag = "tensorboard", .section = "output", .type = Type::flag, .default_text = "false",
     .group = "Output", .commands = train | tune | config, .help = "the epochs' figures as TensorBoard's event files, in tb/ of the run directory"},
    {.flag = "report", .section = "output", .type = Type::flag, .default_text = "false",
     .group = "Output", .commands = train | tune | config,
     .help = "at the end a page of figures, report.html in the run directory (svrg report)"},
    {.flag = "export", .section = "output", .type = path, .group = "Output", .commands = train | tune | config,
     .help = "the model again, to this .h5, .model (liblinear's text), .npz, .json or .onnx file"},
    {.flag = "fold-scaling", .section = "output", .type = Type::flag, .default_text = "false",
     .group = "Output", .commands = train | tune | config | convert,
     .help = "fold --standardize and --x-scale into the weights and intercept of the model that is "
             "exported or converted, so that it takes raw rows as it is; liblinear's text always "
             "does"},
    // Command line only: a recorded config that is used again must not destroy its own run.
    {.flag = "overwrite", .type = Type::flag, .default_text = "false",
     .group = "Output", .commands = train | tune | predict | config | convert | bench | report,
     .help = "replace the results that are there"},
    {.flag = "no-json", .section = "output", .type = Type::flag, .default_text = "false",
     .group = "Output", .commands = reads_data, .help = "no JSON line on stdout at the end"},
    {.flag = "quiet", .short_flag = "q", .section = "output", .type = Type::flag,
     .default_text = "false", .group = "Output", .commands = reads_data,
     .help = "only warnings and errors"},
    {.flag = "verbose", .short_flag = "v", .section = "output", .type = Type::flag,
     .default_text = "false", .excludes = "quiet", .group = "Output", .commands = reads_data,
     .help = "more messages"},

    {.flag = "ranks", .type = list, .value_name = "N,N", .group = "Scaling", .commands = bench,
     .help = "numbers of ranks to train on, each no more than the launcher started (more are for --simulate), such as 1,2,4 or "
             "1..64 for powers of two; without it the powers of two and all"},
    {.flag = "simulate", .type = list, .value_name = "NET,NET", .group = "Scaling", .commands = bench,
     .check = [](std::string_view item) { platform_from(item); },
     .help = "also say what --ranks, up to thousands, would do on ethernet, fattree, dragonfly or a SimGrid "
             "platform FILE.xml; with :bandwidth=1Gbit:latency=50us:cores=4 behind the first three"},
    {.flag = "scaling", .type = choice, .default_text = "strong", .choices = "strong|weak",
     .group = "Scaling", .commands = bench,
     .help = "strong: all rows on any number of ranks; weak: all rows on the most ranks, in proportion "
             "on fewer"},
    {.flag = "repeats", .type = integer, .default_text = "5", .range = at_least_one,
     .group = "Scaling", .commands = bench,
     .help = "trainings on each number of ranks, in turn with the others, after one that is not counted"},

    {.flag = "grid", .value_name = "KEY=VALUES", .group = "Tuning", .commands = tune, .repeats = true,
     .check = [](std::string_view text) { TuningGrid::check(text); },
     .help = "penalties to try: C, l2 or l1 = A:B:N, N values from A to B at equal ratios, or a list A,B,C; l2 and l1 "
             "over n, too, such as 1/n:100/n:5; several --grid give all combinations. Without it C=1e-4:1e4:10"},
    {.flag = "folds", .type = integer, .default_text = "5", .range = {.low = 2, .high = 1 << 20},
     .group = "Tuning", .commands = tune,
     .help = "parts of the rows, each held out once; drawn by the seed, classes in proportion"},
    {.flag = "one-se", .type = Type::flag, .default_text = "false", .group = "Tuning", .commands = tune,
     .help = "choose the strongest penalty within a standard error of the best, not the best"},
    {.flag = "groups", .type = integer, .default_text = "auto", .choices = "auto", .range = at_least_one,
     .group = "Tuning", .commands = tune,
     .help = "of ranks, each of which holds all rows and takes a fold at a time; auto: as many as folds or "
             "ranks; fewer take less memory"},
    {.flag = "save-folds", .type = Type::flag, .default_text = "false", .group = "Tuning", .commands = tune,
     .help = "tuning.h5 says of every row which fold holds it out"},

    {.flag = "max-memory", .section = "parallel", .type = Type::size, .range = positive,
     .group = "Parallel", .commands = reads_data,
     .help = "of a rank, such as 4G; without it 80 % of the free memory over the node's ranks"},
    {.flag = "profile", .section = "parallel", .type = Type::flag, .default_text = "false",
     .group = "Parallel", .commands = train | config,
     .help = "the record tells waiting for other ranks from communication, by a barrier before each exchange"},
    {.flag = "stall-warn", .section = "parallel", .type = duration, .default_text = "60s",
     .range = not_negative, .group = "Parallel", .commands = train | tune | config,
     .help = "say which phase the run waits in, and for which ranks, once it has not moved for so long; 0: never"},
    {.flag = "stall-abort", .section = "parallel", .type = duration, .default_text = "600s",
     .range = not_negative, .group = "Parallel", .commands = train | tune | config,
     .help = "end the run with exit code 76 once nothing has moved for so long; 0: never"},

    {.flag = "config", .short_flag = "c", .type = path, .group = "Common", .commands = reads_data,
     .help = "read settings from this TOML file; the command line and SVRG_* variables win"},
    {.flag = "set", .value_name = "KEY=VALUE", .group = "Common", .commands = reads_data,
     .help = "any setting by its config key, such as --set train.epochs=40; may be repeated"},
    {.flag = "dry-run", .type = Type::flag, .default_text = "false", .group = "Common",
     .commands = train | tune, .help = "check config and data, say what memory and messages the run will need, print "
             "the effective TOML, and stop"},
    {.flag = "help", .short_flag = "h", .type = Type::flag, .default_text = "false",
     .group = "Common", .commands = all, .help = "this text"},
    {.flag = "version", .short_flag = "V", .type = Type::flag, .default_text = "false",
     .group = "Common", .commands = all, .help = "print the version"},
};
// clang-format on

constexpr std::array<std::string_view, 6> section_names = {"data", "model",  "train",
                                                           "stop", "output", "parallel"};

}  // namespace

std::span<const Option> option_table() { return table; }
std::span<const std::string_view> sections() { return section_names; }

}  // namespace svrg::app
