# codex names a conversation itself, with its first prompt. Without -C it stops at a question where it finds another
# folder in the conversation than the one that it is in. It keeps the contract that it was given: its hook prints it once
# more only if it is another one.
_mosaic_of_codex() {
    unset MOSAIC_CONTRACT_KNOWN
    _mosaic_sum=$(cksum 2>/dev/null <"$MOSAIC_HOME/fleet/agents/$MOSAIC_AGENT_NAME.d/contract.md") || _mosaic_sum=
    [ "$_mosaic_how" = resumed ] || return 0
    if [ -n "$_mosaic_file" ] && [ ! -s "$_mosaic_file" ] && [ ! -s "$_mosaic_file.zst" ]; then
        return 1
    fi
    _mosaic_get given
    if [ -n "$_mosaic_sum" ] && [ "$_mosaic_value" = "$_mosaic_sum" ]; then
        export MOSAIC_CONTRACT_KNOWN=1
    fi
    _mosaic_more="resume
$_mosaic_id
-C
$MOSAIC_AGENT_WORKDIR"
}
