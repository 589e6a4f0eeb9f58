#!/usr/bin/env bash
# Installs the Debian packages that building (build) or also testing (test, the default) needs.
# Only what is missing; nothing is upgraded, no database service is started or set up.
#   packaging/install-deps.sh [build|test]
set -euo pipefail
export LC_ALL=C DEBIAN_FRONTEND=noninteractive

build=(
    cmake ninja-build g++ pkg-config
    qt6-base-dev qt6-base-dev-tools qt6-tools-dev qt6-tools-dev-tools qt6-l10n-tools
    libqt6sql6-sqlite qt6-svg-dev qt6-charts-dev libqt6opengl6-dev qtkeychain-qt6-dev
    libmariadb-dev libpq-dev libspdlog-dev libfmt-dev libexpected-dev
    libzstd-dev zlib1g-dev libssl-dev
)
test=(
    librapidcheck-dev ccache clang clang-format clang-tidy lld libclang-rt-14-dev
    mariadb-server-core mariadb-client-core postgresql-15 mydumper
    xvfb openssl fonts-dejavu-core dbus-daemon python3-jsonschema
    lintian desktop-file-utils appstream shared-mime-info fakeroot
    # unpack-debian.sh reads other Debian suites with these
    ca-certificates debian-archive-keyring
)
# get-postgres.sh; node may have come with an npm of its own, which Debian's would replace.
command -v npm >/dev/null || test+=(npm)

case ${1:-test} in
build) wanted=("${build[@]}") ;;
test) wanted=("${build[@]}" "${test[@]}") ;;
*)
    echo "usage: $0 [build|test]" >&2
    exit 2
    ;;
esac

missing=()
for package in "${wanted[@]}"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
    exit 0
fi

if [ "$(id -u)" = 0 ]; then
    root=()
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    root=(sudo -n env LC_ALL=C DEBIAN_FRONTEND=noninteractive)
elif command -v sudo >/dev/null && [ -t 0 ]; then
    root=(sudo env LC_ALL=C DEBIAN_FRONTEND=noninteractive)
else
    echo "These packages are missing and this account cannot install them. As root:" >&2
    echo "  apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
fi

echo "Installing: ${missing[*]}"
"${root[@]}" apt-get -qq update || echo "apt-get update failed; going on with the lists there are" >&2

install() {
    "${root[@]}" apt-get -qq -y --no-install-recommends install "$@"
}

# Debian's postgresql-15 sets up a cluster "main" and starts it. The tests want the programs only, so
# while it is being installed, and only then, a setting says not to; an existing cluster is not ours
# and is left alone.
if [[ " ${missing[*]} " == *" postgresql-15 "* ]]; then
    install postgresql-common
    dropin=/etc/postgresql-common/createcluster.d/causeway-install.conf
    policy=/usr/sbin/policy-rc.d
    made=()
    cleanup() {
        [ ${#made[@]} -eq 0 ] || "${root[@]}" rm -f "${made[@]}"
    }
    trap cleanup EXIT
    "${root[@]}" mkdir -p "${dropin%/*}"
    echo "create_main_cluster = false" | "${root[@]}" tee "$dropin" >/dev/null
    made+=("$dropin")
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$policy" >/dev/null
        "${root[@]}" chmod 755 "$policy"
        made+=("$policy")
    fi
fi

if ! install "${missing[@]}"; then
    echo "apt-get could not install: ${missing[*]}" >&2
    exit 1
fi
