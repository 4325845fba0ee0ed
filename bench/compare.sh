# SPDX-License-Identifier: ISC
# Read by the scripts that compare svconn with others on the same work (". compare.sh", with LOAD-PROGRAM SVCONN-PROGRAM DIRECTORY
# as arguments). Such a script sets $rounds and $items, and defines for each NAME that may take part:
#   start_NAME          starts its processes by run ("-" in NAME is "_" here); what it cannot do is in $log
#   load_options NAME   the options by which the load finds it
#   version_of NAME     its version, or nothing if it is not here
#   package_of NAME     where it is found
#   sample NAME ITEM ROUND   adds a line to $samples: ITEM NAME ROUND VALUE...
load=$1 svconn=$2 dir=$3
subject=$(basename "$0" .sh)
PATH=$PATH:/usr/sbin:/sbin # where Debian has haproxy, nginx and sshd
mkdir -p "$dir/$subject.run" || exit 1
work=$(cd "$dir/$subject.run" && pwd)
samples=$work/samples tsv=$dir/$subject.tsv notes=$work/notes
: >"$samples"
: >"$notes"
pids='' load_pid='' pin='' pin_load=''

# Each process leads a process group, its children are in it.
signal() { kill -s "$1" -- "-$2" 2>/dev/null || kill -s "$1" "$2" 2>/dev/null; }
stop() {
    [ -z "$load_pid" ] || kill "$load_pid" 2>/dev/null
    for pid in $pids; do signal TERM "$pid"; done
    for pid in $pids; do
        tries=100
        while [ $tries -gt 0 ] && kill -s 0 -- "-$pid" 2>/dev/null; do sleep 0.02 && tries=$((tries - 1)); done
        signal KILL "$pid"
    done
    wait
    pids='' load_pid=''
}
trap stop EXIT
trap 'exit 1' INT TERM HUP

have() { command -v "$1" >/dev/null 2>&1; }
# shellcheck disable=SC3045 # -n and -H are in every shell that Linux has as sh
ulimit -n "$(ulimit -Hn)" 2>/dev/null
# shellcheck disable=SC3045
limit=$(ulimit -n)
case $limit in *[!0-9]*) limit=1000000 ;; esac

run() { # LOG COMMAND...: in the background; its output to LOG.log
    log=$work/$1.log
    : >"$log" # now: what a sample before wrote must not be taken for its words
    shift
    # shellcheck disable=SC2086
    $pin setsid "$@" >"$log" 2>&1 </dev/null &
    pid=$!
    pids="$pids $pid"
}
await() { # TEXT: until what was started last says it
    tries=500
    until grep -qF -- "$1" "$log" 2>/dev/null; do
        tries=$((tries - 1))
        if [ $tries -eq 0 ] || ! kill -s 0 "$pid" 2>/dev/null; then return 1; fi
        sleep 0.02
    done
}

with() { # NAME MODE OPTIONS...: the load's line to $work/out
    name=$1
    shift
    if ! "start_$(echo "$name" | tr - _)"; then
        tail -n 1 "$log" >"$work/err"
        stop
        return 1
    fi
    of_pids=
    for pid in $pids; do of_pids="$of_pids --pid $pid"; done
    # shellcheck disable=SC2046,SC2086
    $pin_load "$load" "$@" $(load_options "$name") $of_pids >"$work/out" 2>"$work/err" &
    load_pid=$! # in the background, so that a signal ends it at once
    wait "$load_pid"
    result=$?
    load_pid=''
    stop
    return $result
}
field() { sed -n "s/.*\<$1=\([^ ]*\).*/\1/p" "$work/out"; }
note() { grep -qF -e "$1" "$notes" || echo "$1: $2" | tee -a "$notes"; } # ABOUT WHAT; the first time only

compare() { # NAME...: takes the samples; what is said about them goes on in $work/head
    here=
    for n in "$@"; do
        version=$(version_of "$n")
        if [ "$version" ]; then
            here="$here $n"
            echo "# $n: $version" >>"$work/head"
        else echo "# $n: not here (Debian: $(package_of "$n"))" >>"$work/head"; fi
    done
    cat "$work/head"

    # First: do they pass on what they should?
    fine=
    for n in $here; do
        if with "$n" both --bytes 5000000; then fine="$fine $n"
        else note "$n: left out" "$(head -n 1 "$work/err")"; fi
    done
    round=1
    while [ "$round" -le "$rounds" ]; do
        for item in $items; do
            [ ! -t 2 ] || printf '\rround %s of %s: %-10s' "$round" "$rounds" "$item" >&2
            for n in $fine; do sample "$n" "$item" "$round"; done
        done
        first=${fine# } rest=${fine#* "${first%% *}"}
        fine="$rest ${first%% *}" # the next round begins with the next one
        round=$((round + 1))
    done
    [ ! -t 2 ] || printf '\r%-40s\r' '' >&2
}

# table AWK-PROGRAM [AWK-OPTION...]: the program gets value[ITEM, NAME, COLUMN], the values of all rounds divided by spaces; it prints the
# table, and the same to the file tsv
table() {
    program=$1
    shift
    # shellcheck disable=SC2016
    awk -F '\t' -v items="$items" -v rounds="$rounds" -v tsv="$work/table.tsv" "$@" '
function quartile(list, q,    a, n, i, j, t) { # of numbers divided by spaces; 2 is the median
    n = split(list, a, " ")
    for (i = 2; i <= n; i++)
        for (j = i; j > 1 && a[j - 1] + 0 > a[j] + 0; j--) { t = a[j]; a[j] = a[j - 1]; a[j - 1] = t }
    return a[1 + int((n - 1) * q / 4)]
}
function ratio_of(t, name, c,    r, list) { # to the reference, within a round
    for (r = 1; r <= rounds; r++)
        if (((t, name, r, c) in at) && at[t, reference, r, c] > 0) list = list " " at[t, name, r, c] / at[t, reference, r, c]
    return list == "" ? "-" : sprintf("%.2f", quartile(list, 2))
}
{ for (c = 1; c <= NF - 3; c++) { value[$1, $2, c] = value[$1, $2, c] " " $(c + 3); at[$1, $2, $3, c] = $(c + 3) } }
'"$program" "$samples"
    {
        cat "$work/head"
        sed 's/^/# /' "$notes"
        cat "$work/table.tsv"
    } >"$tsv"
    echo "$tsv, every sample in $samples"
}
