"""The bell: of every terminal that is attached to the fleet's tmux servers. No pane is touched."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from providers.base import ObserveError
from reconciler.attention.notices import NoticeError

if TYPE_CHECKING:
    from reconciler.attention.notices import Notice
    from reconciler.notify.channels import ChannelTools


class BellChannel:
    """See `NoticeChannel`. If no terminal is attached, that is a failure: nobody was notified."""

    def __init__(self, tools: ChannelTools) -> None:
        self._tools = tools

    def send(self, notice: Notice) -> None:
        from providers.tmux.clients import attached_terminals, ring
        from providers.tmux.server import TmuxClient

        tmux = TmuxClient(self._tools.environ, self._tools.uid, timeout_s=notice.rule.timeout)
        errors: list[str] = []
        rung = 0
        for socket in self._tools.sockets:
            try:
                for terminal in attached_terminals(tmux, socket):
                    try:
                        ring(terminal)
                        rung += 1
                    except OSError as error:
                        errors.append(f"{os.path.basename(terminal)}: {error.strerror}")
            except ObserveError as error:
                errors.append(str(error))
        if not rung:
            raise NoticeError("; ".join(errors) or "no terminal is attached to the fleet's tmux servers")
