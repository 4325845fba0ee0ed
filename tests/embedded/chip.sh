#!/bin/sh
# SPDX-License-Identifier: ISC
# One chip with the flags of one profile: the test program, what the objects ask of the linker, and the costs, held against budget.tsv.
# Usage: sh tests/embedded/chip.sh DIRECTORY TARGET small|fast [count]      (count: the costs alone)
set -u
. tests/embedded/targets.sh
profile "$3"
target "$2"
have_target embedded || exit 0
EMBEDDED_DIR=$1 EMBEDDED_LIBRARY=$1/$2-$3/lib failed=0
export EMBEDDED_DIR EMBEDDED_LIBRARY
rm -rf "$1/$2-$3"
if ! build_library "$EMBEDDED_LIBRARY" "$flags"; then
    echo "FAIL embedded $2 $3: does not build"
    exit 1
fi
if [ "${4:-}" != count ]; then
    sh $here/run.sh "$1/$2-$3" "$2" "$flags" || failed=1
    sh $here/links.sh "$1/$2-$3" "$2" "$flags" || failed=1
fi

mkdir -p "$1/table"
column=$1/table/$2-$3
rm -f "$column"
build_plugin "$1/$2-$3/plugin.so" budget || exit $failed # it said why
if ! sh $here/count.sh "$2" "$flags" >"$1/$2-$3/counted" 2>"$1/$2-$3/log"; then
    cat "$1/$2-$3/log" "$1/$2-$3/counted"
    exit 1
fi
mv "$1/$2-$3/counted" "$column"
"${PYTHON:-python3}" $here/table.py check "$column" || failed=1
exit $failed
