# opencode names a conversation itself, with its first prompt, and goes on with one in the folder that it began in.
_mosaic_of_opencode() {
    [ "$_mosaic_how" = resumed ] || return 0
    _mosaic_more="-s
$_mosaic_id"
}
