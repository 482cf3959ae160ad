"""What git and ssh say, told as what it is: an unknown key is not a changed one, and a refusal has its reasons."""

from __future__ import annotations

import pytest

from reconciler.git.error_text import advice, host_key, key_lines
from reconciler.remote.ssh import _fix, _reason

CHANGED = """\
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!
The fingerprint for the ED25519 key sent by the remote host is
SHA256:abc.
Please contact your system administrator.
Add correct host key in /home/ada/.ssh/known_hosts to get rid of this message.
Offending ED25519 key in /home/ada/.ssh/known_hosts:3
  remove with:
  ssh-keygen -f "/home/ada/.ssh/known_hosts" -R "far.example"
Host key for far.example has changed and you have requested strict checking.
Host key verification failed.
fatal: Could not read from remote repository.

Please make sure you have the correct access rights
and the repository exists.
"""
UNKNOWN = """\
No ED25519 host key is known for far.example and you have requested strict checking.
Host key verification failed.
fatal: Could not read from remote repository.
"""


def test_a_changed_key_says_what_ssh_says() -> None:
    for text in (CHANGED, CHANGED.replace("\n", "\r\n")):
        (line,) = key_lines(text)
        assert "the host key has CHANGED" in line
        assert "Offending ED25519 key in /home/ada/.ssh/known_hosts:3" in line
        assert "SHA256:abc" in line
        assert 'ssh-keygen -f "/home/ada/.ssh/known_hosts" -R "far.example"' in advice(text)
        assert "compare" in advice(text)


def test_an_unknown_key_is_the_lesser_news() -> None:
    (line,) = key_lines(UNKNOWN)
    assert line.startswith("the host key is not known: No ED25519 host key is known for far.example")
    assert "ssh-keygen" not in advice(UNKNOWN)
    assert "CHANGED" not in line + advice(UNKNOWN)
    (bare,) = key_lines("Host key verification failed.\nfatal: Could not read from remote repository.\n")
    assert bare == "the host key is not known: Host key verification failed."


def test_the_same_for_another_host_of_the_fleet() -> None:
    assert "CHANGED" in _reason(CHANGED, "ada@far")
    assert "ssh-keygen" in _fix(CHANGED, "ada@far")
    assert "ssh ada@far true" in _fix(CHANGED, "ada@far")
    assert "CHANGED" not in _reason(UNKNOWN, "ada@far")
    assert _reason("ada@far: Permission denied (publickey).", "ada@far") == "ada@far: Permission denied (publickey)."
    assert host_key("ssh: connect to host far port 22: Connection refused") is None


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            "remote: closed on Sundays\nremote: \nTo /srv/hub\n ! [remote rejected] main -> main (pre-receive hook "
            "declined)\nerror: failed to push some refs to '/srv/hub'\n",
            ["remote: closed on Sundays", "! [remote rejected] main -> main (pre-receive hook declined)"],
        ),
        (
            "ssh: connect to host far port 22: Connection refused\nfatal: Could not read from remote repository.\n\n"
            "Please make sure you have the correct access rights\nand the repository exists.\n",
            ["ssh: connect to host far port 22: Connection refused"],
        ),
        ("fatal: repository '/x' does not exist\n", ["repository '/x' does not exist"]),
        ("something odd\nhint: try\n", ["something odd"]),
        ("fatal: Could not read from remote repository.\n", ["Could not read from remote repository."]),
        ("", []),
    ],
)
def test_the_lines_that_tell_why(text: str, lines: list[str]) -> None:
    assert key_lines(text) == lines


def test_a_branch_that_is_checked_out_there_has_a_way_out() -> None:
    text = " ! [remote rejected] main -> main (branch is currently checked out)\n"
    assert "receive.denyCurrentBranch updateInstead" in advice(text)
    assert key_lines("remote: \x1b[31mred\x1b[0m\n") == ["remote:  [31mred [0m"], "nothing that colours a terminal"
