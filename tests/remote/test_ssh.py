"""The way to another host, with a stand-in for ssh that does what sshd does: hands one string to the user's shell."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import ExitCode, Unavailable, Usage
from reconciler.remote.ssh import Asking, Destination, Remote, RemoteAnswer, destination, interactive_argv
from specs.compiled import Peer
from specs.values.names import ssh_fault

THERE = Destination(host="far", target="ada@far.example")
# Rejects every option that it was not told about, and runs the command as a login shell over there would.
SSH = """\
#!/bin/sh
printf '%s\\n' "$*" >>"$LOG"
while :; do
    case $1 in
        -T | -t) shift ;;
        -o)
            case $2 in
                BatchMode=yes | StrictHostKeyChecking=yes | PermitLocalCommand=no | ForwardAgent=no) ;;
                ClearAllForwardings=yes | ConnectTimeout=10 | ServerAliveInterval=5 | ServerAliveCountMax=3) ;;
                *) echo "unknown option $2" >&2; exit 254 ;;
            esac
            shift 2
            ;;
        --) shift; break ;;
        *) echo "unknown word $1" >&2; exit 254 ;;
    esac
done
[ "$#" -eq 2 ] || exit 254
case $1 in
    ada@far.example | far) ;;
    ada@changed) echo 'Host key verification failed.' >&2; exit 255 ;;
    ada@shut) echo 'ada@shut: Permission denied (publickey).' >&2; exit 255 ;;
    ada@silent) sleep 1000 ;;
    *) echo "ssh: Could not resolve hostname $1" >&2; exit 255 ;;
esac
exec ${SHELL_THERE:-sh} -c "$2"
"""
MOSAIC = """\
#!/bin/sh
python3 -c 'import json, sys; print(json.dumps({"args": sys.argv[1:], "stdin": sys.stdin.read()}))' "$@"
"""


def program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program(tmp_path / "ssh", SSH)
    program(tmp_path / "mosaic", MOSAIC)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/local/bin:/usr/bin:/bin")
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    return tmp_path


def peer(name: str = "coder0", **more: object) -> Peer:
    given = {"agent_class": "code", "runtime": "claude", "state": "running", "host": "far", **more}
    return Peer(name=name, **given)  # type: ignore[arg-type]


def ask(there: Destination, words: Sequence[str], *, timeout_s: float, stdin: bytes = b"") -> RemoteAnswer:
    return Asking(there, words, timeout_s=timeout_s, stdin=stdin).answer()


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_the_command_there_is_the_words_and_the_text_its_input(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL_THERE", shell)
    words = ["agent", "send", "coder.0", "--source-label", "here:lead", "-o", "json"]
    text = "a 'quoted' text; $(rm -rf /) `id`\n\\\n" * 5000
    answer = ask(THERE, words, timeout_s=30, stdin=text.encode())
    assert answer == RemoteAnswer(status=0, document={"args": words, "stdin": text}, said="")


@given(st.text(min_size=1, max_size=20))
def test_a_word_that_a_shell_could_read_never_leaves(word: str) -> None:
    """Whatever is let through, a shell takes for one word of exactly this text."""
    try:
        command = interactive_argv(THERE, ["agent", word])[-1]
    except Usage:
        return
    assert command.endswith((f"mosaic agent {word}", f"mosaic agent '{word}'"))
    assert not set(word) & set(" \t\n'\"\\$`;&|<>()*?[]{}!#~")


def test_a_program_that_is_not_on_the_path_there_is_found_where_the_fleet_puts_it(
    network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "mosaic home"
    (home / "fleet/bin").mkdir(parents=True)
    (network / "mosaic").rename(home / "fleet/bin/mosaic")
    monkeypatch.setenv("MOSAIC_HOME", str(home))
    assert ask(THERE, ["fleet", "ps"], timeout_s=30).document == {"args": ["fleet", "ps"], "stdin": ""}


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize(
    ("target", "says", "way"),
    [
        ("ada@changed", "Host key verification failed", "ssh ada@changed true"),
        ("ada@shut", "Permission denied", "ssh-copy-id ada@shut"),
        ("ada@nowhere", "Could not resolve hostname", "ssh ada@nowhere true"),
    ],
)
def test_a_host_that_is_not_reached_says_why_and_how_to_mend_it(target: str, says: str, way: str) -> None:
    with pytest.raises(Unavailable, match=says) as caught:
        ask(Destination(host="far", target=target), ["fleet", "ps"], timeout_s=30)
    assert way in caught.value.help


@pytest.mark.usefixtures("network")
def test_a_host_that_is_silent_is_given_up() -> None:
    with pytest.raises(Unavailable, match=r"far: ssh did not end within 0\.3 s"):
        ask(Destination(host="far", target="ada@silent"), ["fleet", "ps"], timeout_s=0.3)


def test_a_host_without_the_program_says_so(network: Path) -> None:
    (network / "mosaic").unlink()
    with pytest.raises(Unavailable, match="far has no `mosaic` on its PATH"):
        ask(THERE, ["fleet", "ps"], timeout_s=30)


def test_no_ssh_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="ssh is not on PATH"):
        ask(THERE, ["fleet", "ps"], timeout_s=30)


def test_what_went_wrong_there_is_told_here_with_its_exit_code() -> None:
    answer = RemoteAnswer(status=4, document=None, said='error: no agent is called "x"\nhelp: did you mean y?')
    error = Remote(THERE, answer)
    assert (error.message, error.help) == ('far: no agent is called "x"', "did you mean y?")
    assert error.exit_code is ExitCode.NOT_FOUND
    assert Remote(THERE, RemoteAnswer(status=2, document=None, said="")).exit_code is ExitCode.FAILED


def test_each_host_is_reached_by_what_the_roster_says() -> None:
    assert destination(peer()) == Destination(host="far", target="far")
    assert destination(peer(ssh="ada@far.example")) == THERE
    with pytest.raises(Usage, match="must be user@host"):
        destination(peer(ssh="-oProxyCommand=x"))


@pytest.mark.parametrize(
    "good", ["far", "ada@far", "ada@far.example.org", "ssh://ada@far:2222", "ssh://[fe80::1]:22", "ssh://far"]
)
def test_places_that_ssh_may_be_sent_to(good: str) -> None:
    assert ssh_fault(good) is None


@pytest.mark.parametrize(
    "bad", ["", "-oX=y", "a b", "ada@-x", "far;id", "ssh://-x", "a@b@c", "$(id)", "far\n", "far:22"]
)
def test_places_that_it_may_not(bad: str) -> None:
    assert ssh_fault(bad) is not None


def test_the_stand_in_hands_on_what_a_person_would_type(network: Path) -> None:
    ask(THERE, ["fleet", "ps", "-o", "json"], timeout_s=30)
    log = (network / "log").read_text()
    assert "-T -o BatchMode=yes -o StrictHostKeyChecking=yes" in log
    assert log.rstrip().endswith("mosaic fleet ps -o json")
    assert json.dumps(log)  # one line, nothing that a terminal would act on
