"""What a program records about its own state beyond what its hooks report. Pure.

claude calls no hook when a person refuses a permission or interrupts it, and none when a permission is given: its
hooks' last report would stand until its next turn. It also writes the state of its screen to `sessions/PID.json` in its
folder at every change. Nobody promises that format, so only the values known here count, and a missing or different
file proves nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from providers.host import HeartbeatFile

_STATES: Mapping[str, Literal["ok", "busy"]] = {"idle": "ok", "shell": "ok", "busy": "busy", "waiting": "busy"}
# A menu that a person has opened ("dialog open") does not show the state of the turn below it.
_WAITS = {
    "permission prompt": "permission",
    "sandbox request": "permission",
    "worker request": "permission",
    "input needed": "question",
}


def status_file(runtime: str, environ: Mapping[str, str], pid: int) -> str | None:
    """The file where the program of this process writes its state, by that process's environment; None if it writes
    none."""
    home = environ.get("HOME", "")
    folder = environ.get("CLAUDE_CONFIG_DIR") or (f"{home}/.claude" if home else "")
    return f"{folder}/sessions/{pid}.json" if runtime == "claude" and folder.startswith("/") else None


def newer(text: str, turn: HeartbeatFile | None, pid: int) -> str | None:
    """The turn record that a status file makes of an older one; None if it adds nothing."""
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or record.get("pid") != pid:
        return None
    stamp, state, waits = record.get("statusUpdatedAt"), record.get("status"), record.get("waitingFor", "")
    if not isinstance(stamp, int) or isinstance(stamp, bool) or not 0 < stamp < 10**14:
        return None
    status = _STATES.get(state) if isinstance(state, str) else None
    waiting = _WAITS.get(waits, "") if isinstance(waits, str) else ""
    if status is None or (state == "waiting" and not waiting):
        return None
    ts = stamp / 1000
    words = "" if not waiting else f" waiting={waiting}"
    if turn is not None and turn.error is None and turn.pid == pid:
        if turn.ts >= ts or (turn.status == status and bool(turn.waiting) == bool(waiting)):
            return None
        if turn.session:
            words = f" session={turn.session}{words}"
    when = datetime.fromtimestamp(ts, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f"ts={when} pid={pid} status={status} source=status-file event={state}{words}"
