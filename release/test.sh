#!/usr/bin/env bash
# Makes a release of a built program as the release workflow does, as far as no outside service is needed, and installs
# it from there.
#
# usage: release/test.sh PROGRAM       (a static program for this machine)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

program=${1:?PROGRAM}
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
target=$(uname -m)-unknown-linux-musl
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
folder=$work/releases/download/v$version

release/archive.sh "$target" "$program" "$folder" >/dev/null
first=$(cat "$folder/imageswap-$target.tar.gz.sha256")
release/archive.sh "$target" "$program" "$folder" >/dev/null
[ "$first" = "$(cat "$folder/imageswap-$target.tar.gz.sha256")" ] || {
    echo 'the same program gave two different archives' >&2
    exit 1
}

release/packages.sh "$version" "$folder"
sum=$(cut -d ' ' -f 1 <<<"$first")
grep -qF "sha256 \"$sum\"" "$folder/imageswap.rb"
! command -v ruby >/dev/null || ruby -c "$folder/imageswap.rb" >/dev/null
python3 - "$folder/imageswap.krew.yaml" "$sum" <<'PYTHON'
import sys, yaml
plugin = yaml.safe_load(open(sys.argv[1]))
platforms = plugin["spec"]["platforms"]
assert [platform["sha256"] for platform in platforms] == [sys.argv[2]], platforms
PYTHON

release/sbom.sh "$target" >"$folder/imageswap.cdx.json"
jq -e '.components | length > 50 and all(.[]; .hashes != [] and .licenses != [])' \
    "$folder/imageswap.cdx.json" >/dev/null
jq -e '[.components[].name] | index("clap") and (index("trycmd") | not)' "$folder/imageswap.cdx.json" >/dev/null

IMAGESWAP_INSTALL_BASE_URL=file://$work/releases ./install.sh --prefix "$work/prefix" --version "$version" 2>/dev/null
[ "$("$work/prefix/bin/imageswap" --version)" = "imageswap $version" ]
echo "the release of $version packs the same bytes twice, and installs"
