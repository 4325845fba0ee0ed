#!/bin/sh
# SPDX-License-Identifier: ISC
# The backends on the instructions of a CPU that this machine may not have: Bochs emulates an Ice Lake, with VAES, AVX-512 and SHA, instruction by
# instruction. Usage: sh tests/bochs/run.sh DIRECTORY      (Debian: bochs, bochs-term, bochsbios, vgabios)
set -u
dir=$1
here=$(cd "$(dirname "$0")" && pwd)
share=/usr/share/bochs
for tool in bochs script gcc ld objcopy; do
    if ! command -v $tool >/dev/null 2>&1; then echo "skip bochs: no $tool here"; exit 0; fi
done
if [ ! -r $share/BIOS-bochs-latest ] || [ ! -r $share/VGABIOS-lgpl-latest ]; then echo "skip bochs: no BIOS in $share"; exit 0; fi
if [ "$(gcc -dumpmachine | cut -d- -f1)" != x86_64 ]; then echo "skip bochs: gcc does not make code for x86-64"; exit 0; fi
crypto=$here/../../crypto
mkdir -p "$dir" && cd "$dir" || exit 1
gcc -c "$here/boot.S" -o boot.o && ld -Ttext 0x7c00 --oformat binary boot.o -o boot.bin &&
    gcc -std=c11 -O2 -fno-pic -fno-stack-protector -mno-red-zone -ffreestanding -fno-tree-loop-distribute-patterns -I"$crypto" \
        "$here/main.c" "$here/../embedded/mem.c" "$crypto"/*.c -nostdlib -static -Wl,-T,"$here/link.ld" -Wl,--build-id=none -o image.elf &&
    objcopy -O binary -j .text image.elf image.bin || { echo "FAIL bochs: the image does not build"; exit 1; }
if [ "$(wc -c <image.bin)" -gt $((12 * 32768)) ]; then echo "FAIL bochs: the image is larger than what boot.S loads"; exit 1; fi
dd if=/dev/zero of=disk bs=512 count=20160 2>/dev/null
dd if=boot.bin of=disk conv=notrunc 2>/dev/null
dd if=image.bin of=disk bs=512 seek=1 conv=notrunc 2>/dev/null
rm -f disk.lock
cat >config <<X
megs: 64
romimage: file=$share/BIOS-bochs-latest
vgaromimage: file=$share/VGABIOS-lgpl-latest
ata0-master: type=disk, path=disk, mode=flat, cylinders=20, heads=16, spt=63
boot: disk
cpu: model=corei7_icelake_u, count=1, ips=50000000
port_e9_hack: enabled=1
display_library: term
log: log
panic: action=fatal
mouse: enabled=0
speaker: enabled=0
X
echo c >commands
: >said
timeout 300 script -qc "bochs -q -f config -rc commands" /dev/null </dev/null >said 2>&1 &
emulator=$!
seconds=0
until grep -aq 'the end' said || [ $seconds -ge 300 ]; do
    sleep 1
    seconds=$((seconds + 1))
done
kill $emulator 2>/dev/null
wait $emulator 2>/dev/null
tr -d '\r' <said | grep -aoE '(pass|FAIL|skip) bochs: .*'
if ! grep -aq 'the end' said; then echo "FAIL bochs: it did not come to its end (see $dir/log)"; exit 1; fi
