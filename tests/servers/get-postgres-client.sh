#!/usr/bin/env bash
# Unpacks pg_dump and pg_restore of another major than Debian 12's from the Debian suite that has it
# into the tests' cache folder and prints the folder with the programs. No root is needed, and the
# host's packages stay as they are.
#   get-postgres-client.sh 13|17|18 [FOLDER]
#                                   default folder: CACHE/postgres-client-MAJOR, where CACHE is
#                                   ${CAUSEWAY_TEST_CACHE:-~/.cache/causeway-tests}
set -euo pipefail
export LC_ALL=C

case ${1:-} in
13) suite=bullseye ;;
17) suite=trixie ;;
18) suite=sid ;;
*)
    echo "usage: $0 13|17|18 [FOLDER]" >&2
    exit 2
    ;;
esac

cache=${CAUSEWAY_TEST_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/causeway-tests}
root=$(readlink -m "${2:-$cache/postgres-client-$1}")
mkdir -p "$(dirname "$root")"

exec 9>"$root.lock"
flock 9
if [ -e "$root/.done" ]; then
    echo "$root/programs"
    exit 0
fi

work=$root.new
rm -rf "$work" "$root"
mkdir -p "$work"
"$(dirname "$0")/unpack-debian.sh" "$suite" "$work" "postgresql-client-$1"

# Started by their path like any other program: the loader and the libraries are the tree's.
mkdir "$work/programs"
for program in pg_dump pg_restore; do
    cat >"$work/programs/$program" <<RUN
#!/bin/sh
tree=\$(dirname "\$(dirname "\$(readlink -f "\$0")")")
for loader in "\$tree"/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 \\
    "\$tree"/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2; do
    [ -e "\$loader" ] && exec "\$loader" --library-path \\
        "\$tree/usr/lib/x86_64-linux-gnu:\$tree/lib/x86_64-linux-gnu" \\
        "\$tree/usr/lib/postgresql/$1/bin/$program" "\$@"
done
echo "\$0: the tree has no loader" >&2
exit 127
RUN
    chmod 755 "$work/programs/$program"
    if ! "$work/programs/$program" --version >&2; then
        echo "get-postgres-client.sh: $program of Debian $suite does not run here" >&2
        exit 1
    fi
done
chmod -R a+rX "$work"
mv "$work" "$root"
touch "$root/.done"
echo "$root/programs"
