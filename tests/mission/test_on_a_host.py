"""The mission on a real host, with commits: it comes, is put back, changes and goes, and no agent notices."""

from __future__ import annotations

from specs.mission.projection import MARK
from tests.hosts.private import PrivateHost
from tests.scenarios.fleet import Fleet

STAR = "version: 1\nmission: %s\n"


def test_the_mission_follows_the_commits(private_host: PrivateHost) -> None:
    fleet = Fleet(private_host)
    path = f"{fleet.mosaic}/fleet/NORTH_STAR.md"
    target = f"projection:{path}"

    def mission() -> str:
        return fleet.sh(f"cat {path}")

    fleet.declare("a")
    assert not any(target in one for one in fleet.converge().done)
    before = fleet.up("a")
    fleet.commit(raw={"NORTH_STAR.yaml": STAR % "Find out."})
    run = fleet.converge()
    assert f"project:{target}" in run.done
    assert run.disruptive == []
    assert mission().startswith(MARK)
    assert mission().endswith("\nFind out.\n")

    fleet.sh(f"echo mine >> {path}; chmod 666 {path}")
    run = fleet.converge()
    assert [one["reason"] for one in run.document["actions"] if target in one["id"]] == ["drifted-on-host"]
    assert "mine" not in mission()
    assert fleet.sh(f"stat -c %a {path}").strip() == "644"

    fleet.commit(raw={"NORTH_STAR.yaml": STAR % "Build it."})
    run = fleet.converge()
    assert [one["reason"] for one in run.document["actions"] if target in one["id"]] == ["spec-changed"]
    assert mission().endswith("\nBuild it.\n")
    assert not any(target in one for one in fleet.converge().done)

    fleet.sh(f"rm {fleet.repo}/NORTH_STAR.yaml")
    fleet.commit()
    assert f"delete:{target}" in fleet.converge().done
    assert fleet.sh(f"ls {path} 2>&1 || true").endswith("No such file or directory\n")
    assert fleet.up("a") == before
