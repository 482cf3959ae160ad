"""The conversation record: what is read of it, and of what a crash leaves."""

from __future__ import annotations

import pytest

from providers.launch.conversations import StartRequest, parse, reset_line

ONE = "11111111-1111-4111-8111-111111111111"
TWO = "22222222-2222-4222-8222-222222222222"


def line(kind: str, **values: object) -> str:
    names = {"agent_class": "class"}
    return "\n" + "\t".join([kind, *(f"{names.get(key, key)}={value}" for key, value in values.items())]) + "\n"


def start(life: str, at: int, how: str = "new", session: str = "", **more: object) -> str:
    said = {"program": "claude", "agent_class": "coder", "dir": "/a b", "how": how, "id": session, **more}
    return line("start", at=at, life=life, **said)


def test_a_life_that_is_gone_on_with_and_a_reset_in_its_pane() -> None:
    record = parse(
        start("1.1", 10, session=ONE, reason="first", source="given")
        + line("id", at=11, life="1.1", id=ONE, source="hook", said=1, file="/s/one.jsonl")
        + line("end", at=15, life="1.1", status="", signal=9)
        + start("2.2", 20, "resumed", ONE)
        + line("id", at=30, life="2.2", id=TWO, source="hook")
    )
    assert [(one.how, one.reason, one.status, one.signal) for one in record.starts] == [
        ("new", "first", None, 9),
        ("resumed", "", None, None),
    ]
    first, second = record.conversations
    assert (first.session, first.source, first.life, first.started, first.last) == (ONE, "given", "2.2", 10, 20)
    assert (first.file, first.directory, first.said, first.how) == ("/s/one.jsonl", "/a b", True, "new")
    assert (second.session, second.source, second.program, second.said) == (TWO, "hook", "claude", False)
    assert record.current == TWO
    assert record.last_start == record.starts[1]


def test_a_turn_that_had_not_ended_and_the_contract_in_force() -> None:
    plain, told = parse(start("1.1", 10) + start("2.2", 20, "resumed", ONE, turn="open", mission="0123456789ab")).starts
    assert (plain.interrupted, plain.mission) == (False, "")
    assert (told.interrupted, told.mission) == (True, "0123456789ab")


def test_a_reset_is_of_its_own_life_only() -> None:
    record = start("1.1", 10, "resumed", ONE)
    assert parse(record + reset_line("9.9", 20.7)).current == ONE
    assert parse(record + reset_line("1.1", 20.7)).current == ""
    named = line("id", at=21, life="1.1", id=TWO)
    assert parse(record + named + reset_line("1.1", 20.7)).current == TWO  # it was quicker than whoever recorded it
    assert parse(record + reset_line("1.1", 20.7) + line("id", at=30, life="1.1", id=TWO)).current == TWO


def test_a_late_report_of_an_earlier_life_is_not_the_current_one() -> None:
    late = line("id", at=30, life="1.1", id=ONE, source="hook")
    record = parse(start("1.1", 10) + start("2.2", 20, session=TWO) + late)
    assert record.current == TWO
    assert [one.session for one in record.conversations] == [TWO, ONE]


def test_what_a_crash_has_cut_short_is_passed_over() -> None:
    whole = start("1.1", 10, session=ONE)
    for cut in range(1, len(whole)):
        record = parse(whole[:cut] + start("2.2", 20, session=TWO))
        assert record.current == TWO
        assert record.starts[-1].life == "2.2"
    assert parse("\0\0\0\nstart\nid\tat=x\tlife=1.1\nother\tat=1\tlife=1.1\n").unread == 4
    assert parse("") == parse("\n\n")


def test_a_request_is_one_line_of_plain_words() -> None:
    assert StartRequest(nonce="7").render() == "7 fresh"
    assert StartRequest(nonce="7", reason="locked").render() == "7 fresh locked"
    assert StartRequest(nonce="7", reason="locked", life="2.2").render() == "7 after 2.2 fresh locked"
    assert StartRequest(nonce="7", session=ONE).render() == f"7 session {ONE}"
    with pytest.raises(ValueError, match="not one plain word"):
        StartRequest(nonce="7", session="a b").render()
