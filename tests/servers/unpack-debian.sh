#!/usr/bin/env bash
# Unpacks packages of another Debian suite than the host's, with all they depend on, into a folder.
# The host's packages and apt lists stay as they are and no root is needed. What is in the folder
# runs through the folder's own loader, because it wants a newer C library than the host has.
#   unpack-debian.sh SUITE FOLDER PACKAGE...
set -euo pipefail
export LC_ALL=C

suite=$1 work=$2
shift 2

arch=$(dpkg --print-architecture)
if [ "$arch" != amd64 ]; then
    echo "unpack-debian.sh: the loader and its folders are known for amd64 only, this is $arch" >&2
    exit 1
fi
# The same mirror that the host uses, so that a proxy or a local mirror goes on working.
mirror=$(apt-get update --print-uris 2>/dev/null | sed -n "s#^'\(.*/debian\)/dists/.*#\1#p;T;q")
if [ -z "$mirror" ]; then
    echo "unpack-debian.sh: apt-get knows no Debian mirror on this machine" >&2
    exit 1
fi

apt=$work/.apt
mkdir -p "$apt"/state/lists/partial "$apt"/cache/archives/partial "$apt"/parts
: >"$apt/status"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" \
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
apt-get -qq -y --download-only install "$@" >&2
for deb in "$apt"/cache/archives/*.deb; do
    case ${deb##*/} in
    perl* | libperl* | *locale* | libc6-dev* | linux-libc* | debconf*) continue ;;
    esac
    dpkg-deb -x "$deb" "$work"
done
rm -rf "$apt"
