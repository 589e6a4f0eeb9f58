#!/usr/bin/env bash
# Unpacks a real MySQL server, its clients and libmysqlclient from Debian unstable into the tests'
# cache folder and prints that folder. Debian 12 has no MySQL of its own. The host's packages and apt
# lists stay as they are, no root is needed, and the server runs through the folder's own loader
# because it wants a newer C library than the host has.
#   get-mysql.sh [FOLDER]      default: ${CAUSEWAY_TEST_CACHE:-~/.cache/causeway-tests}/mysql
set -euo pipefail
export LC_ALL=C

cache=${CAUSEWAY_TEST_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/causeway-tests}
root=$(readlink -m "${1:-$cache/mysql}")
mkdir -p "$(dirname "$root")"

# Several test programs may want it at once: the first one fetches, the others wait for it.
exec 9>"$root.lock"
flock 9
if [ -e "$root/.done" ]; then
    echo "$root"
    exit 0
fi

arch=$(dpkg --print-architecture)
if [ "$arch" != amd64 ]; then
    echo "get-mysql.sh: the tree's loader and folders are known for amd64 only, this is $arch" >&2
    exit 1
fi
# The same mirror that the host uses, so that a proxy or a local mirror goes on working.
mirror=$(apt-get update --print-uris 2>/dev/null | sed -n "s#^'\(.*/debian\)/dists/.*#\1#p;T;q")
if [ -z "$mirror" ]; then
    echo "get-mysql.sh: apt-get knows no Debian mirror on this machine" >&2
    exit 1
fi

work=$root.new
apt=$work/.apt
rm -rf "$work" "$root"
mkdir -p "$apt"/state/lists/partial "$apt"/cache/archives/partial "$apt"/parts
: >"$apt/status"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" \
    >"$apt/sources.list"
# The host's apt.conf.d stays in force: it may hold a proxy or a time setting that sid needs.
cat >"$apt/apt.conf" <<CONF
Dir::State "$apt/state"; Dir::State::status "$apt/status"; Dir::Cache "$apt/cache";
Dir::Etc::SourceList "$apt/sources.list"; Dir::Etc::SourceParts "$apt/parts";
Dir::Etc::Preferences "/dev/null"; Dir::Etc::PreferencesParts "$apt/parts";
Acquire::Languages "none"; Acquire::Retries "3"; APT::Install-Recommends "false";
APT::Sandbox::User "$(id -un)";
CONF
export APT_CONFIG=$apt/apt.conf
apt-get -qq update >&2
apt-get -qq -y --download-only install mysql-server-core mysql-client-core libmysqlclient-dev >&2
for deb in "$apt"/cache/archives/*.deb; do
    case ${deb##*/} in
    perl* | libperl* | *locale* | libc6-dev* | linux-libc* | debconf*) continue ;;
    esac
    dpkg-deb -x "$deb" "$work"
done
rm -rf "$apt"

lib=$work/usr/lib/x86_64-linux-gnu
if ! "$lib/ld-linux-x86-64.so.2" --library-path "$lib" "$work/usr/sbin/mysqld" --no-defaults \
    --version >"$work/.version"; then
    echo "get-mysql.sh: what Debian unstable has now does not run here" >&2
    exit 1
fi
mv "$work" "$root"
touch "$root/.done"
echo "$root"
