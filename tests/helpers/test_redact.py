"""Redaction: bounded, harmless to a terminal, and without keys."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.helpers.redact import HIDDEN, hide_secrets, one_line, plain, redact

SECRETS = (
    "sk-ant-api03-" + "aB3" * 12,
    "ghp_" + "a1B2" * 9,
    "xoxb-123456789012-abcdefghij",
    "AKIA" + "ABCDEFGH12345678",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "npm_" + "aB3dE6" * 6,
)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("around", ["{}", "key {} end", "export X='{}'", "https://h/?t={}&b", "\x1b[1m{}\x1b[0m"])
def test_tokens_are_hidden(secret: str, around: str) -> None:
    assert secret not in redact(around.format(secret))
    assert secret not in hide_secrets(around.format(secret))


@pytest.mark.parametrize(
    "line",
    [
        "API_KEY=hunter2hunter2", "password: hunter2hunter2", '"secret": "hunter2hunter2"', "TOKEN='hunter2hunter2'",
        "Authorization: Bearer hunter2hunter2", "https://user:hunter2hunter2@host/x", "my_access_key = hunter2hunter2",
    ],
)  # fmt: skip
def test_named_values_are_hidden(line: str) -> None:
    assert "hunter2" not in redact(line)
    assert "hunter2" not in hide_secrets(line)


def test_a_private_key_is_hidden_over_its_lines() -> None:
    key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1r\nZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----"
    text = f"before\n{key}\nafter"
    assert redact(text) == f"before\n{HIDDEN}\nafter"
    assert "b3Blb" not in redact(text[:60])


def test_a_secret_split_by_colour_is_hidden() -> None:
    assert "hunter2hunter2" not in redact("TOKEN=hunter2\x1b[31mhunter2")


@pytest.mark.parametrize(
    "text",
    ["Error: cannot open roster.yaml:14:14", f"commit {'0123456789abcdef' * 2}01234567", "12 tokens used", "keyboard"],
)
def test_plain_words_stay(text: str) -> None:
    assert hide_secrets(text) == text


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07x", "x"),
        ("\x1b]52;c;Y2xpcA==\x1b\\x", "x"),
        ("\x1bPq#0\x1b\\x", "x"),
        ("\x9b31mx", "x"),
        ("a\x1b(Bb", "ab"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\x00\x07\x08b\u202ec", "abc"),
        ("\x1b", ""),
        ("tab\there", "tab\there"),
    ],
)
def test_control_sequences_go(raw: str, shown: str) -> None:
    assert plain(raw) == shown


@settings(deadline=None)  # the machine may be busy
@given(st.text())
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    kept = plain(text)
    assert all(char in "\n\t" or char >= " " for char in kept)
    assert not any("\x7f" <= char <= "\x9f" for char in kept)
    assert plain(kept) == kept
    line = one_line(text)
    assert "\n" not in line
    assert "\t" not in line


@settings(deadline=None)  # the machine may be busy
@given(st.text(max_size=2000), st.integers(1, 20), st.integers(1, 300))
def test_it_is_bounded(text: str, lines: int, size: int) -> None:
    kept = redact(text, max_lines=lines, max_bytes=size)
    assert len(kept.split("\n")) <= lines
    assert len(kept.encode()) <= size


@settings(deadline=None)  # the machine may be busy
@given(st.sampled_from(SECRETS), st.text("ab \n\x1b[m\"'=", max_size=40), st.text("ab \n\"'=", max_size=40))
def test_no_token_survives_its_surroundings(secret: str, before: str, after: str) -> None:
    kept = redact(f"{before} {secret} {after}")
    assert secret not in kept


def test_the_end_is_what_is_kept() -> None:
    assert redact("\n".join(str(n) for n in range(1000)), max_lines=3) == "997\n998\n999"
    assert redact("x" * 50 + "\nlast\n\n\n", max_bytes=20) == "last"


@pytest.mark.parametrize(
    "text", ["\x1b" * 2_000_000, "\x1b]" * 1_000_000, "a" * 3_000_000, "token=" * 500_000, "-" * 3_000_000]
)
def test_hostile_text_costs_little(text: str) -> None:
    began = time.process_time()
    redact(text)
    assert time.process_time() - began < 5


def test_a_limit_shows_that_something_is_missing() -> None:
    assert one_line("a" * 20, 10) == "aaaaaaa..."
