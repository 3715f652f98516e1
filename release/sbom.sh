#!/usr/bin/env bash
# Prints what the program is built from, as a CycloneDX 1.5 document: every crate of Cargo.lock that is linked into it
# on the given target, with version, licence, checksum and package URL.
#
# usage: release/sbom.sh [TARGET]      (needs cargo and jq)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=${1:-x86_64-unknown-linux-musl}
checksums=$(awk '/^name = /{n=$3} /^version = /{v=$3} /^checksum = /{print n, v, $3}' Cargo.lock | tr -d '"' |
    jq -Rn '[inputs | split(" ") | {key: (.[0] + "@" + .[1]), value: .[2]}] | from_entries')
linked=$(cargo tree --locked --edges normal --target "$target" --prefix none --format '{p}' |
    sed -E 's/^([^ ]+) v([^ ]+).*/\1@\2/' | sort -u | jq -Rn '[inputs | {key: ., value: true}] | from_entries')
cargo metadata --locked --format-version 1 --filter-platform "$target" |
    jq --argjson checksums "$checksums" --argjson linked "$linked" '
        def purl: "pkg:cargo/\(.name)@\(.version)";
        def licences: if .license then [{expression: (.license | gsub("/"; " OR ") | gsub(" +"; " "))}] else [] end;
        def component($type): {
            type: $type, "bom-ref": purl, name, version, purl: purl, licenses: licences,
            hashes: [$checksums["\(.name)@\(.version)"] | select(. != null) | {alg: "SHA-256", content: .}]
        };
        ([.packages[] | select(.source == null)][0]) as $program
        | {
            bomFormat: "CycloneDX", specVersion: "1.5", version: 1,
            metadata: {component: ($program | component("application"))},
            components: [
                .packages[] | select(.source != null and $linked["\(.name)@\(.version)"]) | component("library")
            ] | sort_by(."bom-ref")
        }'
