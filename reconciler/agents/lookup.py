"""Find the agents of a fleet by name, as the revision in force declares them, for every command that takes a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import MosaicError, NotFound, unknown_agent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.context.fleet import FleetContext
    from specs.compiled import Agent, Fleet, Peer


def in_force(place: FleetContext, *, host: str | None = None) -> Fleet:
    """The fleet as the revision in force declares it, for this host or for another one; nothing is fetched, and no host
    is looked at. Raises NotFound if no revision was ever in force here, or it is no longer kept."""
    from reconciler.plan.desired import inputs_digest

    status = place.store.load_status()
    if status is None or not status.applied_revision:
        raise NotFound("no commit of this fleet is in force on this host yet", help="run: reconcile")
    wanted = host or status.host
    inputs = inputs_digest(place.facts, place.settings.path)
    known = place.store.load_desired(revision=status.applied_revision, host=wanted, inputs=inputs)
    return known or _compiled(place, status.applied_revision, wanted)


def lookup(fleet: Fleet, name: str) -> Agent | Peer:
    """The agent of that name or alias, here or on another host, in any state. A name wins over an alias; an alias that
    several agents share names none of them. Raises NotFound, with near misses."""
    everyone = [one for _, one in fleet.everyone]
    for one in everyone:
        if one.name == name:
            return one
    called = [one for one in everyone if one.alias == name]
    if len(called) == 1:
        return called[0]
    if called:
        names = ", ".join(sorted(one.name for one in called))
        raise NotFound(f'"{name}" is the alias of several agents', help=f"say which: {names}")
    raise unknown_agent(name, {one.name for one in everyone} | {one.alias for one in everyone if one.alias})


def receivers(
    fleet: Fleet, *, agent_class: str | None = None, group: str | None = None, caller: str = ""
) -> tuple[Agent | Peer, ...]:
    """The agents that are to run, on every host, of that class and group (None: of any), by name; never `caller`, who
    is the one that asks. Raises NotFound for a class or group that no agent has, and if nobody is left."""
    everyone = [one for _, one in fleet.everyone if one.state != "absent"]
    classes, groups = {one.agent_class for one in everyone}, {name for one in everyone for name in one.groups}
    if agent_class is not None and agent_class not in classes:
        raise unknown_value_error(agent_class, "class", classes)
    if group is not None and group not in groups:
        raise unknown_value_error(group, "group", groups)
    found = [
        one
        for one in everyone
        if one.state == "running"
        and agent_class in (None, one.agent_class)
        and (group is None or group in one.groups)
        and one.name != caller
    ]
    if not found:
        raise NotFound("no agent that is to run is among them", help="mosaic agent roster")
    return tuple(sorted(found, key=lambda one: one.name))


def unknown_value_error(word: str, what: str, known: Iterable[str]) -> NotFound:
    """The error for a host or a class (`what`) that no agent has."""
    from difflib import get_close_matches

    names = sorted(known)
    near = get_close_matches(word, names, n=3, cutoff=0.5)
    way = f"did you mean {' or '.join(near)}?" if near else f"known here: {', '.join(names[:20]) or 'none'}"
    return NotFound(f'no agent here has the {what} "{word}"', help=way)


def _compiled(place: FleetContext, revision: str, host: str) -> Fleet:
    """The commit compiled again from our own copy: the cached one is for another host, of another version, or
    damaged."""
    from reconciler.git.mirror import Checkout
    from reconciler.plan.desired import compile_files
    from reconciler.source.fetch import CHECKOUT

    checkout = Checkout(place.store.state / CHECKOUT)
    try:
        files = checkout.files(checkout.peel(revision)[1])
    except MosaicError as error:
        text = f"commit {revision[:12]}, which is in force, cannot be read: {error}"
        raise NotFound(text, help="run: reconcile") from error
    made = compile_files(files, revision=revision, host=host, facts=place.facts, path=place.settings.path)
    if made.fleet is None:
        raise NotFound(f"commit {revision[:12]}, which is in force, cannot be read any more", help="run: reconcile")
    return made.fleet
