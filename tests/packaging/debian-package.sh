#!/usr/bin/env bash
# The Debian package: made, looked at by lintian, installed into a system of its own (a folder),
# run from there, and removed without a trace.
#   debian-package.sh BUILD-FOLDER
set -euo pipefail
build=$1
work=$(mktemp -dt causeway-package-XXXXXX)
trap 'rm -rf "$work"' EXIT
export XDG_RUNTIME_DIR=$work
fail() {
    echo "FAIL: $*" >&2
    exit 1
}

(cd "$work" && cpack -G DEB --config "$build/CPackConfig.cmake" -B "$work/made" >"$work/cpack.log" 2>&1) ||
    { cat "$work/cpack.log"; fail "cpack"; }
package=$(find "$work/made" -maxdepth 1 -name 'causeway_*.deb')
[ -n "$package" ] || fail "no package was made"
dpkg-deb -f "$package" Package Version Depends Recommends

# Errors only: what an archive asks of a package's own source does not concern us.
lintian --fail-on error --tag-display-limit 0 "$package" || fail "lintian"

# dpkg's own files in a folder; the libraries that it depends on are the host's.
root=$work/root
mkdir -p "$root"/var/lib/dpkg/{info,updates,triggers}
: >"$root/var/lib/dpkg/status"
as_root=()
[ "$(id -u)" = 0 ] || as_root=(fakeroot --)
"${as_root[@]}" dpkg --root="$root" --force-depends --force-not-root --log="$work/dpkg.log" -i "$package" >"$work/installed" 2>&1 ||
    { cat "$work/installed"; fail "dpkg -i"; }
usr=$root/usr
for program in causeway causeway-cli; do
    "$usr/bin/$program" --version | grep -q '[0-9]\.[0-9]' || fail "$program does not run"
    man --warnings -E UTF-8 -l -Tutf8 "$usr/share/man/man1/$program.1.gz" 2>"$work/man" |
        grep -q NAME || fail "no manual page for $program"
    [ ! -s "$work/man" ] || { cat "$work/man"; fail "the manual page of $program has warnings"; }
done
for command in $("$usr/bin/causeway-cli" --help | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p' | grep -v '^causeway-cli$'); do
    zcat "$usr/share/man/man1/causeway-cli.1.gz" | grep -qx "\.SS ${command//-/\\\\-}" ||
        fail "the manual page does not have $command"
    for option in $("$usr/bin/causeway-cli" "$command" --help | grep -oE '^  (-h, )?--[a-z-]+' | grep -oE -- '--[a-z-]+'); do
        zcat "$usr/share/man/man1/causeway-cli.1.gz" | grep -qF -- "${option//-/\\-}" ||
            fail "the manual page does not have $command $option"
    done
done
desktop-file-validate "$usr"/share/applications/causeway.desktop
appstreamcli validate --no-net "$usr"/share/metainfo/*.metainfo.xml
cp -r "$usr/share/mime" "$work/mime"
XDG_DATA_DIRS=$work update-mime-database "$work/mime"
grep -qx 'application/x-causeway-migration:\*.causeway' "$work/mime/globs" || fail "no type for files"

# What the shell completes, as it would.
complete_line() {
    PATH=$usr/bin:$PATH bash -c '
        source "$1"; shift
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _causeway_cli
        printf "%s\n" "${COMPREPLY[@]}"' - "$usr/share/bash-completion/completions/causeway-cli" "$@"
}
complete_line causeway-cli ver | grep -qx verify || fail "commands are not completed"
complete_line causeway-cli run --on- | grep -qx -- --on-ddl || fail "options are not completed"
complete_line causeway-cli run --to pri | grep -qx primary || fail "phases are not completed"

"${as_root[@]}" dpkg --root="$root" --force-depends --force-not-root --log="$work/dpkg.log" -P causeway
leftover=$(find "$root" -mindepth 1 ! -path "$root/var" ! -path "$root/var/lib" ! -path "$root/var/lib/dpkg*")
[ -z "$leftover" ] || fail "left behind after removal: $leftover"
echo "installed, ran and went without a trace"
