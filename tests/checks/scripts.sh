#!/usr/bin/env bash
# usage: scripts.sh ROOT   Every script parses; shellcheck has nothing to say where it is installed.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/files.sh"
cd "$1"
mapfile -t shell < <(our_files '*.sh' '*.sbatch' '*.pbs' '*.lsf' '.ci/run')
mapfile -t python < <(our_files '*.py')
(( ${#shell[@]} && ${#python[@]} )) || { echo "found no scripts"; exit 1; }
bad=0
for script in "${shell[@]}"; do
  bash -n "$script" || bad=1
  ! grep -nE '(^|[^$.A-Za-z}])/(home|root|work|Users)/' "$script" ||
    { echo "$script: an absolute path of one machine"; bad=1; }
done
for script in "${python[@]}"; do
  python3 -c 'import ast, sys; ast.parse(open(sys.argv[1], encoding="utf-8").read(), sys.argv[1])' \
    "$script" || bad=1
done
if command -v shellcheck >/dev/null; then
  shellcheck --external-sources --source-path=SCRIPTDIR "${shell[@]}" || bad=1
else
  echo "no shellcheck here: parsed only"
fi
echo "${#shell[@]} shell and ${#python[@]} Python scripts"
exit $bad
