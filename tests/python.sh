#!/bin/sh
# SPDX-License-Identifier: ISC
# The Python package (bindings/python), from the sdist to an environment in which it is installed, and its tests there.
#
#     sh tests/python.sh install DIRECTORY     DIRECTORY/dist and DIRECTORY/venv; 77 if a tool is missing
#     sh tests/python.sh check BUILD           BUILD/svconn is the program; lines for tests/run.sh
#
# PYTHON chooses an interpreter; if that has not what the build wants, it is /usr/bin/python3.
set -u
cd "$(dirname "$0")/.." || exit 1
missing() { # prints what the build wants, if $python has it not
    for module in cffi setuptools wheel build venv; do
        "$python" -c "import $module" 2>/dev/null || { echo "$python has no $module (Debian: python3-$module)"; return; }
    done
    has_header "$python" || echo "$python has no Python.h (Debian: python3-dev)"
}
has_header() { "$1" -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))'; }

python=${PYTHON:-python3}
[ -z "$(missing)" ] || python=/usr/bin/python3

install() { # DIRECTORY
    why=$(missing)
    if [ "$why" ]; then
        echo "$why" >&2
        return 77
    fi
    rm -rf "$1" && mkdir -p "$1" || return 1
    # the sdist from the tree, the wheel from the sdist, elsewhere
    (
        set -e
        "$python" -m build --no-isolation --outdir "$1/dist" bindings/python
        "$python" -m venv --system-site-packages "$1/venv"
        "$1/venv/bin/python" -m pip install --no-index --no-deps --ignore-installed "$1"/dist/*.whl
    ) >"$1/log" 2>&1 || {
        tail -n 40 "$1/log" >&2
        return 1
    }
}

judge() { # NAME STATUS: of what wrote $dir/out
    if [ "$2" -eq 0 ]; then
        echo "pass python: $1"
    else
        cat "$dir/out"
        echo "FAIL python: $1"
    fi
}

check() { # BUILD
    dir=$1/python
    case $dir in /*) ;; *) dir=$PWD/$dir ;; esac
    SVCONN=$dir/../svconn SVCONN_DIST=$dir/dist SVCONN_EXAMPLES=$dir/examples
    export SVCONN SVCONN_DIST SVCONN_EXAMPLES
    install "$dir" 2>"$dir.out"
    status=$?
    if [ $status -eq 77 ]; then
        echo "pass nothing was run"
        echo "skip python: $(cat "$dir.out")"
        return 0
    fi
    mv "$dir.out" "$dir/out"
    judge "an sdist, a wheel from it, installed in an environment of its own" $status
    [ $status -eq 0 ] || return 1
    py=$dir/venv/bin/python
    # not from the source tree, warnings of asyncio on
    "$py" -X dev tests/python/run.py 2>"$dir/errors" || { cat "$dir/errors"; }

    if command -v mypy >/dev/null 2>&1; then
        (cd bindings/python/src && mypy --strict --cache-dir "$dir/mypy" svconn) >"$dir/out" 2>&1
        judge "mypy --strict: the package" $?
        mypy --strict --cache-dir "$dir/mypy" --python-executable "$py" --scripts-are-modules "$dir"/examples/*.py >"$dir/out" 2>&1
        judge "mypy --strict: the examples of the README, with the types of the installed package" $?
        echo 'import svconn; svconn.Session("client", svconn.Identity.ed25519("text"))' >"$dir/wrong.py"
        mypy --strict --cache-dir "$dir/mypy" --python-executable "$py" "$dir/wrong.py" >"$dir/out" 2>&1
        [ $? -eq 1 ] && [ "$(grep -c 'incompatible type' "$dir/out")" -eq 2 ]
        judge "mypy: two wrong types are seen" $?
    else
        echo "skip python: mypy --strict: no mypy here (Debian: mypy)"
    fi

    if command -v pypy3 >/dev/null 2>&1 && pypy3 -c 'import cffi, setuptools' 2>/dev/null && has_header pypy3; then
        mkdir "$dir/pypy" && tar -xzf "$dir"/dist/*.tar.gz -C "$dir/pypy" --strip-components=1 &&
            (cd "$dir/pypy" && pypy3 setup.py -q build_ext --inplace) >"$dir/out" 2>&1
        judge "PyPy builds the sdist" $?
        PYTHONPATH=$dir/pypy/src pypy3 tests/python/run.py test_vectors test_session test_streams 2>"$dir/errors" >"$dir/pypy.out" || cat "$dir/errors"
        sed 's/python: /python: PyPy: /' "$dir/pypy.out"
    else
        echo "skip python: PyPy: no pypy3 with cffi and its headers here (Debian: pypy3-dev)"
    fi

    for kind in key hidden psk; do
        pair "$kind" >"$dir/out" 2>&1
        judge "tests/pairs/python.sh with itself: $kind" $?
    done
}

pair() { # KIND
    SVCONN_PAIRS=$dir
    export SVCONN_PAIRS
    sh tests/pairs/python.sh server "$1" >"$dir/server.out" &
    server=$!
    i=0
    while ! grep -q port "$dir/server.out" && [ $i -lt 100 ]; do sleep 0.1; i=$((i + 1)); done
    digits=$(sh tests/pairs/python.sh client "$1" "$(sed -n 's/^port //p' "$dir/server.out")") && wait $server && [ "$digits" ] && [ "$digits" = "$(sed -n '/^authenticator/p' "$dir/server.out")" ]
}

case ${1:-} in
install) install "$2" ;;
check) check "$2" ;;
*) echo "usage: sh tests/python.sh install|check DIRECTORY" >&2; exit 2 ;;
esac
