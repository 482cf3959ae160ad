"""The pages say of the source what the program does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from providers.launch.environment import holder_path
from reconciler.context.bindings import must_be_alone
from reconciler.errors import (
    HistoryCut,
    InvalidConfig,
    MosaicError,
    Refused,
    Rewound,
    SourceBusy,
    Unavailable,
    Unverified,
)
from reconciler.git.error_text import PROTOCOLS
from reconciler.git.links import inside
from reconciler.git.location import parse_place
from reconciler.git.refs import UNDER_WAY
from reconciler.model import Inventory, Owned
from reconciler.state.store import Store
from reconciler.status.assess import why_rejected
from reconciler.status.conditions import ConditionReason
from tests.docs.pages import page
from tests.world import FACTS


def text(name: str) -> str:
    return " ".join(page(name).path.read_text().split())


def row(reason: str) -> str:
    """What the page of the conditions says of a reason of the source."""
    lines = page("docs/conditions.md").path.read_text().splitlines()
    return next(line for line in lines if line.startswith(f"| `{reason}` |"))


def test_the_protocols() -> None:
    change = text("docs/how-a-change-reaches-a-host.md")
    first, second, third = PROTOCOLS
    assert (
        f"{first}, {second} and {third} are the only protocols; a source with another one is refused (exit code 5)"
        in change
    )
    for name in ("http", "git", "ftp", "ext", "git+ssh"):
        with pytest.raises(Refused, match="is not allowed") as caught:
            parse_place(f"{name}://host.invalid/x")
        assert caught.value.exit_code == 5
    for name in PROTOCOLS:
        parse_place(f"{name}:///x" if name == "file" else f"{name}://host.invalid/x")


def test_a_link(tmp_path: Path) -> None:
    change = text("docs/how-a-change-reaches-a-host.md")
    assert "A spec file may be a symbolic link to another file of the same commit" in change
    assert "the commit is not taken, with `InvalidConfiguration` and exit code 5" in change
    (tmp_path / "live.yaml").write_text("x")
    (tmp_path / "roster.yaml").symlink_to("live.yaml")
    assert inside(tmp_path, "roster.yaml") == "live.yaml"
    (tmp_path / "fleet.yaml").symlink_to(tmp_path / "live.yaml")
    with pytest.raises(Refused, match="leaves the repository") as caught:
        inside(tmp_path, "fleet.yaml")
    assert caught.value.exit_code == 5
    assert why_rejected(caught.value) is ConditionReason.INVALID_CONFIGURATION
    assert "link that leaves the repository" in row("InvalidConfiguration")
    assert "link" not in row("VerificationFailed")


@pytest.mark.parametrize(
    ("error", "reason", "words"),
    [
        (Unverified("x"), "VerificationFailed", ("not signed", "ledger")),
        (Rewound("x"), "NotADescendant", ("--allow-rewind",)),
        (HistoryCut("x"), "HistoryCut", ("cut its history", "--unshallow")),
        (SourceBusy("x"), "SourceBusy", ("rebase", "merge", "cherry-pick", "revert", "git am", "bisection")),
        (InvalidConfig("x"), "InvalidConfiguration", ("does not load",)),
        (Unavailable("x"), "SourceUnreachable", ("could not be read",)),
    ],
)
def test_why_a_commit_is_not_in_force(error: MosaicError, reason: str, words: tuple[str, ...]) -> None:
    assert why_rejected(error) == reason
    assert [word for word in words if word not in row(reason)] == []


def test_everything_that_git_may_have_half_done_is_on_the_pages() -> None:
    said = " ".join(what for what, _ in UNDER_WAY.values())
    for word in ("rebase", "merge", "cherry-pick", "revert", "git am", "bisection"):
        assert word in said
        assert word in text("docs/how-a-change-reaches-a-host.md")
        assert word in text("docs/recover.md")


def test_sentences_that_recover_quotes() -> None:
    recover = text("docs/recover.md")
    code = (
        " ".join(path.read_text() for path in Path("reconciler").rglob("*.py"))
        + Path("providers/filesystem/guarded_read.py").read_text()
    )
    for quoted in (
        "our copy of the repository was damaged and has been fetched again",
        "the source has cut its history",
        "the settings of this host cannot be read",
        "the host key has CHANGED",
        "the host key is not known",
        "it could not be pushed",
        "is there, not a regular file",
    ):
        assert quoted in recover, quoted
        assert quoted in code, quoted


def test_a_second_fleet(tmp_path: Path) -> None:
    limits = text("docs/limits.md")
    assert "A user has one fleet on a host. A second one is refused while the first has agents there" in limits
    facts = replace(FACTS, mosaic_home=str(tmp_path / "mosaic"), state_home=str(tmp_path / "state"))
    settings = Path(holder_path(facts))
    settings.parent.mkdir(parents=True)
    settings.write_text("# mosaic-fleet: generated from git for the holder of fleet first; edits are undone\n")
    Store.open(facts, "first").save_inventory(Inventory(agents={"a": Owned(agent_class="worker", socket="s")}))
    must_be_alone("first", facts)
    with pytest.raises(Refused, match='fleet "first" runs here already'):
        must_be_alone("second", facts)
