# codex names a conversation itself, with its first prompt. Without -C it stops at a question where it finds another
# folder in the conversation than the one that it is in.
_mosaic_of_codex() {
    [ "$_mosaic_how" = resumed ] || return 0
    if [ -n "$_mosaic_file" ] && [ ! -s "$_mosaic_file" ] && [ ! -s "$_mosaic_file.zst" ]; then
        return 1
    fi
    _mosaic_more="resume
$_mosaic_id
-C
$MOSAIC_AGENT_WORKDIR"
}
