"""systemd as it should be: what we list, enable, start and stop is what systemctl says too."""

from __future__ import annotations

import os
import time

from providers.host import UnitState
from providers.machine.local_host import LocalHost
from providers.steps import DaemonReload, SetEnabled, Step, StepResult, UnitJob, WriteFile
from tests.hosts.waiting import eventually
from tests.machine.inside import carry_out, command, wait_readable


def _jobs(verb: str, *units: str, timeout_s: float = 20.0) -> list[tuple[str, Step]]:
    return [(f"{verb} {unit}", UnitJob(verb=verb, unit=unit, timeout_s=timeout_s)) for unit in units]  # type: ignore[arg-type]


def _states(*units: str) -> list[str]:
    return command("systemctl", "--user", "is-active", *units, check=False).split()


def check_list_is_systemctls(host: LocalHost) -> None:
    units = [f"mosaic-agent@list{number}.service" for number in range(20)]
    carry_out(host, _jobs("start", *units, "mosaic-fail.service"))
    command("systemctl", "--user", "start", "--no-block", "mosaic-hang@list.service")
    ours: dict[str, UnitState] = {}

    def agree() -> bool:
        """Asked one after the other while units of earlier scenarios may still be on their way out."""
        ours.clear()
        ours.update(host.look().units())
        listed = command("systemctl", "--user", "list-units", "--all", "--plain", "--no-legend", "mosaic-*")
        rows = [line.split()[:4] for line in listed.splitlines()]
        theirs = {name: (load, active, sub) for name, load, active, sub in rows}
        return {name: (unit.load, unit.active, unit.sub) for name, unit in ours.items()} == theirs

    eventually(agree, timeout=90, what="two lists of the same units that agree")
    seen = ours
    assert seen["mosaic-agent@list7.service"].active == "active"
    assert seen["mosaic-fail.service"].active == "failed"
    assert (seen["mosaic-hang@list.service"].active, seen["mosaic-hang@list.service"].job) == ("activating", "start")
    carry_out(host, _jobs("stop", *units, "mosaic-hang@list.service"))
    assert carry_out(host, _jobs("reset-failed", "mosaic-fail.service"))["reset-failed mosaic-fail.service"].ok


def check_enable_and_disable(host: LocalHost) -> None:
    units = [f"mosaic-agent@enable{number}.service" for number in range(30)]
    first = carry_out(host, [(unit, SetEnabled(unit=unit, enabled=True)) for unit in units[:10]])
    assert all(result.ok and result.changed for result in first.values())
    second = carry_out(host, [(unit, SetEnabled(unit=unit, enabled=True)) for unit in units])
    assert [second[unit].changed for unit in units] == [False] * 10 + [True] * 20
    assert host.look().enabled() >= set(units)
    assert command("systemctl", "--user", "is-enabled", *units).split() == ["enabled"] * 30
    # The link of an instance needs no reload: the unit starts, and only what is disabled leaves.
    assert carry_out(host, _jobs("start", units[3]))[f"start {units[3]}"].ok
    third = carry_out(host, [(unit, SetEnabled(unit=unit, enabled=False)) for unit in units[5:]])
    assert all(result.ok and result.changed for result in third.values())
    assert host.look().enabled() & set(units) == set(units[:5])
    again = carry_out(host, [(unit, SetEnabled(unit=unit, enabled=False)) for unit in units])
    assert [again[unit].changed for unit in units] == [True] * 5 + [False] * 25


def check_a_bad_unit_fails_alone(host: LocalHost) -> None:
    names = ["mosaic-agent@good1.service", "mosaic-none.service", "mosaic-agent@good2.service"]
    results = carry_out(host, [(unit, SetEnabled(unit=unit, enabled=True)) for unit in names])
    assert [results[unit].ok for unit in names] == [True, False, True]
    assert "mosaic-none.service" in str(results["mosaic-none.service"].error)
    assert host.look().enabled() >= {names[0], names[2]}
    carry_out(host, [(unit, SetEnabled(unit=unit, enabled=False)) for unit in (names[0], names[2])])


def check_a_link_to_nowhere_counts_as_enabled(host: LocalHost) -> None:
    folder = f"{host.facts.unit_dir}/timers.target.wants"
    os.makedirs(folder, exist_ok=True)
    os.symlink("/nowhere/mosaic-gone.timer", f"{folder}/mosaic-gone.timer")
    with open(f"{folder}/not-a-link.timer", "w"):
        pass
    look = host.look()
    assert "mosaic-gone.timer" in look.enabled("timers.target")
    assert "mosaic-gone.timer" not in look.enabled(), "where services are wanted it is not"
    assert "not-a-link.timer" not in look.enabled("timers.target")
    os.unlink(f"{folder}/mosaic-gone.timer")


def check_start_restart_stop(host: LocalHost) -> None:
    units = [f"mosaic-run@{number}.service" for number in range(5)]
    assert all(result.ok for result in carry_out(host, _jobs("start", *units)).values())
    assert _states(*units) == ["active"] * 5
    before = [command("systemctl", "--user", "show", "-P", "MainPID", unit) for unit in units]
    assert all(result.ok for result in carry_out(host, _jobs("restart", *units)).values())
    after = [command("systemctl", "--user", "show", "-P", "MainPID", unit) for unit in units]
    assert all(old != new for old, new in zip(before, after, strict=True))
    assert all(result.ok for result in carry_out(host, _jobs("start", *units)).values()), "what runs may be started"
    assert all(result.ok for result in carry_out(host, _jobs("stop", *units)).values())
    assert _states(*units) == ["inactive"] * 5
    stopped = carry_out(host, _jobs("stop", "mosaic-none.service") + _jobs("reset-failed", "mosaic-none.service"))
    assert all(result.ok and not result.changed for result in stopped.values())


def check_failures_say_why(host: LocalHost) -> None:
    results = carry_out(host, _jobs("start", "mosaic-fail.service", "mosaic-none.service", "mosaic-odd.service"))
    assert not any(result.ok for result in results.values())
    failed = str(results["start mosaic-fail.service"].error)
    assert "status 1" in failed
    assert "systemctl --user status mosaic-fail.service" in failed
    assert "not found" in str(results["start mosaic-none.service"].error)
    assert "bad unit file setting" in str(results["start mosaic-odd.service"].error)


def check_each_job_has_its_own_deadline(host: LocalHost) -> None:
    host.begin(
        [
            ("hang", UnitJob(verb="start", unit="mosaic-hang@own.service", timeout_s=0.4)),
            ("slow", UnitJob(verb="start", unit="mosaic-slow@own.service", timeout_s=60.0)),
            ("fast", UnitJob(verb="start", unit="mosaic-agent@own.service", timeout_s=60.0)),
        ]
    )
    deadline = time.monotonic() + 90
    results: dict[str, StepResult] = {}
    while len(results) < 3 and time.monotonic() < deadline:
        results.update(host.completed(1.0))
    assert {name: result.ok for name, result in results.items()} == {"fast": True, "hang": False, "slow": True}
    assert "did not end within 0.4 s" in str(results["hang"].error)
    assert host.completed(3600.0) == [], "with nothing under way it does not wait"
    carry_out(host, _jobs("stop", "mosaic-hang@own.service"))


def check_two_hundred_in_one_batch(host: LocalHost) -> None:
    units = [f"mosaic-agent@many{number}.service" for number in range(200)]
    batch = _jobs("start", *units) + [(unit, SetEnabled(unit=unit, enabled=True)) for unit in units]
    assert all(result.ok for result in carry_out(host, batch, within_s=90).values())
    look = host.look()
    assert all(look.units()[unit].active == "active" for unit in units)
    assert look.enabled() >= set(units)
    batch = _jobs("stop", *units) + [(unit, SetEnabled(unit=unit, enabled=False)) for unit in units]
    assert all(result.ok for result in carry_out(host, batch, within_s=90).values())
    assert not host.look().enabled() & set(units)


def check_a_reload_reads_new_files(host: LocalHost) -> None:
    path = f"{host.facts.unit_dir}/mosaic-new.service"
    text = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n"
    assert carry_out(host, [("write", WriteFile(path=path, content=text, mode=0o644))])["write"].ok
    results = carry_out(host, [("one", DaemonReload()), ("two", DaemonReload())])
    assert results["one"].ok
    assert results["two"].ok
    assert carry_out(host, _jobs("start", "mosaic-new.service"))["start mosaic-new.service"].ok


def check_changes_wake_a_subscriber(host: LocalHost) -> None:
    systemd = host.systemd
    systemd.subscribe()
    host.look().units()
    systemd.drain()
    assert not systemd.drain(), "nothing changes in between"
    scope = "mosaic-pane-wake:1.scope"
    argv = ("systemd-run", "--user", "--scope", "--quiet", "--collect", f"--unit={scope}", "/bin/true")
    command(*argv)
    wait_readable(host)
    eventually(systemd.drain, what="a word about the scope")
    eventually(lambda: scope not in host.look().units(), what="the scope's end")
    command("systemctl", "--user", "start", "mosaic-agent@wake.service")
    eventually(systemd.drain, what="a word about the start")
    command("systemctl", "--user", "stop", "mosaic-agent@wake.service")
    eventually(systemd.drain, what="a word about the stop")


def check_our_own_service_does_not_wake_us(host: LocalHost) -> None:
    systemd = host.systemd
    systemd.subscribe()
    host.look().units()
    command("systemd-run", "--user", "--quiet", "--wait", "--unit=mosaic-reconcile-watch.service", "/bin/true")
    command("systemd-run", "--user", "--quiet", "--wait", "--unit=other.service", "/bin/true")
    wait_readable(host)
    host.look().units()  # comes after every signal so far
    assert not systemd.drain()
