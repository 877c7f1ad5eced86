#!/bin/sh
# Makes .venv from requirements.lock (hashes checked) and fills the cache with Kafka and Temporal.
# What the system lacks is installed when we are root on Debian; else the command for it is printed and
# the exit is 1. Safe to run again at any time.
set -eu
cd "$(dirname "$0")/.."

started=$(date +%s)
say() { printf '[%3ds] %s\n' "$(($(date +%s) - started))" "$*"; }

there() {
    case "$1" in
    python3) python3 -c 'import ensurepip, sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' ;;
    go) go version && ! go version | grep -Eq 'go1\.(1?[0-9]|20)[. ]' ;;
    java) java -version && ! java -version 2>&1 | grep -Eq 'version "(1\.|9|1[0-6])' ;;
    *) command -v "$1" ;;
    esac >/dev/null 2>&1
}

temporal_is_there() {
    [ -x "$cache/bin/temporal" ] ||
        temporal --version 2>/dev/null | grep -Eq 'version (1\.([5-9]|[1-9][0-9])|[2-9])'
}

lacking() {
    while read -r command package _use; do
        case "$command" in '' | '#'*) continue ;; esac
        # Go only builds Temporal: not needed where that is there.
        if [ "$command" = go ] && temporal_is_there; then continue; fi
        there "$command" || printf ' %s' "$package"
    done <infra/system-packages.txt
}

system_packages() {
    missing=$(lacking)
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" -eq 0 ] && [ -f /etc/debian_version ]; then
        say "installing from Debian:$missing"
        apt-get update -qq
        # shellcheck disable=SC2086  one word a package
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
        missing=$(lacking)
        [ -n "$missing" ] || return 0
        echo "This Debian's packages are too old:$missing. infra/system-packages.txt says which" >&2
        echo "versions are needed; install those by hand, put them on PATH, run 'make setup' again." >&2
        exit 1
    fi
    echo "Something from the system is missing. Run this, then 'make setup' again:" >&2
    echo "    sudo apt-get install -y$missing" >&2
    exit 1
}

find_uv() {
    if command -v uv >/dev/null 2>&1; then
        uv=uv
        return 0
    fi
    uv="$cache/uv/bin/uv"
    [ -x "$uv" ] && return 0
    say "bringing uv"
    python3 -m venv "$cache/uv"
    "$cache/uv/bin/pip" install --quiet uv
}

cache="${XDG_CACHE_HOME:-$HOME/.cache}/leerp"
system_packages
mkdir -p "$cache"
find_uv
[ -x .venv/bin/python ] || "$uv" venv --quiet --python '>=3.11,<3.14' .venv
say "installing Python packages into .venv"
"$uv" pip sync --quiet --python .venv/bin/python --require-hashes requirements.lock
"$uv" pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e .
say "bringing Kafka and Temporal"
.venv/bin/python -m infra.services.artefacts
say "done: 'make demo' shows it at work, 'make test' runs the tests"
