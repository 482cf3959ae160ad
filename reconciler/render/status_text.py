"""The text of `mosaic fleet status`: what is wrong, then every agent. It fits 80 columns: prose is wrapped there, and a
command is never broken, so that it can be copied."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from reconciler.helpers.times import spell_duration
from reconciler.helpers.words import Paint, Tint, data, no_paint, short, when
from reconciler.listing.row import with_kind
from reconciler.render.table import table
from reconciler.status.conditions import Condition, ConditionStatus, ConditionType
from reconciler.status.held_ways import way
from reconciler.status.phrases import held_text
from reconciler.status.status import AgentStatus, FleetStatus

if TYPE_CHECKING:
    from reconciler.model import Held
    from reconciler.state.lock import Holder

WIDTH = 80
DROPPED = ("RESTARTS", "LIVE", "DESIRED", "FOR")  # columns that are left out in this order where there is no room
_BAD_WHEN_TRUE = frozenset({ConditionType.STALLED, ConditionType.PAUSED})
_INDENT = " " * 4


def status_text(
    status: FleetStatus,
    *,
    now: float,
    running: Holder | None = None,
    looks: bool = True,
    verbose: bool = False,
    paint: Paint = no_paint,
) -> str:
    """The fleet in a few lines, the conditions that are not as wished (with `verbose`, all of them), a row for each
    agent, and what is held. `looks`: whether this host reconciles by itself."""
    blocks = [
        _worded(_head(status, now, running), "PAUSED", "yellow", paint),
        _conditions(status, now, verbose, paint),
        _agents(status.agents, now, paint),
        _worded(_attention(status, now), "needs a person:", "yellow", paint),
        [line for held in status.held for line in _held(status, held, now, looks, paint)],
        _worded(
            (
                f"failed: {data(one.verb)} {data(one.target)}: {data(one.error)}, for {spell_duration(now - one.since)}"
                for one in status.failed
            ),
            "failed:",
            "red",
            paint,
        ),
        _worded((f"refused: {data(sentence)}" for sentence in status.refused), "refused:", "red", paint),
        _worded(
            (f"unknown: {data(kind)}: {data(why)}" for kind, why in sorted(status.unknown.items())),
            "unknown:",
            "yellow",
            paint,
        ),
        _worded(_suspended(status, now), "suspended:", "yellow", paint),
        _folded(f"orphan: {data(orphan)}" for orphan in status.orphans),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def as_wished(one: Condition) -> bool:
    """Whether a condition is as it should be; one that could not be told is not."""
    if one.status is ConditionStatus.UNKNOWN:
        return False
    return one.type is ConditionType.RECONCILING or (one.status is ConditionStatus.TRUE) != (one.type in _BAD_WHEN_TRUE)


def _head(status: FleetStatus, now: float, running: Holder | None) -> list[str]:
    applied, attempted = status.applied_revision, status.attempted_revision
    behind = f"; newest commit {short(attempted)} is not in force" if attempted and attempted != applied else ""
    lines = [
        f"fleet {data(status.fleet)} of {data(status.tenant_id)} on {data(status.host)}",
        f"commit {short(applied)} in force{behind}",
    ]
    if status.pause is not None:
        by = f" by {data(status.pause.by)}" if status.pause.by else ""
        since = f" {when(status.pause.since, now)}" if status.pause.since else ""
        lines.append(f"PAUSED{by}{since}: {data(status.pause.reason) or 'no reason given'}")
    run = status.last_run
    if run is not None:
        lines.append(
            f"last run {when(run.started_at, now)}: {data(run.outcome)} in {run.duration_s:.2f} s "
            f"({data(run.trigger)}, exit code {run.exit_code})"
        )
    lines.append(f"last success {when(status.last_success, now)}" if status.last_success else "last success: never")
    if running is not None:
        lines.append(f"a run is under way: {data(running.described(now))}")
    return lines


def _attention(status: FleetStatus, now: float) -> Iterator[str]:
    for one in status.attention:
        asks = f": {data(one.question)}" if one.question else ""
        yield f"needs a person: {data(one.agent)}, {one.kind} for {spell_duration(now - one.since)}{asks}"
    if status.attention:
        yield f"{_INDENT}now: mosaic fleet attention"


def _suspended(status: FleetStatus, now: float) -> Iterator[str]:
    for name, one in sorted(status.suspended.items()):
        whom = "the whole fleet" if name == "*" else data(name)
        end = f"ends {when(one.until, now)}" if one.until else "until somebody lifts it"
        yield f"suspended: {whom} by {data(one.by)} ({data(one.reason)}), {end}"


def _conditions(status: FleetStatus, now: float, verbose: bool, paint: Paint) -> list[str]:
    wrong = [one for one in status.conditions if not as_wished(one)]
    # The kill switch has its own line above.
    shown = list(status.conditions) if verbose else [one for one in wrong if one.type is not ConditionType.PAUSED]
    if not wrong and not verbose:
        return [f"all {len(status.conditions)} conditions are as they should be"] if status.conditions else []
    if not shown:
        return []
    rows = [(str(one.type), str(one.status), spell_duration(now - one.since), str(one.reason)) for one in shown]
    head = ("CONDITION", "STATUS", "FOR", "REASON")
    under = [data(one.message) for one in shown]
    return _rows(head, rows, under, [_tint(one) for one in shown], paint)


def _cells(agent: AgentStatus, now: float) -> Mapping[str, str]:
    return {
        "AGENT": data(agent.name),
        "DESIRED": data(agent.desired),
        "LIVE": data(agent.live),
        "STATE": data(with_kind(agent.readiness, agent.waiting, agent.stuck, agent.until)),
        "SYNC": "synced" if agent.in_sync else "held" if agent.held else "drifted",
        "FOR": spell_duration(now - agent.in_sync_since) if agent.in_sync_since else "-",
        "RESTARTS": str(agent.restarts),
    }


def _agents(agents: Sequence[AgentStatus], now: float, paint: Paint) -> list[str]:
    if not agents:
        return []
    each = [_cells(agent, now) for agent in agents]
    cells = {name: [one[name] for one in each] for name in each[0]}
    for name in DROPPED:
        if sum(max(map(len, (head, *column))) + 2 for head, column in cells.items()) - 2 > WIDTH:
            del cells[name]
    rows = list(zip(*cells.values(), strict=True))
    under = ["; ".join(_notes(agent, now)) for agent in agents]
    return _rows(tuple(cells), rows, under, [None if agent.in_sync else "yellow" for agent in agents], paint)


def _notes(agent: AgentStatus, now: float) -> Iterator[str]:
    """What is wrong with it, and what is done next; what is held has its own lines."""
    if agent.why:
        yield data(agent.why)
    if agent.began and agent.live == "running":
        yield data(agent.began)
    if agent.next_verb and not agent.held:
        at = f" in {spell_duration(agent.next_at - now)}" if agent.next_at > now else ""
        yield f"next: {data(agent.next_verb)}{at} ({data(agent.next_reason)})"


def _held(status: FleetStatus, held: Held, now: float, looks: bool, paint: Paint) -> list[str]:
    desired = next((agent.desired for agent in status.agents if agent.name == held.agent), "")
    found = way(held, now, desired=desired, whole="*" in status.suspended, looks=looks)
    text = _worded([f"held: {held_text(held, now)}; {found.comes}"], "held:", "yellow", paint)
    return [*text, f"{_INDENT}now: {data(found.now)}"] if found.now else text


def _rows(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    under: Sequence[str],
    tints: Sequence[Tint | None],
    paint: Paint,
) -> list[str]:
    """A table with a sentence below those rows that have one."""
    first, *lines = table(head, rows, tints, paint)
    out = [first]
    for line, sentence in zip(lines, under, strict=True):
        out += [line, *_fold(_INDENT + sentence)] if sentence else [line]
    return out


def _worded(lines: Iterable[str], word: str, tint: Tint, paint: Paint) -> list[str]:
    """Folded, and the word that they begin with tinted."""
    return [paint(word, tint) + line.removeprefix(word) if line.startswith(word) else line for line in _folded(lines)]


def _folded(lines: Iterable[str]) -> list[str]:
    return [part for line in lines for part in _fold(line)]


def _fold(text: str) -> list[str]:
    """Long names, paths and commits stay whole."""
    return textwrap.wrap(
        text,
        WIDTH,
        subsequent_indent=_INDENT,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    ) or [text]


def _tint(one: Condition) -> Tint | None:
    if one.status is ConditionStatus.UNKNOWN:
        return "yellow"
    return None if as_wished(one) else "red"
