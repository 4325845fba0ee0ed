#!/bin/sh
# SPDX-License-Identifier: ISC
# "svconn peers" and its two files, from outside. Usage: sh tests/peers.sh path/to/svconn
set -u
root=$(cd "$(dirname "$0")" && pwd)
. "$root/program.sh"

export XDG_CONFIG_HOME="$dir/config"
home=$XDG_CONFIG_HOME/svconn known=$XDG_CONFIG_HOME/svconn/known_peers guests=$XDG_CONFIG_HOME/svconn/authorized_peers
alone=$(command -v setsid >/dev/null && echo setsid -w) # no terminal, so nobody can be asked

check() { # NAME CONDITION...
    check_name=$1
    shift
    if "$@"; then pass "$check_name"; else fail "$check_name" "$(echo "not true: $*"; cat out err "$known" "$guests" 2>/dev/null | head -n 15)"; fi
}
peers() { # CODE WORD...: output in out and err
    want=$1
    shift
    $alone "$svconn" peers "$@" >out 2>err </dev/null
    got=$?
    [ $got -eq "$want" ] && return 0
    echo "  exit code $got instead of $want: svconn peers $*"
    return 1
}
does() { # NAME WORD...
    name=$1
    shift
    if peers 0 "$@"; then pass "$name"; else fail "$name" "$(cat err)"; fi
}
# refuses NAME CODE TEXT WORD...: says TEXT, in one line, and the two files stay as they are
refuses() {
    name=$1 code=$2 text=$3
    shift 3
    before=$(cksum "$known" "$guests" 2>/dev/null)
    if peers "$code" "$@" && grep -qF -- "$text" err && [ "$(wc -l <err)" -eq 1 ] && [ ! -s out ] && [ "$(cksum "$known" "$guests" 2>/dev/null)" = "$before" ]; then
        pass "$name"
    else fail "$name" "\"$text\" expected; said: $(cat err out)"; fi
}
mode() { ls -dln "$1" | cut -c1-10; }
key() { printf '%064x' "$1"; }
for n in b c d; do "$svconn" keygen -o $n.pem >/dev/null; done
# most numbers are no points of the curve: these files hold keys as names, and do not compute with them
a=$(key 10) b=$(key_of b.pem) c=$(key_of c.pem) d=$(key_of d.pem)
ssh_line="ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBm/RAlphM3+hUG6wWfcO5bIUIaqMLa2ywxcOK1wMWbh me@there \$(date)"
ssh_key=19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1
fingerprint_of() { "$svconn" id --public "$1" | sed -n 's/^fingerprint: //p'; }

# ---- list, trust, forget ----
does "list: no files" list
check "list: nobody" [ "$(wc -c <out) $(grep -c 'nobody is known' err)" = "0 1" ]
check "list: makes nothing" [ ! -e config ]
does "trust: the first one" trust alice "$a" tcp://alice.example:4000
check "trust: the line" [ "$(cat "$known")" = "alice $a verified tcp://alice.example:4000" ]
check "trust: file and directory are ours alone" [ "$(mode "$known") $(mode config) $(mode "$home")" = "-rw------- drwx------ drwx------" ]
does "trust: a line of ssh, in quotes" trust bob "$ssh_line"
check "trust: its comment is not kept" [ "$(tail -n 1 "$known")" = "bob $ssh_key verified" ]
printf '%s\r\n' "$ssh_line" >bob.pub
does "trust: @FILE, the same again" trust bob @bob.pub
check "trust: the same again changes nothing" [ "$(wc -l <"$known")" -eq 2 ]
does "trust: another address" trust bob @bob.pub "exec:ssh bob nc -U x"
check "trust: an address with blanks" [ "$(tail -n 1 "$known")" = "bob $ssh_key verified exec:ssh bob nc -U x" ]
refuses "trust: a changed key" 3 'it was set up anew, or somebody is in between' trust alice "$c"
check "trust: a changed key: forget comes first" grep -qF 'do "svconn peers forget alice" first' err
refuses "trust: a known key by another name" 3 "this key is that of alice already" trust carol "$a"
for bad in "a b" "" "$a" "$(printf 'a\033[31m')" "ä" "$(printf '%065d' 0)" "ssh-ed25519" "a#b" "a
b"; do refuses "trust: not a name: $(printf %s "$bad" | tr -c 'a-z0-9#-' _ | cut -c1-20)" 2 "NAME: at most 64" trust "$bad" "$b"; done
for bad in any known seen ask authorized pairing:x 7KQ3-M2XD; do refuses "trust: a name that means something else: $bad" 2 "NAME: at most 64" trust "$bad" "$b"; done
refuses "trust: a name that begins with -" 2 "NAME: at most 64" trust -- -x "$b"
for bad in 00 "${a}0" "ssh-rsa AAAA" @; do refuses "trust: not a key: $(echo "$bad" | cut -c1-10)" "$([ "$bad" = @ ] && echo 3 || echo 2)" "" trust carol "$bad"; done
refuses "trust: a key of ssh without quotes" 2 "put the line of the key into quotes" trust carol ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBm
refuses "trust: an address that a terminal would obey" 3 "printable ASCII" trust carol "$c" "$(printf 'tcp://x\033[1m')"
refuses "trust: an address of two lines" 3 "printable ASCII" trust carol "$c" "x
mallory $d verified"
refuses "trust: an address with a blank at its end" 3 "begins or ends with a blank" trust carol "$c" "x "
printf '%s\n%s\n' "$c" "$d" >two.pub
refuses "trust: a file with two keys" 3 "holds no public key" trust carol @two.pub
refuses "trust: no file" 3 "cannot read none.pub" trust carol @none.pub
refuses "trust: too little" 2 "svconn peers trust NAME KEY [ADDRESS]" trust carol
refuses "an action that is none" 2 'there is no action "trusts"' trusts
refuses "an option of another action" 2 "--json belongs to list" forget bob --json
does "list: two" list
check "list: aligned, with fingerprint and address" grep -qF "  alice  verified  $(fingerprint_of "$a")  tcp://alice.example:4000" out
does "forget" forget bob
check "forget: open sessions go on" grep -q "sessions that are open go on.*svconn sessions --end" err
check "forget: the others stay" [ "$(cat "$known")" = "alice $a verified tcp://alice.example:4000" ]
refuses "forget: nobody" 3 'nobody of the name "bob" is known' forget bob

# ---- verify ----
echo "carol $c seen" >>"$known"
refuses "verify: no terminal" 3 "there is no terminal to ask at" verify carol
refuses "verify: other digits" 4 "not the one that was given" verify carol --fingerprint "$(fingerprint_of "$b")"
refuses "verify: too few digits" 2 "30 digits are wanted" verify carol --fingerprint "01234 56789"
refuses "verify: nobody" 3 'nobody of the name' verify "$(printf 'x\033[1m')"
refuses "allow: not before verify" 3 'do "svconn peers verify carol" first' allow carol
does "verify: the right digits, other blanks" verify carol --fingerprint " $(fingerprint_of "$c" | tr -d ' ') "
check "verify: the line" [ "$(tail -n 1 "$known")" = "carol $c verified" ]
if command -v script >/dev/null 2>&1; then
    at_terminal() { # what is typed: the exit code
        echo "dora $d seen" >dora
        { sleep 0.1; echo yes; await 'Type yes' screen && echo "$1"; sleep 0.2; } |
            script -qefc "sleep 0.5; '$svconn' peers verify dora --known-peers dora; echo code \$?" typescript >screen 2>&1
        cat dora
    }
    : >screen
    check "verify: yes at the terminal" [ "$(at_terminal yes)" = "dora $d verified" ]
    check "verify: shows the fingerprint" grep -qF "$(fingerprint_of "$d")" screen
    check "verify: shows the words" grep -qF "$("$svconn" id --public "$d" | sed -n 's/^words: //p')" screen
    : >screen
    check "verify: y is no yes, nor is what was typed before" [ "$(at_terminal y) $(grep -c 'code 4' screen)" = "dora $d seen 1" ]
else
    echo "skip verify at a terminal: no script here (Debian: bsdutils)"
fi

# ---- allow, deny ----
does "allow: with options" allow alice only=files forward=web forward=db from=10.0.0.0/8 from=2001:db8::/32 from=::1 no-ask until=2028-02-29 sessions=3
check "allow: the line" [ "$(cat "$guests")" = "$a alice only=files forward=web forward=db from=10.0.0.0/8 from=2001:db8::/32 from=::1 no-ask until=2028-02-29 sessions=3" ]
does "allow: a KEY with a name" allow "$ssh_line" --name bob ask
does "allow: another key of the same name" allow "$b" --name bob
does "allow: anew" allow alice only=pipe until=2001-01-01
check "allow: a day that is over" grep -q "may NOT come: the day of until= is over" err
check "allow: the old line of this key is replaced in its place" [ "$(cat "$guests")" = "$a alice only=pipe until=2001-01-01
$ssh_key bob ask
$b bob" ]
refuses "allow: a KEY without a name" 2 "a KEY needs a name" allow "$d"
refuses "allow: a name that is none" 3 "cannot be the NAME" allow "$d" --name "d d"
refuses "allow: nobody" 3 'nobody of the name "zoe"' allow zoe
for bad in until=2026-02-30 until=2100-02-29 until=2026-13-01 until=2026-00-10 until=2026-1-1 until=1969-12-31 until=tomorrow until= until=2026-01-01x \
    sessions=0 sessions=-1 sessions=1000001 sessions=99999999999999999999 sessions= sessions=1k only=everything only= only=tunnel,pipe forward= forward=a,b \
    from= from=10.0.0.0/33 from=10.0.0/8 from=::1/129 from=::1/ from=10.0.0.1/-1 from=localhost from=10.0.0.1/8 from=1.2.3.4/8x ASK asks forward "a b" "" "ask
$d mallory" "$(printf 'forward=\033[1m')"; do
    refuses "allow: not an option: $(printf %s "$bad" | tr -c 'a-zA-Z0-9=.:/,-' _ | cut -c1-30)" 3 "" allow alice "$bad"
done
refuses "allow: ask and no-ask" 3 "contradict" allow alice ask no-ask
refuses "allow: until twice" 3 "second until=" allow alice until=2030-01-01 until=2031-01-01
refuses "allow: too long" 3 "too long" allow alice "forward=$(printf '%0999d' 0)"
for good in until=2000-02-29 until=2024-02-29 until=9999-12-31 until=1970-01-01 sessions=1 sessions=1000000 from=::ffff:1.2.3.4 from=0.0.0.0/0 only=tunnel forward=10.0.0.1:80; do
    does "allow: $good" allow "$d" --name dora "$good"
done
today=$(date -u +%F)
peers 0 allow "$d" --name dora "until=$today"
cp err today.err
does "list" list
check "list: who may come, and that a time is over" grep -qE '^  alice  [0-9 ]{35}  only=pipe until=2001-01-01  \(over\)$' out
check "list: today is not over" [ "$(grep -c "until=$today$" out)" -eq 1 ]
does "list --json" --json
if command -v python3 >/dev/null 2>&1; then
    check "list --json: an object in each line" python3 -c '
import json, sys
rows = [json.loads(line) for line in open("out")]
assert [r["name"] for r in rows if r["list"] == "known"] == ["alice", "carol"], rows
assert [r["name"] for r in rows if r["list"] == "authorized"] == ["alice", "bob", "bob", "dora"], rows
assert rows[0]["address"] == "tcp://alice.example:4000" and rows[1]["address"] is None and rows[0]["verified"] is True
assert rows[2]["options"] == ["only=pipe", "until=2001-01-01"] and len(rows[2]["key"]) == 64
'
    printf '%s\n' "q $d seen exec:a \"b\" \\c" >quote
    peers 0 --json --known-peers quote --authorized none
    check "list --json: quotes and backslashes" python3 -c 'import json; assert json.load(open("out"))["address"] == "exec:a \"b\" \\c"'
else
    echo "skip list --json: no python3 here to read it"
fi
check "allow: today is not over" grep -q "may come now" today.err
does "deny: every key of the name" deny bob
check "deny: open sessions go on" grep -q "sessions that are open go on.*svconn sessions --end" err
check "deny: the others stay" [ "$(cut -d' ' -f2 "$guests" | tr '\n' ' ')" = "alice dora " ]
refuses "deny: nobody" 3 "may come, so there is nothing to take away" deny bob

# ---- files by hand ----
# wrong_line NAME TEXT FORMAT: known_peers that printf makes of FORMAT is refused with TEXT
wrong_line() {
    # shellcheck disable=SC2059
    printf "$3" >hand
    refuses "by hand: $1" 3 "$2" list --known-peers hand --authorized none
    refuses "by hand, trust: $1" 3 "$2" trust zoe "$d" --known-peers hand
}
wrong_guest() {
    # shellcheck disable=SC2059
    printf "$3" >hand
    refuses "by hand, authorized: $1" 3 "$2" list --authorized hand --known-peers none
}
wrong_line "a NAME twice" "hand, line 4: it has the same NAME as line 2" "# x\nx $a seen\n\nx $b seen\n"
wrong_line "no KEY" "hand, line 1: the KEY is missing" "x\n"
wrong_line "half a KEY" "hand, line 1: \"abc\" is no KEY" "x abc seen\n"
wrong_line "no state" "hand, line 2: \"\" is there where \"seen\" or \"verified\"" "x $a seen\ny $b\n"
wrong_line "another state" "is there where \"seen\" or \"verified\"" "x $a trusted\n"
wrong_line "a name that a terminal would obey" "line 1: \"\\x1b[1mx\" cannot be" "\033[1mx $a seen\n"
wrong_line "an address with control characters" "line 1: " "x $a seen tcp://\001x\n"
wrong_line "a NUL byte" "hand, line 2: there is a NUL byte" "x $a seen\n\000y\n"
wrong_line "too long" "hand, line 1: it is too long" "x $a seen $(printf '%01200d' 0)\n"
wrong_line "address too long" "hand, line 1: the ADDRESS is too long" "x $a seen $(printf '%0501d' 0)\n"
wrong_guest "a KEY twice" "hand, line 2: it has the same KEY as line 1" "$a x\nssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAK y\n"
wrong_guest "no NAME" "hand, line 1: the NAME is missing" "$a\n"
wrong_guest "NAME first" "hand, line 1: \"x\" is no KEY" "x $a\n"
wrong_guest "no day" "hand, line 1: \"until=2026-02-30\" is no day" "$a x until=2026-02-30\n"
wrong_guest "a comment of ssh with two words" "\"smith\" is no OPTION" "$(echo "$ssh_line" | cut -d' ' -f1,2) joe smith\n"
head -c 1100000 /dev/zero | tr '\0' '#' >hand
refuses "by hand: too large" 3 "too large" list --known-peers hand --authorized none

printf '# mine  \r\n\r\n\t# and this\nold %s seen\t \r\n  ssh ssh-ed25519 %s verified tcp://x:1\r\n#end' "$a" "$(echo "$ssh_line" | cut -d' ' -f2)" >hand
does "by hand: CR LF, tabs, no newline at the end" trust new "$d" --known-peers hand
echo "new $d verified" >expected.tail
printf '# mine  \r\n\r\n\t# and this\nold %s seen\t \r\n  ssh ssh-ed25519 %s verified tcp://x:1\r\n#end\n' "$a" "$(echo "$ssh_line" | cut -d' ' -f2)" >expected
cat expected expected.tail >both
check "by hand: every byte of it is kept" same hand both
peers 0 --json --known-peers hand --authorized none
check "by hand: blanks at the end belong to nothing" [ "$(grep -c '"name":"old".*"address":null' out) $(grep -c '"name":"ssh".*"address":"tcp://x:1"' out)" = "1 1" ]
peers 0 forget new --known-peers hand
check "by hand: forget takes its own line alone" same hand expected

# ---- whose file it is ----
chmod 664 "$known"
refuses "modes: others can write the file" 3 "chmod go-w $known" list --authorized none
refuses "modes: and nothing is added" 3 "chmod go-w" trust zoe "$d"
chmod 644 "$known"
does "modes: others can read it" trust zoe "$d"
check "modes: are kept" [ "$(mode "$known")" = "-rw-r--r--" ]
chmod 777 "$home"
refuses "modes: others can write the directory" 3 "chmod go-w $home" list --authorized none
chmod 700 "$home"
mkdir link shared
cp "$known" link/real
ln -s ../../link/real "$home/linked"
does "a symbolic link: through it" forget zoe --known-peers "$home/linked"
check "a symbolic link: it stays, and the file behind it is another" [ "$(readlink "$home/linked") $(grep -c zoe link/real) $(grep -c alice link/real)" = "../../link/real 0 1" ]
ln -s nowhere dangling
refuses "a symbolic link: to nothing" 3 "a symbolic link to a file that is not there" trust zoe "$d" --known-peers dangling
ln -s ../link/real shared/linked
chmod 777 shared
refuses "a symbolic link: in a directory of all" 3 "chmod go-w shared" list --known-peers shared/linked --authorized none
chmod 777 link
refuses "a symbolic link: to a directory of all" 3 "chmod go-w $dir/link" list --known-peers "$home/linked" --authorized none
mkfifo fifo
refuses "not a file" 3 "is not a file" list --known-peers fifo --authorized none
refuses "a directory" 3 "is not a file" list --known-peers config --authorized none
if [ "$(id -u)" -eq 0 ]; then
    cp "$known" theirs && chown 12345 theirs
    refuses "a file of somebody else" 3 "belongs to somebody else (user 12345)" list --known-peers theirs --authorized none
else
    echo "skip a file of somebody else: only root can make one"
fi
HOME='' XDG_CONFIG_HOME='' peers 3 trust zoe "$d"
check "no home: says so" grep -q "there is no place for known_peers" err
refuses "a directory that is not there" 3 "cannot make the lock" trust zoe "$d" --known-peers missing/known

# ---- many at once, crashes, a full disk ----
: >many
for n in $(seq 20); do "$svconn" peers trust "n$n" "$(key "$n")" --known-peers many 2>>many.err & pids="${pids:-} $!"; done
# shellcheck disable=SC2086
wait $pids
check "20 at once: nothing is lost" [ "$(sort -u many | wc -l)" -eq 20 ]

{ echo "# first"; for n in $(seq 300); do echo "n$n $(key "$n") seen"; done; echo "# last"; } >crash
cp crash crash.before
n=1000 broken=0 killed=0
while [ $n -lt 1060 ]; do
    n=$((n + 1))
    "$svconn" peers trust "n$n" "$(key $n)" --known-peers crash 2>/dev/null &
    pid=$!
    sleep "0.00$((n % 10))"
    kill -9 $pid 2>/dev/null
    wait $pid 2>/dev/null
    [ $? -eq 137 ] && killed=$((killed + 1))
    head -n 302 crash | cmp -s - crash.before || broken=$((broken + 1))
    [ "$(tail -c 1 crash | od -An -tx1 | tr -d ' ')" = 0a ] || broken=$((broken + 1))
done
check "killed at any time: the file is whole" [ $broken -eq 0 ]
[ $killed -ge 5 ] || echo "skip killed at any time: nearly all were faster than the kills"
does "killed at any time: the next one goes on" trust after "$(key 2000)" --known-peers crash
check "killed at any time: nothing is left beside" [ ! -e crash.new ]

cp crash full
: >full.lock
(trap '' XFSZ; ulimit -f 8; exec "$svconn" peers trust more "$(key 3000)" --known-peers full 2>err)
check "no room: says so" [ "$? $(grep -c "nothing was changed" err)" = "3 1" ]
check "no room: the old file stays, nothing beside it" [ "$(cmp full crash && echo full*)" = "full full.lock" ]
mkdir small
trap 'umount small 2>/dev/null; finish' EXIT
if mount -t tmpfs -o size=64k,mode=700 none small 2>/dev/null; then
    cp crash small/known
    : >small/known.lock
    dd if=/dev/zero of=small/fill bs=4k 2>/dev/null
    refuses "a full disk: says so" 3 "No space left on device; nothing was changed" trust more "$(key 3000)" --known-peers small/known
    check "a full disk: the old file stays, nothing beside it" [ "$(cmp small/known crash && ls small | tr '\n' ' ')" = "fill known known.lock " ]
    umount small
else
    echo "skip a full disk: nothing can be mounted here; a limit for files stood in for it"
fi

"$svconn" peers --help >out
check "help: fits a screen" [ "$(wc -l <out) $(awk 'length > 100' out | wc -l)" = "30 0" ]
exit $failed
