"""What a run with nothing to do costs for each agent, as a count that no busy machine changes: calls of our functions.

Whoever needs a higher limit has measured (`./dev bench --only noop`), and found that the work is worth it. How many
modules are imported, and how many processes and messages a look costs, is counted on real hosts: `test_seeing.py` and
`test_scale.py` in `tests/scenarios/`.
"""

from __future__ import annotations

import json
import pickle
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from reconciler.context.host import HostContext
from reconciler.loop.result import RunOptions
from reconciler.run.run import run
from specs.dataclass import replace
from tests.test_quiet_imports import ROOT, python
from tests.world import FACTS, World

FEW, MANY = 4, 24
CALLS = {"apply": 680, "dry": 620, "ps": 745}  # most calls for one more agent
COUNTED = """
import json, pickle, sys
from reconciler.context.host import HostContext
from reconciler.loop.result import RunOptions

with open(sys.argv[1], "rb") as file:
    world = pickle.load(file)
fleet, mode, root = sys.argv[2:]
here = HostContext(
    host=world, environ={}, sleep=world.advance, wall=lambda: world.now, monotonic=lambda: world.elapsed
)
OURS = tuple(f"{root}/{package}/" for package in ("reconciler", "providers", "specs"))
calls = 0

def count(frame, event, _argument):
    global calls
    calls += event == "call" and frame.f_code.co_filename.startswith(OURS)

def work():
    from reconciler.cli.output import Output
    if mode == "ps":
        from reconciler.context.fleet import FleetContext
        from reconciler.context.settings import Settings
        from reconciler.inspection.fleet import see_at
        from reconciler.render.ps_text import ps_text
        from reconciler.state.store import Store
        store = Store.open(world.facts, "fleet", read_only=True)
        seen = see_at(FleetContext(facts=world.facts, settings=Settings(), store=store, spec=fleet), here)
        ps_text(seen.listing, width=None, wide=False, paint=lambda text, _tint: text)
        return [row.name for row in seen.listing.rows if not row.pid]
    from reconciler.commands.run_output import print_run
    from reconciler.run.run import run
    result = run(RunOptions(fleet=fleet, dry_run=mode == "dry"), here)
    print_run(result, Output(sys.stderr), dry_run=mode == "dry")
    return [result.exit_code, len(result.outcomes), len(result.plan.actions)]

sys.setprofile(count)
found = work()
sys.setprofile(None)
print(json.dumps([found, calls]))
"""


@cache
def converged(agents: int) -> TemporaryDirectory[str]:
    """A folder with a fleet that is as git says, on a simulated host that is given over in a file."""
    folder = TemporaryDirectory()
    top, fleet = Path(folder.name), Path(folder.name, "fleet")
    fleet.mkdir()
    roster = {
        "version": 1, "transport": "tmux", "tmux": {"socket_name": "s"},
        "agents": [{"name": f"a{at:02}", "runtime": "stub", "class": "worker"} for at in range(agents)],
    }  # fmt: skip
    (fleet / "roster.yaml").write_text(json.dumps(roster))
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", *words], cwd=fleet, check=True)
    world = World(replace(FACTS, state_home=f"{top}/state", config_home=f"{top}/config", runtime_dir=f"{top}/run"))
    here = HostContext(
        host=world, environ={}, sleep=world.advance, wall=lambda: world.now, monotonic=lambda: world.elapsed
    )
    for _ in range(2):  # the second has nothing to do, and leaves what every later one finds
        assert run(RunOptions(fleet=str(fleet)), here).exit_code == 0
    (top / "world").write_bytes(pickle.dumps(world))
    return folder


def cost(mode: str, agents: int) -> int:
    """Calls of our own functions."""
    top = converged(agents).name
    found, calls = json.loads(python("-c", COUNTED, f"{top}/world", f"{top}/fleet", mode, str(ROOT)))
    assert found == ([] if mode == "ps" else [0, 0, 0])
    return int(calls)


@pytest.mark.parametrize("mode", CALLS)
def test_one_more_agent_costs_no_more_than_it_did(mode: str) -> None:
    each = (cost(mode, MANY) - cost(mode, FEW)) / (MANY - FEW)
    assert each <= CALLS[mode]
