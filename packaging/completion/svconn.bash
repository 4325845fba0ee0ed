# SPDX-License-Identifier: ISC
# Completion of svconn for bash: sourced, or in share/bash-completion/completions/svconn. Commands and options come from the help texts.

_svconn_help() { "$svconn" "$@" --help-all 2>/dev/null || "$svconn" "$@" --help 2>/dev/null; }

_svconn_commands() { "$svconn" --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'; }

# "--name VALUE", or "--name", in each line
_svconn_options() {
    _svconn_help "$1" | sed -n '/^Options:/,/^$/{
        s/^  \(-o, \)\{0,1\}\(--[a-z-]*\) \([A-Z][A-Z,]*\)\( .*\)\{0,1\}$/\2 \3/p;t
        s/^  \(--[a-z-]*\).*/\1/p
    }'
}

_svconn_names() { "$svconn" peers list --json 2>/dev/null | sed -n 's/^{"list":"'"$1"'","name":"\([^"]*\)".*/\1/p' | sort -u; }

# What may stand where the help text says $1
_svconn_values() {
    case $1 in
        *FILE* | *PATH* | DIR*) compgen -f -- "$cur" ;;
        PEER | WHO | NAME) _svconn_names known ;;
        ADDRESS) printf '%s\n' tcp:// unix: exec: ws:// dir: relay:// stdio: ;;
    esac
}

# Numbers of sessions, with the process in front where several have the same
_svconn_sessions() {
    "$svconn" sessions --json 2>/dev/null | sed -n 's/^{"process":"\([^"]*\)","number":\([0-9]*\).*/\1 \2/p' |
        awk '{ of[$2]++; process[NR] = $1; n[NR] = $2 } END { for (i = 1; i <= NR; i++) print (of[n[i]] > 1 ? process[i] "/" : "") n[i] }'
}

# Of the option $2 of the command $1, whose value the help text calls $3
_svconn_option_values() {
    case "$1 $2 $3" in
        *" --allow WHO") printf '%s\n' authorized known seen ask any; _svconn_names known ;;
        echo*" --peer WHO") printf '%s\n' ask any name: ;;
        "relay --metrics "*) printf '%s\n' tcp://127.0.0.1: unix: ;;
        "sessions --end "*) _svconn_sessions ;;
        *) _svconn_values "$3" ;;
    esac
}

# The $2-th word of "peers ...", behind the action $1 (0: the action itself)
_svconn_peers() {
    case $2:$1 in
        0:*) printf '%s\n' list trust verify forget allow deny ;;
        1:deny) _svconn_names authorized ;;
        1:trust | 1:verify | 1:forget | 1:allow) _svconn_names known ;;
        2:trust) compgen -P @ -f -- "${cur#@}" ;;
        3:trust) _svconn_values ADDRESS ;;
        *:allow) printf '%s\n' only=tunnel only=pipe only=files forward= from= ask no-ask until= sessions= ;;
    esac
}

# The words of the usage line behind the options: the $2-th, or the last one if that may be repeated
_svconn_operand() {
    local usage words
    usage=$(_svconn_help "$1" | sed -n '1s/^Usage: svconn [a-z-]* *\(\[OPTIONS\]\)* *//p' | tr -d '[]')
    read -ra words <<<"$usage"
    if [ "${words[${#words[@]} - 1]-}" = ... ] && [ "$2" -ge $((${#words[@]} - 1)) ]; then echo "${words[${#words[@]} - 2]}"
    else echo "${words[$2]-}"; fi
}

_svconn() {
    local svconn line words cur last command value option action i operands=0 replies=() takes
    line=${COMP_LINE:0:COMP_POINT}
    read -ra words <<<"$line"
    case $line in *[[:blank:]]) words+=("") ;; esac
    last=$((${#words[@]} - 1)) cur=${words[last]} svconn=${words[0]/#\~/$HOME}
    COMPREPLY=()
    [ $last -ge 1 ] || return 0
    command=${words[1]}
    if [ $last -eq 1 ]; then
        mapfile -t replies < <(_svconn_commands; printf '%s\n' --help --version)
    else
        takes=$(_svconn_options "$command")
        value= option= action=
        for ((i = 2; i < last; i++)); do
            if [ -n "$value" ]; then value=
            elif [[ ${words[i]} == -o ]]; then value=FILE option=--output
            elif [[ ${words[i]} == --*=* ]]; then :
            elif [[ ${words[i]} == --* ]]; then option=${words[i]} value=$(sed -n "s/^${words[i]} //p" <<<"$takes")
            else action=${action:-${words[i]}} operands=$((operands + 1)); fi
        done
        if [ -n "$value" ]; then mapfile -t replies < <(_svconn_option_values "$command" "$option" "$value")
        elif [[ $cur == -* ]]; then mapfile -t replies < <(sed 's/ .*//' <<<"$takes")
        elif [ "$command" = peers ]; then mapfile -t replies < <(_svconn_peers "$action" $operands)
        elif [ "$command" = relay ]; then [ $operands -gt 0 ] || replies=(tcp://)
        else mapfile -t replies < <(_svconn_values "$(_svconn_operand "$command" $operands)"); fi
    fi
    mapfile -t COMPREPLY < <(for i in "${replies[@]}"; do [[ $i == "$cur"* ]] && printf '%s\n' "$i"; done)
    # readline replaces only what stands behind the last of its word breaks
    for i in = : @; do
        [[ $COMP_WORDBREAKS == *$i* && $cur == *$i* ]] || continue
        COMPREPLY=("${COMPREPLY[@]#"${cur%"${cur##*$i}"}"}") && cur=${cur##*$i}
    done
    [ ${#COMPREPLY[@]} -eq 1 ] && [[ ${COMPREPLY[0]} == *[:=] || ${COMPREPLY[0]} == *// ]] && compopt -o nospace 2>/dev/null
    return 0
}
complete -o filenames -F _svconn svconn
