#!/usr/bin/env bash
# From a bare Debian machine to a trained model: installs what is missing, builds the library and the
# program in build/, trains on the breast cancer data that ships with the project, looks at the result.
# shellcheck disable=SC2119,SC2120  # the functions take optional arguments of their own
set -euo pipefail
jobscripts=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
source "$jobscripts/setup.sh"
source "$jobscripts/mpi_env.sh"
cd "$svrg_root"  # the paths printed below are the ones to type

install_packages
configure_build
[[ -x build/bin/svrg ]] || say "building (some minutes the first time)"
build --target svrg_program
run=runs/quickstart

say "training on 2 ranks: mpirun -n 2 build/bin/svrg train apps/data/wdbc.train.svm -o $run"
mpirun -n 2 build/bin/svrg train apps/data/wdbc.train.svm -o "$run" --overwrite
say "evaluating on the rows kept back: svrg evaluate $run/model.h5 apps/data/wdbc.test.svm"
build/bin/svrg evaluate "$run/model.h5" apps/data/wdbc.test.svm

cat <<END

In $run/:  model.h5      the weights, with the settings that made them
                     run.h5        the history of the run; log.jsonl is the same as text
                     checkpoints/  from where a stopped run goes on
Next:
  build/bin/svrg --help
  build/bin/svrg inspect $run/model.h5
  build/bin/svrg predict $run/model.h5 apps/data/wdbc.test.svm --proba -o /tmp/labels.csv
  mpirun -n 2 build/bin/svrg train YOUR.svm -o runs/yours    (also .csv; as root: source jobscripts/mpi_env.sh)
  docs/tutorial.md       goes on from here: ten minutes; docs/main_page.md leads to all pages
  ./tests/run.sh
END
