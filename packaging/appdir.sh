#!/usr/bin/env bash
# Lays a build out as a folder that AppImage's tools take (an AppDir), and that runs as it is:
#   packaging/appdir.sh BUILD-FOLDER APPDIR
# The libraries are the host's: linuxdeploy, where it is at hand, puts them in.
set -euo pipefail
build=$(realpath "$1")
mkdir -p "$2"
appdir=$(realpath "$2")
[ -z "$(ls -A "$appdir")" ] || {
    echo "$appdir is not empty" >&2
    exit 2
}
DESTDIR=$appdir cmake --install "$build" --prefix /usr --strip >/dev/null
ln -s usr/share/applications/causeway.desktop "$appdir/causeway.desktop"
ln -s usr/share/icons/hicolor/scalable/apps/causeway.svg "$appdir/causeway.svg"
ln -s causeway.svg "$appdir/.DirIcon"
cat >"$appdir/AppRun" <<'EOF'
#!/bin/sh
# The wizard; or another program of the package, named by the first argument.
here=$(dirname "$(readlink -f "$0")")
case ${1:-} in
causeway-cli)
    shift
    exec "$here/usr/bin/causeway-cli" "$@"
    ;;
*) exec "$here/usr/bin/causeway" "$@" ;;
esac
EOF
chmod 755 "$appdir/AppRun"
