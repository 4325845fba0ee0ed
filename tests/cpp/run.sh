#!/bin/sh
# SPDX-License-Identifier: ISC
# bindings/cpp with one compiler, as one version of C++. Usage: sh tests/cpp/run.sh COMPILER STANDARD DIRECTORY, where make builds
set -u
cxx=$1 std=$2 build=$3
name="C++$std, $cxx"
warn='-Werror -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wold-style-cast -Wundef -Wcast-qual -Wcast-align -Wnon-virtual-dtor -Woverloaded-virtual -Wdouble-promotion'
include='-Isvc -Ibindings/cpp'
sanitize='-O1 -g1 -fsanitize=address,undefined -fno-sanitize-recover=all'
lean='-O2 -fno-exceptions -fno-rtti'

nothing() {
    echo "pass nothing was run"
    echo "skip $name: $1"
    exit 0
}
command -v "$cxx" >/dev/null 2>&1 || nothing "no $cxx here"
echo 'int main() { return 0; }' | "$cxx" "-std=c++$std" -x c++ -o /dev/null - 2>/dev/null || nothing "$cxx has no -std=c++$std"

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
judge() { # NAME STATUS: with what was said
    if [ "$2" -eq 0 ]; then echo "pass $1 ($name)"; else
        echo "FAIL $1 ($name)"
        sed 's/^/    /' "$tmp/log" | head -n 40
    fi
}
compile() { # OUTPUT SOURCE FLAGS...
    output=$1 source=$2
    shift 2
    # shellcheck disable=SC2086 # flags are words
    "$cxx" "-std=c++$std" $warn $include "$@" -o "$output" "$source" "$build/libsvconn.a" >"$tmp/log" 2>&1
}
named() { sed "s/^\(pass\|FAIL\|skip\) \(.*\)/\1 \2 ($name${1:+, $1})/"; }

# Is the standard library's own used, where it is said to be there?
expect=$(printf '#include <version>\n#ifdef __cpp_lib_span\nspan\n#endif\n#ifdef __cpp_lib_expected\nexpected\n#endif\n' |
    "$cxx" "-std=c++$std" -E -P -x c++ - 2>/dev/null | sed -n 's/^span$/-DEXPECT_STD_SPAN/p; s/^expected$/-DEXPECT_STD_EXPECTED/p')

# shellcheck disable=SC2086
{
    if "$cxx" $sanitize -x c++ -o "$tmp/sanitized" - 2>/dev/null <<'END' && "$tmp/sanitized"; then
int main() { return 0; }
END
        if compile "$tmp/wrapper" tests/cpp/wrapper.cpp -Itests/cpp $sanitize $expect; then "$tmp/wrapper" | named sanitized
        else judge "the tests compile" 1; fi
        if compile "$tmp/vectors" tests/cpp/vectors.cpp -Itests/cpp -Icrypto $sanitize; then EVERY=9 "$tmp/vectors" | named sanitized
        else judge "the vectors compile" 1; fi
    else echo "skip $name, sanitized: it cannot link them here"; fi
    if compile "$tmp/wrapper" tests/cpp/wrapper.cpp -Itests/cpp $lean $expect; then "$tmp/wrapper" | named "no exceptions"
    else judge "the tests compile without exceptions" 1; fi
    if [ "$std" = 17 ]; then # all of them once
        if compile "$tmp/vectors" tests/cpp/vectors.cpp -Itests/cpp -Icrypto -O2; then "$tmp/vectors" | named
        else judge "the vectors compile" 1; fi
    fi
}

# Nothing of a C++ run-time library is wanted: what a chip could not have
echo '#include "svconn.hpp"
int main() {
    static svconnpp::config c{SVCONN_CLIENT, svconnpp::identity::ed25519(svconnpp::key{1})};
    static svconnpp::static_buffers<100> b;
    svconnpp::session s, t;
    svconnpp::key seed{1};
    if (!s.init(c, seed, b)) return 1;
    t = static_cast<svconnpp::session &&>(s);
    return t.wire_in({}, svconnpp::milliseconds(1)).has_value() ? 0 : 1;
}' >"$tmp/alone.cpp"
compile "$tmp/alone" "$tmp/alone.cpp" -O2 -fno-exceptions -fno-rtti -fno-threadsafe-statics -nodefaultlibs -lc && "$tmp/alone" >>"$tmp/log" 2>&1
judge "it needs no run-time library of C++" $?

compile "$tmp/refused" tests/cpp/refused.cpp -DCASE=0
judge "refused.cpp compiles without a case" $?
cases=$(sed -n 's,^/\* CASES \([0-9]*\) \*/$,\1,p' tests/cpp/refused.cpp)
missed='' n=0
while [ $n -lt "$cases" ]; do
    n=$((n + 1))
    "$cxx" "-std=c++$std" $include -Werror=unused-result -DCASE=$n -fsyntax-only tests/cpp/refused.cpp >/dev/null 2>&1 && missed="$missed $n"
done
echo "compiles, and must not: case$missed" >"$tmp/log"
[ "$n" -gt 10 ] && [ ! "$missed" ]
judge "$cases things that must not compile" $?

awk '$0 == "<!-- example.cpp -->" { on = 1; next } on == 1 && /^```cpp$/ { on = 2; next } on == 2 && /^```$/ { exit } on == 2' bindings/cpp/README.md >"$tmp/example.cpp"
compile "$tmp/example" "$tmp/example.cpp" && "$tmp/example" >"$tmp/log" 2>&1 && [ "$(cat "$tmp/log")" = hello ]
judge "the example of README" $?

# Objects of two standards may not be mixed up: a function of one that the other calls is not found
if [ "$std" != 17 ]; then
    printf '#include "svconn.hpp"\nint other(svconnpp::session &s) { return s.status(); }\n' >"$tmp/one.cpp"
    printf '#include "svconn.hpp"\nint other(svconnpp::session &s);\nint main() { svconnpp::session s; return other(s); }\n' >"$tmp/two.cpp"
    # shellcheck disable=SC2086
    "$cxx" -std=c++17 $include -c -o "$tmp/one.o" "$tmp/one.cpp" && compile "$tmp/mixed" "$tmp/two.cpp" "$tmp/one.o"
    [ $? -ne 0 ] && grep -q 'undefined reference' "$tmp/log"
    judge "files of C++17 and C++$std are not mixed up" $?
fi
