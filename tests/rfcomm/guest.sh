#!/bin/sh
# SPDX-License-Identifier: ISC
# Makes what QEMU boots: DIRECTORY/KERNEL/vmlinuz, and DIRECTORY/KERNEL/base.cpio.gz with the modules, BusyBox and btvirt (the virtual
# controllers), from what fetch.sh has left in DIRECTORY. Usage: sh tests/rfcomm/guest.sh DIRECTORY KERNEL
# Or what is laid over it: sh tests/rfcomm/guest.sh --over FILE.cpio.gz BUSYBOX SOURCE=PATH-IN-THE-GUEST ... (with the libraries that each wants)
set -eu

# with_libraries FILE ROOT: what the linker of this machine finds for a program
with_libraries() {
    ldd "$1" 2>/dev/null | sed -n 's|^[^/]*\(/[^ ]*\) (0x[0-9a-f]*)$|\1|p' | while read -r library; do
        mkdir -p "$2$(dirname "$library")"
        cp -L "$library" "$2$library"
    done
}
pack() { (cd "$1" && find . | "$busybox" cpio -o -H newc 2>/dev/null) | gzip -1; }

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
root=$tmp/root
mkdir "$root"
chmod 755 "$root"

if [ "$1" = --over ]; then
    out=$2
    busybox=$3
    shift 3
    for pair in "$@"; do
        mkdir -p "$root/$(dirname "${pair#*=}")"
        cp -L "${pair%%=*}" "$root/${pair#*=}"
        chmod 755 "$root/${pair#*=}"
        with_libraries "${pair%%=*}" "$root"
    done
    pack "$root" >"$out"
    exit 0
fi

cd "$1"
kernel=$2
busybox=$PWD/busybox
dpkg-deb --fsys-tarfile "$kernel"_*.deb >"$tmp/files.tar"
tar -tf "$tmp/files.tar" >"$tmp/names"
tar -xf "$tmp/files.tar" -C "$tmp" "$(grep -m 1 '/boot/vmlinuz-' "$tmp/names")"

mkdir -p "$root/bin" "$root/dev" "$root/proc" "$root/sys" "$root/tmp" "$root/modules"
# add MODULE: after those that it depends on; what is built into the kernel has no file
add() {
    if grep -qx "$1" "$root/modules/order" 2>/dev/null; then return 0; fi
    file=$(grep -m 1 -E "/$(echo "$1" | sed 's/[-_]/[-_]/g')\.ko(\.xz)?$" "$tmp/names") || return 0
    tar -xf "$tmp/files.tar" -C "$tmp" "$file"
    case $file in *.xz) unxz -c "$tmp/$file" >"$tmp/$1.ko" ;; *) cp "$tmp/$file" "$tmp/$1.ko" ;; esac
    for needed in $(tr '\000' '\n' <"$tmp/$1.ko" | sed -n 's/^depends=//p' | tr , ' '); do add "$needed"; done
    cp "$tmp/$1.ko" "$root/modules/$1.ko"
    echo "$1" >>"$root/modules/order"
}
for module in cmac bluetooth rfcomm hci_vhci; do add $module; done
cp "$busybox" "$root/bin/busybox"
for name in $("$busybox" --list | grep -vx busybox); do ln -s busybox "$root/bin/$name"; done
cp btvirt "$root/bin/"
with_libraries ./btvirt "$root"
mkdir -p "$kernel"
cp "$tmp"/boot/vmlinuz-* "$kernel/vmlinuz"
pack "$root" >"$kernel/base.new"
mv "$kernel/base.new" "$kernel/base.cpio.gz"
