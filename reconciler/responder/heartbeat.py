"""The responder's heartbeat of an agent: derived only from its pane, its processes and the reports of its hooks.
Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from providers.host import HeartbeatFile, Pane, Process
from specs.dataclass import dataclass

SLACK_S = 2.0  # /proc gives a start to 10 ms, another's record may give it to 1 s
LONGEST_S = 3600.0
STARTS_S = 30.0  # how long a launch that is under way is looked at again soon


@dataclass(frozen=True, slots=True)
class Watched:
    """An agent that writes no heartbeat of its own. `interval` in seconds."""

    name: str
    socket: str
    interval: float
    runtime: str = ""


def watched(name: str, text: str) -> Watched | None:
    """From an agent's launch environment; None if it is incomplete, or not for us to answer."""
    words: dict[str, str] = {}
    for line in text.split("\n"):
        key, equals, value = line.partition("=")
        if equals and key.startswith("MOSAIC_"):
            words[key] = value
    if words.get("MOSAIC_AGENT_NAME") != name or words.get("MOSAIC_HEARTBEAT") not in ("hook", "none"):
        return None
    try:
        interval = float(words["MOSAIC_HEARTBEAT_INTERVAL"])
        socket = words["MOSAIC_TMUX_SOCKET"]
    except (KeyError, ValueError):
        return None
    runtime = words.get("MOSAIC_AGENT_RUNTIME", "")
    return Watched(name, socket, interval, runtime) if 0.0 < interval <= LONGEST_S else None


def speaks_itself(written: HeartbeatFile | None, pids: Sequence[int], now: float, interval: float) -> bool:
    """Whether a process of the pane has written a heartbeat of its own: then the responder writes none."""
    if written is None or written.error is not None or not written.own:
        return False
    return written.pid in pids and now - written.ts <= 3.0 * interval


def heartbeat(
    agent: Watched, pane: Pane, top: Process, pids: Sequence[int], turn: HeartbeatFile | None, now: float
) -> str:
    """The line for a living pane whose program has started. `top` is its process, `pids` that and all below it."""
    saw = ["process", "pane"]
    status = "busy" if pane.activity and now - pane.activity <= 2.0 * agent.interval else "ok"
    carried: Mapping[str, str] = {}
    if turn is not None and turn.error is None and turn.pid in pids and turn.ts >= top.started - SLACK_S:
        saw.append("turn")
        status = turn.status
        carried = {key: said for key, said in (("waiting", turn.waiting), ("stuck", turn.stuck)) if said}
    words = {
        "pid": str(pane.pid),
        "status": status,
        "source": "sidecar",
        "interval": f"{agent.interval:g}",
        "saw": ",".join(saw),
        **carried,
    }
    return " ".join(f"{key}={value}" for key, value in words.items())
