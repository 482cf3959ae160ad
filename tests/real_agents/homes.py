"""What each program must find in the home folder to start offline and without a question, and the fleet of them all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

KEY = "not-a-key"  # claude asks about an unknown key; this one has been approved

# The beginning of the title of each program's pane, and words on its screen, once it takes input.
READY: Mapping[str, tuple[str, str]] = {
    "claude": ("✳ ", "bypass permissions on"),
    "codex": ("project", "Ask Codex"),
    "pi": ("π - project", "escape interrupt"),
    "opencode": ("OpenCode", "Ask anything"),
    "shared": ("project", "Ask Codex"),
}

# A stop is not put off until the agent has been quiet for a while.
FLEET = """\
version: 1
name: real
floor: none
reconcile: {rollout: {on_change: immediately, max_unavailable: 5}}
"""

# Long enough, with the texts below, that the whole contract is several times what codex takes from one hook.
NORTH_STAR = """\
version: 1
mission: Prove it with the real programs.
goals:
""" + "".join(f"  - {{id: G{at}, title: {'A goal with a rather long title ' * 4}}}\n" for at in range(50))


def roster(
    home: Path, url: str, states: Mapping[str, str], more: Mapping[str, Mapping[str, object]]
) -> dict[str, object]:
    """One of each runtime as shipped; `shared` is a codex that works through its daemon, in the same CODEX_HOME. `more`
    are further fields of agents, by name."""
    codex_home = {"CODEX_HOME": str(home / ".codex-both")}
    claude = {
        "ANTHROPIC_BASE_URL": f"{url}/claude",
        "ANTHROPIC_API_KEY": {"from_file": str(home / "api-key")},
        "IS_SANDBOX": "1",  # without it, claude refuses its unattended mode to root
    }
    opencode = {"OPENCODE_DISABLE_MODELS_FETCH": "1"}  # otherwise it waits up to 10 s for a network
    agents: list[dict[str, object]] = [
        {"name": "claude", "runtime": "claude", "model_hint": "claude-sonnet-4-5", "env": claude},
        {"name": "codex", "runtime": "codex", "model_hint": "chosen", "env": codex_home},
        {"name": "pi", "runtime": "pi", "model_hint": "fake/chosen"},
        {"name": "opencode", "runtime": "opencode", "model_hint": "fake/chosen", "env": opencode},
        {"name": "shared", "runtime": "codex", "command": ["codex"], "env": codex_home},
    ]
    # A second agent of a program, for tests that want one: `claude-two` is all that `claude` is.
    first = {str(agent["name"]): agent for agent in agents}
    agents += [{**first[name.partition("-")[0]], "name": name} for name in more if name not in first]
    for agent in agents:
        agent["state"] = states.get(str(agent["name"]), "running")
        agent.update(more.get(str(agent["name"]), {}))
    return {
        "version": 1,
        "tmux": {"socket_name": "agents"},
        "defaults": {"working_directory": str(home / "project")},
        "agents": agents,
    }


def files(home: Path, project: Path, prefix: Path, url: str) -> dict[Path, str]:
    """The files and their text; `prefix` is where npm has put the programs, `url` the API, where each has its path."""
    models = [{"id": "first"}, {"id": "chosen"}]
    provider = {"baseUrl": f"{url}/pi/v1", "api": "openai-completions", "apiKey": KEY, "models": models}
    opencode = {
        "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": f"{url}/opencode/v1", "apiKey": KEY},
        "models": {"first": {}, "chosen": {}},
    }
    codex = f"""\
model = "first"
model_provider = "fake"
[model_providers.fake]
name = "fake"
base_url = "{url}/codex/v1"
wire_api = "responses"
requires_openai_auth = false
[projects."{project}"]
trust_level = "trusted"
"""
    return {
        home / ".npmrc": f"prefix={prefix}\n",
        home / "api-key": KEY,
        home / ".claude.json": _json(
            hasCompletedOnboarding=True,
            projects={str(project): {"hasTrustDialogAccepted": True}},
            customApiKeyResponses={"approved": [KEY], "rejected": []},
        ),
        # Unattended mode asks once whether that is meant.
        home / ".claude/settings.json": _json(skipDangerousModePermissionPrompt=True),
        home / ".codex-both/config.toml": codex,
        home / ".pi/agent/models.json": _json(providers={"fake": provider}),
        home / ".config/opencode/opencode.json": _json(model="fake/first", provider={"fake": opencode}),
        project / "README": "What the agents work on.\n",
        **{home / ".config/mosaic" / name: _told(name) for name in ("USER.md", "SOUL.md", "STANDARDS.local.md")},
    }


def _told(name: str) -> str:
    """As long as an operator's text may be, with no two lines alike."""
    return "".join(f"- What {name} has to say in line {at}: {'as it was agreed ' * 4}\n" for at in range(70))


def _json(**values: object) -> str:
    return json.dumps(values, indent=2) + "\n"
