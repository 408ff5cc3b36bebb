#!/usr/bin/env bash
# usage: packaging.sh ROOT   The recipes in jobscripts/packaging parse and are of this version of the project;
# every batch script says when to use it and leaves env.txt. Exit 77 where luac is missing.
set -euo pipefail
cd "$1"
bad=0
complain() { echo "$*"; bad=1; }
version=$(sed -n 's/^project(svrg VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
[[ -n $version ]] || { echo "no version in CMakeLists.txt"; exit 1; }
recipes=jobscripts/packaging

for file in "$recipes"/spack/packages/svrg/package.py "$recipes"/easybuild/*.eb; do
  python3 -c 'import ast, sys; ast.parse(open(sys.argv[1], encoding="utf-8").read(), sys.argv[1])' "$file" ||
    complain "$file does not parse"
done
must_have() { grep -qF -- "$2" "$1" || complain "$1 does not have: $2"; }
must_have $recipes/spack/packages/svrg/package.py "version(\"$version\""
must_have "$(echo "$recipes"/easybuild/svrg-"$version"-*.eb)" "version = '$version'"
must_have $recipes/svrg.def "image.version $version"
must_have $recipes/svrg.lua "Version: $version"
must_have CITATION.cff "version: $version"

# An Apptainer definition: a header a stage, then known sections only.
sections=$(sed -n 's/^\(%[a-z]*\).*/\1/p' "$recipes/svrg.def" | sort -u)
for needed in %post %environment %runscript %test %help; do
  grep -qx "$needed" <<<"$sections" || complain "svrg.def: no $needed"
done
unknown=$(grep -vxE '%(setup|files|environment|post|runscript|startscript|test|labels|help|arguments)' <<<"$sections" || true)
[[ -z $unknown ]] || complain "svrg.def: unknown sections: $unknown"
[[ $(grep -c '^Bootstrap:' "$recipes/svrg.def") == $(grep -c '^From:' "$recipes/svrg.def") ]] ||
  complain "svrg.def: every stage needs Bootstrap and From"
sed -n '/^%post/,/^%\|^Bootstrap/p' "$recipes/svrg.def" | grep -v '^%\|^Bootstrap' | bash -n ||
  complain "svrg.def: a %post section is no shell script"

for script in jobscripts/*.sbatch jobscripts/pbs/*.pbs jobscripts/lsf/*.lsf; do
  bash -n "$script" || complain "$script does not parse"
  [[ $(sed -n 2p "$script") == "# "* ]] || complain "$script: no head comment"
  grep -qE '^(train_job|restart_job|measure_scaling) ' "$script" || complain "$script: leaves no env.txt"
done

for luac in luac5.4 luac5.3 luac ''; do
  [[ -n $luac ]] || { (( bad == 0 )) && echo "skipped: no luac here; the others are in order" && exit 77; exit 1; }
  ! command -v "$luac" >/dev/null || break
done
"$luac" -p "$recipes/svrg.lua" || complain "svrg.lua does not parse"
exit $bad
