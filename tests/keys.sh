#!/bin/sh
# SPDX-License-Identifier: ISC
# Keys that other programs made, keys that a command prints, and what is shown of a key. Usage: sh tests/keys.sh path/to/svconn
set -u
root=$(cd "$(dirname "$0")" && pwd)
. "$root/program.sh"
export HOME="$dir/home"
unset XDG_CONFIG_HOME
mkdir home

check() { # NAME CONDITION...
    check_name=$1
    shift
    if "$@"; then pass "$check_name"; else fail "$check_name" "$(echo "not true: $*"; cat out err 2>/dev/null | head -n 15)"; fi
}
# gives CODE COMMAND...: runs svconn; output in out and err
gives() {
    want=$1
    shift
    "$svconn" "$@" >out 2>err </dev/null
    got=$?
    [ $got -eq "$want" ] || { echo "  exit code $got instead of $want: svconn $*"; return 1; }
}
# refuses NAME CODE TEXT COMMAND...: fails with this code, and says TEXT on standard error, and nothing on standard output
refuses() {
    name=$1 code=$2 text=$3
    shift 3
    if gives "$code" "$@" && grep -qF -- "$text" err && [ ! -s out ]; then pass "$name"; else fail "$name" "\"$text\" expected; said: $(cat err)"; fi
}
has() { command -v "$1" >/dev/null 2>&1; }
mode() { ls -ldn "$1" | cut -c1-10; }
# The line of FILE that begins with NAME and a colon
field() { sed -n "s/^$1: //p" "$2"; }

# ---- one key, for ever: seed 00 01 02 ... 1f ----
cat >fixed.key <<'X'
-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW
QyNTUxOQAAACADoQe/884Qvh1w3RjnS8CZZ+TWMJulDV8d3IZkElUxuAAAAIgSNFZ4EjRW
eAAAAAtzc2gtZWQyNTUxOQAAACADoQe/884Qvh1w3RjnS8CZZ+TWMJulDV8d3IZkElUxuA
AAAEAAAQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHwOhB7/zzhC+HXDdGOdLwJln
5NYwm6UNXx3chmQSVTG4AAAAAAECAwQF
-----END OPENSSH PRIVATE KEY-----
X
cat >fixed.id <<'X'
public key: 03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8
fingerprint: 69922 06035 35914 93203 52915 18129
ssh: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4
words: begin strong dark jazz shadow hawk april jacket avoid heap
+----[svconn]-----+
|             .   |
|              o  |
|        o    E   |
|       . o . ..  |
|        S + +.   |
|       .   O..   |
|          +.+.o  |
|         . ooooo.|
|          oo...oo|
+-----------------+
X
echo 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f >fixed.hex
gives 0 id fixed.hex
check "id: digits, ssh line, words and picture of a fixed key" same out fixed.id
gives 0 id fixed.key
check "id: the same key as OpenSSH writes it" same out fixed.id
sed 's/$/\r/' fixed.key >crlf.key
gives 0 id crlf.key
check "id: the same with CR LF" same out fixed.id
key=$(field 'public key' fixed.id) ssh=$(field ssh fixed.id)
blob=${ssh#* }
for public in "$key" "$ssh" "$blob" "$ssh a comment"; do
    gives 0 id --public "$public"
    check "id --public: $(echo "$public" | cut -c1-30)... as $(echo "$public" | wc -w | tr -d ' ') words" same out fixed.id
done
echo "$ssh somebody@somewhere" >fixed.pub
echo "$key" >fixed.pub.hex
gives 0 id --public @fixed.pub
check "id --public @FILE: an ssh line" same out fixed.id
gives 0 id --public @fixed.pub.hex
check "id --public @FILE: digits" same out fixed.id
gives 0 id --ssh fixed.key
check "id --ssh: only the line" [ "$(cat out)" = "$ssh" ]
gives 0 id --json fixed.key
if has python3; then
    python3 -c 'import json, sys
o = json.load(open("out"))
print("public key: %s\nfingerprint: %s\nssh: %s\nwords: %s" % (o.pop("public_key"), o.pop("fingerprint"), o.pop("ssh"), o.pop("words")))
sys.exit(len(o))' >json 2>err
    check "id --json: one object with four members" [ "$? $(head -n 4 fixed.id | cmp - json && echo same)" = "0 same" ]
else
    echo "skip id --json: no python3 here to read it"
fi

# ---- the words ----
words="$root/../cmd/words.c"
sed -n '/^static const char list/,/};/p' "$words" | grep -o '"[^"]*"' | tr -d '"' >words
LC_ALL=C sort -u words >sorted
check "words: 1024, in order, none twice" [ "$(wc -l <words | tr -d ' ') $(cmp words sorted && echo same)" = "1024 same" ]
check "words: no word has changed" [ "$(cksum <words)" = "150360457 6801" ]
check "words: 3 to 7 small letters" [ "$(grep -Ecx '[a-z]{3,7}' words)" -eq 1024 ]
check "words: four letters are enough" [ "$(cut -c1-4 words | LC_ALL=C sort -u | wc -l | tr -d ' ')" = 1024 ]

# ---- public keys that no session accepts ----
zeros=00000000000000000000000000000000000000000000000000000000000000
for bad in "00$zeros order 4" "01$zeros the neutral point" "02$zeros not on the curve" \
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f not canonical"; do
    refuses "id --public: ${bad#* }" 2 "no session accepts this key" id --public "${bad%% *}"
done
echo "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" >bad.pub
refuses "id --public @FILE: order 4" 3 "no session accepts this key" id --public @bad.pub
for bad in "" "${key}0" "$ssh $key
$key" "ssh-rsa $blob" "ssh-ed25519" "ssh-ed25519 $key" "$(echo "$blob" | cut -c1-64)" "$(echo "$blob" | sed 's/NTE5/NTE4/')"; do
    refuses "id --public: nonsense: $(echo "$bad" | head -n 1 | cut -c1-25)" 2 "64 hexadecimal digits are wanted" id --public "$bad"
done
refuses "id --public @FILE: not there" 3 "cannot read missing" id --public @missing
refuses "id: one source" 2 "one of the three" id fixed.key --key-command "cat fixed.key"
refuses "id: one form" 2 "one of the two" id fixed.key --json --ssh

# ---- damaged keys of OpenSSH ----
sed '1d;$d' fixed.key | tr -d '\n' | base64 -d >fixed.bin 2>/dev/null
armour() { # FILE: on standard output
    echo "-----BEGIN OPENSSH PRIVATE KEY-----"
    base64 <"$1"
    echo "-----END OPENSSH PRIVATE KEY-----"
}
# damage NAME OFFSET BYTES: with these bytes (octal escapes) there
damage() {
    cp fixed.bin bad.bin
    printf "$3" | dd of=bad.bin bs=1 seek="$2" conv=notrunc 2>/dev/null
    armour bad.bin >bad.key
    refuses "openssh: $1" 3 "${4:-this OpenSSH key is damaged}" id bad.key
}
if [ "$(wc -c <fixed.bin)" -eq 234 ]; then
    armour fixed.bin >good.key
    gives 0 id good.key
    check "openssh: our own armour of it is good" same out fixed.id
    damage "bad magic" 0 O
    damage "bad end of the magic" 14 x
    damage "another cipher is encryption" 19 some "under a passphrase"
    damage "the length of the cipher" 18 '\005' "damaged"
    damage "a huge length of the cipher" 15 '\377\377\377\377'
    damage "another kdf" 27 some
    damage "the length of the kdf options" 34 '\001'
    damage "no key" 38 '\000'
    damage "two keys" 38 '\002'
    damage "the length of the public part" 42 '\064'
    damage "another type in the public part" 47 t "not an Ed25519 key"
    damage "the length of the public key" 61 '\037'
    damage "the public key in the public part" 70 '\000'
    damage "the length of the private part" 97 '\200'
    damage "bad check ints" 98 '\000'
    damage "the length of the type in the private part" 109 '\012'
    damage "another type in the private part" 110 t
    damage "the length of the second public key" 124 '\041'
    damage "the second public key" 125 '\000'
    damage "the length of the key pair" 160 '\077'
    damage "another seed" 161 '\377' "does not belong to its private key"
    damage "the public half of the key pair" 193 '\000'
    damage "the length of the comment" 228 '\006'
    damage "bad padding" 229 '\002'
    damage "bad padding at its end" 233 '\006'
    n=0
    for size in 0 1 14 15 22 38 39 42 61 93 94 97 98 105 120 160 192 224 228 229 233; do
        head -c $size fixed.bin >bad.bin
        armour bad.bin >bad.key
        gives 3 id bad.key && grep -q "OpenSSH key is damaged" err && [ ! -s out ] && n=$((n + 1))
    done
    check "openssh: cut off at 21 places" [ $n -eq 21 ]
    (cat fixed.bin; echo) >bad.bin
    armour bad.bin >bad.key
    refuses "openssh: a byte too many" 3 "damaged" id bad.key
else
    echo "skip openssh, damaged: no base64 -d here, so no damaged keys were made"
fi
sed '$d' fixed.key >bad.key
refuses "openssh: no last line" 3 "damaged" id bad.key
sed 's/^QyNT/QyN /' fixed.key >bad.key
refuses "openssh: a blank in base64" 3 "damaged" id bad.key
cp fixed.key open.key
chmod 644 open.key
refuses "openssh: others can read it" 3 "chmod 600" id open.key

# ---- keys that ssh-keygen and openssl make ----
if has ssh-keygen; then
    for n in 1 2 3 4 5 6 7 8; do # comments of different lengths: all paddings
        ssh-keygen -q -t ed25519 -N '' -C "$(echo abcdefgh | cut -c$n-)" -f "ssh$n"
        [ "$("$svconn" id --ssh "ssh$n")" = "$(cut -d' ' -f1,2 "ssh$n.pub")" ] && good=$n || break
    done
    check "ssh-keygen: eight keys, and the public keys it wrote beside them" [ "${good:-0}" -eq 8 ]
    gives 0 id --public @ssh1.pub
    check "ssh-keygen: its .pub" [ "$(field ssh out)" = "$(cut -d' ' -f1,2 ssh1.pub)" ]
    "$svconn" keygen -o ours.pem >/dev/null
    ssh-keygen -y -f ours.pem >ours.pub 2>ssh.err
    if [ -s ours.pub ]; then check "ssh-keygen: reads the key that keygen wrote" [ "$(cat ours.pub)" = "$("$svconn" id --ssh ours.pem)" ]
    else echo "skip ssh-keygen -y: this one does not read PKCS#8: $(head -n 1 ssh.err)"; fi
    ssh-keygen -q -t ed25519 -a 1 -N secret -f locked
    refuses "ssh-keygen: a key under a passphrase is refused with advice" 3 "ssh-keygen -p -f" id locked
    ssh-keygen -q -p -P secret -N '' -f locked >/dev/null
    check "ssh-keygen: and what the advice makes is good" [ "$("$svconn" id --ssh locked)" = "$(cut -d' ' -f1,2 locked.pub)" ]
    for type in rsa ecdsa; do
        [ $type = rsa ] && bits=1024 || bits=256
        ssh-keygen -q -t $type -b $bits -N '' -f $type
        refuses "ssh-keygen: $type is refused" 3 "not an Ed25519 key" id $type
        ssh-keygen -q -p -a 1 -P '' -N secret -f $type >/dev/null
        refuses "ssh-keygen: $type under a passphrase is refused" 3 "not an Ed25519 key" id $type
        ssh-keygen -q -p -P secret -N '' -m PEM -f $type >/dev/null
        refuses "ssh-keygen: $type in PEM is refused" 3 "PEM file of another kind" id $type
        refuses "ssh-keygen: $type.pub is refused" 2 "ssh-ed25519" id --public "$(cat $type.pub)"
    done
    refuses "ssh-keygen: a .pub is no private key" 3 "public key of OpenSSH" id ssh1.pub
else
    echo "skip ssh-keygen: not here (Debian: openssh-client), so no keys of another implementation were read"
fi
if has openssl && openssl genpkey -algorithm ed25519 -out openssl.pem 2>/dev/null; then
    theirs=$(openssl pkey -in openssl.pem -pubout -outform DER | tail -c 32 | od -An -tx1 | tr -d ' \n')
    check "openssl: the public key of its key" [ "$(key_of openssl.pem)" = "$theirs" ]
    openssl pkey -in openssl.pem -aes256 -passout pass:x -out locked.pem 2>/dev/null
    refuses "openssl: a key under a password is refused with advice" 3 "--key-command" id locked.pem
    gives 0 id --key-command "openssl pkey -in locked.pem -passin pass:x"
    check "openssl: and the advice works" [ "$(field 'public key' out)" = "$theirs" ]
else
    echo "skip openssl: no openssl program with Ed25519 here"
fi

# ---- keys that a command prints ----
for form in fixed.key fixed.hex; do
    gives 0 id --key-command "cat $form"
    check "--key-command: cat $form" same out fixed.id
done
echo fixed.key | "$svconn" id --key-command 'read -r name && cat "$name"' >out 2>err
check "--key-command: standard input is the command's" same out fixed.id
refuses "--key-command: it fails" 3 "exit status 7" id --key-command "exit 7"
refuses "--key-command: it prints a key and fails" 3 "exit status 7" id --key-command "cat fixed.hex; exit 7"
check "--key-command: and nothing of the key is shown" [ "$(grep -c 0001020304 err)" -eq 0 ]
refuses "--key-command: it does not exist" 3 "exit status 127 (not found)" id --key-command "./nothing"
refuses "--key-command: a signal ends it" 3 "signal 15 ended" id --key-command 'kill -TERM $$'
refuses "--key-command: it prints nothing" 3 "what --key-command prints: it holds neither" id --key-command :
refuses "--key-command: it prints something else" 3 "it holds neither" id --key-command "echo secretsecret"
check "--key-command: and that is not shown" [ "$(grep -c secretsecret err)" -eq 0 ]
refuses "--key-command: it never stops printing" 3 "too large" id --key-command yes
check "--key-command: its words are not repeated" [ "$(grep -c yes err)" -eq 0 ]
(trap '' CHLD && exec "$svconn" id --key-command "cat fixed.key") >out 2>err
check "--key-command: works where SIGCHLD came ignored" same out fixed.id
mkfifo pipe
chmod 644 pipe
cat fixed.key >pipe &
gives 0 id pipe
check "a pipe needs no mode" same out fixed.id
wait $!
if has bash; then
    bash -c '"$0" id <(cat fixed.key)' "$svconn" >out 2>err
    check "a key from a process substitution" same out fixed.id
else
    echo "skip process substitution: no bash here"
fi
if has age && has age-keygen && age-keygen -o identity 2>/dev/null; then
    recipient=$(age-keygen -y identity)
    "$svconn" keygen -o - 2>new.id | age -r "$recipient" -o key.age
    gives 0 id --key-command "age -d -i identity key.age"
    check "age: keygen -o - into age, and back by --key-command" [ -s out ] && check "age: the same key" same out new.id
    refuses "age: a file of age is no key, with advice" 3 "age -d" id key.age
    age -a -r "$recipient" -o key.asc fixed.key
    refuses "age: nor is an armoured one" 3 "age -d" id key.asc
    refuses "age: it cannot decrypt" 3 "exit status 1" id --key-command "age -d -i fixed.key key.age"
else
    echo "skip age: no age and age-keygen here (Debian: age)"
fi

# ---- where keygen writes ----
refuses "id: no usual key yet" 3 "svconn keygen" id
gives 0 keygen
cp out new.id
check "keygen: says where" grep -qF "$HOME/.config/svconn/key holds the new key" err
check "keygen: the usual place, mode 600, in directories of mode 700" \
    [ "$(mode home/.config/svconn/key) $(mode home/.config/svconn) $(mode home/.config)" = "-rw------- drwx------ drwx------" ]
gives 0 id
check "id: without FILE the usual key" same out new.id
cp home/.config/svconn/key before
refuses "keygen: never overwrites the usual key" 3 "never overwritten" keygen
check "keygen: the usual key is untouched" same home/.config/svconn/key before
XDG_CONFIG_HOME=$dir/xdg "$svconn" keygen --hex >out 2>err
check "keygen: XDG_CONFIG_HOME" [ "$(grep -Ecx '[0-9a-f]{64}' xdg/svconn/key)" -eq 1 ]
env -u HOME "$svconn" keygen >out 2>err
check "keygen: no home, code 3" [ "$? $(grep -c -- '-o FILE' err) $(wc -c <out | tr -d ' ')" = "3 1 0" ]
env -u HOME "$svconn" id >out 2>err
check "id: no home, code 3" [ "$? $(grep -c 'name a FILE' err)" = "3 1" ]
gives 0 keygen -o -
check "keygen -o -: the key alone on standard output" [ "$(wc -l <out | tr -d ' ') $(head -n 1 out)" = "3 -----BEGIN PRIVATE KEY-----" ]
check "keygen -o -: no file of that name" [ ! -e ./- ]
cp out piped.key
cp err piped.id
gives 0 id piped.key
check "keygen -o -: what id shows is on standard error" same out piped.id
gives 0 keygen -o - --psk
check "keygen -o - --psk: 64 digits" [ "$(grep -Ecx '[0-9a-f]{64}' out) $(wc -l <out | tr -d ' ')" = "1 1" ]
if [ -w /dev/full ]; then
    "$svconn" keygen -o - >/dev/full 2>err
    check "keygen -o -: a full disk is code 3, with words" [ "$? $(grep -c 'cannot write the key' err)" = "3 1" ]
else
    echo "skip keygen -o - onto a full disk: no /dev/full here"
fi
exit $failed
