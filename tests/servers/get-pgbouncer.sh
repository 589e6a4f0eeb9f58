#!/usr/bin/env bash
# Unpacks PgBouncer of Debian 12 into the tests' cache folder and prints the path of its program. Not
# installed as a package: that would set up a service.
#   get-pgbouncer.sh [FOLDER]   default folder: CACHE/pgbouncer, where CACHE is
#                               ${CAUSEWAY_TEST_CACHE:-~/.cache/causeway-tests}
set -euo pipefail
export LC_ALL=C

cache=${CAUSEWAY_TEST_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/causeway-tests}
root=$(readlink -m "${1:-$cache/pgbouncer}")
mkdir -p "$(dirname "$root")"

exec 9>"$root.lock"
flock 9
if [ -e "$root/.done" ]; then
    echo "$root/pgbouncer"
    exit 0
fi

work=$root.new
rm -rf "$work" "$root"
mkdir -p "$work"
"$(dirname "$0")/unpack-debian.sh" bookworm "$work" pgbouncer

# The loader and the libraries are the tree's.
cat >"$work/pgbouncer" <<'RUN'
#!/bin/sh
tree=$(dirname "$(readlink -f "$0")")
for loader in "$tree"/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 \
    "$tree"/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2; do
    [ -e "$loader" ] && exec "$loader" --library-path \
        "$tree/usr/lib/x86_64-linux-gnu:$tree/lib/x86_64-linux-gnu" \
        "$tree/usr/sbin/pgbouncer" "$@"
done
echo "$0: the tree has no loader" >&2
exit 127
RUN
chmod 755 "$work/pgbouncer"
if ! "$work/pgbouncer" --version >&2; then
    echo "get-pgbouncer.sh: pgbouncer does not run here" >&2
    exit 1
fi
chmod -R a+rX "$work"
mv "$work" "$root"
touch "$root/.done"
echo "$root/pgbouncer"
