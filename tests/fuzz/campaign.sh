#!/usr/bin/env bash
# Builds the fuzz targets with clang in build/fuzz and runs each: what it found new lies in build/fuzz/found/TARGET.
# usage: tests/fuzz/campaign.sh [-n RUNS] [-s SECONDS] [TARGET…]
#   -n  executions of each target [1000000]; -s  at most so long, each [7200]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
source "$here/../../jobscripts/setup.sh"

runs=1000000 seconds=7200
while getopts n:s: option; do
  case $option in
    n) runs=$OPTARG ;;
    s) seconds=$OPTARG ;;
    *) exit 2 ;;
  esac
done
shift $((OPTIND - 1))
targets=("$@")
(( $# )) || for folder in "$here"/corpus/*/; do targets+=("$(basename "$folder")"); done

install_packages fuzz
fuzz=$svrg_build/fuzz
mkdir -p "$fuzz"
export CMAKE_GENERATOR=Ninja
quietly "$fuzz/configure.log" cmake -S "$svrg_root" -B "$fuzz" -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_C_COMPILER=clang \
  -DSVRG_FUZZ=ON -DSVRG_PRECOMPILE=OFF -DCMAKE_BUILD_TYPE=RelWithDebInfo
say "building the fuzz targets"
quietly "$fuzz/build.log" cmake --build "$fuzz" --parallel "$(processors)" --target "${targets[@]/#/fuzz_}"

failed=0
printf '%-10s %10s %9s %9s %7s %5s\n' target runs seconds features corpus MiB
for target in "${targets[@]}"; do
  found=$fuzz/found/$target
  mkdir -p "$found"
  log=$fuzz/$target.log
  # Open MPI, which is never finalized here, is what would leak.
  if ! (cd "$found" && ASAN_OPTIONS=detect_leaks=0 "$fuzz/bin/fuzz_$target" -runs="$runs" -max_total_time="$seconds" \
        -timeout=5 -rss_limit_mb=512 -print_final_stats=1 -artifact_prefix="$fuzz/found/$target-" \
        "$found" "$here/corpus/$target") >"$log" 2>&1; then
    failed=1
    say "$target: something was found; see $log"
  fi
  awk -v target="$target" '
    /stat::number_of_executed_units/ { units = $2 }
    /stat::average_exec_per_sec/ { rate = $2 }
    /stat::peak_rss_mb/ { memory = $2 }
    / ft: / { for (i = 1; i < NF; ++i) { if ($i == "ft:") features = $(i + 1); if ($i == "corp:") corpus = $(i + 1) } }
    END { printf "%-10s %10d %9d %9d %7s %5d\n", target, units, rate > 0 ? units / rate : 0, features, corpus, memory }
  ' "$log"
done
exit "$failed"
