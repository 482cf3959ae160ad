"""Why an agent could not be started, or ends again and again, stands in its row."""

from __future__ import annotations

from reconciler.inspection.rows import SAID_MAX
from reconciler.status.failures import FailedAction
from tests.inspection.seen import rows
from tests.inspection.test_rows import FLEET, UNIT, started
from tests.laws.driver import reconciler


def failure(error: str, target: str = UNIT, agent: str = "coder") -> FailedAction:
    return FailedAction(verb="start", target=target, agent=agent, error=error, since=1.0)


def test_a_start_that_failed_says_why() -> None:
    world, store = started()
    world.kill_session("coder")
    error = f"start {UNIT} failed: its working directory does not exist, or may not be entered"
    failed = (
        failure("an older one"),
        failure(f"{error}; see: systemctl --user status {UNIT}"),
        failure("done by now", target="coder.env"),
    )
    found = rows(world, store, FLEET, failed=failed)
    assert f"last try: {error}" in found["coder"].problems
    assert "older" not in found["coder"].why
    assert "done by now" not in found["coder"].why
    assert not found["other"].problems


def test_an_error_is_one_short_line_without_secrets() -> None:
    world, store = started()
    world.kill_session("coder")
    found = rows(world, store, FLEET, failed=(failure("API_KEY=abcdef123456\n" + "long " * 100),))
    (told,) = [one for one in found["coder"].problems if one.startswith("last try: ")]
    assert "abcdef123456" not in told
    assert "\n" not in told
    assert len(told) <= SAID_MAX + len("last try: ")


def test_what_failed_and_is_not_due_any_more_is_not_told() -> None:
    world, store = started()
    assert not rows(world, store, FLEET, failed=(failure("an old story"),))["coder"].why


def test_one_that_ends_again_and_again_says_its_last_line() -> None:
    world, store = started()
    said = {"coder": 'mosaic: cannot find "codex" on PATH=/usr/bin'}
    assert not rows(world, store, FLEET, last_words=said)["coder"].why, "it lives"
    for _ in range(3):
        world.kill_pane("coder")
        reconciler(world, store).converge(FLEET)
    one = rows(world, store, FLEET, last_words=said)["coder"]
    assert one.notes == (f"its last line when it ended: {said['coder']}",)
    assert "crash-loop" in one.problems[-1]
