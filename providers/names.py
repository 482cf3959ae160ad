"""The names that a fleet uses on a host, each in one place."""

from __future__ import annotations

HOLDER_UNIT = "mosaic-tmux-holder.service"
RESPONDER_UNIT = "mosaic-responder.service"
AGENT_PREFIX = "mosaic-agent@"
AGENT_TEMPLATE = "mosaic-agent@.service"
PANE_PREFIX = "mosaic-pane-"


UNIT_SUFFIXES = (".service", ".timer", ".target", ".slice")  # of files that systemd reads


def agent_unit(agent: str) -> str:
    """`mosaic-agent@NAME.service`."""
    return f"{AGENT_PREFIX}{agent}.service"


def agent_of_unit(unit: str) -> str | None:
    """The agent of an agent unit's name, None for any other unit (the bare template too)."""
    if unit.startswith(AGENT_PREFIX) and unit.endswith(".service"):
        return unit[len(AGENT_PREFIX) : -len(".service")] or None
    return None


def agent_of_scope(unit: str) -> str | None:
    """The agent of a pane's scope `mosaic-pane-NAME:HEX.scope`; no agent's name contains ":"."""
    if unit.startswith(PANE_PREFIX) and unit.endswith(".scope") and ":" in unit:
        return unit[len(PANE_PREFIX) :].split(":", 1)[0] or None
    return None
