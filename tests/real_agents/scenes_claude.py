"""What claude is made to show."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from tests.real_agents import homes
from tests.real_agents.packages import OLDER, installed
from tests.real_agents.recording import LARGE, PROJECT, SMALL, Stage
from tests.real_agents.replies import call, refuse, say

_MODEL = ("--model", "claude-opus-4-5")
_QUESTION = {
    "question": "Which way?",
    "header": "Way",
    "multiSelect": False,
    "options": [{"label": "Left", "description": "to the left"}, {"label": "Right", "description": "to the right"}],
}
_SEVERAL = {
    "question": "Which ones?",
    "header": "Ones",
    "multiSelect": True,
    "options": [{"label": "First", "description": "number one"}, {"label": "Second", "description": "number two"}],
}
_MAKE = call("Bash", command="touch made", description="Make it")


def env(stage: Stage, **more: str) -> Mapping[str, str]:
    return {
        "ANTHROPIC_BASE_URL": stage.api.url_for("claude"),
        "ANTHROPIC_API_KEY": homes.KEY,
        "IS_SANDBOX": "1",
        "DISABLE_AUTOUPDATER": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        **more,
    }


def _turns(stage: Stage) -> None:
    stage.home()
    with stage.start("claude", "--permission-mode", "default", *_MODEL, env=env(stage)) as scene:
        scene.ready()
        scene.take("fresh")
        scene.type("a draft")
        scene.take("draft")
        scene.keys("C-u")
        scene.ready()
        scene.paste("\n".join(f"line {number} of many" for number in range(20)))
        scene.take("folded")
        scene.keys("C-u")
        scene.ready()
        scene.type("/mod")
        scene.take("slash")
        scene.keys("C-u")
        scene.ready()
        held = say("Done.", held=True)
        stage.api.script("claude", held)
        scene.say("work on it")
        scene.take("busy", "esc to interrupt")
        scene.type("draft while busy")
        scene.take("busy-draft")
        scene.keys("C-u")
        scene.say("queued one")
        scene.take("queued", "Queued")
        scene.say("queued two\n\nof several lines")
        scene.take("queued-two", "queued two")
        held.release()
        scene.take("idle", "Understood")


def _dialogs(stage: Stage) -> None:
    for size in (SMALL, LARGE):
        stage.home()
        stage.studio.write(PROJECT / "f.txt", "alpha\nbeta\n")
        with stage.start("claude", "--permission-mode", "default", *_MODEL, env=env(stage), size=size) as scene:
            scene.ready()
            asked = {
                "permission-command": (_MAKE,),
                "permission-create": (call("Write", file_path=str(PROJECT / "new.txt"), content="one\ntwo\n"),),
                "permission-edit": (
                    call("Read", file_path=str(PROJECT / "f.txt")),
                    call("Edit", file_path=str(PROJECT / "f.txt"), old_string="alpha", new_string="gamma"),
                ),
                "permission-fetch": (call("WebFetch", url="https://example.invalid/x", prompt="read it"),),
                "question": (call("AskUserQuestion", questions=[_QUESTION]),),
                "question-several": (call("AskUserQuestion", questions=[_SEVERAL, _QUESTION]),),
            }
            for name, replies in asked.items() if size != LARGE else list(asked.items())[:1]:
                stage.api.script("claude", *replies)
                scene.say(f"now the {name}")
                scene.covered(name)
                scene.take(name)
                if name == "question":
                    scene.keys("3")
                    scene.take("question-text", "ctrl.g")
                scene.leave()
                scene.ready()
            scene.take("denied")


def _plan(stage: Stage) -> None:
    stage.home()
    with stage.start("claude", "--permission-mode", "plan", *_MODEL, env=env(stage)) as scene:
        scene.ready()
        stage.api.script("claude", call("ExitPlanMode", plan="1. Look at it\n2. Mend it"))
        scene.say("make a plan")
        scene.take("plan", "Exit plan mode")


def _menus(stage: Stage) -> None:
    stage.home()
    with stage.start("claude", "--permission-mode", "default", *_MODEL, env=env(stage)) as scene:
        scene.ready()
        scene.say("first of all")
        scene.pane.shows("Understood")
        scene.ready()
        for command in ("model", "config", "help", "permissions", "resume", "status"):
            scene.menu(command)


def _failures(stage: Stage) -> None:
    for name, status, text, words in (
        ("error-400", 400, "no such thing", "API Error"),
        ("error-403", 403, "Your account does not have access", "API Error"),
        ("credit", 400, "Your credit balance is too low to access the Anthropic API.", "Credit balance"),
        ("retrying", 529, "Overloaded", "retrying in"),
        ("retrying-429", 429, "This request would exceed your rate limit", "retrying in"),
    ):
        stage.home()
        with stage.start("claude", "--permission-mode", "default", *_MODEL, env=env(stage)) as scene:
            scene.ready()
            stage.api.script("claude", *[refuse(status, text)] * 30)
            scene.say("try it")
            scene.take(name, words)
    # With one try, what comes after the last of many.
    for name, status, text in (
        ("error-429", 429, "Number of requests has exceeded your limit"),
        ("error-529", 529, "Overloaded"),
    ):
        stage.home()
        with stage.start(
            "claude", "--permission-mode", "default", *_MODEL, env=env(stage, CLAUDE_CODE_MAX_RETRIES="0")
        ) as scene:
            scene.ready()
            stage.api.script("claude", *[refuse(status, text)] * 30)
            scene.say("try it")
            scene.take(name, "API Error|429|529|Overloaded")


def _starts(stage: Stage) -> None:
    full = {
        "hasCompletedOnboarding": True,
        "projects": {str(PROJECT): {"hasTrustDialogAccepted": True}},
        "customApiKeyResponses": {"approved": [homes.KEY], "rejected": []},
    }
    unattended = "--dangerously-skip-permissions"
    for name, argv, files, words in (
        ("trust", (), {".claude.json": json.dumps({**full, "projects": {}})}, "one you trust"),
        ("bypass", (unattended,), {".claude/settings.json": "{}"}, "Bypass"),
        ("api-key", (), {".claude.json": json.dumps({**full, "customApiKeyResponses": {}})}, "API key"),
        ("first-run-offline", (), {".claude.json": None, ".claude/settings.json": None}, "Unable to connect"),
        ("idle-unattended", (unattended,), {}, "bypass permissions on"),
        ("resume-search", ("--resume", "not-an-id"), {}, "."),
    ):
        stage.home(files)
        with stage.start("claude", *_MODEL, *argv, env=env(stage)) as scene:
            scene.pane.until(lambda shown: sum(map(bool, shown.lines)) > 3, "something")
            scene.take(name, words)
    stage.home({".claude/settings.json": None})
    keyless = {key: value for key, value in env(stage).items() if key != "ANTHROPIC_API_KEY"}
    with stage.start("claude", *_MODEL, env=keyless) as scene:
        scene.ready()
        scene.say("hello")
        scene.take("logged-out", "Not logged in")


def _upgraded(stage: Stage) -> None:
    """Its first start after an older version."""
    stage.home()
    older = installed(OLDER)
    with stage.start("claude", *_MODEL, env=env(stage), prefix=older) as scene:
        scene.ready()
        scene.say("hello there")
        scene.pane.shows("Understood")
        scene.ready()
    with stage.start("claude", *_MODEL, "--continue", env=env(stage)) as scene:
        scene.take("renderer", "fullscreen renderer")


SCENES: Sequence[Callable[[Stage], None]] = (_turns, _dialogs, _plan, _menus, _failures, _starts, _upgraded)
