"""Scenarios: what is done to a host, and what it then looks like.

Written against a small protocol, so that the same list runs on the simulated host and on a real one. Each scenario
shows the host at named points; `expected` says what must be seen at the last one, and the test demands that both hosts
look alike at every one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.laws import scenario_added as added
from tests.laws import scenario_agents as agents
from tests.laws import scenario_servers as servers
from tests.laws.scenario_bench import CODER, PREFIX, Bench
from tests.world_model import HOLDER_UNIT


@dataclass(frozen=True)
class Scenario:
    """`expected` is compared with the part of the last picture that it names."""

    act: Callable[[Bench], None]
    expected: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.act.__name__


def panes(**sessions: str) -> dict[str, Any]:
    """Sessions as the fleet's server should show them: "alive", "dead", or "foreign"."""
    return {name.replace("__", "_"): state for name, state in sessions.items()}


HOLDER = {"_holder": "holder"}
SCENARIOS = (
    Scenario(agents.nothing, {"units": {}, "enabled": [], "server": "down", "panes": {}}),
    Scenario(agents.start_brings_the_holder, {"units": {HOLDER_UNIT: "active", CODER: "active"}, "enabled": []}),
    Scenario(agents.three_agents, {"panes": {**HOLDER, **panes(coder="alive", coder0="alive", a__b="alive")}}),
    Scenario(agents.start_twice, {"panes": {**HOLDER, **panes(coder="alive")}}),
    Scenario(agents.stop_one, {"panes": {**HOLDER, **panes(coder0="alive")}, "enabled": [PREFIX, HOLDER_UNIT]}),
    Scenario(agents.restart_one, {"panes": {**HOLDER, **panes(coder="alive", coder0="alive")}}),
    Scenario(agents.dead_pane, {"panes": {**HOLDER, **panes(coder="alive", coder0="alive")}}),
    Scenario(agents.failed_unit_replaces_its_dead_pane, {"panes": {**HOLDER, **panes(coder="alive")}}),
    Scenario(agents.inactive_unit_keeps_its_living_pane, {"panes": {**HOLDER, **panes(coder="alive")}}),
    Scenario(agents.stop_of_an_inactive_unit_ends_nothing, {"panes": HOLDER, "units": {HOLDER_UNIT: "active"}}),
    Scenario(agents.missing_session, {"panes": {**HOLDER, **panes(coder="alive", coder0="alive")}}),
    Scenario(agents.foreign_session_in_the_way, {"panes": {**HOLDER, **panes(coder="foreign", coder0="alive")}}),
    Scenario(agents.reset_failed, {"units": {HOLDER_UNIT: "active", PREFIX: "active"}}),
    Scenario(agents.a_prefix_is_not_a_target, {"panes": {**HOLDER, **panes(coder0="alive")}}),
    Scenario(agents.kill_of_a_session_with_another_mark, {"panes": {**HOLDER, **panes(coder="alive")}}),
    Scenario(agents.no_launch_environment, {"units": {HOLDER_UNIT: "active", PREFIX: "active", CODER: "failed"}}),
    Scenario(agents.no_launch_environment_on_stop, {"panes": HOLDER, "units": {HOLDER_UNIT: "active"}}),
    Scenario(agents.no_template, {"panes": {**HOLDER, **panes(coder="alive")}, "units": {HOLDER_UNIT: "active"}}),
    Scenario(agents.broken_launch_program, {"units": {HOLDER_UNIT: "active", PREFIX: "active", CODER: "failed"}}),
    Scenario(agents.broken_stop_program, {"units": {HOLDER_UNIT: "active", CODER: "failed"}}),
    Scenario(agents.broken_unit_file, {"panes": {**HOLDER, **panes(coder="alive")}}),
    Scenario(agents.empty_unit_file, {"panes": {**HOLDER, **panes(coder="alive")}}),
    Scenario(agents.restart_with_a_broken_unit_file, {"panes": {**HOLDER, **panes(coder="alive")}}),
    Scenario(agents.edited_unit_file_without_a_reload, {"panes": {**HOLDER, **panes(coder="alive")}}),
    Scenario(servers.server_killed, {"panes": {**HOLDER, **panes(coder="alive", coder0="alive")}}),
    Scenario(servers.holder_restarted, {"panes": {**HOLDER, **panes(coder="alive")}}),
    Scenario(servers.holder_stopped, {"panes": panes(coder="alive"), "units": {CODER: "active"}}),
    Scenario(servers.holder_session_killed, {"panes": {**HOLDER, **panes(coder="alive")}}),
    Scenario(servers.holder_pane_killed, {"panes": {**HOLDER, **panes(coder="alive")}}),
    Scenario(servers.server_mended_by_a_reload, {"panes": {**HOLDER, **panes(coder="alive")}}),
    Scenario(servers.reload_of_what_is_not_active, {"server": "down", "units": {}}),
    Scenario(servers.dead_pane_mended_by_a_reload, {"panes": {**HOLDER, **panes(coder="alive", coder0="alive")}}),
    Scenario(servers.socket_lost, {"server": "up", "panes": {**HOLDER, **panes(coder="alive")}}),
    Scenario(servers.server_of_an_operator, {"panes": {**HOLDER, **panes(coder="alive", operator="foreign")}}),
    Scenario(servers.leftover_child, {"panes": HOLDER, "scopes": {}}),
    Scenario(servers.outside_its_scope, {"places": {"coder0": "own"}, "scopes": {"coder0": 1}}),
    Scenario(servers.files, {"files": {}}),
    Scenario(servers.refused_signal, {"server": "up"}),
    Scenario(added.responder_answers_for_a_silent_agent, {"answered": ["coder"]}),
    Scenario(added.responder_stopped, {"units": {HOLDER_UNIT: "active", CODER: "active"}}),
    Scenario(added.responder_before_its_agent, {"answered": ["coder"]}),
    Scenario(added.added_files_removed, {"units": {}}),
)
