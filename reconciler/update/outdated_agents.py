"""Which agents run on an older launch than a start would give them now, and the request to restart those.

Every launch hands `MOSAIC_GIVEN` to the program: a digest of what it adds, and of the programs and texts that it is
made with. What an agent has of it stands in /proc, what a start would give in its launch environment. A request names
the process that is to go, so that it is met once and by nothing else than its end; when that may be is up to the
rollout policy, as with a changed declaration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from providers.base import ObserveError
from providers.filesystem import files
from providers.launch.additions import GIVEN_KEY
from providers.launch.environment import env_path, read_pairs
from providers.processes import procfs
from reconciler.model import AgentHistory, History
from reconciler.plan.holding.forced import RELAUNCH, forced
from specs.dataclass import dataclass, replace

if TYPE_CHECKING:
    from providers.host import HostFacts
    from reconciler.status.status import FleetStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Older:
    """A running agent whose next start would be another one. `cannot`: why it could not be started now, or ""."""

    name: str
    pid: int
    started: float
    cannot: str = ""


def older_launches(status: FleetStatus, facts: HostFacts) -> tuple[Older, ...]:
    """By name. An agent of which nothing can be told is not in it."""
    found = []
    for agent in status.agents:
        if agent.desired != "running" or agent.live != "running" or not agent.pid:
            continue
        wanted = _wanted(agent.name, facts)
        given = procfs.environment(agent.pid)
        if wanted.get(GIVEN_KEY) and given is not None and given.get(GIVEN_KEY) != wanted[GIVEN_KEY]:
            folder = wanted.get("MOSAIC_AGENT_WORKDIR", "/")
            cannot = "" if Path(folder).is_dir() else f"its working directory {folder} does not exist"
            found.append(Older(name=agent.name, pid=agent.pid, started=agent.started, cannot=cannot))
    return tuple(found)


def requested(history: History, older: Sequence[Older], forced_by: str = "") -> History:
    """With the request for each of them that could be started; `forced_by`: who does not wait for what they do."""
    agents = dict(history.agents)
    for one in older:
        if not one.cannot:
            known = agents.get(one.name, AgentHistory())
            known = replace(known, relaunch_pid=one.pid, relaunch_started=one.started)
            if forced_by:
                known = forced(known, pid=one.pid, started=one.started, change=RELAUNCH, by=forced_by, revision="")
            agents[one.name] = known
    return replace(history, agents=agents)


def _wanted(name: str, facts: HostFacts) -> Mapping[str, str]:
    try:
        file = files.state(env_path(name, facts))
    except ObserveError:
        return {}
    return dict(read_pairs(file.content)) if file is not None and file.odd is None else {}
