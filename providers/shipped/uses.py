"""What needs each framework file, so that a damaged one holds only that."""

from __future__ import annotations

from enum import StrEnum

from providers.names import HOLDER_UNIT, RESPONDER_UNIT


class Use(StrEnum):
    """What is done with the framework's files."""

    START = "start"  # of an agent, also of one that has ended
    STOP = "stop"  # of an agent that lives, by its unit: a restart of it, too
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
    """What one of the framework's files is needed for. Nothing waits for what programs call by themselves (`mosaic`,
    `agent-hook`), nor for the units of the reconciler: whoever reads this runs without them."""
    return _NEEDED.get(path.rpartition("/")[2], ())
