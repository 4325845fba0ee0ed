#!/bin/sh
# SPDX-License-Identifier: ISC
# The program, from outside. Usage: sh tests/cmd.sh path/to/svconn
set -u
root=$(cd "$(dirname "$0")" && pwd)
. "$root/program.sh"
export HOME="$dir/home" # whoever runs this has a key of their own
unset XDG_CONFIG_HOME

# check NAME CONDITION...: a test command and what to show
check() {
    check_name=$1
    shift
    if "$@"; then pass "$check_name"; else fail "$check_name" "$(echo "not true: $*"; cat out err 2>/dev/null | head -n 15)"; fi
}

alone=$(command -v setsid >/dev/null && echo setsid -w) # no terminal, so nobody can be asked

# run CODE COMMAND...: the exit code must be CODE; output in out and err
run() {
    want=$1
    shift
    $alone "$svconn" "$@" >out 2>err </dev/null
    got=$?
    [ "$got" -eq "$want" ] && return 0
    echo "  exit code $got instead of $want: svconn $*"
    head -n 10 err | sed 's/^/    /'
    return 1
}

# refuses NAME CODE TEXT COMMAND...: fails with this code, and says TEXT on standard error, and nothing on standard output
refuses() {
    name=$1 code=$2 text=$3
    shift 3
    if run "$code" "$@" && grep -qF -- "$text" err && [ ! -s out ]; then pass "$name"; else fail "$name" "\"$text\" expected; said: $(cat err)"; fi
}

# background LOG COMMAND...: starts it; waits for its address, which goes to $address; its process id to $pid
background() {
    log=$1
    shift
    : >"$log" # else the line of the one before can be found in it
    "$svconn" "$@" >"$log.out" 2>"$log" </dev/null &
    pid=$!
    started="$started $pid"
    await 'ing on ' "$log"
    address=$(sed -n 's/^svconn: \(listening\|relaying\) on //p' "$log" | head -n 1)
}
stop() {
    kill "$1" 2>/dev/null
    wait "$1" 2>/dev/null
}

mode() { ls -ln "$1" | cut -c1-10; }

# answer PORT TEXT: sends the text over TCP, as any stranger could, and prints the first line that comes back
raw=$(command -v bash)
answer() {
    bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$0" && printf %s "$1" >&3 && IFS= read -r -t 60 line <&3; printf "%s\n" "$line"' "$1" "$2" 2>/dev/null
}

# ---- keygen, id ----
run 0 keygen -o a.pem
check "keygen: a PEM file, mode 600" [ "$(mode a.pem)" = "-rw-------" ]
check "keygen: three lines of PKCS#8" [ "$(sed -n '1p;3p' a.pem | tr '\n' ' ')" = "-----BEGIN PRIVATE KEY----- -----END PRIVATE KEY----- " ]
check "keygen: prints public key and fingerprint" grep -Eqx 'public key: [0-9a-f]{64}' out
check "keygen: fingerprint of 30 digits in groups of 5" grep -Eqx 'fingerprint: [0-9]{5}( [0-9]{5}){5}' out
cp out keygen.out
run 0 id a.pem
check "id: the same as keygen" same out keygen.out
cp a.pem a.copy
refuses "keygen: never overwrites" 3 "never overwritten" keygen -o a.pem
check "keygen: the old file is untouched" same a.pem a.copy
refuses "keygen: a directory that does not exist" 3 "No such file" keygen -o missing/a.pem
run 0 keygen --hex --output=b.hex
check "keygen --hex: 64 digits" [ "$(grep -Ecx '[0-9a-f]{64}' b.hex) $(wc -l <b.hex | tr -d ' ')" = "1 1" ]
run 0 keygen --psk -o psk
check "keygen --psk: 64 digits, no public key" [ "$(grep -Ecx '[0-9a-f]{64}' psk) $(wc -c <out | tr -d ' ')" = "1 0" ]
run 0 keygen -o c.pem
check "keygen: never the same key twice" [ "$(key_of a.pem)" != "$(key_of c.pem)" ]
a=$(key_of a.pem) b=$(key_of b.hex) c=$(key_of c.pem)
run 0 id --public "$a"
check "id --public: the same fingerprint" same out keygen.out
printf '%s \r\n\n' "$(cat b.hex)" >spaces.hex
check "id: white space behind the digits" [ "$(key_of spaces.hex)" = "$b" ]
tr a-f A-F <b.hex >upper.hex
check "id: upper-case digits" [ "$(key_of upper.hex)" = "$b" ]

# RFC 8410, section 10.3: both forms of one key, the second one with attributes and the public key
rfc_public=19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1
cat >rfc1.pem <<'X'
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
X
cat >rfc2.pem <<'X'
-----BEGIN PRIVATE KEY-----
MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB
Z9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PRIVATE KEY-----
X
check "id: RFC 8410, version 1" [ "$(key_of rfc1.pem)" = "$rfc_public" ]
check "id: RFC 8410, version 2 with attributes and public key" [ "$(key_of rfc2.pem)" = "$rfc_public" ]
sed 's/$/\r/' rfc2.pem >crlf.pem
check "id: PEM with CR LF" [ "$(key_of crlf.pem)" = "$rfc_public" ]

# ---- OpenSSL ----
if command -v openssl >/dev/null && openssl genpkey -algorithm ed25519 -out openssl.pem 2>/dev/null; then
    chmod 600 openssl.pem
    theirs() { openssl pkey -in "$1" -pubout -outform DER 2>/dev/null | tail -c 32 | od -An -tx1 | tr -d ' \n'; }
    check "openssl: reads our PEM" [ "$(theirs a.pem)" = "$a" ]
    check "openssl: we read its PEM" [ "$(key_of openssl.pem)" = "$(theirs openssl.pem)" ]
    openssl pkey -in a.pem -out again.pem
    check "openssl: writes the same bytes as we do" same again.pem a.pem
    openssl genpkey -algorithm x25519 -out x25519.pem 2>/dev/null
    refuses "openssl: an X25519 key is refused" 3 "not a well-formed PKCS#8 file of an Ed25519 key" id x25519.pem
    openssl pkey -in a.pem -aes256 -passout pass:x -out encrypted.pem 2>/dev/null
    refuses "openssl: an encrypted key is refused with advice" 3 "openssl pkey -in" id encrypted.pem
    openssl pkey -in a.pem -pubout -out public.pem
    refuses "openssl: a public key is refused" 3 "it is a public key" id public.pem
else
    echo "skip openssl: no openssl program with Ed25519 here, so PEM files were not compared with another implementation"
fi

# ---- bad key files ----
bad_file() { # name, text expected, content
    printf '%s' "$3" >bad.key
    refuses "bad key file: $1" 3 "$2" id bad.key
}
pem() { printf -- '-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n' "$1"; }
body=$(sed -n 2p rfc1.pem)
bad_file "empty" "neither a PEM private key nor 64 hexadecimal digits" ""
bad_file "63 digits" "neither" "$(cut -c1-63 b.hex)"
bad_file "65 digits" "neither" "$(cat b.hex)0"
bad_file "not a digit" "neither" "$(cut -c1-63 b.hex)g"
bad_file "blank in front" "neither" " $(cat b.hex)"
bad_file "short base64" "not a well-formed" "$(pem MC4CAQAw)"
bad_file "bad base64 character" "not a well-formed" "$(pem "$(echo "$body" | sed 's/^M/!/')")"
bad_file "blank in base64" "not a well-formed" "$(pem "$(echo "$body" | sed 's/^MC4C/MC4C    /')")"
bad_file "another algorithm" "not a well-formed" "$(pem "$(echo "$body" | sed 's/K2Vw/K2Vu/')")"
bad_file "a byte too many" "not a well-formed" "$(pem "${body}AA==")"
bad_file "text behind it" "not a well-formed" "$(pem "$body")x"
bad_file "OpenSSH, cut off" "OpenSSH key is damaged" "-----BEGIN OPENSSH PRIVATE KEY-----"
bad_file "RSA" "PEM file of another kind" "-----BEGIN RSA PRIVATE KEY-----"
sed 's/Z9w7/Z9w8/' rfc2.pem >pair.pem
refuses "bad key file: public key of another pair" 3 "does not belong to its private key" id pair.pem
sed 's/AQEw/AQAw/' rfc2.pem >version.pem
refuses "bad key file: version 1 with a public key" 3 "not a well-formed" id version.pem
sed 's/ZuE=/ZuF=/' rfc2.pem >unused.pem
refuses "bad key file: unused base64 bits" 3 "not a well-formed" id unused.pem
head -c 30000 /dev/zero | tr '\0' a >large.key
refuses "bad key file: too large" 3 "too large" id large.key
refuses "bad key file: not there" 3 "\"svconn keygen\" makes one" id missing.pem
refuses "bad key file: a directory" 3 "not a key file" id .
cp a.pem open.pem
for m in 640 604 644 620 660; do
    chmod $m open.pem
    refuses "bad key file: mode $m" 3 "chmod 600 open.pem" id open.pem
done
refuses "bad key file: psk in PEM" 3 "is not a pre-shared key" echo tcp://127.0.0.1:1 --psk a.pem --name x
chmod 644 open.pem
refuses "echo: an open key file is refused too" 3 "chmod 600" echo tcp://127.0.0.1:1 --key open.pem --peer any
chmod 600 open.pem

# ---- the command line ----
run 2
check "usage: nothing" grep -q "Usage:" err
refuses "usage: no such command" 2 'no command "frobnicate"' frobnicate
run 0 --version
check "usage: --version" grep -Eq '^svconn [0-9]+\.[0-9]+\.[0-9]+ ' out
run 0 --help
check "usage: --help names every command" [ "$(grep -Ec '^  (demo|keygen|id|echo-server|echo|relay|sessions) ' out)" -eq 7 ]
check "usage: --help has the exit codes" grep -q "Exit codes" out
for command in demo keygen id echo-server echo relay sessions; do
    run 0 "$command" --help
    check "usage: $command --help" grep -q "^Usage: svconn $command " out
    check "usage: $command --help is at most 100 columns wide" [ "$(awk 'length > 100' out | wc -l)" -eq 0 ]
    cp out help1
    run 0 help "$command"
    check "usage: help $command is the same" same out help1
    refuses "usage: $command: unknown option" 2 "there is no option --frobnicate" "$command" --frobnicate
    refuses "usage: $command: too many operands" 2 "is too much" "$command" 1 2 3
done
has_options() { # command, options
    command=$1
    shift
    run 0 "$command" --help
    for o in "$@"; do check "usage: $command --help tells of $o" grep -q -- "$o\b" out; done
}
has_options keygen "-o" "--output" "--hex" "--psk"
has_options id "--public"
has_options echo-server --key --peer --hidden --psk --name --context --renew-every --verbose --once --via --via-password
has_options echo --key --peer --hidden --psk --name --context --renew-every --early --verbose --size --via --via-password
has_options relay --once --hexdump --capture
has_options demo --seconds
has_options sessions --json --end --control
refuses "usage: keygen --psk without a file" 2 "--psk goes with -o FILE" keygen --psk
refuses "usage: id without a file, and no usual key" 3 "makes one" id
refuses "usage: id with both" 2 "one of the three" id a.pem --public "$a"
refuses "usage: id --public too short" 2 "64 hexadecimal digits" id --public 1234
refuses "usage: a value is missing" 2 "--output needs a value" keygen -o
refuses "usage: a flag with a value" 2 "--hex takes no value" keygen --hex=1 -o x
refuses "usage: an option twice" 2 "--psk is there twice" keygen --psk --psk -o x
refuses "usage: echo without address" 2 "something is missing" echo
refuses "usage: echo without --peer" 2 "is not safe" echo tcp://127.0.0.1:1
refuses "usage: --peer that is nothing" 2 "64 hexadecimal digits, name:NAME, ask or any" echo tcp://127.0.0.1:1 --peer "${a}00"
refuses "usage: --size 0" 2 "a number from 1 to 65535" echo tcp://127.0.0.1:1 --peer any --size 0
refuses "usage: --size 65536" 2 "a number from 1 to 65535" echo tcp://127.0.0.1:1 --peer any --size 65536
refuses "usage: --size 12x" 2 "a number from 1 to 65535" echo tcp://127.0.0.1:1 --peer any --size=12x
refuses "usage: --size -1" 2 "a number from 1 to 65535" echo tcp://127.0.0.1:1 --peer any --size -1
refuses "usage: --renew-every beyond 2^20" 2 "1048576" echo tcp://127.0.0.1:1 --peer any --renew-every 1048577
refuses "usage: --key with --psk" 2 "one of the two" echo tcp://127.0.0.1:1 --key a.pem --psk psk --name x
refuses "usage: --psk without --name" 2 "go together" echo tcp://127.0.0.1:1 --psk psk
refuses "usage: --hidden with --psk" 2 "not with --psk" echo tcp://127.0.0.1:1 --psk psk --name x --hidden
refuses "usage: --hidden with any only" 2 "only be found by its key" echo tcp://127.0.0.1:1 --peer any --hidden
refuses "usage: name: without --psk" 2 "goes with --psk" echo tcp://127.0.0.1:1 --peer name:x
refuses "usage: --context too long" 2 "at most 255" echo tcp://127.0.0.1:1 --peer any --context "$(printf %256s x)"
refuses "usage: a password on the command line" 2 "write USER@HOST:PORT, and the password into a file" echo tcp://127.0.0.1:1 --peer any --via http://me:s3cret@127.0.0.1:1
check "usage: a password on the command line is not repeated" [ "$(grep -c s3cret err)" -eq 0 ]
refuses "usage: and in the second proxy" 2 "write USER@HOST:PORT" echo-server wormhole://127.0.0.1:1/x --via socks5://127.0.0.1:1,socks5://:s3cret@127.0.0.1:1
refuses "usage: two users in --via" 2 "one of the proxies" echo tcp://127.0.0.1:1 --peer any --via http://a@h:1,http://b@h:1 --via-password psk
refuses "usage: a user without --via-password" 2 "wants --via-password FILE" echo tcp://127.0.0.1:1 --peer any --via http://me@127.0.0.1:1
refuses "usage: --via-password without a user" 2 "goes with a USER@ in --via" echo tcp://127.0.0.1:1 --peer any --via http://127.0.0.1:1 --via-password psk
refuses "usage: --via-password without --via" 2 "goes with --via" echo tcp://127.0.0.1:1 --peer any --via-password psk
refuses "via: the password file is not there" 3 "cannot open the password file missing: No such file" echo tcp://127.0.0.1:1 --peer any --via http://me@127.0.0.1:1 --via-password missing
printf 'one\ntwo\n' >lines
: >nothing
refuses "via: a password file of two lines" 3 "one line of 1 to 255 bytes" echo tcp://127.0.0.1:1 --peer any --via http://me@127.0.0.1:1 --via-password lines
refuses "via: an empty password file" 3 "one line of 1 to 255 bytes" echo tcp://127.0.0.1:1 --peer any --via http://me@127.0.0.1:1 --via-password nothing
chmod 644 lines
refuses "via: a password file that others can read" 3 "chmod 600 lines" echo tcp://127.0.0.1:1 --peer any --via http://me@127.0.0.1:1 --via-password lines
refuses "via: a listener behind a proxy" 3 "cannot listen there through a proxy" echo-server tcp://127.0.0.1:0 --peer any --via http://127.0.0.1:1
refuses "via: a list that makes no sense" 3 "proxy 2 in the list: it looks like" echo tcp://127.0.0.1:1 --peer any --via http://127.0.0.1:1,proxy
refuses "usage: echo stdio:" 2 "taken by the data" echo stdio: --peer any
refuses "usage: relay on stdio:" 2 "a relay listens on" relay stdio:
refuses "echo: nobody listens" 1 "svconn: " echo unix:"$dir/nobody" --peer any --key a.pem
refuses "echo: the input is not there" 3 "cannot open missing" echo tcp://127.0.0.1:1 missing --peer any --key a.pem
refuses "echo-server: a place that cannot be listened on" 3 "svconn: " echo-server unix:"$dir/missing/socket"

# ---- echo ----
head -c 300000 /dev/urandom >random
: >empty
# echoes NAME FILE ARGUMENTS...: FILE comes back
echoes() {
    name=$1 file=$2
    shift 2
    "$svconn" echo "$@" <"$file" >out 2>err
    got=$?
    if [ $got -eq 0 ] && cmp -s "$file" out; then pass "$name"; else fail "$name" "exit code $got: $(cat err)"; fi
}
background server.log echo-server tcp://127.0.0.1:0 --key a.pem --peer "$b" --peer "$c" --verbose --context test
server=$pid tcp=$address
echoes "echo: tcp" random "$tcp" --key b.hex --peer "$a" --context test --verbose
check "echo --verbose: peer, authenticator, counts, end" [ "$(grep -Ec '^svconn: (peer public key:|peer fingerprint:|authenticator:|sent: 19 messages, 300000 bytes|received: 19 messages, 300000 bytes|end: closed in order)' err)" -eq 6 ]
check "echo: equal authenticator digits at both ends" grep -qF "$(sed -n 's/^svconn: authenticator: //p' err)" server.log
echoes "echo: a second peer that is allowed" random "$tcp" --key c.pem --peer "$b" --peer "$a" --context test --early
echoes "echo: empty input" empty "$tcp" --key b.hex --peer "$a" --context test
echoes "echo: one byte per message" a.pem "$tcp" --key b.hex --peer "$a" --context test --size 1
echoes "echo: largest messages" random "$tcp" --key b.hex --peer "$a" --context test --size 65535
echoes "echo: a new key for each record" random "$tcp" --key b.hex --peer "$a" --context test --renew-every 1 --size 100 --verbose
check "echo --verbose: each new key" [ "$(grep -c 'new key: sending with key' err)" -ge 1000 ]
run 0 echo "$tcp" random --key b.hex --peer "$a" --context=test && cp out fileout
check "echo: FILE operand" same fileout random
run 0 echo --key b.hex --peer "$a" --context=test -- "$tcp" random
check "echo: -- ends the options" same out random
{ echo one; await one slow.out; echo two; } | "$svconn" echo "$tcp" --key b.hex --peer "$a" --context test --verbose >slow.out 2>err
check "echo: a slow pipe gets its lines one by one" grep -q "sent: 2 messages, 8 bytes" err
head -c 5000000 /dev/urandom >large
echoes "echo: 5 MB" large "$tcp" --key b.hex --peer "$a" --context test --early
cat large | "$svconn" echo "$tcp" --key b.hex --peer "$a" --context test 2>err | { sleep 0.5; cat; } >out
check "echo: 5 MB through pipes with a slow reader" same out large
"$svconn" echo "$tcp" large --key b.hex --peer "$a" --context test 2>err | head -c 100000 >out
check "echo: a reader that leaves: no signal, a message" grep -q "cannot write to standard output" err

# ---- who is refused ----
refuses "refused: client without --peer for this server" 1 "is not the one of --peer" echo "$tcp" --key b.hex --peer "$c" --context test
check "refused: the client's message tells the key of the server" grep -q -- "--peer $a" err
refuses "refused: a client that the server does not know" 1 "aborted" echo "$tcp" --peer "$a" --context test
check "refused: the server's log tells how to allow it" grep -Eq -- "to allow this peer: --peer [0-9a-f]{64}" server.log
refuses "refused: another context" 1 "another context" echo "$tcp" --key b.hex --peer "$a" --context toast
refuses "refused: our own key" 1 "our own identity" echo "$tcp" --key a.pem --peer any --context test
refuses "refused: hidden expected, open server" 1 "svconn: end: " echo "$tcp" --key b.hex --peer "$c" --hidden --context test
run 0 echo "$tcp" a.pem --key b.hex --peer any --context test
check "refused: --peer any warns" grep -q "not safe" err
echoes "refused: none of these hurt the server" random "$tcp" --key b.hex --peer "$a" --context test
if [ "$raw" ]; then
    head -c 2000 /dev/urandom | bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$0" && cat >&3 && timeout 5 cat <&3' "${tcp##*:}" >/dev/null 2>&1
    echoes "refused: noise does not hurt the server" random "$tcp" --key b.hex --peer "$a" --context test
else
    echo "skip noise: bash is not here to send it"
fi

# several at once, while a peer that stays silent and one that does not read hold connections
mkfifo silent
"$svconn" echo "$tcp" --key b.hex --peer "$a" --context test <silent >/dev/null 2>silent.err &
silent=$!
started="$started $silent"
exec 3>silent
for i in 1 2 3 4 5 6; do
    "$svconn" echo "$tcp" random --key b.hex --peer "$a" --context test >"many$i" 2>/dev/null &
    eval "many_pid$i=\$!"
done
many=0
for i in 1 2 3 4 5 6; do
    eval "wait \$many_pid$i" && cmp -s "many$i" random && many=$((many + 1))
done
check "echo-server: six clients at once beside a silent one" [ $many -eq 6 ]
exec 3>&-
wait $silent
check "echo-server: the silent one ends in order" [ $? -eq 0 ]
kill -TERM $server
wait $server
check "echo-server: SIGTERM ends it with 0" [ $? -eq 0 ]

background nobody.log echo-server tcp://127.0.0.1:0 --key a.pem
refuses "echo-server: without --peer nobody is accepted" 1 "aborted" echo "$address" --key b.hex --peer "$a"
check "echo-server: and it says so" grep -q "nobody will be accepted" nobody.log
stop $pid

# ---- --once ----
background once.log echo-server tcp://127.0.0.1:0 --key a.pem --peer any --once
echoes "once: served" random "$address" --key b.hex --peer "$a"
wait $pid
check "once: exit code 0" [ $? -eq 0 ]
background once.log echo-server tcp://127.0.0.1:0 --key a.pem --peer "$c" --once
run 1 echo "$address" --key b.hex --peer "$a"
wait $pid
check "once: exit code 1 when the peer was refused" [ $? -eq 1 ]

# ---- hidden, psk ----
background hidden.log echo-server tcp://127.0.0.1:0 --key a.pem --peer "$b" --hidden
echoes "hidden: found among known servers" random "$address" --key b.hex --hidden --peer "$c" --peer "$a"
refuses "hidden: not found among others" 1 "unknown" echo "$address" --key b.hex --hidden --peer "$c"
refuses "hidden: a client in open mode" 1 "svconn: end: " echo "$address" --key b.hex --peer "$c"
stop $pid
run 0 keygen --psk -o psk2
background psk.log echo-server tcp://127.0.0.1:0 --psk psk --name server --verbose
echoes "psk: knowing it is enough" random "$address" --psk psk --name client --verbose
check "psk: the name of the peer" grep -q "peer name: *'server'" err
refuses "psk: another one" 1 "pre-shared key" echo "$address" --psk psk2 --name client
refuses "psk: the same name at both ends" 1 "svconn: end: self" echo "$address" --psk psk --name server
refuses "psk: --peer name: restricts" 1 "its name is 'server'" echo "$address" --psk psk --name client --peer name:other
refuses "psk: a client with a key" 1 "svconn: end: type" echo "$address" --key b.hex --peer any
run 0 echo "$address" a.pem --psk psk --name "$(printf 'a\033[31mb')"
check "psk: a stranger's name cannot paint the terminal" [ "$(grep -c "$(printf '\033')" psk.log)" -eq 0 ]
stop $pid
background psk.log echo-server tcp://127.0.0.1:0 --psk psk --name server --peer name:alice --peer name:bob
echoes "psk: a name that is allowed" a.pem "$address" --psk psk --name bob --peer name:server
refuses "psk: a name that is not" 1 "aborted" echo "$address" --psk psk --name carol
stop $pid

# ---- other links ----
background unix.log echo-server unix:"$dir/socket" --key a.pem --peer "$b"
check "unix: address" [ "$address" = "unix:$dir/socket" ]
echoes "unix: echo" random "unix:$dir/socket" --key b.hex --peer "$a"
stop $pid
check "unix: the socket is removed at the end" [ ! -e socket ]
echoes "exec: echo over a child's standard input and output" random "exec:'$svconn' echo-server stdio: --key a.pem --peer $b" --key b.hex --peer "$a"
refuses "exec: a child that ends at once" 1 "svconn: end: " echo "exec:exit 0" --key b.hex --peer "$a"
mkfifo up down
"$svconn" echo-server fd:3,4 --key a.pem --peer "$b" 3<up 4>down 2>fd.log &
fd=$!
"$svconn" echo fd:3,4 random --key b.hex --peer "$a" 4>up 3<down >out 2>err
check "fd: two fifos" same out random
wait $fd
check "fd: the server's exit code tells the outcome" [ $? -eq 0 ]

# ---- relay ----
# begin_relay ARGUMENTS...: at a free port; $relay: how parties reach it
begin_relay() {
    background relay.log relay tcp://127.0.0.1:0 "$@"
    await 'parties use' relay.log
    relay_pid=$pid relay=$(sed -n 's/^svconn: parties use //p' relay.log)
}
# at_relay LOG WHERE ARGUMENTS...: an echo server there; $at: what its caller uses
at_relay() {
    log=$1 where=$2
    shift 2
    background "$log" echo-server "$where" "$@"
    at=$address
}
run 0 keygen -o relay.pem
begin_relay --key relay.pem --hexdump --capture cap
check "relay: shows the public key of its key file" grep -qx "svconn: public key: $(key_of relay.pem)" relay.log
at_relay once.log "$relay" --key a.pem --peer "$b" --once
once=$pid
check "relay: the address for the caller has a token" [ "$(echo "$at" | grep -Ec '/[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$')" -eq 1 ]
echoes "relay: echo" large "$at" --key b.hex --peer "$a"
wait $once
check "relay: the server's exit code" [ $? -eq 0 ]
check "relay --hexdump: direction, size, bytes" grep -Eq '^svconn: pair 1: listen -> call +117 bytes: 01( [0-9a-f]{2}){15} \.\.\.$' relay.log
check "relay --capture: what came from the listening side" [ "$(wc -c <cap.listen)" -gt 5000000 ]
refuses "relay: a token is good once" 1 "the token is not known there" echo "$at" random --key b.hex --peer "$a"
at_relay again.log "$relay" --key a.pem --peer "$b"
again=$pid
echoes "relay: a server that stays, first time" random "$at" --key b.hex --peer "$a"
tries=0
until [ "$(grep -c 'listening on' again.log)" -eq 2 ] || [ $tries -gt 3000 ]; do sleep 0.02; tries=$((tries + 1)); done
at=$(sed -n 's/^svconn: listening on //p' again.log | tail -n 1)
echoes "relay: a server that stays, second time, with a new token" random "$at" --key b.hex --peer "$a"
stop $again
at_relay machine.log "$relay$a" --key a.pem --peer "$b"
machine=$pid
check "relay: a machine is found by its key" [ "$at" = "$relay$a" ]
refuses "relay: a relay whose key has changed is not recommended" 1 "was not accepted" echo "relay://${relay#*@}$a" random --key b.hex --peer "$a" --known-relays /dev/null
for n in 1 2 3; do echoes "relay: a machine that stays, call $n" random "$at" --key b.hex --peer "$a"; done
stop $machine
refuses "relay: no machine there" 1 "no machine with this key is registered there" echo "$at" random --key b.hex --peer "$a"
# R1: the relay's key is pinned in the address, or accepted once
host=${relay#*@}
refuses "R1: a relay with another key than the pinned one" 1 "not the one of the address" echo-server "relay://$a@$host" --key a.pem --peer "$b"
refuses "R1: a relay that is not known, and nobody to ask" 1 "is not known" echo "relay://${host}0000-0000" random --key b.hex --peer "$a" --known-relays known
printf '%s %s\n' "${host%/}" "$(key_of relay.pem)" >known
at_relay known.log "relay://$host" --key a.pem --peer "$b" --once --known-relays known
once=$pid
echoes "R1: a relay that was accepted before" random "relay://$host${at##*/}" --key b.hex --peer "$a" --known-relays known
wait $once
printf '%s %s\n' "${host%/}" "$a" >known
refuses "R1: a relay whose key has changed" 1 "shows another key" echo "relay://${host}0000-0000" random --key b.hex --peer "$a" --known-relays known
# R4: nothing but the two ends says who is there
if command -v script >/dev/null 2>&1; then
    # typing FILE COMMAND...: at a terminal of its own, on which FILE is typed line by line as it grows
    typing() {
        file=$1
        shift
        : >"$file"
        tail -n +1 --pid=$$ -f "$file" 2>/dev/null | script -qefc "$*" typescript >screen 2>&1 &
        typist=$!
        started="$started $typist"
    }
    digits_of() { sed -n 's/^.*authenticator: *//p' "$1" | tr -d '\r' | head -n 1; }
    # pair NAME SERVER-OPTIONS CALLER-OPTIONS WHAT-IS-TYPED EXPECTED: "digits" types those that the caller sees
    pair() {
        : >asked.log
        typing typed "'$svconn' echo-server '$relay' --key a.pem --once $2 2>&1 | tee asked.log; exit 0"
        await 'listening on' asked.log
        at=$(sed -n 's/^svconn: listening on //p' asked.log | tr -d '\r' | head -n 1)
        # shellcheck disable=SC2086
        $alone "$svconn" echo "$at" random --key b.hex --verbose $3 >out 2>err </dev/null &
        caller=$!
        await "$4" screen
        grep -q authenticator asked.log && fail "R4: the digits are not shown to who is to type them" "$(cat asked.log)"
        if [ "$5" = digits ]; then await authenticator: err && digits_of err >>typed; else echo "$5" >>typed; fi
        wait $caller
        code=$?
        kill $typist 2>/dev/null
        wait $typist 2>/dev/null
        if [ "$6" = served ]; then check "$1" [ "$code $(cmp out random && echo same)" = "0 same" ]
        else check "$1" [ "$code $(wc -c <out | tr -d ' ')" = "1 0" ]; fi
    }
    pair "R4: the digits that the caller reads out give access" "--peer any --open --confirm" "--peer any" "type them here" digits served
    pair "R4: other digits do not" "--peer any --open --confirm" "--peer any" "type them here" "01234 56789 01234 56789" refused
    pair "R4: first contact asks, and yes gives access" "--peer ask" "--peer $a" "Is it right" yes served
    pair "R4: anything else does not" "--peer ask" "--peer $a" "Is it right" y refused
else
    echo "skip R4 at a terminal: no script here (Debian: bsdutils)"
fi
at_relay pair.log "$relay" --pairing link
once=$pid
check "R4: a pairing link is for its owner only" [ "$(mode link)" = "-rw-------" ]
check "R4: its key is not in the log" [ "$(grep -c "$(sed 's/.*#//' link)" pair.log)" -eq 0 ]
echoes "R4: a pre-shared key inside the pairing link" random pairing:link
wait $once
cp link again
refuses "R4: a pairing link is good once" 1 "the token is not known there" echo pairing:again random
sed 's/#./#z/' link >bad
refuses "R4: what is no pairing link" 3 "holds no pairing link" echo pairing:bad random
refuses "R4: a pairing link goes alone" 2 "without --key" echo pairing:link random --key b.hex
refuses "R4: a pairing link is not overwritten" 3 "File exists" echo-server "$relay" --pairing link
at_relay psk.log "$relay" --psk psk --name listener --once
once=$pid
echoes "R4: a pre-shared key" random "$at" --psk psk --name caller
wait $once
refuses "relay: to call, something must be behind the /" 3 "a token or the public key of a machine is needed" echo "$relay" random --key b.hex --peer "$a"
refuses "relay: to listen, a token is not ours to choose" 3 "the relay makes the token" echo-server "${relay}0000-0000" --key a.pem --peer "$b"
refuses "relay: nobody registers another's key" 3 "it must be our own" echo-server "$relay$b" --key a.pem --peer "$b"
stop $relay_pid
begin_relay --once
at_relay once.log "$relay" --key a.pem --peer "$b" --once
once=$pid
echoes "relay --once: echo" random "$at" --key b.hex --peer "$a" --early
wait $once
wait $relay_pid
check "relay --once: ends after the first pair with 0" [ $? -eq 0 ]

# ---- demo ----
demo_is_good() { # name, text expected
    if [ $code -eq 0 ] && grep -qx "demo: everything is as it should be" out && grep -qF -- "$2" out; then pass "$1"
    else fail "$1" "exit code $code: $(grep -E 'WRONG|expected|demo:' out; cat err)"; fi
}
export TMPDIR="$dir/tmp"
mkdir tmp
"$svconn" demo random >out 2>err </dev/null
code=$?
demo_is_good "demo: FILE" "random (300000 bytes)"
echo "a short line" | "$svconn" demo >out 2>err
code=$?
demo_is_good "demo: a pipe" "standard input (13 bytes)"
"$svconn" demo >out 2>err </dev/null
code=$?
demo_is_good "demo: nothing" "a built-in text (200000 bytes)"
check "demo: at most 100 columns wide" [ "$(awk 'length > 100' out | wc -l)" -eq 0 ]
check "demo: nothing on standard error" [ ! -s err ]
"$svconn" demo <&- >out 2>err
code=$?
demo_is_good "demo: standard input is closed" "a built-in text"
"$svconn" demo empty >out 2>err </dev/null
code=$?
demo_is_good "demo: an empty FILE" "empty (0 bytes)"
check "demo: no directory is left behind" [ "$(ls tmp | wc -l)" -eq 0 ]
refuses "demo: FILE is not there" 3 "cannot open missing" demo missing
run 2 demo --seconds 0
check "demo: --seconds has a least value" grep -q "a number from 1 to" err
TMPDIR=$dir/nowhere "$svconn" demo >out 2>err </dev/null
check "demo: no place for temporary files: says so, code 3" [ $? -eq 3 ]

exit $failed
