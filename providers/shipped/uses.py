"""What needs each framework file, so that a damaged one holds only that."""

from __future__ import annotations

from enum import StrEnum

from providers.names import HOLDER_UNIT, RESPONDER_UNIT


class Use(StrEnum):
    """What the framework's files are used for."""

    START = "start"  # starting an agent, also one that has ended
    STOP = "stop"  # stopping a living agent by its unit, and so restarting it
    HOLDER = "holder"  # starting the unit of the tmux servers, or having it fix them
    SERVER = "server"  # starting an agent on a tmux server that is not up yet
    RESPONDER = "responder"


_NEEDED = {
    "mosaic-agent@.service": (Use.START, Use.STOP),
    "agent-start": (Use.START,),
    "agent-scope": (Use.START,),
    "agent-pane": (Use.START,),
    "agent-stop": (Use.STOP,),
    "tmux-holder": (Use.HOLDER,),
    "holder.env": (Use.HOLDER,),
    HOLDER_UNIT: (Use.HOLDER,),
    RESPONDER_UNIT: (Use.RESPONDER,),
}


def uses_of(path: str) -> tuple[Use, ...]:
    """The uses of one of the framework's files. Files that programs call by themselves (`mosaic`, `agent-hook`) hold
    nothing, nor do the units of the reconciler, which runs without them."""
    return _NEEDED.get(path.rpartition("/")[2], ())
