"""`notify` in fleet.yaml: what may be written, and what is said of the rest."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from specs.models.fleet import FleetSpec
from specs.models.notify import Notify


def rules(*written: Any) -> tuple[Notify, ...]:
    return FleetSpec.model_validate({"notify": written}).notify


def test_one_notifier_needs_no_list() -> None:
    spec = FleetSpec.model_validate(
        {"notify": {"command": ("/opt/page", "--team", "ops"), "quiet_hours": "22:00-07:30"}}
    )
    (one,) = spec.notify
    assert (one.shown_name, one.after, one.repeat, one.timeout) == ("page", 30.0, None, 10.0)
    assert one.quiet_hours == (22 * 60, 7 * 60 + 30)


def test_each_has_a_name() -> None:
    found = rules(
        {"use": "desktop"}, {"use": "bell", "name": "ding"}, {"use": "email", "to": "ops"}, {"command": "page x"}
    )
    assert [one.shown_name for one in found] == ["desktop", "ding", "email", "page"]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({}, "needs either `command` or `use`"),
        ({"use": "desktop", "command": ("x",)}, "needs either `command` or `use`"),
        ({"use": "email"}, "needs `to` with `use: email`"),
        ({"use": "bell", "to": "ops"}, "needs `to` with `use: email`"),
        ({"use": "email", "to": "-oQ/tmp"}, "must be one mail address"),
        ({"use": "email", "to": "a, b"}, "must be one mail address"),
        ({"use": "email", "to": "a\nBcc: b"}, "must be one mail address"),
        ({"use": "chat"}, "desktop"),
        ({"use": "bell", "kinds": ("permision",)}, "permission"),
        ({"use": "bell", "repeat": "1s"}, "more often than each minute"),
        ({"use": "bell", "timeout": "5m"}, "longer than a minute"),
        ({"use": "bell", "after": "soon"}, "must be a duration"),
        ({"use": "bell", "quiet_hours": "22-7"}, "must be hours such as"),
        ({"use": "bell", "quiet_hours": "24:00-07:00"}, "must be hours such as"),
        ({"use": "bell", "quiet_hours": "07:00-07:00"}, "must not begin when they end"),
        ({"command": ("x\n",)}, "control characters"),
        ({"command": ()}, "must not be empty"),
        ({"use": "bell", "tone": "low"}, "Extra inputs"),
    ],
)  # fmt: skip
def test_what_may_not_be_written(written: Any, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        rules(written)


def test_two_of_one_name() -> None:
    with pytest.raises(ValidationError, match="two notifiers named page"):
        rules({"command": ("/a/page",)}, {"command": ("/b/page",)})
