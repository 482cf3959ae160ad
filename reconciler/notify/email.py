"""Email, by this host's own sendmail: we speak to no mail server ourselves."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reconciler.attention.notices import NoticeError
from reconciler.helpers.redact import one_line
from reconciler.notify.command import run_or_raise
from reconciler.notify.text import notice_text

if TYPE_CHECKING:
    from reconciler.attention.notices import Notice
    from reconciler.notify.channels import ChannelTools

_PLACES = ("/usr/sbin/sendmail", "/usr/lib/sendmail", "/usr/bin/sendmail")  # it is seldom on a user's PATH
SUBJECT_MAX = 200


class EmailChannel:
    """See `NoticeChannel`."""

    def __init__(self, tools: ChannelTools) -> None:
        self._tools = tools

    def send(self, notice: Notice) -> None:
        program = next((path for path in _places(self._tools) if os.access(path, os.X_OK)), "")
        if not program:
            raise NoticeError("this host has no sendmail; install one, such as msmtp-mta")
        data = message(notice)
        run_or_raise(self._tools, (program, "-i", "--", notice.rule.to), data, notice.rule.timeout)


def message(notice: Notice) -> bytes:
    """The whole message, with its header."""
    from email.message import EmailMessage
    from email.policy import SMTP

    document = notice.document
    mail = EmailMessage(policy=SMTP.clone(linesep="\n", max_line_length=998))
    mail["To"] = notice.rule.to
    where = f"[{document['fleet']} on {document['host']}] "
    mail["Subject"] = one_line(where + str(document["summary"]), SUBJECT_MAX)
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(notice_text(notice))
    return mail.as_bytes()


def _places(tools: ChannelTools) -> list[str]:
    folders = [folder for folder in tools.environ.get("PATH", "").split(":") if folder.startswith("/")]
    return [*(f"{folder}/sendmail" for folder in folders), *_PLACES]
