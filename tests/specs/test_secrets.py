"""Secrets in plain sight are found wherever they stand, and never shown."""

from __future__ import annotations

import pytest

from specs.values import secrets
from specs.values.problems import render_all
from tests.specs.helpers import HEAD, ONE, agents, only, read

# Put together here so that no scanner takes this file for a leak.
BODY = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
KNOWN = {
    "an API key": "sk-" + "ant-api03-" + BODY,
    "a GitHub token": "gh" + "p_" + BODY,
    "a GitLab token": "glp" + "at-" + BODY,
    "a Slack token": "xo" + "xb-1234567890-" + BODY,
    "an AWS access key": "AK" + "IA" + "ABCDEFGHIJ234567",
    "a Google API key": "AI" + "za" + BODY,
    "a Stripe key": "sk" + "_live_" + BODY,
    "an npm token": "np" + "m_" + BODY,
    "a JSON web token": "ey" + "JhbGciOiJIUzI1NiJ9.ey" + "JzdWIiOiIxMjM0NTY3ODkwIn0." + BODY,
    "a Telegram bot token": "123456789:A" + "A" + BODY,
    "a password inside a URL": "https://me:" + "hunter2hunter2" + "@example.org/x",
}


@pytest.mark.parametrize(("kind", "value"), KNOWN.items())
@pytest.mark.parametrize(
    "place", ["env: {X: '%s'}", "command: 'run %s'", "alias: '%s'", "env: {X: {from_env: '%s'}}", "state: '%s'"]
)
def test_a_known_token_in_an_entry_holds_the_agent(kind: str, value: str, place: str) -> None:
    loaded = read(agents("name: good, runtime: pi", "name: a, runtime: pi, " + place % value))
    assert not loaded.errors_fatal
    assert any(f"{kind}" in problem.message and "in plain sight" in problem.message for problem in loaded.held["a"])
    assert value not in render_all(loaded.problems)
    assert value.removeprefix("https://me:").split("@")[0] not in render_all(loaded.problems)


@pytest.mark.parametrize(("kind", "value"), KNOWN.items())
@pytest.mark.parametrize("file", ["roster", "fleet", "star"])
def test_a_known_token_elsewhere_is_fatal(kind: str, value: str, file: str) -> None:
    loaded = read(
        (f"# {value}\n" if file == "roster" else "") + ONE,
        f"floor: none\ntenant_id: '{value}'\n" if file == "fleet" else None,
        f"version: 1\nmission: use {value}\n" if file == "star" else None,
    )
    assert any(kind in problem.message for problem in loaded.errors_fatal)
    assert value not in render_all(loaded.problems)


def test_a_private_key_is_not_shown_even_where_yaml_cannot_be_read() -> None:
    pem = "-----BEGIN OPENSSH " + "PRIVATE KEY-----\nb3BlbnNzaC1r/ZXktdjEAAAAA\n-----END OPENSSH " + "PRIVATE KEY-----"
    text = (
        HEAD + "agents:\n  - name: a\n    env:\n      X: |\n" + "".join(f"        {row}\n" for row in pem.splitlines())
    )
    loaded = read(text)
    assert "a private key (PEM) in plain sight" in render_all(loaded.problems)
    assert "b3BlbnNzaC1r" not in render_all(loaded.problems)
    broken = read("x: [\n" + pem)
    assert broken.errors_fatal
    assert "b3BlbnNzaC1r" not in render_all(broken.problems)


@pytest.mark.parametrize("name", ["MY_TOKEN", "API_KEY", "DB_PASSWORD", "CLIENT_SECRET", "SSH_KEY", "PASSPHRASE"])
def test_a_generated_value_under_a_telling_name(name: str) -> None:
    loaded = read(agents(f"name: a, runtime: pi, env: {{{name}: {BODY}}}"))
    problem = only(loaded, "holds what looks like a generated secret")
    assert "from_env" in (problem.help or "")
    assert BODY not in problem.render()


@pytest.mark.parametrize(
    "entry",
    [
        f"env: {{GIT_AUTHOR_NAME: {BODY}}}",
        "env: {MY_TOKEN: {from_env: MY_TOKEN}}",
        "env: {MY_TOKEN: {from_file: ~/.secrets/token-2024-production-main}}",
        "env: {TOKEN_FILE: /run/secrets/7c6b1d52a0e94b3f8a}",
        "env: {KEYBOARD: de-latin1-nodeadkeys-2024-long-name}",
        "env: {API_KEY: ''}",
        "env: {MAX_TOKENS: '200000'}",
        "alias: task-orchestration-and-planning-2024",
    ],
)
def test_what_is_no_secret_is_left_alone(entry: str) -> None:
    assert read(agents(f"name: a, runtime: pi, {entry}")).ok


@pytest.mark.parametrize("command", [f"run --api-key {BODY}", f"run --token={BODY}", f"env MY_SECRET={BODY} run"])
def test_a_secret_in_a_command(command: str) -> None:
    loaded = read(agents(f"name: a, runtime: pi, command: '{command}'"))
    assert "generated secret" in loaded.held["a"][0].message
    assert BODY not in render_all(loaded.problems)


def test_a_secret_in_the_connector_is_fatal() -> None:
    loaded = read(ONE + f"connector: {{kind: matrix, access_token: {BODY}}}\n")
    assert any("generated secret" in problem.message for problem in loaded.errors_fatal)
    assert BODY not in render_all(loaded.problems)


@pytest.mark.parametrize(
    "entry",
    [
        "env: {MY_PASSWORD: [hunter2]}",
        "env: {MY_PASSWORD: {value: hunter2}}",
        "env: {MY_PASSWORD: {hunter2: 1}}",
        r'env: {MY_PASSWORD: "hunter2\n"}',
        "env: {MY_PASSWORD: hunter2, X: 1}",
        "env: {MY_PASSWORD: hunter2}, command: 'x \"'",
    ],
)
def test_a_short_password_is_not_shown_by_a_problem_beside_it(entry: str) -> None:
    loaded = read(agents(f"name: a, runtime: pi, {entry}"))
    assert loaded.held
    assert "hunter2" not in render_all(loaded.problems)


@pytest.mark.parametrize(
    "text", ["MY_PASSWORD: hunter2: x", "a: {MY_PASSWORD: hunter2, b: [}", "MY_PASSWORD=hunter2\nb: c"]
)
def test_a_password_is_not_shown_where_yaml_cannot_be_read(text: str) -> None:
    loaded = read(text)
    assert loaded.errors_fatal
    assert "hunter2" not in render_all(loaded.problems)


def test_a_token_glued_to_a_letter_is_still_one() -> None:
    token = KNOWN["a GitHub token"]
    loaded = read(f"x{token}\n")
    assert "a GitHub token in plain sight" not in loaded.problems[0].message  # the file cannot be read at all
    assert token not in render_all(loaded.problems)
    assert "a GitHub token" in render_all(read(agents(f"name: a, runtime: pi, alias: x{token}")).problems)


def test_masking_keeps_the_columns() -> None:
    line = f"    GH: {KNOWN['a GitHub token']} # note"
    masked = secrets.mask_line(line)
    assert len(masked) == len(line)
    assert masked.endswith("# note")


def test_ordinary_lines_are_shown_as_they_are() -> None:
    for line in (
        "    runtime: cluade",
        "submit_key: Enter",
        "working_directory: ~/src/2024/some-long-project-name",
        "version: 1",
    ):
        assert secrets.mask_line(line) == line
