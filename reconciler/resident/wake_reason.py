"""Wake reasons: why the resident loop woke up. Pure."""

from __future__ import annotations

from enum import StrEnum


class WakeReason(StrEnum):
    """Why we woke up; only the most expensive reason matters to the loop."""

    UNITS = "units"  # D-Bus: a unit of ours changed
    PROCESS = "process"  # an agent's process ended
    PAUSE = "pause"  # the kill switch was touched
    HEARTBEAT = "beat"  # a heartbeat was written
    ATTENTION = "attention"  # something has begun or ceased to need a person
    GIT = "git"  # the repository moved
    SYNC = "sync"  # somebody asked
    HANGUP = "hangup"  # SIGHUP: read the settings again, too
