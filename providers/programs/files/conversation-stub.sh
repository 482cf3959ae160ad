# The stub takes an id of ours, as claude does.
_mosaic_of_stub() {
    _mosaic_value=${HOME:-}/.mosaic-stub/$_mosaic_id
    if [ "$_mosaic_how" = resumed ] && [ -s "$_mosaic_value" ]; then
        _mosaic_more="--resume
$_mosaic_id"
        return 0
    fi
    if [ "$_mosaic_how" = resumed ]; then
        [ -z "$_mosaic_said" ] || return 1
        _mosaic_unused=1
    else
        _mosaic_new_id && _mosaic_source=given
    fi
    _mosaic_more="--session-id
$_mosaic_id"
}
