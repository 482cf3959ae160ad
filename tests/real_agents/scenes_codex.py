"""What codex is made to show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tests.real_agents import homes
from tests.real_agents.recording import HOME, LARGE, PROJECT, SMALL, Scene, Stage
from tests.real_agents.replies import call, refuse, say

_ENV: Mapping[str, str] = {"CODEX_HOME": str(HOME / ".codex-both")}
_COMMAND = ("codex", "--no-daemon")
_MAKE = call("exec_command", cmd="touch /var/tmp/made", sandbox_permissions="require_escalated", justification="May I?")


def _turns(stage: Stage) -> None:
    stage.home()
    with stage.start(*_COMMAND, env=_ENV) as scene:
        scene.ready()
        scene.take("fresh", "shortcuts")
        scene.type("a draft")
        scene.take("draft")
        scene.keys("C-u")
        scene.ready()
        scene.paste("\n".join(f"line {number} of a text that is long enough" for number in range(40)))
        scene.take("folded")
        scene.keys("C-u")
        scene.ready()
        scene.type("/mod")
        scene.take("slash")
        scene.keys("C-u")
        scene.ready()
        held = say("Done.", held=True)
        stage.api.script("codex", held)
        scene.say("work on it")
        scene.take("busy", "esc to interrupt")
        scene.type("draft while busy")
        scene.take("busy-draft")
        scene.keys("Tab")
        scene.take("queued", "Queued")
        held.release()
        scene.pane.until(lambda _: scene.pane.reading().turn == "idle", "its end")
        scene.take("idle", "Understood")


def _dialogs(stage: Stage) -> None:
    for size in (SMALL, LARGE):
        stage.home()
        with stage.start(*_COMMAND, env=_ENV, size=size) as scene:
            scene.ready()
            stage.api.script("codex", _MAKE)
            scene.say("make it")
            scene.take("permission", "Would you like")
            scene.keys("3")
            scene.ready()
            scene.take("denied")
            for command in ("model", "permissions", "resume") if size == SMALL else ():
                scene.menu(command)


def _failures(stage: Stage) -> None:
    for name, status, text, words in (
        ("error-400", 400, "no such thing", "■"),
        ("error-429", 429, "Rate limit reached. Please try again in 20s.", "■"),
        ("error-401", 401, "Your token has expired", "■"),
        ("error-500", 500, "Something broke", "■"),
    ):
        stage.home()
        with stage.start(*_COMMAND, env=_ENV) as scene:
            scene.ready()
            stage.api.script("codex", *[refuse(status, text)] * 40)
            scene.say("try it")
            scene.take(name, words)


def _starts(stage: Stage) -> None:
    untrusted = homes.files(HOME, PROJECT, stage.studio.prefix, stage.api.url)[HOME / ".codex-both/config.toml"]
    stage.home({".codex-both/config.toml": untrusted.partition("[projects.")[0]})
    stage.studio.host.run(["git", "init", "--quiet", str(PROJECT)])  # it asks about a repository only
    with stage.start(*_COMMAND, env=_ENV) as scene:
        scene.take("trust", "rust")
    stage.home({".codex-both/config.toml": ""})
    with stage.start(*_COMMAND, env=_ENV) as scene:
        scene.take("login", "Sign in")


def _resumed(stage: Stage) -> None:
    """Going on in another folder, and with a conversation that is open elsewhere."""
    stage.home()
    with stage.start(*_COMMAND, env=_ENV) as scene:
        scene.ready()
        scene.say("hello there")
        scene.pane.shows("Understood")
        scene.ready()
        second = stage.studio.open(
            "second", "codex", [*_COMMAND, "resume", "--last"], home=HOME, folder=PROJECT, env=_ENV, size=SMALL
        )
        Scene(stage=stage, pane=second).take("resume-open-elsewhere", "open in another app")
        second.close()
    elsewhere = HOME / "elsewhere"
    pane = stage.studio.open(
        "third", "codex", [*_COMMAND, "resume", "--last", "--all"], home=HOME, folder=elsewhere, env=_ENV, size=SMALL
    )
    Scene(stage=stage, pane=pane).take("resume-other-folder", "(?i)folder|directory|working")
    pane.close()


SCENES: Sequence[Callable[[Stage], None]] = (_turns, _dialogs, _failures, _starts, _resumed)
