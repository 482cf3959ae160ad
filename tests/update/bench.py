"""A real folder, the real steps, and no reconciler between them: what a reseed does to files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

from providers.base import Action, Kind, Present, Reason, ResourceKey, Verb
from providers.filesystem import files
from providers.host import FileState
from providers.kinds import reseed
from providers.kinds.reseed import ReseedProvider
from providers.machine.local_host import LocalHost
from providers.shipped.release import Release
from providers.steps import Step
from reconciler.model import Held, Inventory, Observation
from reconciler.plan.diff import diff
from reconciler.plan.draft import Draft
from reconciler.plan.reseed import plan_reseed
from tests.strategies import make_fleet
from tests.world import FACTS

FLEET = make_fleet()
OLD = Release(
    version="0.0.1",
    files={
        "AGENTS.md": "# Dispatcher\n\nold\n",
        "STANDARDS.md": "# Standards\n\n- one\n",
        "guides/delivery.md": "old delivery\n",
        "guides/gone.md": "no longer shipped\n",
        "runtime/pi/RUNTIME.md": "old pi\n",
        "runtime/stub/RUNTIME.md": "no longer shipped\n",
    },
    seeds={"SOUL.md": "who\n"},
)
NEW = Release(
    version="0.1.0",
    files={
        "AGENTS.md": "# Dispatcher\n\nnew\n",
        "CONSTITUTION.md": "# Constitution\n",
        "STANDARDS.md": "# Standards\n\n- one\n- two\n",
        "guides/delivery.md": "new delivery\n",
        "guides/review.md": "new review\n",
        "runtime/pi/RUNTIME.md": "new pi\n",
    },
    seeds={"SOUL.md": "who\n", "USER.md": "whom\n"},
)
KEPT = "AGENTS.md.pre-constitution.bak"


class Killed(BaseException):
    """The reconciler ends here."""


class Bench:
    """`home` is $MOSAIC_HOME."""

    def __init__(self, folder: Path, shipped: Release = NEW) -> None:
        self.home = folder / "mosaic"
        self.facts = replace(FACTS, mosaic_home=str(self.home), state_home=str(folder / "state"))
        self.provider = ReseedProvider(shipped)
        self.held: list[Held] = []

    def put(self, name: str, content: str | bytes, mode: int = 0o644) -> None:
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(mode)

    def read(self, name: str) -> str:
        return (self.home / name).read_text(encoding="utf-8")

    def look(self) -> tuple[Action, Present | None] | None:
        """The action that is due, or None."""
        host = LocalHost({}, facts=self.facts)
        seen = self.provider.observe(host.look(), FLEET, self.facts)
        host.close()
        observation = Observation(present=seen, unknown={}, taken_at=0.0, digest="")
        changes = diff(self.provider.desired(FLEET, self.facts), observation, Inventory(), FLEET)
        draft = Draft(now=0.0)
        plan_reseed(draft, changes, seen.get(reseed.KEY))
        self.held = draft.held
        return next(((action, seen.get(reseed.KEY)) for action in draft.actions.values()), None)

    def steps(self) -> tuple[Step, ...]:
        due = self.look()
        return self.provider.steps(due[0], self.facts) if due is not None else ()

    def run(self, kill_at: int = -1, how: Literal["before", "after"] = "before") -> int:
        """One pass: how many steps it took. Raises Killed, and AssertionError for a step that fails."""
        steps = self.steps()
        for number, step in enumerate(steps):
            if number == kill_at and how == "before":
                raise Killed
            assert (refused := self.carry_out(step)) == [], refused
            if number == kill_at:
                raise Killed
        return len(steps)

    def carry_out(self, *steps: Step) -> list[str]:
        """All at once, as independent ones; what failed, by its command."""
        host = LocalHost({}, facts=self.facts)
        host.begin([(step.command, step) for step in steps])
        failed = [f"{name}: {result.error}" for name, result in host.completed(30.0) if not result.ok]
        host.close()
        return failed

    def converge(self) -> int:
        """Until nothing is due: how many passes acted."""
        for passes in range(5):
            if not self.run():
                return passes
        raise AssertionError(f"still due: {[step.command for step in self.steps()]}")

    def everything(self) -> Mapping[str, bytes | str]:
        """Every file's bytes, every link's target, by path."""
        found: dict[str, bytes | str] = {}
        for folder, folders, names in os.walk(self.home):
            for name in [*names, *folders]:
                path = Path(folder, name)
                if path.is_symlink():
                    found[str(path.relative_to(self.home))] = f"-> {path.readlink()}"
                elif path.is_file():
                    found[str(path.relative_to(self.home))] = path.read_bytes()
        return found


def install(bench: Bench, shipped: Release) -> None:
    """What an earlier version has left."""
    earlier = Bench(bench.home.parent, shipped)
    # Seen by its own version: a manifest of a newer one would be held.
    earlier.converge()


def state(bench: Bench, name: str) -> FileState | None:
    return files.state(str(bench.home / name))


def reason(action: Action) -> Reason:
    assert (action.key, action.verb) == (ResourceKey(Kind.RESEED, "framework"), Verb.RESEED)
    return action.reason
