"""What pi is made to show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tests.real_agents.recording import HOME, LARGE, PROJECT, SMALL, Scene, Stage
from tests.real_agents.replies import refuse, say

_ENV: Mapping[str, str] = {"PI_OFFLINE": "1", "PI_SKIP_VERSION_CHECK": "1"}
_READY = "escape interrupt"


def _turns(stage: Stage) -> None:
    for size in (SMALL, LARGE):
        stage.home()
        with stage.start("pi", env=_ENV, size=size) as scene:
            scene.ready()
            scene.take("fresh", _READY)
            scene.type("a draft")
            scene.take("draft")
            scene.keys("C-u")
            scene.ready()
            scene.paste("\n".join(f"line {number} of many" for number in range(20)))
            scene.take("folded")
            scene.keys("C-c")
            scene.ready()
            held = say("Done.", held=True)
            stage.api.script("pi", held)
            scene.say("work on it")
            scene.take("busy", "Working")
            scene.type("draft while busy")
            scene.take("busy-draft")
            scene.keys("C-c")
            scene.say("queued one")
            scene.take("queued", "Steering")
            scene.paste("\n".join(f"l{number}" for number in range(9)))
            scene.take("busy-tall", "more")
            scene.keys("C-c")
            held.release()
            scene.pane.until(lambda _: scene.pane.reading().turn == "idle", "its end")
            scene.take("idle", "Understood")


def _menus(stage: Stage) -> None:
    stage.home()
    with stage.start("pi", env=_ENV) as scene:
        scene.ready()
        scene.type("/mod")
        scene.take("slash")
        scene.keys("C-c")
        scene.ready()
        for command in ("model", "settings", "login", "resume"):
            scene.menu(command)


def _failures(stage: Stage) -> None:
    for name, status, text, words in (
        ("error-400", 400, "no such thing", "Error: 400"),
        ("error-401", 401, "Your token has expired", "Error: 401"),
        ("retrying", 500, "Something broke", "Retrying"),
        ("retries", 500, "Something broke", "Retry failed"),
        ("limit", 429, "The usage limit has been reached; try again at 3:05 PM.", "Retry failed"),
    ):
        stage.home()
        with stage.start("pi", env=_ENV) as scene:
            scene.ready()
            stage.api.script("pi", *[refuse(status, text)] * 40)
            scene.say("try it")
            scene.take(name, words)


def _starts(stage: Stage) -> None:
    stage.home({"project/.pi/settings.json": "{}", "project/.pi/extensions/x.ts": "export default function (pi) {}\n"})
    with stage.start("pi", env=_ENV) as scene:
        scene.take("trust", "Trust project folder")
    stage.home({".pi/agent/models.json": None})
    with stage.start("pi", env=_ENV) as scene:
        scene.ready()
        scene.take("no-models", "No models available")
        scene.say("hello")
        scene.take("logged-out", "No API key")


def _resumed(stage: Stage) -> None:
    """Going on in another folder."""
    stage.home()
    with stage.start("pi", "--session-id", "11111111-2222-4333-8444-555555555555", env=_ENV) as scene:
        scene.ready()
        scene.say("hello there")
        scene.pane.shows("Understood")
        scene.ready()
    pane = stage.studio.open(
        "second", "pi", ["pi", "--session", "11111111-2222-4333-8444-555555555555"],
        home=HOME, folder=HOME / "elsewhere", env=_ENV, size=SMALL,
    )  # fmt: skip
    Scene(stage=stage, pane=pane).take("resume-other-folder", "y/N")
    pane.close()
    kept = stage.studio.host.run(["sh", "-c", f"ls {HOME}/.pi/agent/sessions/*/*.jsonl"]).stdout.split()[0]
    stage.studio.host.run(["rm", "-rf", str(PROJECT)])
    pane = stage.studio.open("third", "pi", ["pi", "--session", kept], home=HOME, folder=HOME / "elsewhere", env=_ENV)
    Scene(stage=stage, pane=pane).take("resume-folder-gone", "(?i)cwd|folder|directory")
    pane.close()


SCENES: Sequence[Callable[[Stage], None]] = (_turns, _menus, _failures, _starts, _resumed)
