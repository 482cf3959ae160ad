"""From specs to the desired state of one host."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.plan.desired import inputs_digest
from specs import library
from specs.compiled import EnvValue, Limits, fleet_from_json, fleet_to_json
from specs.loading.compile import NotCompilable
from tests.specs.helpers import HEAD, ONE, agent, agents, compiled, read
from tests.world import FACTS

FULL = """
version: 1
transport: tmux
tmux: {socket_name: mosaic-fleet, holder_session: my.holder}
defaults: {working_directory: ~/src}
runtimes:
  claude: {reset_command: /new, path: [~/bin, /opt/claude/bin]}
agents:
  - name: lead
    alias: Mo
    runtime: claude
    class: orchestrator
    model_hint: opus
    generation: 3
    resume: always
    resume_nudge: off
  - name: worker.0
    runtime: pi
    state: stopped
    working_directory: ~
    socket: ""
    depends_on: [lead, elsewhere]
    env:
      B: {from_env: SOURCE}
      A: plain text
      C: {from_file: ~/.secrets/c}
    resources: {memory_max: 2G, cpu_weight: 50, tasks_max: 512}
  - name: elsewhere
    runtime: pi
    host: there
  - name: gone
    runtime: pi
    host: here
    state: absent
"""
FLEET = """
name: demo
tenant_id: acme
hosts: [here, there]
floor: none
resume_nudge: go on
reconcile:
  interval: 30s
  prune: {max_removals: 1}
  rollout: {on_change: never, max_unavailable: 2, drain_timeout: 5m}
  backoff: {initial: 1s, maximum: 1m, reset_after: 1h}
  quarantine: {restarts: 3, within: 2m}
  restart_budget: 12
heartbeat: {interval: 5s, idle_after: 1m}
suspend:
  - {agent: lead, reason: upgrade, by: jo, until: 2030-01-01T00:00:00Z}
"""


def test_the_agents_of_this_host_sorted_by_name() -> None:
    fleet = compiled(read(FULL, FLEET))
    assert [one.name for one in fleet.agents] == ["gone", "lead", "worker.0"]
    assert [one.state for one in fleet.agents] == ["absent", "running", "stopped"]
    assert [one.name for one in compiled(read(FULL, FLEET), host="there").agents] == ["elsewhere", "lead", "worker.0"]


def test_every_field_arrives() -> None:
    fleet = compiled(read(FULL, FLEET))
    assert (fleet.name, fleet.tenant_id, fleet.host, fleet.revision) == ("demo", "acme", "here", "0" * 40)
    assert (fleet.socket, fleet.holder_session) == ("mosaic-fleet", "my_holder")
    lead = agent(fleet, "lead")
    assert lead.argv == ("claude", "--dangerously-skip-permissions", "--model", "opus")
    assert (lead.working_directory, lead.socket) == ("/home/me/src", "mosaic-fleet")
    assert (lead.reset_command, lead.submit_key, lead.model, lead.generation) == ("/new", "Enter", "opus", 3)
    assert lead.path == ("/home/me/bin", "/opt/claude/bin")
    assert (lead.agent_class, lead.alias, lead.held) == ("orchestrator", "Mo", None)
    assert (lead.resume, lead.resume_nudge) == ("always", "")
    worker = agent(fleet, "worker.0")
    assert (worker.resume, worker.resume_nudge) == ("on-heal", "go on")
    assert (worker.session, worker.socket, worker.agent_class) == ("worker_0", "", "worker")
    assert worker.working_directory == "/home/me"
    assert worker.depends_on == ("lead",)
    assert worker.env == (
        ("A", EnvValue(literal="plain text")),
        ("B", EnvValue(from_env="SOURCE")),
        ("C", EnvValue(from_file="/home/me/.secrets/c")),
    )
    assert worker.limits == Limits(memory_max="2G", cpu_weight=50, tasks_max=512)


def test_the_policy_arrives() -> None:
    fleet = compiled(read(FULL, FLEET))
    policy = fleet.policy
    assert (policy.interval, policy.max_removals, policy.on_change, policy.max_unavailable) == (30, 1, "never", 2)
    assert (policy.drain_timeout, policy.backoff_initial, policy.backoff_maximum) == (300, 1, 60)
    assert (policy.backoff_reset_after, policy.quarantine_restarts, policy.quarantine_within) == (3600, 3, 120)
    assert (policy.restart_budget, policy.floor) == (12, "none")
    assert (fleet.heartbeats.interval, fleet.heartbeats.stale_after, fleet.heartbeats.idle_after) == (5, 15, 60)
    assert fleet.suspended["lead"].until == 1893456000
    assert (fleet.suspended["lead"].reason, fleet.suspended["lead"].by) == ("upgrade", "jo")


def test_a_repository_with_only_a_roster() -> None:
    fleet = compiled(read(ONE))
    assert (fleet.name, fleet.tenant_id, fleet.socket, fleet.holder_session) == ("fleet", "tenant", "", "_holder")
    assert fleet.policy.floor == "none"
    assert agent(fleet, "lead").working_directory == "/home/me"


@pytest.mark.parametrize("roster", [FULL, ONE, agents("name: good, runtime: pi", "name: bad, runtime: pie")])
def test_the_cacheable_form_is_exact(roster: str) -> None:
    fleet = compiled(read(roster))
    assert fleet_from_json(json.loads(json.dumps(fleet_to_json(fleet)))) == fleet


def test_the_order_of_the_file_does_not_matter() -> None:
    entries = ["name: a, runtime: pi", "name: b, runtime: claude, depends_on: [a, c]", "name: c, runtime: pi"]
    assert compiled(read(agents(*entries))) == compiled(read(agents(*reversed(entries))))


def test_fatal_errors_leave_nothing_to_compile() -> None:
    with pytest.raises(NotCompilable):
        compiled(read(""))


def test_a_held_agent_is_kept_with_what_can_be_read_of_it() -> None:
    loaded = read(agents("name: good, runtime: pi", "name: bad, runtime: pie, alias: Max, yolo: no, socket: s"))
    bad = agent(compiled(loaded), "bad")
    assert bad.held == loaded.held["bad"][0].message
    assert (bad.alias, bad.socket, bad.argv, bad.session) == ("Max", "s", (), "bad")
    assert agent(compiled(loaded), "good").held is None


def test_a_held_agent_whose_runtime_is_missing_has_no_program() -> None:
    assert agent(compiled(read(agents("name: a", "name: b, runtime: pi"))), "a").argv == ()


def test_a_held_agent_of_another_host_stays_there() -> None:
    loaded = read(agents("name: good, runtime: pi", "name: bad, runtime: pie, host: there"))
    assert [one.name for one in compiled(loaded).agents] == ["good"]
    assert [one.name for one in compiled(loaded, host="there").agents] == ["bad", "good"]


@pytest.mark.parametrize("host", ["host: thre", "host: [there]"])
def test_a_misspelt_host_never_reads_as_a_removal(host: str) -> None:
    loaded = read(
        agents("name: good, runtime: pi", f"name: bad, runtime: pi, {host}"), "{hosts: [here, there], floor: none}"
    )
    for name in ("here", "there"):
        assert agent(compiled(loaded, host=name), "bad").held


def test_reading_the_cache_imports_no_validator() -> None:
    heavy = ("pydantic", "ruamel.yaml", "specs.models.roster")
    code = f"import sys, specs.compiled, specs.loading.load; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_a_bare_tilde_is_the_home_folder() -> None:
    loaded = read(
        HEAD + "defaults:\n  working_directory: ~\nagents:\n  - {name: a, runtime: pi, workingDirectory: ~}\n"
    )
    assert loaded.ok
    assert agent(compiled(loaded), "a").working_directory == "/home/me"


def test_a_compiled_fleet_is_not_used_any_more_once_a_shipped_contract_has_changed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The same commit gives other agents then, and no other word of that is anywhere."""
    before = inputs_digest(FACTS, ())
    shutil.copytree(Path(library.__file__).parent / "personas", tmp_path / "personas")
    monkeypatch.setattr(library, "_ROOT", str(tmp_path))

    def now() -> str:
        for cached in (library.text, library.names, library.digest):
            cached.cache_clear()
        return inputs_digest(FACTS, ())

    assert now() == before
    contract = tmp_path / "personas" / "researcher.md"
    contract.write_text(f"{contract.read_text()}\n")
    changed = now()
    assert changed != before
    contract.rename(contract.with_name("reader.md"))
    assert now() not in (before, changed)
    monkeypatch.undo()
    assert now() == before
