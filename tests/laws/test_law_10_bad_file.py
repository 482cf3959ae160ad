"""Law 10, the other half: a bad file keeps the last good revision running, and says so. From real commits."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from providers.host import HostFacts
from reconciler.context.settings import Settings
from reconciler.loop.result import RunOptions
from reconciler.plan.planner import PlanOptions
from reconciler.source.intake import Intake, load_source
from reconciler.state.store import Store
from tests.laws.driver import MemoryStore, reconciler
from tests.laws.oracle import living, wrong
from tests.world import FACTS, World

NAMES = ("coder", "coder0", "a.b")
BAD: Mapping[str, str] = {
    "not YAML": "agents: [",
    "empty": "",
    "unknown key": json.dumps({"version": 1, "transport": "tmux", "agentz": []}),
    "unknown version": json.dumps({"version": 7, "agents": []}),
    "no valid agent": json.dumps(
        {"version": 1, "transport": "tmux", "agents": [{"name": name, "runtime": "stbu"} for name in NAMES]}
    ),
    "a cycle": json.dumps(
        {
            "version": 1,
            "transport": "tmux",
            "agents": [
                {"name": "coder", "runtime": "stub", "class": "w", "depends_on": ["coder0"]},
                {"name": "coder0", "runtime": "stub", "class": "w", "depends_on": ["coder"]},
            ],
        }
    ),
}
COMMITS = st.lists(
    st.one_of(st.sampled_from(sorted(BAD)), st.frozensets(st.sampled_from(NAMES), min_size=1)), min_size=1, max_size=4
)


class Repository:
    """A fleet repository in a folder; every commit is judged as a run would judge it."""

    def __init__(self, folder: Path) -> None:
        self.path, self.now = folder / "fleet", 1_700_000_000.0
        state, config, runtime = f"{folder}/state", f"{folder}/config", f"{folder}/run"
        self.facts: HostFacts = replace(FACTS, state_home=state, config_home=config, runtime_dir=runtime)
        self.store = Store.open(self.facts, "local")
        self.path.mkdir()
        self._git("init", "-q", "-b", "main")
        rules = {"reconcile": {"prune": {"max_removals": 9}, "rollout": {"on_change": "immediately"}}}
        (self.path / "fleet.yaml").write_text(json.dumps({"version": 1, "name": "local", "floor": "none", **rules}))

    def commit(self, roster: str) -> str:
        (self.path / "roster.yaml").write_text(roster)
        self._git("add", ".")
        self._git("commit", "-q", "--allow-empty", "-m", "a change")
        return self._git("rev-parse", "HEAD")

    def take(self) -> Intake:
        self.now += 60.0
        return load_source(str(self.path), RunOptions(), Settings(), self.facts, self.store, now=self.now)

    def _git(self, *args: str) -> str:
        done = subprocess.run(["git", *args], cwd=self.path, check=True, capture_output=True, text=True)
        return done.stdout.strip()


def roster(names: Collection[str]) -> str:
    agents = [{"name": name, "runtime": "stub", "class": "worker"} for name in sorted(names)]
    return json.dumps({"version": 1, "transport": "tmux", "tmux": {"socket_name": "s"}, "agents": agents})


@given(commits=COMMITS)
@settings(max_examples=6)
def test_law_10_a_bad_file_keeps_the_last_good_revision_running_and_says_so(
    commits: list[str | frozenset[str]],
) -> None:
    with tempfile.TemporaryDirectory() as name:
        repository, store = Repository(Path(name)), MemoryStore()
        world = World(repository.facts)
        last = repository.commit(roster({"coder", "coder0"}))
        for commit in ("a first good one", *commits):
            if isinstance(commit, frozenset):
                last = repository.commit(roster(commit))
            elif commit in BAD:
                attempted = repository.commit(BAD[commit])
            before = living(world)
            taken = repository.take()
            assert taken.fleet.revision == taken.report.applied == last
            if commit in BAD:
                assert taken.rejected is not None
                assert taken.report.attempted == attempted
                assert attempted[:12] in taken.report.message
                assert last[:12] in taken.report.message
            else:
                assert taken.rejected is None
            reconciler(world, store, options=PlanOptions(allow_removals=9)).converge(taken.fleet)
            assert wrong(world, taken.fleet) == []
            if commit in BAD:
                assert living(world) == before
