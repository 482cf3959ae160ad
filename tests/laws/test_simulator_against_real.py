"""The simulated host held against a real one: the same scenarios, and a look at both shows the same.

Each scenario has a private host of its own: real systemd, real tmux, `LocalHost` inside.
"""

from __future__ import annotations

import json
import sys

import pytest

from tests.hosts.namespace import CHECKOUT
from tests.hosts.private import PrivateHost
from tests.laws.scenarios import SCENARIOS, Scenario
from tests.laws.test_scenarios import on_a_world


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_both_hosts_look_alike(private_host: PrivateHost, scenario: Scenario) -> None:
    simulated = on_a_world(scenario)
    order = json.dumps({"scenario": scenario.name, "expected": simulated.pictures})
    env = {"PYTHONPATH": str(CHECKOUT)}
    done = private_host.run([sys.executable, "-m", "tests.laws.real_bench"], input=order, env=env, timeout=600.0)
    real = json.loads(done.stdout)
    for point, shown in simulated.pictures.items():
        assert real["pictures"][point] == shown, point
    assert real["results"] == simulated.results
