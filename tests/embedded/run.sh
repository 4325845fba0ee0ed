#!/bin/sh
# SPDX-License-Identifier: ISC
# The test program (test.c) on one instruction set. Usage: sh tests/embedded/run.sh DIRECTORY TARGET [CFLAGS]
set -u
. tests/embedded/targets.sh
target "$2"
flags=${3:--Os}
dir=$1/test-$2
have_target embedded || exit 0
rm -rf "$dir"
mkdir -p "$dir"
library=${EMBEDDED_LIBRARY:-$dir/lib}-open
"${PYTHON:-python3}" $here/vectors.py test-vectors >"$dir/vectors.h" || exit 1
if ! build_library "$library" "$flags $open" || ! build_image "$dir/image" "$library" "$flags" $here/test.c; then
    echo "FAIL embedded $2 $flags: does not build"
    exit 1
fi
# shellcheck disable=SC2086 # a command
timeout "${EMBEDDED_TIMEOUT:-120}" $run "$dir/image" 2>&1
status=$?
if [ $status -eq 124 ]; then echo "FAIL embedded $2 $flags: did not end"; fi
exit $status
