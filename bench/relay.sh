#!/bin/sh
# SPDX-License-Identifier: ISC
# Our relay next to others on the same work, on loopback. Usage: sh bench/relay.sh LOAD-PROGRAM SVCONN-PROGRAM DIRECTORY
#
# For every sample a relay is started anew, pinned to one processor, the load to another. The relays take turns, each
# round begins with another one, and the ratio is the median of the ratios within a round. What is compared is work per
# second of processor time of the relay's processes (see load.c); what the clock says stands beside it. On a virtual
# machine whose processors are given to others meanwhile, that time means little: such a sample is taken again, at most
# three times.
#
#   BENCH_ROUNDS=5                samples of each
#   BENCH_SECONDS=3               how long a sample takes
#   BENCH_ITEMS="bulk-1 bulk-100 rate idle"
#   BENCH_RELAYS="svconn haproxy-splice haproxy nginx socat"
#   BENCH_SESSIONS=10000          idle ones; as many as there may be descriptors
#   BENCH_RELAY_OPTIONS=          options for svconn relay; by default its limits by source are raised, as all come from one
#   BENCH_STOLEN=0.2              a sample is taken again if more than this part of the processors was stolen
set -u
. "$(dirname "$0")/compare.sh"
rounds=${BENCH_ROUNDS:-5} seconds=${BENCH_SECONDS:-3} sessions=${BENCH_SESSIONS:-10000}
items=${BENCH_ITEMS:-bulk-1 bulk-100 rate idle}
relays=${BENCH_RELAYS:-svconn haproxy-splice haproxy nginx socat}
relay_options=${BENCH_RELAY_OPTIONS:---source-new 1000000 --source-open 1000000 --source-joined 1000000 --open 64} most_stolen=${BENCH_STOLEN:-0.2}
reference=haproxy-splice
chmod 755 "$work" # nginx may change its user
fit=$(((limit - 700) / 2)) # two for each session, in the relay and in the load; and some for pipes and for itself
all_sessions=$sessions
[ "$sessions" -le "$fit" ] || sessions=$fit
most=$((sessions > 1000 ? sessions + 8 : 1008)) # that the relays are told to expect

pinned='not pinned to processors (no taskset, or only one processor)'
cpus=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status | tr ',' '\n' |
    awk -F - '{ for (i = $1; i <= ($2 == "" ? $1 : $2); i++) print i }' | head -n 2 | tr '\n' ' ')
case $cpus in
*' '*' ')
    if have taskset; then
        pin="taskset -c ${cpus%% *}" pin_load="taskset -c $(echo "$cpus" | cut -d ' ' -f 2)"
        pinned="relay on processor ${pin##* }, load on processor ${pin_load##* }"
    fi
    ;;
esac

# ---- the relays. start_NAME sets $address, and $target where the relay passes on to it ----
ports=$("$load" ports) || exit 1
port=${ports% *} target_port=${ports#* }

pass_on() { address=tcp://127.0.0.1:$port target="--target $target_port"; }

start_svconn() {
    # shellcheck disable=SC2086
    run relay "$svconn" relay tcp://127.0.0.1:0 $relay_options
    target=
    await 'parties use ' || return 1
    address=$(sed -n 's/^svconn: parties use //p' "$log" | head -n 1)
}

haproxy_config() { # LINE...
    cat <<END
global
    nbthread 1
    maxconn $most
    maxpipes 256
    ulimit-n $limit
    no strict-limits
defaults
    mode tcp
    timeout connect 10s
    timeout client 1h
    timeout server 1h
listen relay
    bind 127.0.0.1:$port
    server target 127.0.0.1:$target_port
END
    for line in "$@"; do echo "    $line"; done
}
start_haproxy() {
    haproxy_config >"$work/haproxy.cfg"
    run relay haproxy -db -f "$work/haproxy.cfg"
    pass_on
}
start_haproxy_splice() {
    haproxy_config 'option splice-request' 'option splice-response' 'no option splice-auto' >"$work/haproxy.cfg"
    run relay haproxy -db -f "$work/haproxy.cfg"
    pass_on
}

nginx_module=$({ nginx -V 2>&1 || :; } | tr ' ' '\n' | sed -n 's/^--modules-path=//p')/ngx_stream_module.so
start_nginx() {
    {
        [ ! -e "$nginx_module" ] || echo "load_module $nginx_module;"
        cat <<END
daemon off;
worker_processes 1;
worker_rlimit_nofile $limit;
pid $work/nginx.pid;
error_log $work/nginx.log;
events { worker_connections $((2 * most + 20)); }
stream {
    access_log off;
    proxy_timeout 1h;
    server {
        listen 127.0.0.1:$port backlog=4096;
        proxy_pass 127.0.0.1:$target_port;
    }
}
END
    } >"$work/nginx.conf"
    run relay nginx -p "$work" -c "$work/nginx.conf" -e "$work/nginx.log"
    pass_on
}

start_socat() {
    run relay socat "TCP-LISTEN:$port,bind=127.0.0.1,reuseaddr,fork,nodelay,backlog=4096" \
        "TCP:127.0.0.1:$target_port,nodelay"
    pass_on
}

version_of() { # RELAY: its version, or nothing if it is not here
    case $1 in
    svconn) echo "$svconn" ;;
    haproxy) ! have haproxy || haproxy -v | sed -n 's/^HAProxy version \([^ ]*\).*/\1, tcp mode, 1 thread/p' ;;
    haproxy-splice) ! have haproxy || haproxy -v | sed -n 's/^HAProxy version \([^ ]*\).*/\1, tcp mode, 1 thread, splicing forced/p' ;;
    nginx) # with its stream module, as a module or built in
        have nginx || return
        if [ -e "$nginx_module" ] || nginx -V 2>&1 | grep -q -e '--with-stream '; then
            nginx -v 2>&1 | sed -n 's/.*nginx\/\(.*\)/\1, stream, 1 worker/p'
        fi
        ;;
    socat) ! have socat || socat -V | sed -n 's/^socat version \([^ ]*\).*/\1, a process for each session/p' ;;
    esac
}
package_of() {
    case $1 in
    haproxy*) echo haproxy ;;
    nginx) echo nginx-light libnginx-mod-stream ;;
    *) echo "$1" ;;
    esac
}

# ---- a sample ----
load_options() { echo "--relay $address $target"; }

# The load of an item; a process for each session makes 10,000 of them too many
load_of() { # RELAY ITEM
    case $1-$2 in
    *-bulk-*) echo "bulk --streams ${2#bulk-} --seconds $seconds" ;;
    *-rate) echo "rate --seconds $seconds" ;;
    socat-idle) echo "idle --sessions $((sessions < 1000 ? sessions : 1000))" ;;
    *-idle) echo "idle --sessions $sessions" ;;
    esac
}
sample() { # RELAY ITEM ROUND
    for try in 1 2 3 4; do
        # shellcheck disable=SC2046
        if ! with "$1" $(load_of "$1" "$2"); then
            note "$1: $2" "$(head -n 1 "$work/err")"
            return
        fi
        stolen=$(field stolen)
        awk "BEGIN { exit !(${stolen:-0} > $most_stolen) }" || break
        [ "$try" -eq 4 ] || sleep 1
    done
    if [ "$2" = idle ]; then printf '%s\t%s\t%s\t%s\t%s\t-\t-\n' "$2" "$1" "$3" "$(field bytes)" "$(field sessions)"
    else printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$2" "$1" "$3" "$(field per_cpu)" "$(field wall)" "$(field share)" "$stolen"
    fi >>"$samples"
}

# ---- the work ----
{
    echo "# cpu: $(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1), Linux $(uname -r)"
    echo "# rounds: $rounds, samples of $seconds s; $pinned"
    [ "$sessions" -eq "$all_sessions" ] ||
        echo "# idle: $sessions sessions instead of $all_sessions: there may be no more than $limit descriptors (ulimit -Hn)"
} >"$work/head"
# shellcheck disable=SC2086
compare $relays

# ---- the table ----
table '
END {
    n = split(items, item, " "); m = split(relays, relay, " ")
    printf "item\trelay\tmedian\tq1\tq3\twall\tshare\tstolen\tratio\treference\tsamples\n" >tsv
    for (i = 1; i <= n; i++) {
        t = item[i]; idle = t == "idle"
        what = idle ? "user memory for each session, bytes" : t == "rate" ? "new sessions per processor second of the relay" : "Gbit per processor second of the relay"
        printf "\n%s: %s\n", t, what
        printf "  %-16s %9s  %20s  %10s %6s %7s  %s\n", "", "median", "quartiles     ", idle ? "sessions" : "by clock", idle ? "" : "used", idle ? "" : "stolen", "ratio"
        for (j = 1; j <= m; j++) {
            k = t SUBSEP relay[j]
            if (!((k, 1) in value)) continue
            ratio = ratio_of(t, relay[j], 1)
            f = t == "rate" || idle ? "%.0f" : "%.2f"
            used = idle ? "" : sprintf("%.0f%%", 100 * quartile(value[k, 3], 2))
            lost = idle ? "" : sprintf("%.0f%%", 100 * quartile(value[k, 4], 2))
            printf "  %-16s %9s  %9s .. %-8s  %10s %6s %7s  %s\n", relay[j], sprintf(f, quartile(value[k, 1], 2)), sprintf(f, quartile(value[k, 1], 1)), sprintf(f, quartile(value[k, 1], 3)), sprintf(f, quartile(value[k, 2], 2)), used, lost, ratio
            printf "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\n", t, relay[j], quartile(value[k, 1], 2), quartile(value[k, 1], 1), quartile(value[k, 1], 3), quartile(value[k, 2], 2), quartile(value[k, 3], 2), quartile(value[k, 4], 2), ratio, reference, split(value[k, 1], all, " ") >tsv
        }
    }
    printf "\nratio: to %s, the median of the ratios within a round. used: how much of the time the relay ran. stolen: what a\n", reference
    printf "hypervisor took from all processors of this machine; samples with more than %g%% of it were taken again, at most three times.\n", 100 * most_stolen
}' -v reference="$reference" -v relays="$relays" -v most_stolen="$most_stolen"
