"""A diff as a person sees it."""

from __future__ import annotations

from reconciler.changes.proposal import diff
from reconciler.helpers.words import Tint
from reconciler.render.fleet_files.diff_text import diff_text

BEFORE = b"version: 1\r\nagents:\r\n  - name: a\r\n"


def marked(text: str, tint: Tint) -> str:
    return f"<{tint}>{text}</{tint}>"


def test_added_and_removed_lines_have_their_colours() -> None:
    shown = diff_text(diff("roster.yaml", BEFORE, BEFORE.replace(b"name: a", b"name: b")), paint=marked)
    assert shown.splitlines() == [
        "<bold>--- a/roster.yaml</bold>",
        "<bold>+++ b/roster.yaml</bold>",
        "<dim>@@ -1,3 +1,3 @@</dim>",
        " version: 1",
        " agents:",
        "<red>-  - name: a</red>",
        "<green>+  - name: b</green>",
    ]


def test_a_new_file_and_a_missing_line_end() -> None:
    assert diff_text(diff("fleet.yaml", None, b"version: 1")) == (
        "--- /dev/null\n+++ b/fleet.yaml\n@@ -0,0 +1 @@\n+version: 1\n\\ No newline at end of file"
    )
    assert diff("fleet.yaml", BEFORE, BEFORE) == ""


def test_nothing_that_a_terminal_obeys() -> None:
    shown = diff_text(diff("fleet.yaml", None, b"# \x1b[2Jgone \xe2\x80\xae\nname: x\n"))
    assert shown.endswith("\n+# gone \n+name: x")
    assert shown.isascii()
