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
COMP_LINE=$2 COMP_POINT=${#2} COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
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
command -v bash >/dev/null && offers bash "svconn forward tcp:" //bob.example:4000
exit $failed
