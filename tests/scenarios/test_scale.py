"""Two hundred agents: converged, seen, hurt and healed within one run's deadline, at the cost of looking at three."""

from __future__ import annotations

from tests.scenarios.fleet import Fleet
from tests.scenarios.test_converge import counted


def test_two_hundred_agents(fleet: Fleet) -> None:
    fleet.rules["heartbeat"] = {"interval": "10m", "stale_after": "1h"}
    fleet.rules["reconcile"]["prune"]["max_removals"] = 50
    names = [f"a{number:03}" for number in range(200)]
    fleet.declare(*names[:3])
    fleet.converge()
    run, few = counted(fleet)
    assert run.done == []

    fleet.declare(*names)
    fleet.converge()  # exit code 0: within the deadline
    before = fleet.up(*names)
    run, many = counted(fleet)
    assert run.document["actions"] == []
    assert many == few, "what a look costs does not depend on how many there are"

    victims = names[::4]
    fleet.kill(*(before[name] for name in victims))
    healed = fleet.converge()
    assert {one["agent"] for one in healed.document["actions"]} == set(victims)
    after = fleet.up(*names)
    assert {name for name in names if after[name] != before[name]} == set(victims)

    fleet.agents = {name: entry for name, entry in fleet.agents.items() if name not in victims}
    fleet.commit()
    fleet.converge()
    left = sorted(set(names) - set(victims))
    assert fleet.up(*left) == {name: after[name] for name in left}
