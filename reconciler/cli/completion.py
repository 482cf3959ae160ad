"""Completion for bash, zsh and fish. Pure: from the command lines as data to a script.

Everything but the names of agents and the ids of their conversations stands in the script. Those are read by the shell
itself from files (`names` in the state folder, the conversation records), so that no program is started while somebody
waits for a Tab.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from reconciler.cli.command_tree import Argument, CommandNode, Option

SHELLS = ("bash", "zsh", "fish")
NAMES_FILE = "names"

_HEAD = "# Completion of mosaic and reconcile for {shell}. Made by: mosaic completion {shell}\n"
_NAMES = '"${XDG_STATE_HOME:-$HOME/.local/state}"/mosaic/*/' + NAMES_FILE

_BASH = """\
_mosaic_agents() {
    local file name
    for file in @NAMES@; do
        [ -r "$file" ] || continue
        while IFS= read -r name; do printf '%s\\n' "$name"; done <"$file"
    done
}
_mosaic_sessions() {
    local folder=${MOSAIC_HOME:-$HOME/.config/mosaic}/fleet/conversations word line
    for word in "${COMP_WORDS[@]}"; do
        [ -n "$word" ] && [ -r "$folder/$word.log" ] || continue
        while IFS= read -r line; do
            case $line in *$'\\tid='[!$'\\t']*) line=${line#*$'\\tid='}; printf '%s\\n' "${line%%$'\\t'*}" ;; esac
        done <"$folder/$word.log"
    done
}
_mosaic_values() {
    local IFS=$'\\n'
    case $1 in
        file) compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur")) ;;
        folder) compopt -o filenames; COMPREPLY=($(compgen -d -- "$cur")) ;;
        agent) COMPREPLY=($(compgen -W "$(_mosaic_agents)" -- "$cur")) ;;
        session) COMPREPLY=($(compgen -W "$(_mosaic_sessions)" -- "$cur")) ;;
        =*) IFS=$' \\n'; COMPREPLY=($(compgen -W "${1#=}" -- "$cur")) ;;
    esac
}
_mosaic() {
    local cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} subs opts takes args i word
    local at=${COMP_WORDS[0]##*/}
    if [ "$cur" = = ]; then cur=; elif [ "$before" = = ]; then before=${COMP_WORDS[COMP_CWORD-2]}; fi
    COMPREPLY=()
    _mosaic_at "$at"
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        case " $subs " in *" $word "*) at="$at $word"; _mosaic_at "$at" ;; esac
    done
    if _mosaic_takes "$at" "$before"; then _mosaic_values "$takes"; return; fi
    case $cur in
        -*) COMPREPLY=($(compgen -W "$opts" -- "$cur")) ;;
        *) if [ -n "$subs" ]; then COMPREPLY=($(compgen -W "$subs" -- "$cur")); else _mosaic_values "$args"; fi ;;
    esac
}
complete -F _mosaic mosaic reconcile
"""

_ZSH = """\
_mosaic_agents() {
    local file name
    for file in @NAMES@(N); do
        while IFS= read -r name; do names+=("$name"); done <"$file"
    done
}
_mosaic_sessions() {
    local folder=${MOSAIC_HOME:-$HOME/.config/mosaic}/fleet/conversations word line
    for word in ${words[@]}; do
        [[ -r $folder/$word.log ]] || continue
        while IFS= read -r line; do
            case $line in *$'\\tid='[!$'\\t']*) line=${line#*$'\\tid='}; names+=("${line%%$'\\t'*}") ;; esac
        done <"$folder/$word.log"
    done
}
_mosaic_values() {
    local -a names
    case $1 in
        file) _files ;;
        folder) _files -/ ;;
        agent) _mosaic_agents; compadd -a names ;;
        session) _mosaic_sessions; compadd -a names ;;
        \\=*) names=(${=1#=}); compadd -a names ;;
    esac
}
_mosaic() {
    local at=${words[1]:t} before=${words[CURRENT-1]} takes args i word
    local -a subs opts
    _mosaic_at "$at"
    for ((i = 2; i < CURRENT; i++)); do
        word=${words[i]}
        if (( ${#subs} )) && [[ -n $word && -n ${(M)subs:#${word}:*} ]]; then at="$at $word"; _mosaic_at "$at"; fi
    done
    if _mosaic_takes "$at" "$before"; then _mosaic_values "$takes"; return; fi
    if [[ ${words[CURRENT]} == -* ]]; then _describe -o option opts
    elif (( ${#subs} )); then _describe command subs
    else _mosaic_values "$args"
    fi
}
compdef _mosaic mosaic reconcile
"""

_FISH = """\
function __mosaic_agents
    set -q XDG_STATE_HOME; and set -l state $XDG_STATE_HOME; or set -l state $HOME/.local/state
    for file in $state/mosaic/*/@FILE@
        while read -l name
            echo $name
        end <$file
    end
end
function __mosaic_sessions
    set -l home $HOME/.config/mosaic
    set -q MOSAIC_HOME; and set home $MOSAIC_HOME
    for word in (commandline -opc)
        test -r $home/fleet/conversations/$word.log; or continue
        string replace -rf '.*\\tid=([^\\t]+).*' '$1' <$home/fleet/conversations/$word.log
    end
end
function __mosaic_at
    set -l words (commandline -opc)
    set -l at (string replace -r '.*/' '' -- $words[1])
    for word in $words[2..-1]
        contains -- "$at $word" $__mosaic_paths; and set at "$at $word"
    end
    test "$at" = "$argv[1]"
end
"""


def script(shell: str, lines: Sequence[CommandNode]) -> str:
    """The script for one of SHELLS; to be read by that shell at its start. Raises ValueError for another."""
    if shell not in SHELLS:
        raise ValueError(f"no completion is made for {shell}")
    commands = [command for line in lines for command in line.walk()]
    head = _HEAD.format(shell=shell)
    if shell == "fish":
        return head + _FISH.replace("@FILE@", NAMES_FILE) + _fish_table(commands)
    if shell == "bash":
        return head + _table(commands, described=False) + _BASH.replace("@NAMES@", _NAMES)
    return "#compdef mosaic reconcile\n" + head + _table(commands, described=True) + _ZSH.replace("@NAMES@", _NAMES)


def _table(commands: Iterable[CommandNode], *, described: bool) -> str:
    """`_mosaic_at PATH` sets what may follow; `_mosaic_takes PATH OPTION` says what the option's value is."""
    at, takes = [], []
    for command in commands:
        path = " ".join(command.path)
        if described:
            subs = "(" + " ".join(_quoted(f"{one.path[-1]}:{one.summary}") for one in command.children) + ")"
            pairs = [(name, one.help) for one in command.options for name in one.names]
            opts = "(" + " ".join(_quoted(f"{name}:{_first(text)}") for name, text in pairs) + ")"
        else:
            subs = _quoted(" ".join(one.path[-1] for one in command.children))
            opts = _quoted(" ".join(name for one in command.options for name in one.names))
        args = _quoted(_kind(command.arguments[0]) if command.arguments else "")
        at.append(f"        {_quoted(path)}) subs={subs} opts={opts} args={args} ;;")
        for one in command.options:
            if one.takes != "nothing":
                patterns = " | ".join(_quoted(f"{path} {name}") for name in one.names)
                takes.append(f"        {patterns}) takes={_quoted(_kind(one))} ;;")
    return "\n".join(
        [
            "_mosaic_at() {",
            "    case $1 in",
            *at,
            "    esac",
            "}",
            "_mosaic_takes() {",
            '    case "$1 $2" in',
            *takes,
            "        *) return 1 ;;",
            "    esac",
            "}",
            "",
        ]
    )


def _fish_table(commands: Sequence[CommandNode]) -> str:
    paths = " ".join(_quoted(" ".join(command.path)) for command in commands)
    out = [f"set -g __mosaic_paths {paths}", "complete -c mosaic -f", "complete -c reconcile -f"]
    for command in commands:
        here = _fish(f"__mosaic_at {_fish(' '.join(command.path))}")
        program = f"complete -c {command.path[0]} -n {here}"
        out += [f"{program} -a {one.path[-1]} -d {_fish(one.summary)}" for one in command.children]
        for option in command.options:
            names = " ".join(f"-l {n[2:]}" if n.startswith("--") else f"-s {n[1:]}" for n in option.names)
            out.append(f"{program} {names}{_fish_value(option)} -d {_fish(_first(option.help))}")
        if command.arguments and (value := _fish_value(command.arguments[0])):
            out.append(program + value.replace(" -x", "", 1).replace(" -r", "", 1))
    return "\n".join(out) + "\n"


def _fish_value(one: Option | Argument) -> str:
    if one.takes == "nothing":
        return ""
    if one.takes == "agent":
        return " -x -a '(__mosaic_agents)'"
    if one.takes == "session":
        return " -x -a '(__mosaic_sessions)'"
    if one.takes == "choice":
        return f" -x -a {_fish(' '.join(one.choices))}"
    if one.takes == "text":
        return " -x" if isinstance(one, Option) else ""
    return " -r -F"


def _kind(one: Option | Argument) -> str:
    return f"={' '.join(one.choices)}" if one.takes == "choice" else one.takes


def _first(text: str) -> str:
    """The first sentence, without click's notes in brackets."""
    return re.split(r"\.(?:\s|$)|;", re.sub(r"\s*\[[^]]*\]\s*$", "", text), maxsplit=1)[0]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _fish(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
