"""What is known of the stub as a program: it answers for itself, and its screen is only a conversation."""

from __future__ import annotations

from providers.programs.registry import program
from providers.programs.stub import PROGRAM


def test_the_stub_answers_for_itself() -> None:
    assert program("stub") is PROGRAM
    assert (PROGRAM.heartbeats, PROGRAM.receipts, PROGRAM.reads) == ("native", True, "conversation")
    assert (PROGRAM.reset_text("new"), PROGRAM.reset_text("clear")) == ("/new", "/clear")
