"""What a run that has nothing to do may import: validators, differs and watchers cost more than the whole run."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from reconciler.context.host import HostContext
from reconciler.loop.result import RunOptions
from reconciler.run.run import run
from tests.world import FACTS, World

ROOT = Path(__file__).resolve().parents[1]
DEAR = ("pydantic", "pydantic_core", "ruamel", "git", "gitdb", "deepdiff", "watchdog")
ROSTER = {
    "version": 1,
    "transport": "tmux",
    "tmux": {"socket_name": "s"},
    "agents": [{"name": name, "runtime": "stub", "class": "worker"} for name in ("coder0", "coder1")],
}
# What `reconcile` does, on a simulated host that was given over in a file.
QUIET_RUN = """
import json, pickle, sys
from reconciler.commands.run_output import print_run
from reconciler.cli.output import Output
from reconciler.loop.result import RunOptions
from reconciler.context.host import HostContext
from reconciler.run.run import run

with open(sys.argv[1], "rb") as file:
    world = pickle.load(file)
here = HostContext(
    host=world, environ={}, sleep=world.advance, wall=lambda: world.now, monotonic=lambda: world.elapsed
)
result = run(RunOptions(fleet=sys.argv[2], dry_run=sys.argv[3] == "dry"), here)
print_run(result, Output(sys.stderr), dry_run=sys.argv[3] == "dry")
print(json.dumps([result.exit_code, len(result.outcomes), len(result.plan.actions), sorted(sys.modules)]))
"""


def python(*words: str) -> str:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *words], env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def dear(modules: list[str]) -> list[str]:
    return [name for name in modules if name.split(".")[0] in DEAR]


def test_the_command_line_imports_nothing_dear() -> None:
    said = python("-c", "import json, sys, reconciler.commands.reconcile; print(json.dumps(sorted(sys.modules)))")
    modules = json.loads(said)
    assert not dear(modules)
    assert "jeepney" not in modules  # not even what a run needs: `--help` and a wrong call are answered before


def test_a_run_with_nothing_to_do_imports_nothing_dear(tmp_path: Path) -> None:
    fleet = tmp_path / "fleet"
    fleet.mkdir()
    (fleet / "roster.yaml").write_text(json.dumps(ROSTER))
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", *words], cwd=fleet, check=True)
    facts = replace(
        FACTS, state_home=f"{tmp_path}/state", config_home=f"{tmp_path}/config", runtime_dir=f"{tmp_path}/run"
    )
    world = World(facts)
    here = HostContext(
        host=world, environ={}, sleep=world.advance, wall=lambda: world.now, monotonic=lambda: world.elapsed
    )
    assert run(RunOptions(fleet=str(fleet)), here).exit_code == 0
    (tmp_path / "world").write_bytes(pickle.dumps(world))

    for mode in ("apply", "dry"):
        code, done, due, modules = json.loads(python("-c", QUIET_RUN, str(tmp_path / "world"), str(fleet), mode))
        assert (code, done, due) == (0, 0, 0)
        assert not dear(modules)
        assert "subprocess" not in modules  # a local repository is read without git
        assert not {"reconciler.delivery.outbox", "reconciler.run.outbox_round", "reconciler.delivery.kickstart"} & set(
            modules
        )
