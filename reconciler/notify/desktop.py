"""The desktop: notify-send, for the person who sits at this host."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from reconciler.notify.command import run_or_raise
from reconciler.notify.text import notice_text

if TYPE_CHECKING:
    from reconciler.attention.notices import Notice
    from reconciler.notify.channels import ChannelTools

BODY_MAX = 1000  # characters


class DesktopChannel:
    """See `NoticeChannel`."""

    def __init__(self, tools: ChannelTools) -> None:
        self._tools = tools

    def send(self, notice: Notice) -> None:
        # Many desktops take the body for markup.
        body = html.escape(notice_text(notice)[:BODY_MAX], quote=False)
        argv = ("notify-send", "--app-name=Mosaic Fleet", "--", str(notice.document["summary"]), body)
        run_or_raise(self._tools, argv, b"", notice.rule.timeout)
