"""The names of compared fields that decisions depend on, so that providers and decisions use the same constant. They
are words of the plan document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from providers.base import FieldChange

# of a session
ALIVE: Final = "alive"
PROGRAM: Final = "program"
LAUNCH: Final = "launch"  # digest of the declaration that it was started with
SOCKET: Final = "socket"
CONVERSATION: Final = "conversation"  # that the next start begins a new one
SCOPE: Final = "scope"
LIMITS: Final = "limits"
# of a unit
ENABLED: Final = "enabled"
ACTIVE: Final = "active"
# of the holder, and of each of its servers
UNIT: Final = "unit"
SERVERS: Final = "servers"
SERVER: Final = "server"
HOLDER: Final = "holder"
DEFINITION: Final = "definition"
# of files
CONTENT: Final = "content"
MODE: Final = "mode"
VARIABLES: Final = "vars"
TEXT: Final = "text"
ODD: Final = "odd"
VERSION: Final = "version"


def variable(name: str) -> str:
    """The path of a launch environment's variable."""
    return f"{VARIABLES}.{name}"


def is_at(change: FieldChange, name: str) -> bool:
    """Whether a change is of this field, or within it."""
    return change.path == name or change.path.startswith(f"{name}.")
