# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
# Sourced by ./run and ./check: the packages they need, by Debian's names, and how they get them.

BUILD_PACKAGES=(gcc libc6-dev cmake ninja-build pkg-config
    libuv1-dev libnghttp2-dev libssl-dev libc-ares-dev libpsl-dev libyaml-dev
    libexpat1-dev libsodium-dev)
UNIT_PACKAGES=("${BUILD_PACKAGES[@]}" libcmocka-dev)
DEMO_PACKAGES=("${UNIT_PACKAGES[@]}" bind9-dnsutils)
INTEGRATION_PACKAGES=("${DEMO_PACKAGES[@]}" python3 openssl unbound knot)
LAB_PACKAGES=("${INTEGRATION_PACKAGES[@]}" iproute2
    bind9 bind9-utils knot-dnsutils ldnsutils)
FAULTS_PACKAGES=("${INTEGRATION_PACKAGES[@]}" openssl iproute2
    bind9 unbound dnsdist nghttp2-proxy nginx-light)
FUZZ_PACKAGES=("${UNIT_PACKAGES[@]}" clang libclang-rt-dev)
COVERAGE_PACKAGES=("${UNIT_PACKAGES[@]}" gcovr)
STYLE_PACKAGES=(clang-format git python3)

is_installed() {
    dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed
}

# need PACKAGE…: installs those that are missing, and only those; without the right to do that it
# says which command would and ends with 69 (EX_UNAVAILABLE).
need() {
    local missing=() package
    for package in "$@"; do
        [[ " ${missing[*]} " == *" $package "* ]] || is_installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    if ! command -v apt-get >/dev/null; then
        echo "Needed, by Debian's names: ${missing[*]}" >&2
        exit 69
    fi
    local sudo=()
    if [ "$(id -u)" -ne 0 ]; then
        if ! sudo -n true 2>/dev/null; then
            echo "Run once: sudo apt-get install -y --no-install-recommends ${missing[*]}" >&2
            exit 69
        fi
        sudo=(sudo)
    fi
    echo "installing ${missing[*]}"
    install_packages "${missing[@]}"
}

install_packages() {
    local log status=0
    log=$(mktemp)
    keep_services_down
    { "${sudo[@]}" apt-get update -q && "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get \
        install -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"; } \
        </dev/null >"$log" 2>&1 || status=$?
    let_services_be "$@"
    [ $status -eq 0 ] || { tail -n 20 "$log" >&2; exit 69; }
    rm -f "$log"
}

# The tests want the programs of named, knot and unbound, not their services on port 53: nothing
# that is installed here starts, now or at the next boot.
POLICY=/usr/sbin/policy-rc.d
keep_services_down() {
    policy_is_ours=
    [ -e $POLICY ] && return 0
    printf '#!/bin/sh\nexit 101\n' | "${sudo[@]}" tee $POLICY >/dev/null
    "${sudo[@]}" chmod +x $POLICY
    policy_is_ours=1
}

let_services_be() {
    [ -z "$policy_is_ours" ] || "${sudo[@]}" rm -f $POLICY
    command -v systemctl >/dev/null || return 0
    local package
    for package in "$@"; do
        case $package in
        bind9) "${sudo[@]}" systemctl disable -q named ;;
        nghttp2-proxy) "${sudo[@]}" systemctl disable -q nghttpx ;;
        nginx-light) "${sudo[@]}" systemctl disable -q nginx ;;
        knot | unbound | dnsdist) "${sudo[@]}" systemctl disable -q "$package" ;;
        esac
    done >/dev/null 2>&1 || true
}

# build PRESET [TARGET…]: configures build/PRESET once (with BUILD_OPTIONS) and builds; speaks only
# when that fails.
BUILD_OPTIONS=()
build() {
    local preset=$1 log=build/$1.log
    shift
    mkdir -p build
    if ! { { [ -e "build/$preset/build.ninja" ] || cmake --preset "$preset" "${BUILD_OPTIONS[@]}"; } &&
        cmake --build --preset "$preset" ${1:+--target "$@"}; } >"$log" 2>&1; then
        grep -E -B1 -A6 'error|warning|CMake Error|FAILED' "$log" | head -n 60 >&2
        echo "building $preset failed; all of it is in $log" >&2
        return 1
    fi
}
