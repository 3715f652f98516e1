#!/bin/sh
# Installs imageswap: from a release archive where there is one for this machine, else with cargo.
set -eu

usage() {
    cat <<'EOF'
Installs imageswap: from a release archive where there is one for this machine, else with cargo.

usage: install.sh [--prefix DIR] [--version VERSION] [--plugin] [--uninstall] [--help]

  --prefix DIR       install to DIR/bin (default: /usr/local for root, else ~/.local)
  --version VERSION  this release, such as 0.1.0 (default: the latest)
  --plugin           also link it where kustomize and kubectl look for plugins, below
                     $KUSTOMIZE_PLUGIN_HOME, $XDG_CONFIG_HOME/kustomize/plugin or ~/.config/kustomize/plugin
  --uninstall        remove the program, and the link of --plugin where it leads to it

IMAGESWAP_INSTALL_BASE_URL is where releases are (https://github.com/imageswap/imageswap/releases).
EOF
}

say() {
    printf 'install.sh: %s\n' "$*" >&2
}

die() {
    say "$*"
    exit 1
}

# The platform's name in the archives; nothing where there is no archive for it.
platform() {
    case "$(uname -s)-$(uname -m)" in
    Linux-x86_64 | Linux-amd64) echo x86_64-unknown-linux-musl ;;
    Linux-aarch64 | Linux-arm64) echo aarch64-unknown-linux-musl ;;
    Darwin-x86_64) echo x86_64-apple-darwin ;;
    Darwin-arm64) echo aarch64-apple-darwin ;;
    esac
}

# fetch URL FILE
fetch() {
    case $1 in
    file://*) cp "${1#file://}" "$2" 2>/dev/null ;;
    *)
        if command -v curl >/dev/null; then
            curl --fail --silent --location --proto '=https' --output "$2" "$1"
        elif command -v wget >/dev/null; then
            wget --quiet --https-only --output-document="$2" "$1"
        else
            say "neither curl nor wget is there to fetch a release"
            return 1
        fi
        ;;
    esac
}

sha256() {
    if command -v sha256sum >/dev/null; then
        sha256sum "$1"
    else
        shasum -a 256 "$1"
    fi | cut -d ' ' -f 1
}

# Puts the release's program to $work/imageswap; fails where there is no release for this machine.
from_release() {
    target=$(platform)
    [ -n "$target" ] || return 1
    name=imageswap-$target.tar.gz
    if [ -n "$version" ]; then
        url=$base/download/v${version#v}/$name
    else
        url=$base/latest/download/$name
    fi
    fetch "$url" "$work/$name" || return 1
    fetch "$url.sha256" "$work/$name.sha256" || die "$url has no checksum beside it: nothing is installed"
    wanted=$(cut -d ' ' -f 1 "$work/$name.sha256")
    found=$(sha256 "$work/$name")
    [ "$wanted" = "$found" ] ||
        die "the checksum of $url is $found, not $wanted: nothing is installed"
    tar -xzf "$work/$name" -C "$work" imageswap || die "$url holds no imageswap: nothing is installed"
}

# Builds the program to $work/imageswap.
from_source() {
    command -v cargo >/dev/null ||
        die "there is no release for this machine, and no cargo to build it with: see https://rustup.rs"
    here=$(cd "$(dirname "$0")" && pwd)
    if [ -n "$version" ]; then
        set -- --git "$repository" --tag "v${version#v}"
    elif grep -qs '^name = "imageswap"$' "$here/Cargo.toml"; then
        set -- --path "$here"
    else
        set -- --git "$repository"
    fi
    say "there is no release for this machine: building with cargo install $*"
    cargo install --locked --root "$work/cargo" "$@" || die "cargo failed: nothing is installed"
    mv "$work/cargo/bin/imageswap" "$work/imageswap"
}

install_program() {
    [ "$plugin" = no ] || [ -L "$link" ] || [ ! -e "$link" ] || die "$link is there, and is not a link"
    [ ! -d "$program" ] || die "$program is a folder"
    work=$(mktemp -d)
    from_release || from_source
    "$work/imageswap" --version >/dev/null || die "the program does not run on this machine: nothing is installed"

    # Everything that may fail comes before the renames.
    mkdir -p "$prefix/bin"
    fresh=$prefix/bin/.imageswap.$$
    cp "$work/imageswap" "$fresh"
    chmod 755 "$fresh"
    if [ "$plugin" = yes ]; then
        mkdir -p "$(dirname "$link")"
        ln -s "$program" "$link.$$"
    fi
    mv -f "$fresh" "$program"
    say "installed $program, $("$program" --version)"
    if [ "$plugin" = yes ]; then
        mv -f "$link.$$" "$link"
        say "linked $link"
    fi
    case :$PATH: in
    *":$prefix/bin:"*) ;;
    *) say "$prefix/bin is not on your PATH" ;;
    esac
}

uninstall() {
    if [ -L "$link" ] && [ "$(readlink "$link")" = "$program" ]; then
        rm "$link"
        # The folders above it, where nothing else is in them.
        (cd "$plugins" && rmdir -p imageswap.dev/v1alpha1/imageswap 2>/dev/null) || :
        say "removed $link"
    fi
    if [ -e "$program" ]; then
        rm "$program"
        say "removed $program"
    else
        say "there is no $program"
    fi
}

clean() {
    [ -z "$work" ] || rm -rf "$work"
    [ -z "$fresh" ] || rm -f "$fresh" "$link.$$"
}

main() {
    base=${IMAGESWAP_INSTALL_BASE_URL:-https://github.com/imageswap/imageswap/releases}
    repository=https://github.com/imageswap/imageswap
    prefix='' version='' plugin=no action=install_program work='' fresh=''
    while [ $# -gt 0 ]; do
        case $1 in
        --prefix | --version)
            [ -n "${2:-}" ] || die "$1 needs a value"
            if [ "$1" = --prefix ]; then prefix=$2; else version=$2; fi
            shift
            ;;
        --plugin) plugin=yes ;;
        --uninstall) action=uninstall ;;
        --help | -h)
            usage
            return
            ;;
        *) die "unknown argument '$1': see install.sh --help" ;;
        esac
        shift
    done
    if [ -z "$prefix" ]; then
        if [ "$(id -u)" -eq 0 ]; then prefix=/usr/local; else prefix=${HOME:?}/.local; fi
    fi
    # A link holds the program's whole path.
    case $prefix in
    /*) ;;
    *) prefix=$PWD/$prefix ;;
    esac
    program=$prefix/bin/imageswap
    plugins=${KUSTOMIZE_PLUGIN_HOME:-${XDG_CONFIG_HOME:-${HOME:-}/.config}/kustomize/plugin}
    link=$plugins/imageswap.dev/v1alpha1/imageswap/ImageSwap
    trap clean EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    "$action"
}

main "$@"
