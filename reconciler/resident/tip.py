"""The tip: the commit that a repository on this machine offers now."""

from __future__ import annotations

from reconciler.errors import MosaicError


def local_tip(spec: str, ref: str | None) -> str:
    """The ref and the commit, "" if that cannot be told."""
    from reconciler.git.location import parse_place

    try:
        tip = parse_place(spec).tip(ref, timeout_s=5.0)
    except MosaicError:
        return ""
    return f"{tip.ref} {tip.oid}"
