"""What `mosaic fleet init` does on this host, beside the repository: linger, and the timer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from specs.dataclass import dataclass

if TYPE_CHECKING:
    from providers.host import HostFacts
    from reconciler.cli.output import Output
    from reconciler.commands.init.ask import Asker
    from reconciler.context.settings import Settings

Timer = Literal["none", "timer", "watch"]
TIMERS = {
    "none": "not yet; `mosaic fleet install` does it later",
    "timer": "every minute, by a systemd timer",
    "watch": "at once when something happens, by a resident service",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HostOptions:
    """What is to be done on this host, beside the repository."""

    linger: bool
    timer: Timer


def ask_host(
    asker: Asker, linger: bool | None, timer: Timer | None, facts: HostFacts, settings: Settings
) -> HostOptions:
    """None: not said."""
    if linger is None:
        lingers = Path("/var/lib/systemd/linger", facts.user).exists()
        linger = not lingers and asker.there and asker.yes("Let agents outlive your login (linger)?", True)
    if timer is None and settings.install != "none":
        timer = "none"  # it is there; `mosaic fleet install` changes it
    if timer is None:
        question = "Reconcile this host by itself, once this is committed?"
        word = asker.one_of(question, TIMERS, "none")
        timer = "watch" if word == "watch" else "timer" if word == "timer" else "none"
    return HostOptions(linger=linger, timer=timer)


def on_host(
    output: Output, path: Path, options: HostOptions, facts: HostFacts, *, changed: bool, committed: bool = True
) -> int:
    """Linger and the timer, if they were asked for; and always the next command."""
    code = 0
    if options.linger:
        _linger(output, facts)
    if options.timer != "none":
        from reconciler.commands.setup.install import install

        code = click.get_current_context().invoke(install, path=str(path), watch=options.timer == "watch")
        output.result("next: mosaic fleet ps")
    elif changed and not committed:
        output.result(f"next: git -C {path} init; git -C {path} add ., and commit it")
    elif changed:
        output.result(f"next: reconcile --dry-run {path}")
    return int(code or 0)


def _linger(output: Output, facts: HostFacts) -> None:
    """What does not work here is tried again by the first run that starts an agent, which says so."""
    from providers.machine.local_host import LocalHost
    from providers.steps import SetLinger
    from reconciler.commands.setup.install import carry_out
    from reconciler.errors import MosaicError

    try:
        carry_out(LocalHost(facts=facts), [SetLinger(user=facts.user)])
        output.result(f"{facts.user} lingers: agents outlive your login")
    except MosaicError as error:
        output.warning(f"{error.message}; the first run tries it again")
