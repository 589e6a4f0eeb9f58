#!/usr/bin/env bash
# Shows Causeway at work: installs what is missing, builds, starts a throw-away source with sample data
# and live writes and an empty target on loopback, and opens the wizard on them. Without a display it
# runs the same migration through the command line, to the end. Nothing outside the temporary folder
# and the build folder is touched; everything ends with this script.
#   packaging/demo.sh [mariadb|mysql|postgres]
# Environment: CAUSEWAY_PRESET  the CMake preset to build (default release)
set -euo pipefail
cd "$(dirname "$0")/.."

product=${1:-mariadb}
preset=${CAUSEWAY_PRESET:-release}
case $product in
mariadb | mysql | postgres) ;;
*)
    echo "usage: $0 [mariadb|mysql|postgres]" >&2
    exit 2
    ;;
esac

packaging/install-deps.sh test
[ "$product" != mysql ] || tests/servers/get-mysql.sh >/dev/null
launcher=()
if command -v ccache >/dev/null; then
    launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
fi
mkdir -p build
echo "Building (the first time takes some minutes) ..."
cmake --preset "$preset" "${launcher[@]}" >build/demo.log 2>&1 || { cat build/demo.log; exit 1; }
cmake --build --preset "$preset" --target causeway causeway-cli causeway-demo-servers \
    >build/demo.log 2>&1 || { tail -n 100 build/demo.log; exit 1; }

folder=$(mktemp -d)
servers=
finish() {
    # The servers end with their standard input, which this shell holds.
    exec 9>&- || true
    [ -z "$servers" ] || wait "$servers" 2>/dev/null || true
    rm -rf "$folder"
}
trap finish EXIT

mkfifo "$folder/hold"
build/"$preset"/tests/servers/causeway-demo-servers "$product" "$product" \
    <"$folder/hold" >"$folder/urls" &
servers=$!
exec 9>"$folder/hold"
echo "Starting source and target ..."
until grep -q '^TARGET=' "$folder/urls" 2>/dev/null; do
    kill -0 "$servers" 2>/dev/null || { echo "the demo servers did not start" >&2; exit 1; }
    read -rt 0.2 <> <(:) || true
done
source_url=$(sed -n 's/^SOURCE=//p' "$folder/urls")
target_url=$(sed -n 's/^TARGET=//p' "$folder/urls")
# Throw-away servers on loopback; their password is no secret.
export CAUSEWAY_SOURCE_PASSWORD=causeway-demo CAUSEWAY_TARGET_PASSWORD=causeway-demo
echo "source $source_url"
echo "target $target_url"

if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    build/"$preset"/app/causeway --source "$source_url" --target "$target_url"
    exit 0
fi

cli=build/"$preset"/app/causeway-cli
file=$folder/demo.causeway
say() { printf '\n== %s\n' "$*"; }
say "Is the source ready?"
"$cli" check --source "$source_url" --target "$target_url" | grep -v '^\[pass\]\|^\[skipped\]'
say "Copy, and follow the source"
"$cli" new "$file" --source "$source_url" --target "$target_url"
"$cli" run "$file" --to replica
"$cli" status "$file"
say "Compare every row while the application goes on writing"
"$cli" verify "$file"
say "Switch: the target takes the writes, the old source follows"
"$cli" run "$file" --to primary
say "And back again"
"$cli" run "$file" --to replica
say "Switch for good, and finish"
"$cli" run "$file" --to primary
"$cli" run "$file" --to finished
"$cli" report "$file" --html "$PWD/build/demo-report.html"
