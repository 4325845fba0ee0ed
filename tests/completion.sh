#!/bin/sh
# SPDX-License-Identifier: ISC
# Completion in three shells, each asked as it asks itself. Usage: sh tests/completion.sh path/to/svconn
set -u
root=$(cd "$(dirname "$0")" && pwd)
. "$root/program.sh"
files=$(cd "$root/../packaging/completion" && pwd)

export HOME="$dir/home" XDG_CONFIG_HOME="$dir/config" PATH="$dir/bin:$PATH"
mkdir -p home bin work
ln -s "$svconn" bin/svconn
key=$(printf '%064x' 10) other=$(printf '%064x' 11)
svconn peers trust alice "$key" 2>/dev/null && svconn peers trust tcp://bob.example:4000 "$other" 2>/dev/null
: >work/notes.key
cd work || exit 1

# offers SHELL LINE WORDS...: all of them are offered for LINE; a word with ! in front is not
offers() {
    shell=$1 line=$2
    shift 2
    got=$("ask_$shell" "$line" 2>&1)
    for word in "$@"; do
        if [ "${word#!}" = "$word" ]; then
            echo "$got" | grep -qxF -- "$word" || { fail "$shell: $line" "no \"$word\" in: $got"; return; }
        elif echo "$got" | grep -qxF -- "${word#!}"; then fail "$shell: $line" "\"${word#!}\" in: $got"; return; fi
    done
    pass "$shell: \"$line\" offers $*"
}

cat >"$dir/ask.bash" <<'END'
set -u
source "$1"
COMP_LINE=$2 COMP_POINT=${#2} COMP_WORDBREAKS=$' \t\n"\'@><=;|&(:'
_svconn
printf '%s\n' "${COMPREPLY[@]-}"
END
ask_bash() { bash "$dir/ask.bash" "$files/svconn.bash" "$1"; }

# zsh completes at a terminal only: a module gives it one. What is offered is written to a file instead.
cat >"$dir/ask.zsh" <<'END'
zmodload zsh/zpty
zpty asked zsh -f -i
zpty -w asked "PS1=; PS2=; fpath=($1:h $fpath); autoload -Uz compinit; compinit -u -d $2/dump; autoload +X -Uz _svconn 2>/dev/null"
zpty -w asked "compadd() { local -a a; a=(\"\$@\"); local -a hits; builtin compadd -O hits \"\$@\"; print -rl -- \$hits >>$2/offered; builtin compadd \"\$@\" }"
zpty -w asked "echo re''ady"
zpty -r asked seen '*ready*'
zpty -n -w asked "$3"$'\t'
zpty -r -t asked seen '*'
sleep 1
zpty -d asked
END
ask_zsh() {
    mkdir -p "$dir/zsh" && cp "$files/svconn.zsh" "$dir/zsh/_svconn" && : >"$dir/offered"
    timeout 20 zsh -f "$dir/ask.zsh" "$dir/zsh/_svconn" "$dir" "$1" >/dev/null 2>&1
    cat "$dir/offered"
}

ask_fish() { fish --no-config -c "source $files/svconn.fish; complete -C '$1'" | cut -f 1; }

for shell in bash zsh fish; do
    if ! command -v $shell >/dev/null; then
        echo "skip completion in $shell: $shell is not installed (package: $shell)"
        continue
    fi
    offers $shell "svconn " serve forward peers doctor
    offers $shell "svconn fo" forward !serve
    offers $shell "svconn serve --" --forward --allow --audit --ban-after
    offers $shell "svconn serve --ban" --ban-after --ban-for !--audit
    offers $shell "svconn forward a" alice !forward
    offers $shell "svconn forward --relay x a" alice
    offers $shell "svconn peers v" verify !trust
    offers $shell "svconn peers verify a" alice
    offers $shell "svconn serve --key no" notes.key
    offers $shell "svconn keygen -o no" notes.key
    offers $shell "svconn forward alice 8" !alice
done

# ---- bash alone ----
command -v bash >/dev/null || exit $failed
svconn peers allow "$(printf '%064x' 12)" --name guest 2>/dev/null
offers bash "svconn forward tcp:" //bob.example:4000
offers bash "svconn peers " trust allow !alice
offers bash "svconn peers allow " alice !guest !trust
offers bash "svconn peers deny " guest !alice
offers bash "svconn peers list " !alice !trust
offers bash "svconn peers allow alice " only=files until= no-ask !trust
offers bash "svconn peers allow alice ask only=" files pipe !until=
offers bash "svconn peers trust new @no" notes.key
offers bash "svconn peers trust new @notes.key tc" tcp://
offers bash "svconn serve --allow " authorized known seen ask any alice
offers bash "svconn relay --allow no" notes.key !any
offers bash "svconn relay " tcp:// !exec: !stdio:
offers bash "svconn relay --key notes.key " tcp:// !exec:

# Two processes that both have a session 1
if command -v python3 >/dev/null; then
    export XDG_RUNTIME_DIR="$dir/run"
    mkdir -p "$XDG_RUNTIME_DIR/svconn"
    python3 -c '
import socket, sys
from select import select
doors = []
for at, numbers in (("listen-2.sock", [1]), ("serve-1.sock", [1, 7])):
    s = socket.socket(socket.AF_UNIX)
    s.bind(sys.argv[1] + "/" + at)
    s.listen()
    doors.append((s, numbers))
print("listening", flush=True)
while True:
    for s in select([s for s, n in doors], [], [])[0]:
        c = s.accept()[0]
        asked = c.recv(64).decode().split()
        row = "{\"number\":%d,\"state\":\"connected\",\"name\":\"somebody-with-a-long-name\",\"service\":\"tunnel\",\"from\":\"relay relay.example.org:8386\"}\n"
        c.send(("".join(row % n for n in dict(doors)[s]) if asked[0] == "list" else "{\"ended\":%s}\n" % asked[1]).encode())
        c.close()
' "$XDG_RUNTIME_DIR/svconn" >"$dir/doors.log" 2>&1 &
    started="$started $!"
    await listening "$dir/doors.log" || fail "two control sockets" "$(cat "$dir/doors.log")"
    offers bash "svconn sessions --end " serve-1/1 listen-2/1 7 !1
    svconn sessions >"$dir/table" 2>&1
    if [ "$(grep -c 'somebody-with... tunnel   relay relay.exampl...      0s     0 B     0 B  connected$' "$dir/table")" -eq 3 ]; then pass "sessions: what is long is cut"
    else fail "sessions: what is long is cut" "$(cat "$dir/table")"; fi
    if svconn sessions --end 1 2>"$dir/said"; then fail "sessions: --end 1 of two" "exit code 0"
    elif grep -q "say which: --end listen-2/1 or --end serve-1/1" "$dir/said"; then pass "sessions: --end 1 of two"
    else fail "sessions: --end 1 of two" "$(cat "$dir/said")"; fi
    if svconn sessions --end serve-1/1 2>"$dir/said" && grep -q "session 1 of serve-1 was ended" "$dir/said"; then pass "sessions: --end serve-1/1"
    else fail "sessions: --end serve-1/1" "$(cat "$dir/said")"; fi
    svconn sessions --end serve-1/9 2>"$dir/said"
    if grep -q "no session 9 of a process of this name" "$dir/said"; then pass "sessions: --end PROCESS/N, not there"
    else fail "sessions: --end PROCESS/N, not there" "$(cat "$dir/said")"; fi
    for wrong in 0 -1 x serve-1/ /1 serve-1/x 1x ''; do
        svconn sessions --end "$wrong" 2>"$dir/said"
        if [ $? -eq 2 ]; then pass "sessions: --end \"$wrong\" is refused"; else fail "sessions: --end \"$wrong\"" "$(cat "$dir/said")"; fi
    done
else echo "skip sessions of two processes: no python3 to play them"; fi
exit $failed
