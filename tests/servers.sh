# SPDX-License-Identifier: ISC
# Read by the scripts that run real servers of other makers (". servers.sh", with what program.sh wants, and $suite, their name):
# program.sh, and what starts such a server on a free port and stops it whole.
if [ ! -r /proc/net/tcp ] || ! command -v ps >/dev/null; then
    echo "pass nothing was run"
    echo "skip $suite: this needs /proc/net/tcp and ps, to see when a server is ready and to stop it whole"
    exit 0
fi
. "$(dirname "$0")/program.sh"
PATH=$PATH:/usr/sbin:/sbin
chmod 711 . # some servers change their user

# Parents first and stopped, so that they cannot make new children meanwhile
kill_tree() {
    kill -STOP "$1" 2>/dev/null || return 0
    for child in $(ps -o pid= --ppid "$1"); do kill_tree "$child"; done
    kill -KILL "$1" 2>/dev/null
}
finish() { # what is no child of ours any more has ended, and the number may be somebody else's
    for pid in $started; do
        [ "$(ps -o ppid= -p "$pid" | tr -d ' ')" != $$ ] || kill_tree "$pid"
    done
    wait 2>/dev/null
    rm -rf "$dir"
}
stop() {
    kill_tree "$1"
    wait "$1" 2>/dev/null
}

have() { # NAME PROGRAM PACKAGE: is it here? Else a line says what is missing.
    command -v "$2" >/dev/null && return 0
    echo "skip $suite: $1: no $2 here (Debian: $3)"
    return 1
}
until_true() { # SECONDS COMMAND...
    until_end=$(($(date +%s) + $1))
    shift
    until "$@"; do
        [ "$(date +%s)" -lt $until_end ] || return 1
        sleep 0.02
    done
}
has_ended() { # a child of ours, which may be a zombie
    state=$(ps -o stat= -p "$1") || return 0
    case $state in Z*) return 0 ;; *) return 1 ;; esac
}

is_taken() { # a port, by any socket
    grep -qi ":$(printf %04X "$1") " /proc/net/tcp /proc/net/tcp6 2>/dev/null
}
is_ready() { # a port on which somebody listens
    grep -qi "^ *[0-9]*: [0-9A-F]*:$(printf %04X "$1") [0-9A-F]*:0000 0A" /proc/net/tcp
}
free_port() { # below the ports that the system chooses itself
    while :; do
        port=$((20000 + $(od -An -N2 -tu2 /dev/urandom) % 12000))
        is_taken $port || return 0
    done
}
is_ready_or_ended() { is_ready "$port" || has_ended "$server"; }
# start NAME FUNCTION: runs the function, which must exec a server on $port, in the background; its id to $server. A port that somebody
# else took meanwhile is tried again.
start() {
    for _ in 1 2 3; do
        free_port
        "$2" >"$1.log" 2>&1 </dev/null &
        server=$!
        started="$started $server"
        until_true 30 is_ready_or_ended
        if ! has_ended $server && is_ready $port; then return 0; fi
        kill_tree $server
    done
    fail "$suite: $1" "it did not start: $(tail -n 5 "$1.log")"
    return 1
}

# sshd for root wants an empty /run/sshd; it gets one that nobody else sees
private=
if [ "$(id -u)" -eq 0 ] && [ ! -d /run/sshd ]; then private='mount -t tmpfs none /run && mkdir /run/sshd && '; fi
run_sshd() {
    cat >sshd_config <<END
ListenAddress 127.0.0.1:$port
HostKey $dir/host_key
AuthorizedKeysFile $dir/user_key.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
END
    exec ${private:+unshare -m} sh -c "${private}exec $(command -v sshd) -D -e -f '$dir/sshd_config'"
}
start_sshd() { # NAME: it takes the key user_key
    ssh-keygen -q -t ed25519 -N '' -f host_key && ssh-keygen -q -t ed25519 -N '' -f user_key
    if [ "$private" ] && ! unshare -m sh -c "${private}true" 2>/dev/null; then
        echo "skip $suite: $1: sshd wants a directory /run/sshd, and root may not make one for it alone here"
        return 1
    fi
    start "$1: sshd" run_sshd
}
