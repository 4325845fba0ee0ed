# SPDX-License-Identifier: ISC
# Completion of svconn for fish: in share/fish/vendor_completions.d. Commands and options come from the help texts.

function __svconn_help
    svconn $argv --help-all 2>/dev/null; or svconn $argv --help 2>/dev/null
end

# "--name VALUE", or "--name", in each line
function __svconn_options
    __svconn_help $argv[1] | sed -n '/^Options:/,/^$/{
        s/^  \(-o, \)\{0,1\}\(--[a-z-]*\) \([A-Z][A-Z,]*\)\( .*\)\{0,1\}$/\2 \3/p;t
        s/^  \(--[a-z-]*\).*/\1/p
    }'
end

function __svconn_names
    svconn peers list --json 2>/dev/null | sed -n 's/^{"list":"'$argv[1]'","name":"\([^"]*\)".*/\1/p' | sort -u
end

function __svconn_value
    switch "$argv[1]"
        case '*FILE*' '*PATH*' 'DIR*'
            __fish_complete_path (commandline -ct)
        case PEER WHO
            __svconn_names known
        case NAME
            __svconn_names '[a-z]*'
        case ADDRESS
            printf '%s\n' tcp:// unix: exec: ws:// dir: relay:// stdio:
        case ACTION
            printf '%s\n' list trust verify forget allow deny
    end
end

function __svconn_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l value
    set -l operands 1
    if test (count $words) -eq 1
        svconn --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\)  *\(.*\)/\1\t\2/p'
        return
    end
    set -l takes (__svconn_options $words[2])
    for word in $words[3..-1]
        if test -n "$value"
            set value
        else if test "$word" = -o
            set value FILE
        else if string match -q -- '--*=*' $word
            continue
        else if string match -q -- '--*' $word
            set value (string replace -fr -- "^$word " '' $takes)
        else
            set operands (math $operands + 1)
        end
    end
    if test -n "$value"
        __svconn_value $value
    else if string match -q -- '-*' $current
        string replace -r ' .*' '' -- $takes
    else if test $words[2] = peers -a $operands -eq 2
        __svconn_value NAME
    else
        set -l usage (__svconn_help $words[2] | sed -n '1s/^Usage: svconn [a-z-]* *\(\[OPTIONS\]\)* *//p' | tr -d '[]' | string split ' ')
        if test "$usage[-1]" = ... -a $operands -ge (count $usage)
            set operands (math (count $usage) - 1)
        end
        test $operands -le (count $usage); and __svconn_value $usage[$operands]
    end
end

complete -c svconn -f -a '(__svconn_complete)'
