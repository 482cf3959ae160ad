"""The operator's own program: it gets the document on its standard input; its exit status says whether it worked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from providers.processes.process import SpawnError
from reconciler.attention.notices import NoticeError
from reconciler.helpers.redact import hide_secrets, one_line

if TYPE_CHECKING:
    from reconciler.attention.notices import Notice
    from reconciler.notify.channels import ChannelTools

SAID_MAX = 200  # characters of what a failed program said


class CommandChannel:
    """See `NoticeChannel`."""

    def __init__(self, tools: ChannelTools) -> None:
        self._tools = tools

    def send(self, notice: Notice) -> None:
        data = json.dumps(notice.document, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        run_or_raise(self._tools, notice.rule.argv, data, notice.rule.timeout)


def run_or_raise(tools: ChannelTools, argv: Sequence[str], stdin: bytes, timeout_s: float) -> None:
    """Raises NoticeError unless the program ends well and in time."""
    try:
        done = tools.run(argv, stdin=stdin, timeout_s=timeout_s)
    except SpawnError as error:
        raise NoticeError(str(error)) from error
    if done.status == 0:
        return
    lines = [line for line in (done.err or done.out).decode("utf-8", "replace").splitlines() if line.strip()]
    said = f": {one_line(hide_secrets(lines[-1]), SAID_MAX)}" if lines else ""
    how = f"ended with status {done.status}" if done.status > 0 else f"was ended by signal {-done.status}"
    raise NoticeError(f"{argv[0]} {how}{said}")
