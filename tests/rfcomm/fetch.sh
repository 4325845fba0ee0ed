#!/bin/sh
# SPDX-License-Identifier: ISC
# Packages for the guest of run.sh, by apt, into a directory; what is there is not fetched again, and nothing is installed.
# Usage: sh tests/rfcomm/fetch.sh DIRECTORY      prints the kernel, or why there is none, with exit code 1
set -u
cd "$1" || exit 1

no() {
    echo "$1"
    exit 1
}
here() { ls "$1"_*.deb >/dev/null 2>&1; }
fetch() { # a package; root fetches as nobody unless told: the directory is not nobody's
    here "$1" || apt-get -o APT::Sandbox::User=root download -qq "$1" >apt.log 2>&1
}

# get PACKAGE FILE: one file out of it; whole, its directories would look like parts of our build
get() {
    if ! fetch "$1"; then
        # a list of packages that is old, or not there at all; who may not renew it has to live with it
        apt-get update -qq >update.log 2>&1
        fetch "$1" || no "apt does not have $1 ($(tail -n 1 apt.log))"
    fi
    [ -x "${2##*/}" ] || dpkg-deb --fsys-tarfile "$1"_*.deb | tar -xO "./$2" >"${2##*/}" && chmod 755 "${2##*/}" || no "there is no $2 in $1"
}
get busybox-static bin/busybox
get bluez-test-tools usr/bin/btvirt

# Those with which all of this was tried come first. 6.1.192 (6.1.0-56) crashes when a host is called that is not there.
others=$(apt-cache search --names-only '^linux-image-6\.1\.0-[0-9]+-amd64$' 2>/dev/null | cut -d ' ' -f 1 | sort -t - -k 4 -n -r)
for kernel in ${RFCOMM_KERNEL:-linux-image-6.1.0-50-amd64 linux-image-6.1.0-49-amd64 linux-image-6.1.0-48-amd64 linux-image-6.1.0-47-amd64 $others}; do
    fetch "$kernel" || continue
    echo "$kernel"
    exit 0
done
no "apt has no kernel ${RFCOMM_KERNEL:-6.1} ($(tail -n 1 apt.log))"
