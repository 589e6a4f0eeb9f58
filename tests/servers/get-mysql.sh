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

work=$root.new
rm -rf "$work" "$root"
mkdir -p "$work"
"$(dirname "$0")/unpack-debian.sh" sid "$work" \
    mysql-server-core mysql-client-core libmysqlclient-dev

lib=$work/usr/lib/x86_64-linux-gnu
if ! "$lib/ld-linux-x86-64.so.2" --library-path "$lib" "$work/usr/sbin/mysqld" --no-defaults \
    --version >"$work/.version"; then
    echo "get-mysql.sh: what Debian unstable has now does not run here" >&2
    exit 1
fi
mv "$work" "$root"
touch "$root/.done"
echo "$root"
