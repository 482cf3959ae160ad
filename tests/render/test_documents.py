"""The documents: valid by their schemas, the same as the files in docs/, and without content or secrets."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from providers.base import Action, HeldReason, Kind, Reason, Verb
from providers.steps import Step, WriteFile
from reconciler.agents.sessions import AgentSession
from reconciler.cli.output import to_json, to_yaml
from reconciler.commands.schema import DOCUMENTS
from reconciler.git.log import HistoryLine
from reconciler.loop.result import RunResult
from reconciler.model import Outcome, Plan
from reconciler.render.fleet_files.roster_text import entries, roster_document
from reconciler.render.sessions_text import sessions_json
from reconciler.run.documents import plan_digest, plan_document, receipt_document, report_document, steps_by
from reconciler.schemas.registry import schema_of
from reconciler.status.assess import verdict
from reconciler.status.document import status_document
from reconciler.status.values import Pause
from specs.compiled import Peer, Suspension
from tests import builders as make
from tests.materials import parsed
from tests.strategies import make_agent, make_fleet

FACTS = make.facts("/home/ada")
STEPS = steps_by(make.REGISTRY, FACTS)
SCHEMAS = Path(__file__).parents[2] / "docs/schemas"
RECONCILER = Path(__file__).parents[2] / "reconciler"

FULL = make.plan(
    actions=(
        make.action(Verb.WRITE, None, id="write", target="/u/x.service", reason=Reason.FRAMEWORK),
        make.action(Verb.RESTART, reason=Reason.SPEC, disrupts=True, depends_on=("write",), changes=(make.change(),)),
    ),
    held=(make.held(), make.held(HeldReason.SUSPENDED, None, until=None)),
    unknown={Kind.LINGER: "hidden"},
    orphans=("unit mosaic-agent@old.service",),
    refused=("4 agents would be removed",),
    settling=("coder3",),
)
OUTCOMES = (make.outcome(), make.outcome(make.action(agent="coder1"), "failed", error="timeout"))


def result(plan: Plan = FULL, outcomes: tuple[Outcome, ...] = OUTCOMES) -> RunResult:
    word, code = verdict(plan, outcomes)
    return RunResult(
        plan=plan, outcomes=outcomes, outcome=word, exit_code=code, passes=2, started_at=make.NOW, duration_s=0.4123,
        status=make.status(plan=plan, outcomes=outcomes), registry=make.REGISTRY, facts=FACTS,
    )  # fmt: skip


def validate(which: str, document: Any) -> None:
    schema = schema_of(which)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(json.loads(to_json(document)))


@pytest.mark.parametrize("plan", [make.plan(), FULL, make.plan(paused="storm")])
def test_a_plan_fits_its_schema(plan: Plan) -> None:
    commit = HistoryLine(sha="b" * 40, subject="s", author="Ada <ada@example.org>", when="2025-11-20T03:16:00Z")
    with_commits = plan_document(plan, make.REGISTRY, FACTS, [commit])
    validate("plan", with_commits)
    plain = plan_document(plan, make.REGISTRY, FACTS)
    validate("plan", plain)
    assert with_commits["digest"] == plain["digest"]


@pytest.mark.parametrize(("plan", "outcomes"), [(make.plan(), ()), (FULL, OUTCOMES)])
def test_a_report_fits_its_schema(plan: Plan, outcomes: tuple[Outcome, ...]) -> None:
    validate("report", report_document(result(plan, outcomes), make.REGISTRY, FACTS))


def test_a_status_fits_its_schema() -> None:
    validate("status", status_document(make.status()))
    full = make.status(
        plan=FULL,
        outcomes=OUTCOMES,
        pause=Pause(reason="storm", by="ada", since=make.NOW),
        suspended={"coder0": Suspension(reason="r", by="b", until=None)},
        last_run=None,
    )
    validate("status", status_document(full))


@pytest.mark.parametrize("which", DOCUMENTS)
def test_the_schema_is_a_file_too(which: str) -> None:
    """If this fails: mosaic fleet schema WHICH > docs/schemas/WHICH.schema.json"""
    assert json.loads((SCHEMAS / f"{which}.schema.json").read_text()) == schema_of(which)


def test_a_roster_fits_its_schema() -> None:
    here = (make_agent("lead"), replace(make_agent("odd"), alias="Odd one", held="its model is no text"))
    peer = Peer(name="far", agent_class="worker", runtime="stub", state="stopped", host="build-2", model="small")
    declared = replace(make_fleet(*here), peers=(peer,))
    validate("agent-roster", roster_document(declared, entries(declared)))


def test_the_conversations_of_an_agent_fit_their_schema() -> None:
    known = AgentSession(id="s1", program="stub", directory="/srv", started=make.NOW - 9, last=make.NOW, size=7)
    heading = {"apiVersion": "mosaic.fleet/v1", "kind": "AgentSessions", "fleet": "f", "tenant_id": "t", "host": "h"}
    validate("agent-sessions", {**heading, "agent": "coder0", "sessions": sessions_json((known,))})


def test_every_kind_of_document_has_a_schema() -> None:
    """A receipt is written down for us alone, and never printed."""
    kinds = re.compile(r'"kind": "([A-Z]\w+)"|^KIND = "(\w+)"|_?head(?:ing)?\("([A-Z]\w+)",|_head\("([A-Z]\w+)"', re.M)
    code = [path.read_text() for path in RECONCILER.rglob("*.py") if not path.name.startswith("schemas")]
    printed = {word for text in code for found in kinds.findall(text) for word in found if word} - {"Receipt"}
    described = {parsed(schema_of(which))["properties"]["kind"]["const"] for which in DOCUMENTS if which != "event"}
    assert len(printed) > 10
    assert printed == described


def test_the_plan_says_what_the_contract_says() -> None:
    document = parsed(plan_document(FULL, make.REGISTRY, FACTS))
    assert document["apiVersion"] == "mosaic.fleet/v1"
    assert document["observed_at"] == "2025-11-20T03:16:00Z"
    assert document["actions"][1] == {
        "id": "restart:unit:coder0",
        "verb": "restart",
        "provider": "systemd",
        "target": "mosaic-agent@coder0.service",
        "agent": "coder0",
        "reason": "spec-changed",
        "disrupts": True,
        "depends_on": ["write"],
        "changes": [{"path": "model", "live": "opus", "desired": "sonnet"}],
        "steps": ["systemctl --user restart mosaic-agent@coder0.service"],
    }
    assert document["unknown"] == [{"kind": "linger", "name": None, "error": "hidden"}]
    assert document["summary"].keys() == {"create", "update", "remove", "heal", "held", "unchanged"}


def test_no_content_of_a_file_is_printed() -> None:
    for document in (
        plan_document(FULL, make.REGISTRY, FACTS),
        report_document(result(), make.REGISTRY, FACTS),
        receipt_document(make.status(), FULL, OUTCOMES, make.REGISTRY, FACTS),
    ):
        assert "not-for-anyone" not in to_json(document)


def test_the_digest_is_of_what_decides() -> None:
    digest = plan_digest(FULL, STEPS)
    assert plan_digest(replace(FULL, observed_at=make.NOW + 60, held=()), STEPS) == digest
    first = FULL.actions[0]
    others = [
        replace(FULL, revision="b" * 40),
        replace(FULL, observed_digest="other"),
        replace(FULL, host="other"),
        replace(FULL, actions=FULL.actions[:1]),
        replace(FULL, actions=(replace(first, reason=Reason.DRIFT), *FULL.actions[1:])),
        replace(FULL, actions=(replace(first, depends_on=("x",)), *FULL.actions[1:])),
        replace(FULL, actions=(first, replace(FULL.actions[1], changes=()))),
    ]
    assert len({digest, *(plan_digest(other, STEPS) for other in others)}) == len(others) + 1


def test_the_digest_is_of_the_content_too() -> None:
    def other(action: Action) -> list[Step]:
        return [replace(step, content="other") if isinstance(step, WriteFile) else step for step in STEPS(action)]

    assert plan_digest(FULL, other) != plan_digest(FULL, STEPS)


def test_a_receipt_says_what_was_done() -> None:
    document = parsed(receipt_document(make.status(), FULL, OUTCOMES, make.REGISTRY, FACTS))
    assert document["revision"] == make.SHA
    assert [one["result"] for one in document["actions"]] == ["done", "failed"]
    assert document["plan_digest"] == plan_digest(FULL, STEPS)
    assert document["trigger"] == "timer"


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-99, 99)
    | st.text(max_size=8)
    | st.sampled_from(["no", "1:30", "0x1", "~"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None)  # the machine may be busy
@given(st.dictionaries(st.text(max_size=4), VALUES, max_size=4))
def test_yaml_is_the_same_document(document: dict[str, Any]) -> None:
    text = to_yaml(document)
    assert text.isascii()
    for version in ((1, 1), (1, 2)):
        yaml = YAML(typ="safe", pure=True)
        yaml.version = version
        assert yaml.load(text) == document


def test_json_is_ascii_and_one_line_where_asked() -> None:
    text = to_json({"a": "\u00fc\x1b\n"}, one_line=True)
    assert text.isascii()
    assert "\n" not in text
