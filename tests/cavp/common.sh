# SPDX-License-Identifier: ISC
# For run.sh and wycheproof.sh: finds Python, and builds the driver with the library of $1. Sets py, driver.
CC=${CC:-cc}
here=$(dirname "$0")
py=
for p in ${PYTHON:-} python3 /usr/bin/python3; do
    if "$p" -c 'import json, subprocess' 2>/dev/null; then py=$p; break; fi
done
if [ -z "$py" ]; then echo "skip $suite: no Python 3 here"; exit 0; fi
if [ ! -r "$1/libsvconn.a" ]; then echo "FAIL $suite: no $1/libsvconn.a: make lib first"; exit 1; fi
driver=$1/cavp-driver
built=
for flags in "" "-fsanitize=address,undefined" "-m32" "-DSVCONN_SMALL"; do # as the library was built
    # shellcheck disable=SC2086
    if $CC -std=c11 -O1 -g $flags -I"$here/../../crypto" -o "$driver" "$here/driver.c" "$1/libsvconn.a" \
        >"$1/cavp-driver.log" 2>&1; then built=yes; break; fi
done
if [ -z "$built" ]; then
    cat "$1/cavp-driver.log"
    echo "FAIL $suite: the driver does not build"
    exit 1
fi

# each_backend COMMAND...: with the best that is here, then with each of the backends of crypto/cpu.h that this CPU has, the portable code included
each_backend() {
    each_status=0
    "$@" || each_status=1
    for backend in portable=0 vector128=0x10 vector256=0x20 vector512=0x40 aesni=0x01 vaes256=0x02 vaes512=0x04 armv8=0x08 \
        avx2=0x80 ifma=0x400 sha=0x100 arm-sha=0x200; do
        SVCONN_TEST_CPU=${backend#*=} "$driver" </dev/null
        if [ $? -eq 77 ]; then continue; fi
        echo "with the backend ${backend%=*}:"
        said=$(SVCONN_TEST_CPU=${backend#*=} "$@") || each_status=1
        echo "$said" | grep -v '^skip '
    done
    return $each_status
}
