#!/bin/sh
# SPDX-License-Identifier: ISC
# svconn on the RFCOMM sockets of a real Linux kernel, without hardware: QEMU boots a Debian kernel in which btvirt of BlueZ is two Bluetooth
# controllers that hear each other. Usage: sh tests/rfcomm/run.sh BUILD-DIRECTORY   (as "make check-rfcomm" has filled it)
#
# cases.sh is what is tried there, in several boots: with the MTU of 1016 that Linux takes by itself, with 127 and with 672, under sanitizers, and
# what has to do with adapters and devices that are not there. air.py reads what an adapter heard and said, as the kernel's monitor socket shows
# it: sizes of the handshake on the air, what is left for data, and that neither texts nor identities are there to be read. The packages come by
# apt, once, and are not installed. Everything is in BUILD-DIRECTORY/rfcomm.
#
# RFCOMM_BOOTS="mtu-127 errors"  only these                 RFCOMM_PARTS=echo,kill  only these parts of them
# RFCOMM_SEED=N                  the times of an earlier run RFCOMM_ACCEL=kvm        instead of tcg, which is the same everywhere
# RFCOMM_KERNEL=PACKAGE          another kernel
set -u
[ $# -eq 1 ] && [ -d "$1" ] || { echo "usage: sh $0 BUILD-DIRECTORY" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
dir=$build/rfcomm
: "${PYTHON:=python3}"

not_here() {
    sh "$here/../run.sh" "echo 'pass nothing was run'; echo 'skip check-rfcomm: $1'"
    exit
}
[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || not_here "the guest is made for x86-64 Linux"
for tool in qemu-system-x86_64:qemu-system-x86 apt-get:apt dpkg-deb:dpkg unxz:xz-utils ldd:libc-bin; do
    command -v ${tool%:*} >/dev/null || not_here "no ${tool%:*} here (Debian: ${tool#*:})"
done
mkdir -p "$dir"
kernel=$(sh "$here/fetch.sh" "$dir") || not_here "$(echo "$kernel" | tr -d "'")"
if [ ! -e "$dir/$kernel/base.cpio.gz" ] || [ "$here/guest.sh" -nt "$dir/$kernel/base.cpio.gz" ]; then
    sh "$here/guest.sh" "$dir" "$kernel" || not_here "the guest cannot be made of $kernel"
fi

seed=${RFCOMM_SEED:-$(od -An -N2 -tu2 /dev/urandom | tr -d ' ')}
accel=${RFCOMM_ACCEL:-tcg,thread=multi}
echo "kernel of the guest: $kernel; QEMU: $accel; seed of the times: $seed (RFCOMM_SEED=$seed repeats them)"

# Two at a time; only what is timed has the machine for itself
qemu=
end_all() {
    [ -z "$qemu" ] || kill "$qemu"
    [ -z "$lanes" ] || kill $lanes
} 2>/dev/null
guard() { # a shell in the background has none of those that it came from
    lanes=
    trap end_all EXIT
    trap 'exit 1' INT TERM HUP
}
guard

# boot NAME PROGRAM SECONDS PARTS KERNEL-ARGUMENTS TEXT: a guest that takes twice the SECONDS, on a machine that is busy, hangs
boot() {
    case " ${RFCOMM_BOOTS:-$1} " in *" $1 "*) ;; *) return ;; esac
    name=$1 to=$dir/$1
    mkdir "$to"
    sh "$here/guest.sh" --over "$to/over.cpio.gz" "$dir/busybox" "$2=bin/svconn" "$here/init=init" "$here/cases.sh=cases.sh" \
        "$build/tests/rfcomm/adapters=bin/adapters" "$build/tests/rfcomm/plain=bin/plain" "$build/tests/rfcomm/record=bin/record"
    cat "$dir/$kernel/base.cpio.gz" "$to/over.cpio.gz" >"$to/initrd"
    boot_began=$(date +%s)
    timeout $(($3 * 2)) qemu-system-x86_64 -accel "$accel" -cpu max -M q35 -smp 2 -m 768 -kernel "$dir/$kernel/vmlinuz" -initrd "$to/initrd" \
        -append "console=ttyS0 quiet panic=-1 oops=panic cryptomgr.notests seed=$seed parts=${RFCOMM_PARTS:-$4} $5" \
        -nodefaults -nographic -serial "file:$to/console" -serial "file:$to/said" -serial "file:$to/files.tar.gz" -no-reboot \
        </dev/null >"$to/qemu" 2>&1 &
    qemu=$!
    wait $qemu
    qemu=
    rm "$to/initrd" "$to/over.cpio.gz"
    {
        cat "$to/said"
        grep -qx 'the end' "$to/said" || no_end
        if [ -s "$to/files.tar.gz" ]; then read_traces; fi
    } >"$to/log"
    grep -vE '^(measured |the end$)' "$to/log" | sed -E "s/^(pass|FAIL|skip) /&rfcomm: $name: /" >"$to/results"
    {
        echo
        echo "== $name: $6"
        sed -n 's/^measured /  /p' "$to/log"
        echo "  $(grep -c '^pass ' "$to/results") passed, $(grep -c '^FAIL ' "$to/results") failed, in $(($(date +%s) - boot_began)) s"
    } >"$to/report"
    cat "$to/report"
}
no_end() {
    if [ "$name" = absent ] && ! is_good_kernel && grep -qE 'BUG:|Oops|Kernel panic' "$to/console"; then
        echo "skip $kernel crashes when a device is called that is not there, as 6.1.192 does"
        return
    fi
    tail -n 25 "$to/console" | tr -d '\r' | sed 's/^/  /'
    cat "$to/qemu"
    echo "FAIL the guest did not come to its end"
}
is_good_kernel() { case $kernel in linux-image-6.1.0-4[789]-amd64 | linux-image-6.1.0-50-amd64) ;; *) return 1 ;; esac }
read_traces() {
    mkdir "$to/traces" && tar -xzf "$to/files.tar.gz" -C "$to/traces" || echo "FAIL traces: they did not come out of the guest whole"
    if [ ! -e "$to/traces/facts" ]; then return; fi
    if command -v "$PYTHON" >/dev/null; then "$PYTHON" "$here/air.py" "$to/traces" 2>&1 || echo "FAIL traces: air.py ended with an error"
    else echo "skip traces: no $PYTHON here"; fi
}
median() { sed -n "s/^measured time $1 \([0-9]*\) ms .*/\1/p" "$dir/speed/said" 2>/dev/null | sort -n | sed -n 3p; }

all="default mtu-127 mtu-672 sanitizers errors absent speed"
for name in $all; do rm -rf "${dir:?}/$name"; done
few=echo,files,renewal,loss,kill,trace
first_lane() {
    guard
    boot default "$build/svconn" 900 echo,pipe,files,renewal,loss,resume,kill,again,two,stop,trace "" "the MTU that Linux takes"
    boot mtu-672 "$build/svconn" 600 $few rfcomm_options=channel_mtu=672 "channel_mtu=672, the MTU of the paper"
    boot absent "$build/svconn" 300 pairing,absent "" "devices that are not paired, or not there (which crashes some kernels)"
}
second_lane() {
    guard
    boot mtu-127 "$build/svconn" 600 $few rfcomm_options=channel_mtu=127 "channel_mtu=127, the default of the RFCOMM specification"
    [ ! -x "$build/asan/svconn" ] || boot sanitizers "$build/asan/svconn" 900 echo,pipe,files,renewal,loss,resume,kill,two,errors \
        "sanitized=1 slow=1" "AddressSanitizer and UndefinedBehaviorSanitizer"
    boot errors "$build/svconn" 400 no_bluetooth,no_adapter,adapter_down,errors "" "what cannot be"
}
first_lane &
lanes=$!
second_lane &
lanes="$lanes $!"
wait
lanes=
boot speed "$build/svconn" 400 speed "" "echo next to plain RFCOMM, in turn"
plain=$(median plain) ours=$(median svconn)
if [ "$plain" ] && [ "$ours" ]; then
    echo "  medians of 5: plain RFCOMM $plain ms, svconn $ours ms (with start and handshake): $((plain * 100 / ours)) % of the throughput"
fi

echo
set --
cd "$dir" || exit 1
for name in $all; do
    if [ -e "$name/results" ]; then set -- "$@" "cat $name/results"; fi
done
if [ ! -x "$build/asan/svconn" ]; then
    set -- "$@" "echo 'skip rfcomm: sanitizers: this compiler cannot link -fsanitize=address,undefined'"
fi
JOBS=1 sh "$here/../run.sh" "$@"
