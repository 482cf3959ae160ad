"""Every example loads, plans and, with stubs in the place of the real programs, converges."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.hosts import PrivateHost
from tests.hosts.namespace import CHECKOUT

EXAMPLES = sorted(path for path in (CHECKOUT / "examples" / "fleets").iterdir() if path.is_dir())
STUB = [sys.executable, "-I", "-S", str(CHECKOUT / "providers" / "stub.py")]


def with_stubs(roster: str) -> str:
    """The roster with the stub's command in every entry; `command` overrides all that the runtime says."""
    yaml = YAML()
    document: dict[str, Any] = yaml.load(roster)
    for agent in document["agents"]:
        agent["command"] = STUB
        agent.pop("working_directory", None)
    document["defaults"] = {"working_directory": "~"}
    text = io.StringIO()
    yaml.dump(document, text)
    return text.getvalue()


@pytest.fixture
def fleet(private_host: PrivateHost, request: pytest.FixtureRequest) -> Path:
    """The example as a repository on a host whose user lingers."""
    example: Path = request.param
    repository = private_host.home / "fleet"
    private_host.run(["install", "-D", "/dev/null", f"/var/lib/systemd/linger/{private_host.env['USER']}"])
    private_host.run(["cp", "-r", str(example), str(repository)])
    private_host.run(["tee", str(repository / "roster.yaml")], input=with_stubs((example / "roster.yaml").read_text()))
    who = ["-c", "user.name=Test", "-c", "user.email=test@localhost"]
    private_host.run(["git", "init", "--quiet", "--initial-branch=main", str(repository)])
    private_host.run(["git", "-C", str(repository), "add", "--all"])
    private_host.run(["git", "-C", str(repository), *who, "commit", "--quiet", "-m", "Declare the fleet"])
    return repository


@pytest.mark.parametrize("fleet", EXAMPLES, ids=[path.name for path in EXAMPLES], indirect=True)
def test_an_example_plans_and_converges(private_host: PrivateHost, fleet: Path) -> None:
    reconcile = [sys.executable, "-m", "reconciler", str(fleet), "-o", "json"]
    environment = {"PYTHONPATH": str(CHECKOUT)}
    plan = json.loads(private_host.run([*reconcile, "--dry-run"], env=environment).stdout)
    names = {action["agent"] for action in plan["actions"] if action["verb"] == "start" and action["agent"]}
    assert names
    report = json.loads(private_host.run(reconcile, env=environment).stdout)
    # Limits are not in force on a host that has no controllers to give away; that is said, and all else is done.
    assert {held["reason"] for held in report["held"]} <= {"unsupported"}
    assert report["outcome"] == ("held" if report["held"] else "converged")
    again = json.loads(private_host.run(reconcile, env=environment).stdout)
    assert again["actions"] == []
    sessions = private_host.tmux("mosaic-fleet", "list-sessions", "-F", "#{session_name}").stdout.split()
    assert {name.replace(".", "_") for name in names} <= set(sessions)
