"""What needs a person on the fleet's other hosts, asked over ssh at the same time; a host that does not answer says
why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from reconciler.attention.document import case_from_document
from reconciler.errors import Unavailable
from reconciler.helpers.sealed_json import Damaged
from reconciler.remote.all_hosts import ask_all
from reconciler.remote.ssh import Asking, Remote, RemoteAnswer
from specs.dataclass import dataclass, field

if TYPE_CHECKING:
    from providers.base import Json, Parsed
    from specs.compiled import Fleet


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionElsewhere:
    """Cases and failing notifiers as their hosts' documents have them, each with its `host`; and the hosts that gave no
    answer, with the reason."""

    cases: tuple[dict[str, Json], ...] = ()
    failing: tuple[dict[str, Json], ...] = ()
    silent: Mapping[str, str] = field(default_factory=dict)


def attention_of(fleet: Fleet) -> AttentionElsewhere:
    """What needs a person on every other host of the fleet. Raises nothing: a host that is not reached is silent."""
    words = ["fleet", "attention", "--fleet", fleet.name, "-o", "json"]
    found, silent = ask_all(fleet.peers, words, _document)

    def all_of(key: str) -> tuple[dict[str, Json], ...]:
        return tuple({**one, "host": host} for host, document in found.items() for one in document[key])

    return AttentionElsewhere(cases=all_of("cases"), failing=all_of("failing"), silent=silent)


def _document(host: str, asking: Asking, answer: RemoteAnswer) -> Mapping[str, Parsed]:
    """Raises MosaicError for what is not a list of cases."""
    document = answer.document
    if document is None or document.get("kind") != "AttentionList":
        raise Remote(asking.there, answer)
    try:
        for one in document["cases"]:
            case_from_document(one)
            if not isinstance(one["age_s"], int | float) or not isinstance(one["notified"], list):
                raise Damaged("an age or a list is missing")
        if not all(isinstance(one[key], str) for one in document["failing"] for key in ("notifier", "since", "error")):
            raise Damaged("a notifier makes no sense")
    except (Damaged, KeyError, TypeError) as error:
        raise Unavailable(
            f"{host} gave an answer that is not understood", help="is the same version installed there?"
        ) from error
    return document
