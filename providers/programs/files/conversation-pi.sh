# pi keeps a conversation in a file, which it makes at the path that it is given. One in the agent's own folder is taken
# for nobody else's.
_mosaic_of_pi() {
    if [ "$_mosaic_how" = resumed ] && [ -n "$_mosaic_file" ]; then
        # Empty or absent, though something was said in it: it is not what it was.
        if [ ! -s "$_mosaic_file" ]; then
            [ -z "$_mosaic_said" ] && [ ! -e "$_mosaic_file" ] || return 1
            _mosaic_unused=1
        fi
        _mosaic_more="--session
$_mosaic_file"
        return 0
    fi
    if [ "$_mosaic_how" != resumed ]; then
        _mosaic_new_id && _mosaic_source=given
        _mosaic_value=${PI_CODING_AGENT_SESSION_DIR:-${PI_CODING_AGENT_DIR:-${HOME:-}/.pi/agent}/sessions}
        case $_mosaic_value in
            '~'*) _mosaic_value=${HOME:-}${_mosaic_value#'~'} ;;
        esac
        _mosaic_value=$_mosaic_value/mosaic-$MOSAIC_AGENT_NAME
        [ -d "$_mosaic_value" ] || mkdir -p -- "$_mosaic_value" 2>/dev/null
        _mosaic_file=$_mosaic_value/$_mosaic_id.jsonl _mosaic_id=$_mosaic_file
    fi
    _mosaic_more="--session
$_mosaic_id"
    [ -z "$_mosaic_file" ] || _mosaic_id= # pi has a name of its own for it
}
