"""The launch environment of an agent, and which of its changes need a restart.

Pure. The programs in `framework_files/` read these lines one by one and without any quoting: `KEY=value`, where the
value is everything up to the end of the line.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from providers import framework_files
from providers.launch import additions
from providers.launch.conversations import ONCE_KEY, RESUME_KEY, StartRequest
from providers.names import HOLDER_UNIT
from specs.compiled import FRESH, mission_digest

if TYPE_CHECKING:
    from providers.base import Json
    from providers.host import HostFacts
    from specs.compiled import Agent, EnvValue, Fleet, Limits

Pair = tuple[str, str]

# What agent-start's exit codes mean when it cannot start an agent; its own message is in the journal.
START_STATUS = {
    66: "its launch environment is missing",
    69: "there is no tmux server to start it in, or no systemd-run",
    72: "its working directory does not exist, or may not be entered",
    73: "a tmux session of its name exists that is not ours",
    74: "the runtime folder cannot be written",
    75: "tmux did not answer in time",
    78: "its launch environment is wrong, or a secret that it names is not there",
}

_MARK = re.compile(r"# mosaic-fleet: generated from git for (agent (?P<agent>\S+)|the holder) of fleet (?P<fleet>.+);")

# What affects the program from its start on. Everything else in the file may change under a running agent.
_NEEDS_RESTART = frozenset(
    {
        "MOSAIC_AGENT_CLASS",
        "MOSAIC_AGENT_RUNTIME",
        "MOSAIC_AGENT_MODEL",
        "MOSAIC_AGENT_WORKDIR",
        "MOSAIC_TMUX_SOCKET",
        "MOSAIC_GENERATION",
        "PROP",
        "PATHDIR",
        "ENV",
        "ENV_FROM",
        "ENV_FILE",
        "ARG",
    }
)
_FIELD_NAMES = {
    "MOSAIC_AGENT_CLASS": "class",
    "MOSAIC_AGENT_RUNTIME": "runtime",
    "MOSAIC_AGENT_MODEL": "model",
    "MOSAIC_AGENT_WORKDIR": "working_directory",
    "MOSAIC_TMUX_SOCKET": "socket",
    "MOSAIC_GENERATION": "generation",
    "PATHDIR": "path",
    "ARG": "argv",
}
_LIST_KEYS = frozenset({"PATHDIR", "ARG"})
_SECRET_KEYS = {"ENV_FROM": "from_env", "ENV_FILE": "from_file"}


def env_path(name: str, facts: HostFacts) -> str:
    """The path of an agent's launch environment."""
    return f"{facts.agents_dir}/{name}.env"


def holder_path(facts: HostFacts) -> str:
    """The path of the holder's settings."""
    return f"{facts.mosaic_home}/fleet/holder.env"


def env_pairs(agent: Agent, fleet: Fleet, facts: HostFacts) -> tuple[Pair, ...]:
    """The launch environment as key and value, in the order of the file."""
    launch, digest = _launch(agent)
    return (
        ("MOSAIC_AGENT_NAME", agent.name),
        ("MOSAIC_AGENT_SESSION", agent.session),
        ("MOSAIC_FLEET", fleet.name),
        ("MOSAIC_TENANT_ID", fleet.tenant_id),
        ("MOSAIC_HOST", fleet.host),
        ("MOSAIC_HOME", facts.mosaic_home),
        ("MOSAIC_HEARTBEAT_INTERVAL", f"{fleet.heartbeats.interval:g}"),
        ("MOSAIC_LAUNCH", digest),
        ("MOSAIC_MISSION", mission_digest(fleet, agent)),
        (RESUME_KEY, agent.resume),
        ("MOSAIC_DECLARED", declared_digest(agent)),
        *(((ONCE_KEY, once),) if (once := resume_once(agent)) else ()),
        *launch,
        *additions.pairs(agent, facts),
    )


def render_env(agent: Agent, fleet: Fleet, facts: HostFacts) -> str:
    """The content of `NAME.env`. Raises ValueError for a value that does not fit on a line."""
    return render_pairs(agent, fleet, env_pairs(agent, fleet, facts))


def render_pairs(agent: Agent, fleet: Fleet, pairs: Iterable[Pair]) -> str:
    """`render_env`, for a caller that has the `env_pairs`."""
    return _render(mark(agent.name, fleet.name), pairs)


def holder_sockets(fleet: Fleet) -> tuple[str, ...]:
    """Every tmux socket of this host's agents, the fleet's own first; "" is the default server."""
    also = sorted({agent.socket for agent in fleet.agents if agent.state == "running"})
    return tuple(dict.fromkeys([fleet.socket, *also]))


@cache
def holder_definition() -> str:
    """16 hex digits of the limits and options that a tmux server is started with, and keeps as long as it lives."""
    texts = [framework_files.text("tmux-holder"), framework_files.text(HOLDER_UNIT)]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def render_holder(fleet: Fleet) -> str:
    """The content of `holder.env`."""
    head = f"# mosaic-fleet: generated from git for the holder of fleet {fleet.name}; edits are put back"
    return _render(
        head,
        [
            ("MOSAIC_FLEET", fleet.name),
            ("MOSAIC_HOLDER_SESSION", fleet.holder_session),
            ("MOSAIC_HOLDER_DEFINITION", holder_definition()),
            *(("MOSAIC_TMUX_SOCKET", socket) for socket in holder_sockets(fleet)),
        ],
    )


def mark(agent: str, fleet: str) -> str:
    """The first line of a file generated for an agent."""
    return f"# mosaic-fleet: generated from git for agent {agent} of fleet {fleet}; edits are put back"


def generated_for(text: str) -> str | None:
    """The fleet whose mark a generated file carries, or None."""
    found = _MARK.match(text)
    return found["fleet"] if found else None


def left_by_a_crash(text: str, wanted: str) -> bool:
    """Whether a file of ours is what a crash, a full disk or a power cut has left of `wanted`: nothing, NULs, its
    beginning, or pieces of it with NULs between. No person writes such a file, so overwriting it loses nobody's
    work."""
    if not text.strip("\0 \t\r\n") or (wanted and wanted.startswith(text)):
        return True
    return "\0" in text and all(piece in wanted for piece in text.split("\0"))


def read_pairs(text: str) -> tuple[Pair, ...]:
    """The lines of a launch environment. A line without `=` has an empty value and keeps its place as key `?`."""
    pairs = []
    for line in text.split("\n"):
        if line and not line.startswith("#"):
            key, equals, value = line.partition("=")
            pairs.append((key, value) if equals else ("?", line))
    return tuple(pairs)


def launch_digest(agent: Agent) -> str:
    """16 hex digits that change exactly when `launch_fields` does: a running agent with other digits needs a
    restart."""
    return _launch(agent)[1]


def pairs_digest(pairs: Iterable[Pair]) -> str:
    """The launch digest of lines read from a file, whatever digest the file states."""
    return _digest(tuple(pair for pair in pairs if pair[0] in _NEEDS_RESTART))


def intact(pairs: tuple[Pair, ...]) -> bool:
    """Whether the digests in a file match its lines: nobody has edited them."""
    written = dict(pairs)
    return written.get("MOSAIC_LAUNCH") == pairs_digest(pairs) and (
        written.get(additions.DIGEST_KEY, "") == additions.digest(pairs)
    )


def declared_digest(agent: Agent) -> str:
    """12 hex digits of what a conversation belongs to: class, runtime and folder. With `resume: on-heal` an agent with
    other digits begins a new one."""
    return _declared(agent.agent_class, agent.runtime, agent.working_directory)


@lru_cache(maxsize=256)
def _declared(agent_class: str, runtime: str, folder: str) -> str:
    """What a conversation belongs to. A restart for anything else (model, command, limits, generation) goes on with
    it."""
    pairs = (
        ("MOSAIC_AGENT_CLASS", agent_class),
        ("MOSAIC_AGENT_RUNTIME", runtime),
        ("MOSAIC_AGENT_WORKDIR", folder),
    )
    return _digest(pairs)[:12]


def resume_once(agent: Agent) -> str:
    """What git asks of the start that its generation asks for, as a `StartRequest` reads; "" for nothing."""
    if not agent.restart_session:
        return ""
    fresh = agent.restart_session == FRESH
    return StartRequest(nonce=f"g{agent.generation}", session="" if fresh else agent.restart_session).render()


def launch_fields(agent: Agent) -> dict[str, Json]:
    """What needs a restart when it changes, by name, fit for printing: a secret is shown by its source."""
    return pairs_fields(_launch(agent)[0])


def pairs_fields(pairs: Iterable[Pair]) -> dict[str, Json]:
    """`launch_fields`, from the lines of a launch environment that we rendered."""
    lists: dict[str, list[Json]] = {"path": [], "argv": []}
    fields: dict[str, Json] = {**lists}
    for key, value in pairs:
        name, _, rest = value.partition("=")
        if key in _LIST_KEYS:
            lists[_FIELD_NAMES[key]].append(value)
        elif key == "ENV":
            fields[f"env.{name}"] = rest
        elif key in _SECRET_KEYS:
            fields[f"env.{name}"] = {_SECRET_KEYS[key]: rest}
        elif key == "PROP":
            fields[f"resources.{name}"] = rest
        elif key in _FIELD_NAMES:
            fields[_FIELD_NAMES[key]] = value
    return fields


# A run asks several times for each agent; comparing agents would cost more than making this again.
_made: dict[int, tuple[Agent, tuple[Pair, ...], str]] = {}


def _launch(agent: Agent) -> tuple[tuple[Pair, ...], str]:
    known = _made.get(id(agent))
    if known is not None and known[0] is agent:
        return known[1], known[2]
    pairs = _launch_pairs(agent)
    digest = _digest(pairs)
    if len(_made) >= 4096:
        _made.clear()
    _made[id(agent)] = (agent, pairs, digest)
    return pairs, digest


def _launch_pairs(agent: Agent) -> tuple[Pair, ...]:
    return (
        ("MOSAIC_AGENT_CLASS", agent.agent_class),
        ("MOSAIC_AGENT_RUNTIME", agent.runtime),
        ("MOSAIC_AGENT_MODEL", agent.model or ""),
        ("MOSAIC_AGENT_WORKDIR", agent.working_directory),
        ("MOSAIC_TMUX_SOCKET", agent.socket),
        ("MOSAIC_GENERATION", str(agent.generation)),
        *(("PROP", f"{name}={value}") for name, value in limits_of(agent.limits).items()),
        *(("PATHDIR", folder) for folder in agent.path),
        *(_variable(name, value) for name, value in agent.env),
        *(("ARG", argument) for argument in agent.argv),
    )


def limits_of(limits: Limits) -> dict[str, int | str]:
    """The declared limits, by systemd's name: `{"MemoryMax": "2G", "TasksMax": 512}`."""
    known = {"MemoryMax": limits.memory_max, "CPUWeight": limits.cpu_weight, "TasksMax": limits.tasks_max}
    return {name: value for name, value in known.items() if value is not None}


def _variable(name: str, value: EnvValue) -> Pair:
    if value.from_env is not None:
        return "ENV_FROM", f"{name}={value.from_env}"
    if value.from_file is not None:
        return "ENV_FILE", f"{name}={value.from_file}"
    return "ENV", f"{name}={value.literal or ''}"


def _digest(pairs: tuple[Pair, ...]) -> str:
    return hashlib.sha256("\n".join([f"{key}={value}" for key, value in pairs]).encode()).hexdigest()[:16]


def _render(head: str, pairs: Iterable[Pair]) -> str:
    lines = [head, *[f"{key}={value}" for key, value in pairs]]
    text = "\n".join(lines)
    if text.count("\n") >= len(lines) or "\0" in text:
        raise ValueError(f"{head}: a value with a line break or a NUL cannot be launched")
    return text + "\n"
