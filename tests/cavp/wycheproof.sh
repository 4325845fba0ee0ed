#!/bin/sh
# SPDX-License-Identifier: ISC
# The JSON files of Project Wycheproof against the library in BUILD. Usage: sh tests/cavp/wycheproof.sh DIR BUILD
# DIR: upstream's testvectors_v1, or a directory with some of its files
set -u
suite=wycheproof
if [ $# -lt 2 ]; then
    echo "skip wycheproof: no directory was given (https://github.com/C2SP/wycheproof, testvectors_v1)"
    exit 0
fi
vectors=$1
shift
if [ ! -d "$vectors" ]; then echo "skip wycheproof: no directory $vectors"; exit 0; fi
. "$(dirname "$0")/common.sh"
each_backend "$py" "$here/suites.py" wycheproof "$driver" "$vectors"
