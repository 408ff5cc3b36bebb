#!/usr/bin/env bash
# usage: format.sh ROOT   Every C++ file is as clang-format leaves it. Exit 77 (skipped) without
# clang-format 14: other versions lay the same settings out differently.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/files.sh"
cd "$1"
for tool in clang-format-14 clang-format ''; do
  [[ -n $tool ]] || { echo "skipped: no clang-format 14 here"; exit 77; }
  if command -v "$tool" >/dev/null && [[ $("$tool" --version) == *"version 14."* ]]; then break; fi
done
mapfile -t files < <(our_files '*.cpp' '*.hpp')
(( ${#files[@]} )) || { echo "found no C++ files"; exit 1; }
if ! said=$("$tool" --dry-run -Werror "${files[@]}" 2>&1); then
  sed -n 's/^\([^ :]*\):\([0-9]*\):.*error:.*/\1:\2: not as clang-format leaves it/p' <<<"$said" | sort -u -t: -k1,1
  echo "remedy: $tool -i FILE"
  exit 1
fi
echo "${#files[@]} files are formatted"
