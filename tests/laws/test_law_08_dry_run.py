"""Law 8: a preview writes nothing, anywhere."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from reconciler.loop import converge as loop
from reconciler.state.store import Store
from specs.compiled import Fleet
from tests.laws.driver import MemoryStore, converge, reconciler, steps_of
from tests.strategies import FOREIGN, WORK, Event, blindness, events, fleets, revised
from tests.world import World


def everything(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"")
        for path in [folder, *folder.rglob("*")]
    }


@given(
    data=st.data(),
    fleet=fleets(),
    happened=events(FOREIGN, *WORK),
    blind=st.one_of(st.just(frozenset[str]()), blindness()),
    lived=st.booleans(),
)
def test_law_8_a_preview_writes_nothing_anywhere(
    data: st.DataObject, fleet: Fleet, happened: list[Event], blind: frozenset[str], lived: bool
) -> None:
    """Neither on the host, nor in the state folder, whether that is there or not; and it shows every step."""
    world, store = World(), MemoryStore()
    converge(world, fleet, store)
    for event in happened:
        event(world)
    world.blind = set(blind)
    after = data.draw(st.one_of(st.just(fleet), revised(fleet)))
    with tempfile.TemporaryDirectory() as name:
        state, runtime = Path(name, "state"), Path(name, "runtime")
        if lived:
            kept = Store(state, runtime)
            kept.save_inventory(store.inventory)
            kept.save_history(store.history)
        disk, host, begun = everything(Path(name)), world.fingerprint(), len(world.tally.steps)
        preview = replace(reconciler(world, store).context(), store=Store(state, runtime, read_only=True))
        seen = loop.look(preview, after)
        shown = [step.command for _, step in steps_of(seen, world, store.inventory)]
        assert everything(Path(name)) == disk
    assert world.fingerprint() == host
    assert len(world.tally.steps) == begun
    assert all(shown)


@given(data=st.data(), fleet=fleets(), happened=events(*WORK))
def test_law_8_the_preview_is_what_the_run_does(data: st.DataObject, fleet: Fleet, happened: list[Event]) -> None:
    """The steps that a preview prints are those that the first pass of a run begins, no more and no other."""
    world, store = World(), MemoryStore()
    converge(world, fleet, store)
    for event in happened:
        event(world)
    after = data.draw(st.one_of(st.just(fleet), revised(fleet)))
    seen = reconciler(world, store).look(after)
    shown = sorted(repr(step) for _, step in steps_of(seen, world, store.inventory))
    one = reconciler(world, store)
    begun = len(world.tally.steps)
    acted = loop.reconcile_once(one.context(), after, world.elapsed + 300.0, first=seen)
    done = sorted(repr(step) for step in world.tally.steps[begun:])
    if all(outcome.result in ("done", "unchanged") for outcome in acted.outcomes):
        assert done == shown
    else:
        assert set(done) <= set(shown)
