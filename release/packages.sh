#!/usr/bin/env bash
# Writes what package managers need to take a release: a Homebrew formula and a krew plugin, with the checksums of the
# archives that are in FOLDER.
#
# usage: release/packages.sh VERSION FOLDER
#
# Writes FOLDER/imageswap.rb and FOLDER/imageswap.krew.yaml. Archives that are not there are left out.
set -euo pipefail

version=${1:?VERSION} folder=${2:?FOLDER}
base=https://github.com/imageswap/imageswap/releases/download/v$version
description='Rewrites the container images of Kubernetes manifests according to a maps file'

# checksum TARGET: of its archive; nothing where there is none
checksum() {
    local file=$folder/imageswap-$1.tar.gz.sha256
    [ ! -r "$file" ] || cut -d ' ' -f 1 "$file"
}

# formula_block SYSTEM CPU TARGET
formula_block() {
    local sum
    sum=$(checksum "$3")
    [ -n "$sum" ] || return 0
    printf '  on_%s do\n    on_%s do\n' "$1" "$2"
    printf '      url "%s/imageswap-%s.tar.gz"\n      sha256 "%s"\n    end\n  end\n\n' "$base" "$3" "$sum"
}

{
    cat <<EOF
class Imageswap < Formula
  desc "$description"
  homepage "https://github.com/imageswap/imageswap"
  version "$version"
  license "Apache-2.0"

EOF
    formula_block macos arm aarch64-apple-darwin
    formula_block macos intel x86_64-apple-darwin
    formula_block linux arm aarch64-unknown-linux-musl
    formula_block linux intel x86_64-unknown-linux-musl
    cat <<'EOF'
  def install
    bin.install "imageswap"
    man1.install Dir["man/*.1"]
    bash_completion.install "completions/imageswap.bash" => "imageswap"
    zsh_completion.install "completions/imageswap.zsh" => "_imageswap"
    fish_completion.install "completions/imageswap.fish"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/imageswap --version")
  end
end
EOF
} >"$folder/imageswap.rb"

# krew_platform OS ARCH TARGET
krew_platform() {
    local sum
    sum=$(checksum "$3")
    [ -n "$sum" ] || return 0
    cat <<EOF
    - selector:
        matchLabels:
          os: $1
          arch: $2
      uri: $base/imageswap-$3.tar.gz
      sha256: $sum
      bin: imageswap
EOF
}

{
    cat <<EOF
apiVersion: krew.googlecontainertools.github.com/v1alpha2
kind: Plugin
metadata:
  name: imageswap
spec:
  version: v$version
  homepage: https://github.com/imageswap/imageswap
  shortDescription: Rewrite the images of manifests according to a maps file
  description: |
    Rewrites the container images of Kubernetes manifests according to a maps file,
    and changes nothing else. Lists images, explains rules, and is a KRM function
    and an admission webhook too.
  platforms:
EOF
    krew_platform linux amd64 x86_64-unknown-linux-musl
    krew_platform linux arm64 aarch64-unknown-linux-musl
    krew_platform darwin amd64 x86_64-apple-darwin
    krew_platform darwin arm64 aarch64-apple-darwin
} >"$folder/imageswap.krew.yaml"
