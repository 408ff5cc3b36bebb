#!/usr/bin/env bash
# usage: replay.sh "PATTERN…" COMMAND…   runs COMMAND on the traces that match; 77 where there are none
set -euo pipefail
folder=${SVRG_SHARED:-}/golden
if [[ -z ${SVRG_SHARED:-} || ! -d $folder ]]; then
  echo "SKIPPED: no traces: set SVRG_SHARED to the folder that holds golden/"
  exit 77
fi
read -ra patterns <<<"$1"
shift
files=()
for pattern in "${patterns[@]}"; do
  while IFS= read -r file; do files+=("$file"); done < <(compgen -G "$folder/$pattern.h5" || true)
done
(( ${#files[@]} )) || { echo "no trace matches ${patterns[*]}"; exit 1; }
exec "$@" "${files[@]}"
