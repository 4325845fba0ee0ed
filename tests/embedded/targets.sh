# SPDX-License-Identifier: ISC
# shellcheck disable=SC2034 # used by those who source it
# The instruction sets of tests/embedded, and how to build and run an image for each. To be sourced, in the project's directory.

CHIPS='m0 m3 m4 rv32'
PROCESSES='s390x ppc mips i386 aarch64 armhf'
WARN='-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual -Wpointer-arith
      -Wwrite-strings -Wundef -Wvla'
CODE='-std=c11 -ffunction-sections -fdata-sections'
here=tests/embedded

# Sets for a target: prefix (of its compiler and tools), arch (flags), link (flags), board (what is below the image), run (the emulator),
# needs (command:package, ...), libgcc (see links.sh)
target() {
    name=$1 libgcc=''
    arm="-nostdlib -T $here/arm.ld -Wl,--gc-sections -Wl,--no-warn-rwx-segments -Wl,--defsym=FLASH_LENGTH=256K"
    semihost='-nographic -monitor none -serial none -semihosting-config enable=on,target=native'
    case $1 in
    m0) prefix=arm-none-eabi- arch='-mcpu=cortex-m0 -mthumb' link="$arm -Wl,--defsym=RAM_LENGTH=16K" # as the chip of the microbit
        run="qemu-system-arm -M microbit $semihost -kernel" ;;
    m3) prefix=arm-none-eabi- arch='-mcpu=cortex-m3 -mthumb' link="$arm -Wl,--defsym=RAM_LENGTH=64K" run="qemu-system-arm -M mps2-an385 $semihost -kernel" ;;
    m4) prefix=arm-none-eabi- arch='-mcpu=cortex-m4 -mthumb' link="$arm -Wl,--defsym=RAM_LENGTH=64K" run="qemu-system-arm -M mps2-an386 $semihost -kernel" ;;
    rv32) prefix=riscv64-unknown-elf- arch='-march=rv32imac -mabi=ilp32'
        link="-nostdlib -T $here/riscv.ld -Wl,--gc-sections -Wl,--no-warn-rwx-segments" run="qemu-system-riscv32 -M virt -bios none $semihost -kernel" ;;
    s390x) process s390x-linux-gnu- '' qemu-s390x libc6-dev-s390x-cross ;;
    ppc) process powerpc-linux-gnu- '' qemu-ppc libc6-dev-powerpc-cross ;;
    mips) process mips-linux-gnu- '' qemu-mips libc6-dev-mips-cross ;;
    i386) process '' -m32 qemu-i386 'lib32gcc-12-dev libc6-dev-i386' ;;
    aarch64) process aarch64-linux-gnu- '' qemu-aarch64 libc6-dev-arm64-cross ;;
    armhf) process arm-linux-gnueabihf- '' qemu-arm libc6-dev-armhf-cross ;;
    *) echo "FAIL embedded: no target is called $1; there are $CHIPS $PROCESSES"; exit 1 ;;
    esac
    case $1 in
    m0 | m3 | m4) board=board_arm needs='arm-none-eabi-gcc:gcc-arm-none-eabi qemu-system-arm:qemu-system-arm' ;;
    rv32) board=board_riscv needs='riscv64-unknown-elf-gcc:gcc-riscv64-unknown-elf qemu-system-riscv32:qemu-system-misc' ;;
    esac
    # What ARMv6-M and RV32 ask of libgcc is links.sh's concern; the images have it.
    case $1 in m0 | rv32) libgcc=-lgcc ;; esac
    if [ "$board" != board_posix ]; then arch="$arch -isystem $here/bare"; fi
}
process() { # PREFIX FLAGS EMULATOR PACKAGES
    prefix=$1 arch=$2 link=-static board=board_posix run=$3
    needs="${1}gcc:gcc${1:+-}${1%-} $3:qemu-user"
    # a compiler without its C library is of no use
    libc=$4
}

# Sets flags for a profile of the table
profile() {
    case $1 in
    small) flags='-Os -DSVCONN_SMALL' ;;
    fast) flags='-O2' ;;
    *) echo "FAIL embedded: no profile is called $1"; exit 1 ;;
    esac
}

# 0 if the target can be built and run here; else a line that says what is missing
have_target() { # WHAT
    missing=
    for need in $needs "${PYTHON:-python3}:python3"; do
        command -v "${need%%:*}" >/dev/null 2>&1 || missing="$missing ${need#*:}"
    done
    if [ "$board" = board_posix ] && [ -z "$missing" ]; then
        echo '#include <stdio.h>
              int main(void) { return 0; }' | ${prefix}gcc $arch -static -x c -o /dev/null - 2>/dev/null || missing=" $libc"
    fi
    if [ -z "$missing" ]; then return 0; fi
    echo "skip $1 $name: not here (Debian:$missing)"
    return 1
}

# The library, in a directory of its own: once for each set of flags. For a chip that is svconn.c, one unit, as users have it; with $open among the
# flags it exports the primitives too, for those who call them. For a process it is an object of each source, as the Makefile has them.
open=-DSVCONN_SHARED=
build_library() { # DIRECTORY CFLAGS
    if [ "$board" = board_posix ]; then build_objects "$@"; else build_unit "$@"; fi
}
build_unit() { # DIRECTORY CFLAGS
    if [ -e "$1/made" ]; then return 0; fi
    sh packaging/amalgamation/make.sh "$1" && compile "$1/svconn.c" "$1" "$2 -I$1" && touch "$1/made"
}
build_objects() { # DIRECTORY CFLAGS
    if [ -e "$1/made" ]; then return 0; fi
    mkdir -p "$1"
    for file in crypto/*.c svc/*.c; do
        compile "$file" "$1" "$2 -Icrypto -Isvc" || return 1
    done
    touch "$1/made"
}
compile() { # SOURCE DIRECTORY CFLAGS
    # shellcheck disable=SC2086 # lists of flags
    ${prefix}gcc $CODE $WARN $arch $3 -fstack-usage -fcallgraph-info=su -c -o "$2/$(basename "$1" .c).o" "$1"
}

# An image: FILE from SOURCES of tests/embedded and the objects of DIRECTORY
build_image() { # FILE DIRECTORY CFLAGS SOURCE...
    image=$1 objects=$2 flags=$3
    shift 3
    mem=
    # shellcheck disable=SC2086 # lists of flags
    if [ "$board" != board_posix ]; then
        mem=$image.mem.o
        ${prefix}gcc $CODE $WARN $arch $flags -ffreestanding -fno-tree-loop-distribute-patterns -c -o "$mem" $here/mem.c || return 1
    fi
    # shellcheck disable=SC2086
    ${prefix}gcc $CODE $WARN $arch $flags "-DBOARD=\"$name\"" -Icrypto -Isvc -I$here -I"$(dirname "$image")" $link -o "$image" \
        "$@" $here/$board.c $mem "$objects"/*.o $libgcc
}

# plugin.c for the emulator of this target, as FILE. If that cannot be, a line that says why.
build_plugin() { # FILE WHAT
    version=$(${run%% *} --version | sed -n 's/.*version \([0-9]*\)\..*/\1/p')
    if ! ${run%% *} --help | grep -q -- '^-plugin '; then echo "skip $2 $name: this QEMU has no plugins"
    elif [ "${version:-0}" -lt 5 ] || [ "$version" -gt 8 ]; then echo "skip $2 $name: plugin.c is for QEMU 5 to 8, this is ${version:-another one}"
    elif ! ${HOSTCC:-cc} -std=c11 -O2 -Wall -Wextra -fPIC -shared -o "$1" $here/plugin.c; then echo "FAIL $2 $name: plugin.c does not build"
    else return 0; fi
    return 1
}
