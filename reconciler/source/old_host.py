"""The old host of an agent that moves here: find it by the history of the branch, and ask it about the agent.

The findings and answers are kept in `moving.json` of the state folder. It is a cache: if it is lost, we ask again.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from reconciler.errors import MosaicError
from reconciler.helpers.atomic_files import parse_json, read_optional
from reconciler.helpers.redact import hide_secrets, one_line
from reconciler.plan.holding.moving import answered, first_starts
from specs.compiled import Fleet, MoveWord, Moving
from specs.dataclass import asdict, replace
from specs.values.names import same_host

if TYPE_CHECKING:
    from providers.base import Parsed
    from reconciler.listing.document import Listing
    from reconciler.source.commit_state import SourceState
    from reconciler.state.store import Store

FILE = "moving.json"
ASK_S = 20.0  # for the answer of one host; all are asked at the same time
AGAIN_S = 30.0  # before a host that answered is asked again
SAID_MAX = 300  # characters
SILENT_S = 300.0  # before a host that did not answer is asked again


def with_moves(fleet: Fleet, source: SourceState, store: Store, machine: str) -> Fleet:
    """The fleet, with what is known about agents that come from another host. `machine`: this machine's own name, which
    may have been its name in the roster. Never raises: the source's notes say what cannot be known."""
    inventory = store.load_inventory()
    names = {agent.name for agent in first_starts(fleet, inventory)}
    if not names:
        return fleet
    kept = load(store)
    found = {name: move for name, move in kept.items() if name in names and move.revision == fleet.revision}
    if open_ := names - found.keys():
        try:
            found |= _read(open_, fleet, source, kept, machine)
        except MosaicError as error:
            source.notes.append(f"whether {_some(open_)} ran on another host before is not known: {error.message}")
        if not store.read_only:
            save(store, found)
    return replace(fleet, moving={name: move for name, move in sorted(found.items()) if move.host})


def _read(
    names: Collection[str], fleet: Fleet, source: SourceState, kept: Mapping[str, Moving], machine: str
) -> dict[str, Moving]:
    from reconciler.source.moves import Origin, origins, versions

    def found_in() -> tuple[dict[str, Origin], frozenset[str]]:
        return origins(versions(source.checkout, source.revision, names, fleet.host), names, fleet.host)

    found, left = found_in()
    if left and source.deepen():
        found, left = found_in()
    if left and source.checkout.is_shallow():
        source.notes.append(f"whether {_some(left)} ran on another host before is not known: its history is not here")
    ways = {peer.host: peer.ssh for peer in fleet.peers if peer.ssh}
    moves = {}
    for name in names:
        origin = found.get(name)
        if origin is None or same_host(origin.host, machine):
            moves[name] = Moving(revision=fleet.revision)
            continue
        move = Moving(host=origin.host, ssh=ways.get(origin.host) or origin.ssh, commit=origin.commit)
        before = kept.get(name)
        same = before is not None and (before.host, before.commit) == (move.host, move.commit)
        moves[name] = replace(before if same and before is not None else move, ssh=move.ssh, revision=fleet.revision)
    return moves


def _some(names: Collection[str]) -> str:
    shown = sorted(names)[:3]
    return ", ".join(shown) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def asked(
    fleet: Fleet, names: Collection[str], store: Store, now: float, *, at_once: bool, timeout_s: float = ASK_S
) -> Fleet:
    """The fleet with new answers about these agents; they are saved, except in a preview. The same object if nobody was
    asked. `at_once`: also ask hosts that were asked a moment ago. Takes at most `timeout_s`. Never raises."""
    due = {
        name: fleet.moving[name] for name in names if name in fleet.moving and _is_due(fleet.moving[name], now, at_once)
    }
    if not due:
        return fleet
    answers = _ask({(move.host, move.ssh) for move in due.values()}, fleet, timeout_s)
    moving = dict(fleet.moving)
    for name, move in due.items():
        word, said = answered(answers[(move.host, move.ssh)], name, move.host, fleet.host)
        # Another host's answer is untrusted text.
        moving[name] = replace(move, word=word, said=one_line(hide_secrets(said), SAID_MAX), asked=now)
    if not store.read_only:
        save(store, load(store) | moving)
    return replace(fleet, moving=moving)


def _is_due(move: Moving, now: float, at_once: bool) -> bool:
    if move.released or move.word == "gone":
        return False
    wait = SILENT_S if move.word == "silent" else AGAIN_S
    return at_once or not move.asked or not 0.0 <= now - move.asked < wait


def _ask(
    places: Iterable[tuple[str, str | None]], fleet: Fleet, timeout_s: float
) -> dict[tuple[str, str | None], Listing | str]:
    """What each of these hosts sees of the fleet, or why that is unknown."""
    from reconciler.helpers.sealed_json import Damaged
    from reconciler.listing.document import listing_back
    from reconciler.remote.ssh import Asking, Destination, Remote

    words = ["fleet", "ps", "--fleet", fleet.name, "-o", "json"]
    under_way: dict[tuple[str, str | None], Asking | MosaicError] = {}
    found: dict[tuple[str, str | None], Listing | str] = {}
    try:
        for host, ssh in places:
            try:
                under_way[host, ssh] = Asking(Destination(host=host, target=ssh or host), words, timeout_s=timeout_s)
            except MosaicError as error:
                under_way[host, ssh] = error
        for place, asking in under_way.items():
            try:
                if isinstance(asking, MosaicError):
                    raise asking
                answer = asking.answer()
                if answer.document is None:
                    raise Remote(asking.there, answer)
                found[place] = listing_back(answer.document)
            except MosaicError as error:
                found[place] = error.message
            except Damaged as error:
                found[place] = f"its answer cannot be read: {error}"
    finally:
        for asking in under_way.values():
            if isinstance(asking, Asking):
                asking.abandon()
    return found


def load(store: Store) -> dict[str, Moving]:
    """By agent; what cannot be read is determined again."""
    try:
        raw = parse_json(read_optional(store.state / FILE) or b"{}")
        found = {str(name): _moving(one) for name, one in raw.items()} if isinstance(raw, dict) else {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    return found


def _moving(raw: Mapping[str, Parsed]) -> Moving:
    ssh = raw["ssh"]
    words: tuple[MoveWord, ...] = ("runs", "gone", "silent")
    word: MoveWord = next((one for one in words if one == raw["word"]), "")
    return Moving(
        host=str(raw["host"]), ssh=None if ssh is None else str(ssh), commit=str(raw["commit"]),
        revision=str(raw["revision"]), word=word, said=str(raw["said"]), asked=float(raw["asked"]),
        released=raw["released"] is True,
    )  # fmt: skip


def save(store: Store, moving: Mapping[str, Moving]) -> None:
    """Best effort: without it the next run asks again."""
    text = json.dumps({name: asdict(move) for name, move in sorted(moving.items())}, indent=1) + "\n"
    try:
        store.write(store.state / FILE, text)
    except MosaicError as error:
        store.warnings.append(error.message)


def release(store: Store, name: str) -> bool:
    """Let an agent start here whatever its old host says. Returns whether it was waiting for that."""
    kept = load(store)
    if name not in kept or not kept[name].host:
        return False
    save(store, {**kept, name: replace(kept[name], released=True)})
    return True
