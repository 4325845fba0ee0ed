#!/bin/sh
# SPDX-License-Identifier: ISC
# The public headers compile alone, as C99, C11 and C++11, with the strictest warnings.
set -u
CC=${CC:-cc}
CXX=${CXX:-c++}
one() { # NAME COMPILER FLAGS...
    name=$1
    shift
    if ! command -v "$1" >/dev/null 2>&1; then echo "skip header $name: no $1 here"; return; fi
    for h in svconn.h svconn_transport.h svconn_line.h; do
        if printf '#include "%s"\nint main(void) { return 0; }\n' "$h" |
            "$@" -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wundef -Werror -Isvc -Itransport -D_POSIX_C_SOURCE=200809L \
                -fsyntax-only -; then echo "pass header $h as $name"
        else echo "FAIL header $h as $name"; fi
    done
}
one C99 "$CC" -std=c99 -x c
one "C99, small" "$CC" -std=c99 -DSVCONN_SMALL -DSVCONN_MESSAGE_LIMIT=200 -x c
one C11 "$CC" -std=c11 -x c
one C++11 "$CXX" -std=c++11 -x c++
