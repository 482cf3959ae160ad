"""What opencode is made to show."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from tests.real_agents import homes
from tests.real_agents.recording import HOME, PROJECT, SMALL, Stage
from tests.real_agents.replies import call, refuse, say

_ENV: Mapping[str, str] = {
    "OPENCODE_DISABLE_MODELS_FETCH": "1",
    "OPENCODE_DISABLE_AUTOUPDATE": "1",
    "COLORTERM": "truecolor",
}
_COMMAND = ("opencode",)


def _asks(stage: Stage) -> Mapping[str, str]:
    """Settings with which it asks before everything."""
    settings = homes.files(HOME, PROJECT, stage.studio.prefix, stage.api.url)[HOME / ".config/opencode/opencode.json"]
    permission = {"permission": {"bash": "ask", "edit": "ask"}}
    return {".config/opencode/opencode.json": json.dumps({**json.loads(settings), **permission})}


def _all(stage: Stage) -> None:
    """One start for everything: it takes half a minute."""
    stage.home(_asks(stage))
    with stage.start(*_COMMAND, env=_ENV, size=(SMALL[0], 30)) as scene:
        scene.ready()
        scene.take("again-fresh")
        held = say("Done.", held=True)
        stage.api.script("opencode", held)
        scene.say("work on it")
        scene.take("again-busy", "esc interrupt")
        scene.say("queued one")
        scene.take("again-queued", "QUEUED")
        held.release()
        scene.pane.until(lambda _: scene.pane.reading().turn == "idle", "its end")
        scene.take("again-idle", "Understood")
        stage.api.script("opencode", call("bash", command="touch made", description="Make it"))
        scene.say("make it")
        scene.take("again-permission", "Permission required")
        scene.keys("Right")
        scene.take("again-permission-second", "Permission required")
        scene.keys("Right")
        scene.take("again-permission-third", "Permission required")
        scene.keys("Enter")
        scene.pane.until(lambda _: scene.pane.reading().asks == "" and scene.pane.reading().turn == "idle", "its end")
        for name, status, text in (
            ("again-error-400", 400, "no such thing"),
            ("again-error-401", 401, "Your API key is wrong"),
        ):
            stage.api.script("opencode", *[refuse(status, text)] * 2)
            scene.say(f"try {name}")
            scene.take(name, text)
            stage.api.forget("opencode")
            scene.ready()
        stage.api.script("opencode", *[refuse(429, "Rate limit reached")] * 40)
        scene.say("try it at a limit")
        scene.take("again-retrying", "retrying")


SCENES: Sequence[Callable[[Stage], None]] = (_all,)
