"""What commands say that concern this host alone: pause and resume, suspensions, releases, status without a fleet."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence

from providers.machine.facts import gather
from reconciler.state.store import Store
from tests import builders as make
from tests.commands.calling import fleet
from tests.golden.book import Text
from tests.golden.files import folder, shown

BY = ("--by", "ada")


def said(calls: Mapping[str, Sequence[str]], *, ran: bool = True) -> Callable[[], Iterator[Text]]:
    """`mosaic fleet ...`, one after the other, on a host on which the fleet demo has run once; or where none has."""

    def texts() -> Iterator[Text]:
        with folder() as home:
            if ran:
                status = make.status(plan=make.plan(held=(make.held(agent="coder0"),)))
                Store.open(gather(os.environ), "demo").save_status(status)
            for situation, words in calls.items():
                text = shown(fleet(*words), home)
                if not situation.startswith("("):  # what only prepares the next one
                    yield Text(situation, text)

    return texts


status = said({"no fleet has run here": ("status",)}, ran=False)
pause = said({"set": ("pause", "--reason", "a storm", *BY)})
resume = said({
    "it is not set": ("resume",),
    "(set)": ("pause", "--reason", "a storm", *BY),
    "let go": ("resume",),
    "(suspended)": ("suspend", "coder0", "--reason", "pairing", *BY),
    "of an agent": ("resume", "coder0"),
    "an option of an agent's": ("resume", "--here"),
})  # fmt: skip
suspend = said({
    "on this host": ("suspend", "coder0", "--reason", "pairing", *BY),
    "on this host, everybody": ("suspend", "--all", "--reason", "a move", *BY),
    "on this host, nobody of that name": ("suspend", "codre0", "--reason", "x"),
    "two ends": ("suspend", "coder0", "--reason", "x", "--for", "1h", "--until", "2099-01-01T00:00:00Z"),
    "it is over": ("suspend", "coder0", "--reason", "x", "--until", "2001-01-01T00:00:00Z"),
    "no time": ("suspend", "coder0", "--reason", "x", "--until", "soon"),
    "on this host, with a push": ("suspend", "coder0", "--reason", "x", "--here", "--push"),
})  # fmt: skip
unsuspend = said({
    "on this host, nobody is": ("unsuspend", "--all"),
    "on this host, not this one": ("unsuspend", "coder0"),
    "(suspended)": ("suspend", "coder0", "--reason", "pairing", *BY),
    "on this host": ("unsuspend", "coder0"),
    "(all)": ("suspend", "--all", "--reason", "a move", *BY),
    "on this host, not this one alone": ("unsuspend", "coder0"),
    "on this host, everybody": ("unsuspend", "--all"),
})  # fmt: skip
release = said({
    "an agent": ("release", "coder0"),
    "nobody of that name": ("release", "codre0"),
    "no holder is held": ("release", "--holder"),
})  # fmt: skip
