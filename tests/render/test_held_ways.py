"""Of whatever is held a person reads when it comes by itself, and how to have it now."""

from __future__ import annotations

import click
import pytest

from providers.base import HeldReason, Verb
from providers.names import HOLDER_UNIT
from reconciler.commands.mosaic import command as mosaic
from reconciler.model import Held
from reconciler.status.held_ways import NEVER, way
from tests import builders as make

NOW = make.NOW


@pytest.mark.parametrize("reason", HeldReason)
def test_every_reason_says_when_it_comes(reason: HeldReason) -> None:
    found = way(make.held(reason), NOW)
    assert found.comes == NEVER or found.comes.startswith("by itself ")
    later = way(make.held(reason), NOW, looks=False)
    assert later.comes == NEVER or later.comes.startswith("with the next run ")
    assert later.now == found.now


@pytest.mark.parametrize("reason", HeldReason)
@pytest.mark.parametrize("verb", [Verb.STOP, Verb.RESTART])
@pytest.mark.parametrize("desired", ["", "running", "stopped", "absent", "undeclared"])
def test_every_command_exists(reason: HeldReason, verb: Verb, desired: str) -> None:
    words = way(make.held(reason, verb=verb), NOW, desired=desired).now.split()
    if not words:
        return
    found: click.Command = mosaic
    for word in words[1:]:
        if isinstance(found, click.Group):
            below = found.get_command(click.Context(found), word)
            assert below is not None, words
            found = below
    options = {name for param in found.params for name in param.opts}
    assert [word for word in words if word.startswith("--") and word not in options] == []


@pytest.mark.parametrize(
    ("held", "desired", "command"),
    [
        (make.held(), "running", "mosaic fleet restart coder1 --force"),
        (make.held(verb=Verb.STOP), "stopped", "mosaic fleet stop coder1 --force"),
        (make.held(verb=Verb.STOP), "undeclared", "mosaic fleet remove coder1 --force"),
        (make.held(verb=Verb.STOP), "absent", "mosaic fleet remove coder1 --force"),
        (make.held(verb=Verb.STOP), "", ""),  # nothing is said on a guess
        (make.held(verb=Verb.STOP, target="tmux session x on socket y"), "running", ""),
        (make.held(HeldReason.CRASH_LOOP), "running", "mosaic fleet release coder1"),
        (make.held(HeldReason.NOT_OWNED, losses=("vim",)), "running", "mosaic fleet release coder1"),
        (make.held(HeldReason.NOT_OWNED), "running", ""),
        (make.held(HeldReason.SUSPENDED), "running", "mosaic fleet unsuspend coder1"),
        (make.held(HeldReason.WORKING, None, target=HOLDER_UNIT), "", "mosaic fleet release --holder"),
        (
            make.held(HeldReason.MOVING, message="to have it: mosaic fleet release coder1"),
            "running",
            "",
        ),  # said already
    ],
)
def test_how_to_have_it_now(held: Held, desired: str, command: str) -> None:
    assert way(held, NOW, desired=desired).now == command


def test_the_whole_fleet_is_lifted_as_a_whole() -> None:
    assert way(make.held(HeldReason.SUSPENDED), NOW, whole=True).now == "mosaic fleet unsuspend --all"


def test_what_has_an_end_says_when_that_is() -> None:
    assert way(make.held(HeldReason.SUSPENDED), NOW).comes == "by itself in 5m"
    assert way(make.held(HeldReason.SUSPENDED, until=None), NOW).comes == NEVER


def test_what_the_policy_leaves_to_people_never_comes_by_itself() -> None:
    never = make.held(until=None, message="the rollout policy is never: restart it by hand")
    assert way(never, NOW).comes == NEVER
    assert way(make.held(until=None), NOW).comes != NEVER  # the drain timeout has passed: it may still become idle
