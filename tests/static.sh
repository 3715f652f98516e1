#!/usr/bin/env bash
# The program as the container image holds it: static, and at home in an empty root folder, as nobody, without
# network. Builds for musl where that target is installed, else with a static C library of GNU's.
#
# usage: tests/static.sh      (as root, or where user namespaces are allowed)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

machine=$(uname -m)
target=$machine-unknown-linux-musl
if ! rustup target list --installed 2>/dev/null | grep -qx "$target"; then
    target=$machine-unknown-linux-gnu
    export RUSTFLAGS="${RUSTFLAGS:-} -C target-feature=+crt-static"
fi
folder=${CARGO_TARGET_DIR:-target}/static
cargo build --locked --bin imageswap --target "$target" --target-dir "$folder" \
    --config profile.dev.debug=false --config 'profile.dev.package."*".opt-level=0'

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"
cp "$folder/$target/debug/imageswap" "$root/imageswap"
if LC_ALL=C readelf --program-headers "$root/imageswap" | grep -q INTERP; then
    echo "$target: the program needs a loader: it is not static" >&2
    exit 1
fi

# as_host ARGUMENT...: runs it as a container engine does.
as_host() {
    if [ "$(id -u)" -eq 0 ]; then
        env -i PATH="$PATH:/usr/sbin" unshare --net chroot --userspec=65532:65532 "$root" /imageswap "$@"
    else
        env -i PATH="$PATH:/usr/sbin" unshare --map-root-user --net chroot "$root" /imageswap "$@"
    fi
}

as_host --help | grep -q '^Usage: imageswap'
# A bare call with a ResourceList is the KRM function.
as_host <<'EOF' | grep -qx '    - image: mirror.example.com/hub/nginx # kept'
apiVersion: config.kubernetes.io/v1
kind: ResourceList
items:
- kind: Pod
  spec:
    containers:
    - image: nginx # kept
functionConfig:
  apiVersion: v1
  kind: ConfigMap
  data: {docker.io: mirror.example.com/hub}
EOF
echo "$target: static, and runs as nobody in an empty root folder without network"
