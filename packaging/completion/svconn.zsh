#compdef svconn
# SPDX-License-Identifier: ISC
# Completion of svconn for zsh: as _svconn in a directory of $fpath. Commands and options come from the help texts.

_svconn_help() { $svconn "$@" --help-all 2>/dev/null || $svconn "$@" --help 2>/dev/null }

_svconn_commands() {
    local -a list
    list=(${(f)"$($svconn --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\)  *\(.*\)/\1:\2/p')"})
    _describe command list
}

# "--name VALUE", or "--name", in each line
_svconn_options() {
    _svconn_help $1 | sed -n '/^Options:/,/^$/{
        s/^  \(-o, \)\{0,1\}\(--[a-z-]*\) \([A-Z][A-Z,]*\)\( .*\)\{0,1\}$/\2 \3/p;t
        s/^  \(--[a-z-]*\).*/\1/p
    }'
}

_svconn_names() {
    local -a names
    names=(${(fu)"$($svconn peers list --json 2>/dev/null | sed -n 's/^{"list":"'$1'","name":"\([^"]*\)".*/\1/p')"})
    compadd -a names
}

_svconn_value() {
    case $1 in
        *FILE*|*PATH*|DIR*) _files ;;
        PEER|WHO) _svconn_names known ;;
        NAME) _svconn_names '[a-z]*' ;;
        ADDRESS) compadd -S '' tcp:// unix: exec: ws:// dir: relay:// stdio: ;;
        ACTION) compadd list trust verify forget allow deny ;;
    esac
}

_svconn() {
    local svconn=${~words[1]} command=${words[2]} value= word
    local -a takes usage
    local -i i operands=1
    (( CURRENT == 2 )) && { _svconn_commands; return }
    takes=(${(f)"$(_svconn_options $command)"})
    for (( i = 3; i < CURRENT; i++ )); do
        word=${words[i]}
        if [[ -n $value ]]; then value=
        elif [[ $word == -o ]]; then value=FILE
        elif [[ $word == --*=* ]]; then :
        elif [[ $word == --* ]]; then value=${${(M)takes:#$word *}#* }
        else (( operands++ )); fi
    done
    if [[ -n $value ]]; then _svconn_value $value; return; fi
    if [[ ${words[CURRENT]} == -* ]]; then compadd -- ${takes%% *}; return; fi
    if [[ $command == peers && $operands -eq 2 ]]; then _svconn_value NAME; return; fi
    usage=(${=${$(_svconn_help $command | sed -n '1s/^Usage: svconn [a-z-]* *\(\[OPTIONS\]\)* *//p')//[][]/}})
    [[ ${usage[-1]} == ... && $operands -ge ${#usage} ]] && operands=$(( ${#usage} - 1 ))
    _svconn_value "${usage[operands]}"
}

_svconn "$@"
