#!/usr/bin/env bash
# Builds the real tools listed in tools.txt (next to this script) with Go and
# puts them in a cache folder outside any checkout:
#
#   ${IMAGESWAP_E2E_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/imageswap-e2e}/bin
#
# A tool already there at its pinned line is left alone. Prints one line per
# tool, and the bin folder's path as the last line of stdout. What Go printed
# while building NAME is kept in the cache folder's log/NAME.
#
# usage: install-tools.sh [NAME ...]     (default: every tool in the list)
set -euo pipefail

die() {
    printf 'install-tools.sh: %s\n' "$*" >&2
    exit 1
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ -r "$here/tools.txt" ] || die "cannot read $here/tools.txt"

root=${IMAGESWAP_E2E_TOOLS:-}
if [ -z "$root" ]; then
    [ -n "${XDG_CACHE_HOME:-}${HOME:-}" ] ||
        die 'set IMAGESWAP_E2E_TOOLS, XDG_CACHE_HOME or HOME'
    root=${XDG_CACHE_HOME:-$HOME/.cache}/imageswap-e2e
fi
mkdir -p "$root/bin" "$root/stamp" "$root/log"
root=$(cd "$root" && pwd)

work=
trap '[ -z "$work" ] || rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# run_go ARGUMENT...: runs go in $work for this machine, whatever the caller's
# workspace or cross-compilation settings are.
run_go() {
    (
        cd "$work" || exit
        unset GOOS GOARCH
        GO111MODULE=on GOWORK=off GOBIN="$work/out" CGO_ENABLED=0 \
            exec go "$@" </dev/null
    )
}

# build LINE: builds the tool a list line describes to $work/out/<any name>.
build() {
    local name form where what
    read -r name form where what <<<"$1"
    case $form in
    module)
        cp "$here/tools/$name.go" "$work/main.go" || return
        require "$name" "$where" || return
        run_go build -mod=mod -trimpath -ldflags "-s -w -X $what" -o "$work/out/$name" .
        ;;
    package)
        require "$name" "$what" || return
        run_go get "$what" || return
        run_go build -mod=mod -trimpath -ldflags '-s -w' -o "$work/out/$name" "$where"
        ;;
    modfile)
        cp "$here/tools/$where/go.mod" "$here/tools/$where/go.sum" "$work/" || return
        run_go build -mod=readonly -trimpath -ldflags "$(modfile_flags)" -o "$work/out/$name" "$what"
        ;;
    *)
        run_go install -trimpath -ldflags '-s -w' "$form"
        ;;
    esac
}

# require NAME MODULE@VERSION: writes the go.mod of a throw-away module.
require() {
    printf 'module imageswap-e2e/%s\n\ngo 1.26.0\n\nrequire %s %s\n' "$1" "${2%@*}" "${2##*@}" >"$work/go.mod"
}

# Linker flags that tell the Kubernetes programs their version, without which their clients refuse them.
modfile_flags() {
    local version package=k8s.io/component-base/version
    version=$(run_go list -m -f '{{.Version}}' k8s.io/kubernetes)
    printf -- '-s -w -X %s.gitVersion=%s -X %s.gitMajor=1 -X %s.gitMinor=%s -X %s.gitTreeState=clean' \
        "$package" "$version" "$package" "$package" "$(cut -d. -f2 <<<"$version")" "$package"
}

# stamp LINE: what the tool of a list line is made of.
stamp() {
    local name form where rest
    read -r name form where rest <<<"$1"
    printf '%s\n' "$1"
    case $form in
    module) cat "$here/tools/$name.go" ;;
    modfile) cksum <"$here/tools/$where/go.mod" ;;
    esac
}

# install_tool LINE
install_tool() {
    local line=$1 name=${1%% *} start=$SECONDS want built
    want=$(stamp "$line")
    if [ -x "$root/bin/$name" ] && [ -r "$root/stamp/$name" ] &&
        [ "$(cat "$root/stamp/$name")" = "$want" ]; then
        printf '%s: already installed\n' "$name"
        return
    fi
    command -v go >/dev/null ||
        die "cannot build $name: Go is missing (no 'go' on PATH); install Go 1.26 or later"
    work=$(mktemp -d "$root/build.XXXXXX")
    mkdir "$work/out"
    if ! build "$line" >"$root/log/$name" 2>&1; then
        tail -n 20 "$root/log/$name" >&2
        die "cannot build $name; the full log is $root/log/$name"
    fi
    built=("$work"/out/*)
    if [ "${#built[@]}" -ne 1 ] || [ ! -x "${built[0]}" ]; then
        die "go built no single program for $name; the log is $root/log/$name"
    fi
    # The stamp goes first and comes back last: a run that is cut short here
    # leaves a tool without a stamp, which the next run builds again.
    rm -f "$root/stamp/$name"
    mv -f "${built[0]}" "$root/bin/$name"
    printf '%s\n' "$want" >"$work/stamp"
    mv -f "$work/stamp" "$root/stamp/$name"
    rm -rf "$work"
    work=
    printf '%s: installed in %d s\n' "$name" "$((SECONDS - start))"
}

wanted=" $* "
found=0
while IFS= read -r line || [ -n "$line" ]; do
    case $line in '' | '#'*) continue ;; esac
    if [ "$#" -gt 0 ] && [[ $wanted != *" ${line%% *} "* ]]; then
        continue
    fi
    found=$((found + 1))
    install_tool "$line"
done <"$here/tools.txt"
if [ "$#" -gt 0 ] && [ "$found" -ne "$#" ]; then
    die "not every tool of '$*' is in $here/tools.txt"
fi

printf '%s\n' "$root/bin"
