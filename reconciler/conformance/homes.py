"""What each program needs in an empty home to start without a network, a login or a question. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from specs.dataclass import dataclass, field

KEY = "not-a-key"  # claude asks about a key that it does not know; this one has been approved
MODEL = "contract"

# Nothing of them is to look for a newer version, or to tell anybody anything, while it is tried.
QUIET: Mapping[str, str] = {
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "OPENCODE_DISABLE_AUTOUPDATE": "1",
    "OPENCODE_DISABLE_MODELS_FETCH": "1",  # otherwise it waits up to 10 s for a network
    "PI_OFFLINE": "1",
    "PI_SKIP_VERSION_CHECK": "1",
    "DO_NOT_TRACK": "1",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramHome:
    """`files` by their path below the home folder, with their text; `env` of the program; the `model` it is asked to
    use, None for its own choice."""

    files: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    model: str | None = None


def home_of(runtime: str, *, project: str, url: str) -> ProgramHome:
    """The home of a runtime's program; an empty one for a runtime that is not known here."""
    make = _HOMES.get(runtime)
    return ProgramHome() if make is None else make(project, url)


def _claude(project: str, url: str) -> ProgramHome:
    onboarded = _json(
        hasCompletedOnboarding=True,
        projects={project: {"hasTrustDialogAccepted": True}},
        customApiKeyResponses={"approved": [KEY], "rejected": []},
    )
    return ProgramHome(
        # Unattended mode asks once whether that is meant.
        files={".claude.json": onboarded, ".claude/settings.json": _json(skipDangerousModePermissionPrompt=True)},
        # Without IS_SANDBOX it refuses its unattended mode to root.
        env={"ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": KEY, "IS_SANDBOX": "1"},
        model="claude-sonnet-4-5",
    )


def _codex(project: str, url: str) -> ProgramHome:
    quoted = json.dumps(project)
    settings = f"""\
model = "{MODEL}"
model_provider = "contract"
check_for_update_on_startup = false
[model_providers.contract]
name = "contract"
base_url = "{url}/v1"
wire_api = "responses"
requires_openai_auth = false
[projects.{quoted}]
trust_level = "trusted"
"""
    return ProgramHome(files={".codex/config.toml": settings})


def _pi(project: str, url: str) -> ProgramHome:
    del project
    provider = {"baseUrl": f"{url}/v1", "api": "openai-completions", "apiKey": KEY, "models": [{"id": MODEL}]}
    return ProgramHome(
        files={".pi/agent/models.json": _json(providers={"contract": provider})}, model=f"contract/{MODEL}"
    )


def _opencode(project: str, url: str) -> ProgramHome:
    del project
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": f"{url}/v1", "apiKey": KEY},
        "models": {MODEL: {}},
    }
    model = f"contract/{MODEL}"
    settings = _json(model=model, small_model=model, autoupdate=False, provider={"contract": provider})
    return ProgramHome(files={".config/opencode/opencode.json": settings}, model=model)


def _json(**values: object) -> str:
    return json.dumps(values, indent=2) + "\n"


_HOMES: Mapping[str, Callable[[str, str], ProgramHome]] = {
    "claude": _claude,
    "codex": _codex,
    "pi": _pi,
    "opencode": _opencode,
}
