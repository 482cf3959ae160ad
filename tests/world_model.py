"""The things that a simulated host is made of, and the tally of what was done to them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from providers.host import HostFacts, OtherPane
from providers.steps import Step

HOLDER_UNIT = "mosaic-tmux-holder.service"
RESPONDER_UNIT = "mosaic-responder.service"
AGENT_TEMPLATE = "mosaic-agent@.service"
BROKEN = "BROKEN"  # a file that has this line does not do its work

FACTS = HostFacts(
    user="op",
    uid=1000,
    hostname="alpha",
    home="/home/op",
    mosaic_home="/home/op/.config/mosaic",
    unit_dir="/home/op/.config/systemd/user",
    runtime_dir="/run/user/1000",
    state_home="/home/op/.local/state",
    config_home="/home/op/.config",
    python="/usr/bin/python3.11",
    interpreter="/opt/mosaic/bin/python",
    stub_program="/opt/mosaic/providers/stub.py",
)


class SimulatedKill(BaseException):
    """The reconciler is killed here: nothing of it runs any more, the host goes on."""


def of(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


@dataclass(slots=True)
class File:
    content: str
    mode: int = 0o644
    odd: str | None = None

    @property
    def digest(self) -> str:
        return of(self.content)

    @property
    def works(self) -> bool:
        return not self.odd and bool(self.content.strip()) and BROKEN not in self.content.split("\n")


@dataclass(slots=True)
class Proc:
    """A living process. `agent` is set for the one that holds an agent's conversation, `scope` for its cgroup."""

    pid: int
    ppid: int
    comm: str
    argv: tuple[str, ...]
    started: float
    start_ticks: int
    agent: str = ""
    scope: str = ""
    limits: dict[str, str] = field(default_factory=dict)  # of its scope, as systemd was asked for them
    cwd: str = ""
    cwd_gone: bool = False  # that folder was deleted
    ready_at: float = 0.0  # on the monotonic clock; until then it is the launch program


@dataclass(slots=True)
class Session:
    name: str
    pid: int
    created: float
    activity: float
    command: str
    mark: str = ""
    fleet: str = ""
    launch: str = ""
    mission: str = ""
    dead: bool = False
    dead_status: int | None = None
    attached: int = 0
    in_mode: bool = False
    title: str = ""
    last_lines: str = ""
    holder: bool = False
    pane: str = ""  # the number of the agent's pane
    life: str = ""
    others: tuple[OtherPane, ...] = ()  # a person's panes beside it
    vacant: bool = False  # the agent's pane is gone, a person's are left


@dataclass(slots=True)
class Server:
    """A tmux server. `reachable` is False once its socket file is gone; `held`: it runs in the holder's cgroup."""

    socket: str
    pid: int
    start_ticks: int
    held: bool
    reachable: bool = True
    exit_empty: bool = True
    sessions: dict[str, Session] = field(default_factory=dict)


@dataclass(slots=True)
class Unit:
    load: str = "loaded"
    active: str = "inactive"
    sub: str = "dead"
    job: str = ""


@dataclass(slots=True)
class PendingJob:
    """A job that systemd still has to carry out, after the one who asked for it is gone; or one that hangs."""

    verb: str
    unit: str
    hangs_until: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A conversation that ended. `by` is what ended it: "reconciler", or the name of the perturbation."""

    agent: str
    by: str
    right_program: bool
    working: bool
    launch: str
    at: float


@dataclass(slots=True)
class Tally:
    """What the laws count."""

    started: dict[str, int] = field(default_factory=dict)
    most_at_once: dict[str, int] = field(default_factory=dict)
    ended: list[Ended] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)  # begun, in order
    changed: list[Step] = field(default_factory=list)  # those that found something to do
    batches: list[list[Step]] = field(default_factory=list)  # the steps of each call of `begin`
    sockets: set[str] = field(default_factory=set)  # tmux servers that were spoken to, by a look or a step
    looks: int = 0
    lost: list[OtherPane] = field(default_factory=list)  # panes of a person that the reconciler has ended

    def by_reconciler(self) -> list[Ended]:
        return [ended for ended in self.ended if ended.by == "reconciler"]
