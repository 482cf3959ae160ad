"""The edits of `mosaic fleet add`, `remove`, `start`, `stop`, `restart`, `suspend` and `unsuspend`. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from reconciler.changes.proposal import Edited, EditVerb
from reconciler.errors import NotFound, Refused, unknown_agent
from reconciler.plan.holding.guards import FLOOR_CLASSES
from specs.compiled import FRESH, PRESENT
from specs.fleet_files import FLEET, ROSTER
from specs.loading.checks import WHOLE_FLEET
from specs.loading.load import LoadResult

if TYPE_CHECKING:
    from providers.base import Parsed
    from specs.yaml_text.quoting import YamlValue

FleetTexts = Mapping[str, bytes]
_WHEN = {
    "when-idle": "an agent that works is let finish: it is restarted when it is idle",
    "immediately": "the rollout policy is `immediately`: agents are restarted whatever they do",
    "never": "the rollout policy is `never`: nothing is restarted until somebody does it by hand",
}


def add(entry: Mapping[str, YamlValue]) -> EditVerb:
    """One more agent; `entry` begins with `name`. One whose entry is a tombstone is declared again."""

    def verb(files: FleetTexts, _loaded: LoadResult) -> Edited:
        from specs.editing.edit import add_agent, entries, set_agents

        name = str(entry["name"])
        roster = _roster(files)
        known = entries(roster).get(name)
        if known is None:
            return Edited(files={ROSTER: add_agent(roster, entry)}, message=f"Add {name}", notes=_begins(entry))
        state = _state(known)
        if state != "absent":
            way = f"mosaic fleet start {name}" if state == "stopped" else f"to change it, edit {ROSTER} and commit"
            raise Refused(f'agent "{name}" is in the roster, and its state is {state}', help=way)
        changes = {"state": "running", **{key: value for key, value in entry.items() if key != "name"}}
        note = (
            f"{name} had been removed with a note of it (`state: absent`): its entry counts again, with its other keys"
        )
        again = Edited(files={ROSTER: set_agents(roster, {name: changes})}, message=f"Add {name} again")
        return Edited(files=again.files, message=again.message, notes=(note, *_begins({**known, **changes})))

    return verb


def remove(asked: Sequence[str], *, tombstone: bool, gone: Callable[[str], bool] = lambda _name: False) -> EditVerb:
    """Without these agents; with a tombstone, their entries stay and say so. What suspended them goes, too. `gone`:
    whether a name may be one that is not in the roster any more."""

    def verb(files: FleetTexts, loaded: LoadResult) -> Edited:
        from specs.editing.edit import entries, remove_agent, remove_suspension, set_agents, suspended

        before = [name for name in asked if gone(name) and name not in entries(_roster(files))]
        names = [name for name in asked if name not in before]
        roster, known = _known(files, names)
        changed: dict[str, bytes] = {}
        notes = [f"{name} was taken out before" for name in before]
        if tombstone:
            changed[ROSTER] = set_agents(roster, {name: {"state": "absent"} for name in names})
            notes += [f"{name} is absent already" for name in names if _state(known[name]) == "absent"]
        else:
            for name in names:
                roster = remove_agent(roster, name)
            changed[ROSTER] = roster
            rules = files.get(FLEET)
            for name in names if rules is not None else ():
                if rules is not None and name in suspended(rules):
                    rules = changed[FLEET] = remove_suspension(rules, name)
                    notes.append(f"{name} was suspended in {FLEET}; that goes with it")
        limit = loaded.fleet.reconcile.prune.max_removals
        if len(names) > limit:
            notes.append(f"a host removes at most {limit} agents in one run, unless: reconcile --allow-removals N")
        return Edited(files=changed, message=f"Remove {', '.join(names)}", notes=tuple(notes))

    return verb


def set_state(names: Sequence[str], state: str) -> EditVerb:
    """Start or stop agents that are declared; one that is so already is only told about."""

    def verb(files: FleetTexts, loaded: LoadResult) -> Edited:
        from specs.editing.edit import set_agents

        roster, known = _known(files, names)
        gone = [name for name in names if _state(known[name]) == "absent"]
        if gone:
            way = f"mosaic fleet add {gone[0]} --runtime RUNTIME declares it again"
            raise Refused(f'agent "{gone[0]}" was removed (`state: absent`)', help=way)
        due = [name for name in names if _state(known[name]) != state]
        notes = tuple(f"{name} is {state} already" for name in names if name not in due)
        files_ = {ROSTER: set_agents(roster, {name: {"state": state} for name in due})}
        word = "Start" if state == "running" else "Stop"
        cautions = _last_of_a_role(loaded, due) if state == "stopped" else ()
        return Edited(files=files_, message=f"{word} {', '.join(due)}", notes=notes, cautions=cautions)

    return verb


def _last_of_a_role(loaded: LoadResult, stopped: Sequence[str]) -> tuple[str, ...]:
    """What to say if nobody is left running of a class that a fleet needs: nothing forbids it, and nobody does it by
    intention without knowing."""
    running = [one for one in loaded.roster.agents if one.state == "running"] if loaded.roster is not None else []
    said = []
    for role in FLOOR_CLASSES:
        ended = [one.name for one in running if one.agent_class == role and one.name in stopped]
        if ended and not any(one.agent_class == role and one.name not in stopped for one in running):
            way = f"mosaic fleet start {ended[0]}"
            said.append(f"no {role} runs in this fleet until you start one again: {way}")
    return tuple(said)


def restart(names: Sequence[str], session: str = PRESENT) -> EditVerb:
    """Ask for one restart of each: a generation that no host has started yet. `session`: what it begins with."""

    def verb(files: FleetTexts, loaded: LoadResult) -> Edited:
        from specs.editing.edit import set_agents

        roster, known = _known(files, names)
        for name in names:
            state = _state(known[name])
            if state != "running":
                raise Refused(
                    f'agent "{name}" is {state}, so there is nothing to restart', help=f"mosaic fleet start {name}"
                )
        wanted: dict[str, dict[str, YamlValue]] = {name: {"generation": _generation(known[name]) + 1} for name in names}
        restarted = ", ".join(f"{name} (generation {one['generation']})" for name, one in wanted.items())
        for name, one in wanted.items():
            if str(known[name].get("restart_session", PRESENT)) != session:
                one["restart_session"] = session
        if session != PRESENT:
            restarted += " in a new conversation" if session == FRESH else f" in conversation {session}"
        notes = (_WHEN[loaded.fleet.reconcile.rollout.on_change],)
        return Edited(files={ROSTER: set_agents(roster, wanted)}, message=f"Restart {restarted}", notes=notes)

    return verb


def suspend(agent: str, *, reason: str, by: str, until: str | None) -> EditVerb:
    """Leave an agent ("*": all) alone, on every host; what was said of it before is replaced."""

    def verb(files: FleetTexts, _loaded: LoadResult) -> Edited:
        from specs.editing.edit import add_suspension, remove_suspension, suspended

        if agent != WHOLE_FLEET:
            _known(files, [agent])
        entry = {"agent": agent, "reason": reason, "by": by, **({"until": until} if until else {})}
        rules = files.get(FLEET)
        notes = []
        if rules is None:
            # The mere presence of the file would ask for the two-agent floor.
            rules = b"version: 1\nfloor: none\n"
            notes.append(f"{FLEET} is new; `floor: none` is what held without it")
        elif agent in suspended(rules):
            notes.append(f"the suspension of {_whom(agent)} that was there is replaced")
        made = add_suspension(remove_suspension(rules, agent), entry)
        return Edited(files={FLEET: made}, message=f"Suspend {_whom(agent)}: {reason}", notes=tuple(notes))

    return verb


def unsuspend(agent: str | None) -> EditVerb:
    """Lift a suspension, or all of them (None). Raises NotFound for an agent that is not suspended."""

    def verb(files: FleetTexts, _loaded: LoadResult) -> Edited:
        from specs.editing.edit import entries, remove_suspension, suspended

        rules = files.get(FLEET)
        there = suspended(rules) if rules is not None else {}
        if agent is not None and agent not in there:
            known = entries(_roster(files))
            if agent not in known:
                raise unknown_agent(agent, {*known, *there})
            whole = "; the whole fleet is, which `mosaic fleet unsuspend --all` lifts" if WHOLE_FLEET in there else ""
            raise NotFound(f'"{agent}" is not suspended{whole}', help="mosaic fleet status says who is")
        if rules is None:
            return Edited(files={}, message="")
        lifted = [one for one in there if agent in (None, one)]
        notes = []
        for one in lifted:
            suspension = there[one]
            notes.append(f"lifts the suspension of {_whom(one)} by {suspension.get('by')}: {suspension.get('reason')}")
            rules = remove_suspension(rules, one)
        return Edited(files={FLEET: rules}, message=f"Unsuspend {', '.join(map(_whom, lifted))}", notes=tuple(notes))

    return verb


def _whom(agent: str) -> str:
    return "the whole fleet" if agent == WHOLE_FLEET else agent


def _roster(files: FleetTexts) -> bytes:
    if ROSTER not in files:
        raise NotFound(f"there is no {ROSTER}", help="make a fleet: mosaic fleet init PATH")
    return files[ROSTER]


def _known(files: FleetTexts, names: Iterable[str]) -> tuple[bytes, Mapping[str, Mapping[str, Parsed]]]:
    """The roster and its entries. Raises NotFound with near misses for a name that is not in it."""
    from specs.editing.edit import entries

    roster = _roster(files)
    known = entries(roster)
    for name in names:
        if name not in known:
            raise unknown_agent(name, known)
    return roster, known


def _state(entry: Mapping[str, Parsed]) -> str:
    return str(entry.get("state", "running"))


def _generation(entry: Mapping[str, Parsed]) -> int:
    value = entry.get("generation", 0)
    return value if isinstance(value, int) else 0


def _begins(entry: Mapping[str, Parsed]) -> tuple[str, ...]:
    """What its state means for a new agent, where that is not what one would expect of adding it."""
    return {
        "stopped": (f"it is not started until: mosaic fleet start {entry['name']}",),
        "absent": ("its state is absent: the entry is only a note that there is no such agent",),
    }.get(_state(entry), ())
