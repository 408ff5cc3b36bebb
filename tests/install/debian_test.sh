#!/usr/bin/env bash
# usage: debian_test.sh BUILD_DIR [clean]   Makes the Debian package and looks at what is in it. With `clean` it is
# installed by apt-get in a fresh Debian 12 (debootstrap, a folder that is removed at the end), where two ranks train.
# Exit 77 (skipped) where the tools are missing, or with `clean` root or a network.
set -euo pipefail
build=$1
kind=${2:-contents}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(cd "$here/../.." && pwd -P)
fail() { echo "debian_test: $*" >&2; exit 1; }
skip() { echo "skipped: $*"; exit 77; }
for tool in cpack dpkg-deb dpkg-shlibdeps; do
  command -v "$tool" >/dev/null || skip "no $tool here"
done

work=$build/debian-$kind
rm -rf "$work"
mkdir -p "$work"
(cd "$build" && cpack -G DEB -B "$work") >"$work/cpack.log" 2>&1 || { cat "$work/cpack.log"; fail "cpack failed"; }
package=$(echo "$work"/svrg_*.deb)
version=$(sed -n 's/^CMAKE_PROJECT_VERSION:[A-Z]*=//p' "$build/CMakeCache.txt")
[[ $(dpkg-deb -f "$package" Package Version) == $'Package: svrg\nVersion: '$version ]] || fail "another name or version"
depends=", $(dpkg-deb -f "$package" Depends),"
for needed in openmpi-bin libopenmpi libhdf5- libc6 libboost-mpi; do
  [[ $depends == *", $needed"* ]] || fail "does not depend on $needed: $depends"
done
contents=$(dpkg-deb -c "$package" | awk '{print $6}')
for file in bin/svrg include/svrg/svrg.hpp share/man/man1/svrg.1.gz share/doc/svrg/copyright \
    share/bash-completion/completions/svrg share/zsh/vendor-completions/_svrg \
    share/fish/vendor_completions.d/svrg.fish; do
  grep -qxF "./usr/$file" <<<"$contents" || fail "no $file in the package"
done
for file in 'libsvrg\.(a|so)' 'pkgconfig/svrg\.pc' 'cmake/svrg/svrgConfig\.cmake'; do
  grep -qxE "\./usr/lib/([^/]+/)?$file" <<<"$contents" || fail "no $file in the package"
done
! grep -vE '^\./(usr/.*)?$' <<<"$contents" || fail "it writes outside /usr"
echo "$(basename "$package"): $(wc -l <<<"$contents") files and folders"
[[ $kind == clean ]] || exit 0

(( EUID == 0 )) || skip "not root"
command -v debootstrap >/dev/null || skip "no debootstrap here"
clean=$(mktemp -d)
# A mount namespace of its own: what is mounted goes with it.
if ! unshare --mount true; then rm -rf "$clean"; skip "no namespaces here"; fi
trap 'rm -rf --one-file-system "$clean"' EXIT
if ! debootstrap --variant=minbase bookworm "$clean" >"$work/debootstrap.log" 2>&1; then
  tail -n 3 "$work/debootstrap.log"
  skip "debootstrap failed: no network?"
fi
cp "$package" "$clean/svrg.deb"
cp "$root/apps/data/wdbc.train.svm" "$root/apps/data/wdbc.test.svm" "$clean/"
# shellcheck disable=SC2016  # for the shells inside to expand
unshare --mount bash -euc '
  for folder in dev dev/shm proc; do mkdir -p "$1/$folder"; mount --rbind "/$folder" "$1/$folder"; done
  chroot "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive HOME=/root \
    bash -euc "$2"' _ "$clean" '
  apt-get -qq update
  apt-get -qq install -y --no-install-recommends ./svrg.deb >/dev/null
  svrg --version
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
  export OMPI_MCA_btl_vader_single_copy_mechanism=none
  mpirun -n 2 svrg train wdbc.train.svm -o run
  svrg evaluate run/model.h5 wdbc.test.svm -m acc
  apt-get -qq remove -y svrg >/dev/null
  test ! -e /usr/bin/svrg' 2>&1 | tee "$work/clean.log"
for said in '"ranks":2' '"acc":1.0'; do
  grep -qF "$said" "$work/clean.log" || fail "says nothing of $said"
done
