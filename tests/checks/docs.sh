#!/usr/bin/env bash
# usage: docs.sh ROOT OUT   Makes the pages of the public headers in OUT. Every class has a sentence, and
# every function that its name and type do not explain; what a page points at exists. Exit 77 (skipped)
# without doxygen.
set -euo pipefail
command -v doxygen >/dev/null || { echo "skipped: no doxygen here"; exit 77; }
export SVRG_SOURCE=$1 SVRG_DOCS=$2
mkdir -p "$SVRG_DOCS"
doxygen "$SVRG_SOURCE/docs/Doxyfile" >"$SVRG_DOCS/doxygen.log" 2>&1 || { tail -n 20 "$SVRG_DOCS/doxygen.log"; exit 1; }
[[ -s $SVRG_DOCS/html/index.html ]] || { echo "no pages in $SVRG_DOCS/html"; exit 1; }

# Members' names speak, and so do getters, operators, constructors and what overrides a documented one.
plain='\((variable|typedef|enumvalue)\) of|noexcept|override|operator|Member [A-Za-z_]+\(\) const( ?=0)? '
constructor='Member ([A-Za-z]+)\(.*(class|struct) (svrg::)?([A-Za-z]+::)*\1(<.*>)? is'
if grep -E '(warning|error):' "$SVRG_DOCS/doxygen.log" |
    grep -vE "($plain).* is not documented" | grep -vE "$constructor not documented" | sort -u; then
  echo "remedy: a sentence above the declaration, or what the message says"
  exit 1
fi
python3 "$(dirname "${BASH_SOURCE[0]}")/links.py" --site "$SVRG_DOCS/html"
echo "pages in $SVRG_DOCS/html"
