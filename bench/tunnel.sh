#!/bin/sh
# SPDX-License-Identifier: ISC
# svconn serve and forward next to other tunnels on the same work, on loopback. Usage: sh bench/tunnel.sh LOAD-PROGRAM SVCONN-PROGRAM DIRECTORY
#
# For every sample both ends of a tunnel are started anew. The tunnels take turns, each round begins with another one, and
# a ratio is the median of the ratios to svconn within a round. What is compared is processor time of the processes at
# both ends (see tunnel/load.c); what the clock says stands beside it, and means less where two ends and the load share
# few processors, or others use them too.
#
# All of them use AES-256-GCM but spiped, which has AES-256-CTR with HMAC-SHA256 and no other. svconn and ssh identify both
# ends by keys, spiped by a secret that both have, stunnel here the server alone, by its certificate: more costs nothing
# once a connection is there. stunnel and spiped make a connection of their own, with a handshake, for each one that they
# carry; svconn and ssh carry all in one.
#
#   BENCH_ROUNDS=5                samples of each
#   BENCH_ITEMS="up down trip many"
#   BENCH_TUNNELS="svconn stunnel spiped ssh plain"    also: svconn-relay, the same through a relay of ours, counted too
#   BENCH_MEGABYTES=1024          of a stream
#   BENCH_TRIPS=20000
#   BENCH_CONNECTIONS=1000        at once; as many as there may be descriptors
set -u
. "$(dirname "$0")/compare.sh"
svconn=$(cd "$(dirname "$svconn")" && pwd)/$(basename "$svconn")
rounds=${BENCH_ROUNDS:-5} items=${BENCH_ITEMS:-up down trip many} tunnels=${BENCH_TUNNELS:-svconn stunnel spiped ssh plain}
megabytes=${BENCH_MEGABYTES:-1024} trips=${BENCH_TRIPS:-20000} connections=${BENCH_CONNECTIONS:-1000}
umask 077
fit=$(((limit - 50) / 2)) # two for each connection in the load and in an end
[ "$connections" -le "$fit" ] || connections=$fit

# ---- the tunnels. start_NAME sets $pids; connections to $at come out at $target, by way of $between ----
# shellcheck disable=SC2046
set -- $("$load" ports)
[ $# -eq 4 ] || exit 1
at=$1 between=$2 target=$3 spare=$4

key_of() { sed -n 's/^public key: //p' "$work/$1.pub"; }
run_as() { # WHO COMMAND...: with the files of WHO
    who=$1
    shift
    run "$who" env HOME="$work/$who" XDG_CONFIG_HOME="$work/$who" XDG_STATE_HOME="$work/$who" XDG_DATA_HOME="$work/$who" XDG_RUNTIME_DIR="$work/$who" "$@"
}
make_keys() {
    for who in near far; do
        rm -rf "${work:?}/$who" && mkdir -p "$work/$who/svconn" && "$svconn" keygen -o "$work/$who/svconn/key" >"$work/$who.pub" || return 1
    done
}
start_svconn() {
    make_keys || return 1
    run_as far "$svconn" serve "tcp://127.0.0.1:$between" --allow "$(key_of near)" --forward "127.0.0.1:$target"
    await 'listening on ' || return 1
    run_as near "$svconn" forward "tcp://127.0.0.1:$between" --peer "$(key_of far)" "$at=127.0.0.1:$target"
    await 'forwarding '
}
start_svconn_relay() {
    make_keys || return 1
    run relay "$svconn" relay tcp://127.0.0.1:0
    await 'parties use ' || return 1
    relay=$(sed -n 's,^svconn: parties use relay://\([^/]*\)/*.*,\1,p' "$work/relay.log" | head -n 1)
    run_as far "$svconn" serve --relay "$relay" --allow "$(key_of near)" --forward "127.0.0.1:$target"
    await 'listening on ' || return 1
    run_as near "$svconn" forward --relay "$relay" "$(key_of far)" "$at=127.0.0.1:$target"
    await 'forwarding '
}

start_stunnel() {
    common="foreground = yes
pid =
syslog = no
debug = 3
sslVersionMin = TLSv1.3
ciphersuites = TLS_AES_256_GCM_SHA384
[bench]"
    printf '%s\n' "$common" "accept = 127.0.0.1:$between" "connect = 127.0.0.1:$target" "cert = $work/tls.crt" "key = $work/tls.key" >"$work/server.conf"
    printf '%s\n' "$common" "client = yes" "accept = 127.0.0.1:$at" "connect = 127.0.0.1:$between" "CAfile = $work/tls.crt" "verifyPeer = yes" >"$work/client.conf"
    [ -e "$work/tls.crt" ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -days 30 \
        -keyout "$work/tls.key" -out "$work/tls.crt" 2>"$work/openssl.log" || return 1
    run far "$stunnel" "$work/server.conf"
    run near "$stunnel" "$work/client.conf"
}

start_spiped() {
    [ -e "$work/spiped.key" ] || head -c 32 /dev/urandom >"$work/spiped.key"
    run far spiped -d -F -n 0 -s "[127.0.0.1]:$between" -t "[127.0.0.1]:$target" -k "$work/spiped.key"
    run near spiped -e -F -n 0 -s "[127.0.0.1]:$at" -t "[127.0.0.1]:$between" -k "$work/spiped.key"
}

# sshd for root wants an empty /run/sshd; it gets one that nobody else sees
private=
if [ "$(id -u)" -eq 0 ] && [ ! -d /run/sshd ]; then private='mount -t tmpfs none /run && mkdir /run/sshd && '; fi
start_ssh() {
    for key in host_key user_key; do [ -e "$work/$key" ] || ssh-keygen -q -t ed25519 -N '' -f "$work/$key" || return 1; done
    cat >"$work/sshd_config" <<END
ListenAddress 127.0.0.1:$between
HostKey $work/host_key
AuthorizedKeysFile $work/user_key.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
Ciphers aes256-gcm@openssh.com
END
    printf '[127.0.0.1]:%s %s\n' "$between" "$(cut -d ' ' -f 1,2 "$work/host_key.pub")" >"$work/known_hosts"
    run far ${private:+unshare -m} sh -c "${private}exec $(command -v sshd) -D -e -f '$work/sshd_config'"
    await 'Server listening' || return 1
    run near ssh -F none -N -p "$between" -L "127.0.0.1:$at:127.0.0.1:$target" -c aes256-gcm@openssh.com -i "$work/user_key" \
        -o IdentityAgent=none -o IdentitiesOnly=yes -o UserKnownHostsFile="$work/known_hosts" -o BatchMode=yes \
        -o ExitOnForwardFailure=yes -o ControlPath=none "$(id -un)@127.0.0.1"
}

start_plain() { pids=''; }

stunnel=stunnel
! have stunnel4 || stunnel=stunnel4
version_of() { # TUNNEL: its version, or nothing if it is not here
    case $1 in
    svconn) "$svconn" serve --help >/dev/null 2>&1 && echo "$svconn, serve and forward, directly" ;;
    svconn-relay) "$svconn" serve --help >/dev/null 2>&1 && echo "$svconn, serve and forward, by a relay of ours" ;;
    stunnel) have $stunnel && have openssl && $stunnel -version 2>&1 | sed -n 's/^stunnel \([^ ]*\) .*/\1, TLS 1.3, TLS_AES_256_GCM_SHA384/p' ;;
    spiped) have spiped && spiped -v 2>&1 | sed -n 's/^spiped //p' ;;
    ssh) have ssh && have sshd && echo "$(ssh -V 2>&1 | sed 's/,.*//'), ssh -L, aes256-gcm@openssh.com" ;;
    plain) echo "TCP without a tunnel: the floor" ;;
    esac
}
package_of() {
    case $1 in
    stunnel) echo stunnel4 openssl ;;
    ssh) echo openssh-client openssh-server ;;
    *) echo "$1" ;;
    esac
}

# ---- a sample ----
load_options() {
    entry=$at
    [ "$1" != plain ] || entry=$target
    echo "--at $entry --target $target"
}
load_of() { # ITEM
    case $1 in
    up) echo "bulk --bytes $((megabytes * 1048576))" ;;
    down) echo "bulk --down 1 --bytes $((megabytes * 1048576))" ;;
    trip) echo "trip --count $trips" ;;
    many) echo "many --connections $connections" ;;
    *) echo "$1" ;;
    esac
}
sample() { # TUNNEL ITEM ROUND
    # shellcheck disable=SC2046
    if with "$1" $(load_of "$2"); then
        printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$2" "$1" "$3" "$(field first)" "$(field second)" "$(field third)" >>"$samples"
    else note "$1: $2" "$(head -n 1 "$work/err")"; fi
}

# ---- the work ----
{
    echo "# cpu: $(getconf _NPROCESSORS_ONLN) x $(sed -n 's/^model name[^:]*: *//p' /proc/cpuinfo | head -n 1), Linux $(uname -r)"
    echo "# rounds: $rounds; up, down: $megabytes MiB; trip: $trips of 64 bytes; many: $connections connections, 5 times 1 KB there and back on each"
} >"$work/head"
# shellcheck disable=SC2086
compare $tunnels

# ---- the table ----
table '
BEGIN {
    title["up"] = "one stream, from the near end to the far one"
    title["down"] = "one stream, from the far end to the near one"
    title["trip"] = "64 bytes there and back"
    title["many"] = "connections at once"
    for (i = split("up down", d, " "); i > 0; i--) { label[d[i], 1] = "cpu s per GB"; label[d[i], 2] = "Gbit/s by clock"; label[d[i], 3] = "stolen" }
    label["trip", 1] = "median us"; label["trip", 2] = "99 percent us"; label["trip", 3] = "cpu us"
    label["many", 1] = "cpu s"; label["many", 2] = "s until open"; label["many", 3] = "s until done"
}
END {
    n = split(items, item, " "); m = split(tunnels, tunnel, " ")
    printf "item\ttunnel\tmeasure\tmedian\tq1\tq3\tratio to svconn\tsamples\n" >tsv
    for (i = 1; i <= n; i++) {
        t = item[i]
        printf "\n%s: %s\n  %-13s", t, title[t], ""
        for (c = 1; c <= 3; c++) printf "%16s %-17s %6s", label[t, c], " quartiles", "ratio"
        printf "\n"
        for (j = 1; j <= m; j++) {
            if (!((t, tunnel[j], 1) in value)) continue
            printf "  %-13s", tunnel[j]
            for (c = 1; c <= 3; c++) {
                if (tunnel[j] == "plain" && label[t, c] ~ /^cpu/) { printf "%16s %-17s %6s", "-", "", "-"; continue }
                k = t SUBSEP tunnel[j] SUBSEP c
                ratio = label[t, c] == "stolen" ? "" : ratio_of(t, tunnel[j], c)
                printf "%16.4g %-17s %6s", quartile(value[k], 2), sprintf(" %.4g .. %.4g", quartile(value[k], 1), quartile(value[k], 3)), ratio
                printf "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\n", t, tunnel[j], label[t, c], quartile(value[k], 2), quartile(value[k], 1), quartile(value[k], 3), ratio, split(value[k], all, " ") >tsv
            }
            printf "\n"
        }
    }
    printf "\nratio: to svconn, the median of the ratios within a round. cpu: of all processes of both ends, user and system.\n"
    printf "stolen: what a hypervisor took from all processors of this machine.\n"
}' -v reference=svconn -v tunnels="$tunnels"
