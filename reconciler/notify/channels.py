"""The ways to notify a person, listed by hand. A further one (a chat, say) is a class with `send`, and a line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from reconciler.attention.notices import NoticeChannel
from specs.dataclass import dataclass, field

if TYPE_CHECKING:
    from providers.processes.process import Finished
    from specs.compiled import NotifyRule, NotifyUse


class RunProgram(Protocol):
    """Run a program to its end, bounded in time and output. Raises SpawnError."""

    def __call__(self, argv: Sequence[str], *, stdin: bytes = b"", timeout_s: float) -> Finished: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelTools:
    """What a channel works with. `sockets`: the tmux servers of the fleet, "" for the default one."""

    run: RunProgram
    environ: Mapping[str, str] = field(repr=False)
    uid: int
    sockets: tuple[str, ...] = ()


def channel(rule: NotifyRule, tools: ChannelTools) -> NoticeChannel:
    """The channel of a rule."""
    return _MAKERS[rule.use](tools)


def _command(tools: ChannelTools) -> NoticeChannel:
    from reconciler.notify.command import CommandChannel

    return CommandChannel(tools)


def _desktop(tools: ChannelTools) -> NoticeChannel:
    from reconciler.notify.desktop import DesktopChannel

    return DesktopChannel(tools)


def _bell(tools: ChannelTools) -> NoticeChannel:
    from reconciler.notify.bell import BellChannel

    return BellChannel(tools)


def _email(tools: ChannelTools) -> NoticeChannel:
    from reconciler.notify.email import EmailChannel

    return EmailChannel(tools)


_MAKERS: Mapping[NotifyUse, Callable[[ChannelTools], NoticeChannel]] = {
    "command": _command,
    "desktop": _desktop,
    "bell": _bell,
    "email": _email,
}
