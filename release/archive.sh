#!/usr/bin/env bash
# Packs a built program as a release archive, the same bytes for the same input: the program, LICENSE, README,
# shell completions and man pages.
#
# usage: release/archive.sh TARGET PROGRAM FOLDER [RUNNER]
#
#   TARGET   the Rust target triple the program was built for, which names the archive
#   PROGRAM  the program
#   FOLDER   where imageswap-TARGET.tar.gz and its .sha256 go
#   RUNNER   an imageswap that runs on this machine, for completions and man pages (default: PROGRAM)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=${1:?TARGET} program=${2:?PROGRAM} folder=${3:?FOLDER} runner=${4:-$2}
name=imageswap-$target.tar.gz
# The time of the commit, so that building the same commit again gives the same archive.
time=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
install -m 755 "$program" "$work/imageswap"
install -m 644 LICENSE README.md "$work"
mkdir "$work/completions"
for shell in bash zsh fish powershell elvish; do
    "$runner" completions "$shell" >"$work/completions/imageswap.$shell"
done
"$runner" man "$work/man"

mkdir -p "$folder"
tar --sort=name --owner=0 --group=0 --numeric-owner --mode='u+rw,go+r,go-w,a-s' --mtime="@$time" \
    -C "$work" -cf - imageswap LICENSE README.md completions man | gzip -9n >"$folder/$name"
(cd "$folder" && sha256sum "$name" >"$name.sha256")
printf '%s\n' "$folder/$name"
