#!/usr/bin/env bash
# The AppDir has what AppImage's tools look for, and runs as it is.
#   appdir.sh BUILD-FOLDER
set -euo pipefail
work=$(mktemp -dt causeway-appdir-XXXXXX)
trap 'rm -rf "$work"' EXIT
export XDG_RUNTIME_DIR=$work
"$(dirname "$0")/../../packaging/appdir.sh" "$1" "$work/app"
desktop-file-validate "$work"/app/*.desktop
icon=$(sed -n 's/^Icon=//p' "$work"/app/*.desktop)
[ -s "$work/app/$icon.svg" ] && [ -s "$work/app/.DirIcon" ]
"$work/app/AppRun" --version | grep -q '^Causeway\|^causeway'
"$work/app/AppRun" causeway-cli --version | grep -q '^causeway-cli [0-9]'
! "$(dirname "$0")/../../packaging/appdir.sh" "$1" "$work/app" 2>/dev/null # not over another one
