# shellcheck shell=bash
# Sourced: our_files PATTERN… lists files of the checkout that match, whether committed yet or not,
# one a line; a copy without git (a release archive) is searched instead.
our_files() {
  if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git -c safe.directory='*' ls-files --cached --others --exclude-standard -- "$@" | sort -u |
      while IFS= read -r file; do [[ ! -f $file ]] || printf '%s\n' "$file"; done
  else
    local pattern
    for pattern in "$@"; do
      find . \( -name 'build*' -o -name runs -o -name .git \) -prune -o -type f -path "./$pattern" -print
    done | sort -u
  fi
}
