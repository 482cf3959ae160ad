# claude takes a UUID of ours for a new conversation, and goes on with one by --resume. It ends at once where it knows no
# such one, and where --session-id names one that exists. The recorded system prompt would stay in force for ever, so
# versions that record it are told not to.
_mosaic_of_claude() {
    _mosaic_there='' _mosaic_empty=''
    if [ "$_mosaic_how" = resumed ]; then
        for _mosaic_value in "${CLAUDE_CONFIG_DIR:-${HOME:-}/.claude}/projects"/*/"$_mosaic_id".jsonl; do
            [ ! -s "$_mosaic_value" ] || _mosaic_there=1
            [ ! -e "$_mosaic_value" ] || _mosaic_empty=1
        done
        if [ -z "$_mosaic_there" ]; then
            [ -z "$_mosaic_said$_mosaic_empty" ] || return 1
            _mosaic_unused=1
        fi
    else
        _mosaic_new_id && _mosaic_source=given
    fi
    if [ -n "$_mosaic_there" ]; then
        _mosaic_more="--resume
$_mosaic_id"
    else
        _mosaic_more="--session-id
$_mosaic_id"
    fi
    _mosaic_claude_version "$(command -v "$_mosaic_argv0")"
    case $_mosaic_value in
        2.1.28[4-9] | 2.1.29[0-9] | 2.1.[3-9][0-9][0-9] | 2.1.[1-9][0-9][0-9][0-9] | 2.[2-9].* | 2.[1-9][0-9].* | [3-9].*)
            _mosaic_more="$_mosaic_more
--system-prompt-snapshot
off"
            ;;
        # These do not record it (measured with 2.1.197); of those between nobody has tried.
        2.1.[0-9] | 2.1.[0-9][0-9] | 2.1.1[0-9][0-9] | 2.0.* | [01].*) ;;
        *) [ -z "$_mosaic_there" ] || _mosaic_contract= ;;
    esac
}

# The version of the claude at this path, into _mosaic_value, from the files of its package: asking it takes seconds.
_mosaic_claude_version() {
    _mosaic_count=$(readlink -f -- "$1") && _mosaic_value=
    case $_mosaic_count in
        */claude/versions/*)
            _mosaic_value=${_mosaic_count##*/versions/}
            _mosaic_value=${_mosaic_value%%/*}
            return
            ;;
    esac
    _mosaic_count=${_mosaic_count%/*}
    for _mosaic_count in "$_mosaic_count/package.json" "${_mosaic_count%/*}/package.json"; do
        [ ! -r "$_mosaic_count" ] || while IFS=' 	:,' read -r _mosaic_key _mosaic_line _mosaic_rest; do
            case $_mosaic_key in
                '"version"') _mosaic_value=${_mosaic_line#\"} _mosaic_value=${_mosaic_value%\"*} && return ;;
            esac
        done <"$_mosaic_count"
    done
}
