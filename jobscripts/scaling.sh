# shellcheck shell=bash disable=SC2154  # what job.sh sets
# Sourced by scaling_strong.sbatch and scaling_weak.sbatch, which say how many rows a number of nodes
# trains on (rows_for NODES MOST ALL) and nothing else.
# Variables: SVRG_JOB_EPOCHS a measurement (10), SVRG_JOB_REPEATS of each (3), and those of job.sh.

# field NAME: of the JSON line that the program ends with.
field() { sed -n "s/.*\"$1\":\([^,}]*\).*/\1/p" | tail -n 1; }

# measure_scaling KIND DATA [options of svrg train]
measure_scaling() {
  local kind=$1 data=$2
  shift 2
  local most=$SLURM_JOB_NUM_NODES nodes=$(( 1 << SLURM_ARRAY_TASK_ID ))
  (( nodes <= most )) || { say "task $SLURM_ARRAY_TASK_ID would take $nodes nodes of $most: nothing to do"; return; }
  [[ ${launcher[0]} == srun ]] || fail "scaling_$kind.sbatch takes part of its nodes, which needs srun"
  local per_node=${SLURM_NTASKS_PER_NODE:-1}
  local ranks=$(( nodes * per_node )) out=runs/scaling-$kind-$SLURM_ARRAY_JOB_ID
  local here=$out/$nodes
  mkdir -p "$here"

  # Cut to size and in the form that loads fastest; by one rank, since this is not what is measured.
  local all rows one=("${launcher[@]}" -N 1 -n 1 "$program" convert "$data")
  all=$("${one[@]}" "$here/all.h5" --overwrite | field rows)
  rows=$(rows_for "$nodes" "$most" "$all")
  if (( rows == all )); then mv "$here/all.h5" "$here/rows.h5"; else
    rm "$here/all.h5"
    "${one[@]}" "$here/rows.h5" --rows "0:$rows" --overwrite >/dev/null
  fi

  local command=("${launcher[@]}" -N "$nodes" -n "$ranks" --distribution=block "$program" train
    "$here/rows.h5" -e "${SVRG_JOB_EPOCHS:-10}" --tol-grad 0 "$@")
  record_job "${command[@]}" >"$here/env.txt"
  local repeat line best='' took epochs
  for (( repeat = 0; repeat < ${SVRG_JOB_REPEATS:-3}; ++repeat )); do
    run_job "${command[@]}" >"$here/said"
    (( code == 0 )) || exit "$code"
    line=$(tail -n 1 "$here/said")
    echo "$line" >>"$here/results.jsonl"
    took=$(field seconds_train <<<"$line") epochs=$(field epochs <<<"$line")
    best=$(awk -v a="$took" -v e="$epochs" -v b="$best" \
      'BEGIN { t = a / (e > 0 ? e : 1); printf "%.6g", b == "" || t < b ? t : b }')
  done
  rm -f "$here/rows.h5" "$here/said"
  awk -v k="$kind" -v n="$nodes" -v p="$ranks" -v r="$rows" -v t="$best" -v b="$(field bytes_communicated <<<"$line")" \
    -v e="$epochs" 'BEGIN { printf "%s\t%d\t%d\t%d\t%g\t%.4g\t%.4g\n", k, n, p, r, t, r / t, b / e }' >"$here/row.tsv"
  # Whoever is last has the whole table.
  { printf 'kind\tnodes\tranks\trows\tseconds_per_epoch\trows_per_second\tbytes_per_epoch\n'
    cat "$out"/*/row.tsv | sort -n -k 2; } >"$here/table" && mv "$here/table" "$out/scaling.tsv"
}
