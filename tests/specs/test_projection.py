"""NORTH_STAR.md: whatever an operator writes stays text, and stays where it belongs. A real Markdown parser judges."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from specs.mission.projection import MARK, flat, is_intact, is_projection, render
from specs.models.north_star import NorthStar
from specs.values.names import UNSAFE
from tests.mission.stars import unhurried
from tests.specs.helpers import ONE, compiled, read

# Everything that readers of Markdown do beyond CommonMark with what we use, so that none of it is let in.
MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])

TRAPS = (
    "|", "a|b", r"\|", "\\", r"\\|", "`", "``x`", "```", "# h", "## ", "#", "> q", "- x", "-", "---", "+ x", "* x",
    "***", "1. x", "1)", "12345678901. x", "===", "<b>", "<!--", "-->", "<https://x.y>", "[a](b)", "![a](b)", "[a]: b",
    "[x]", "&amp;", "&#124;", "&lt", "_a_", "__a__", "a_b", "~~a~~", "~", "**", "https://x.y/_a", "www.x.y/~b",
    "a@b.c_", "\n", "\n\n", "\n- x", "\n# x", "\n| --- |", "\n---", "\r\n", "\t", "    code", " ", "\u00a0", "\u3000",
    "\u200b", "\u2603", "| a | b |\n| - | - |", ":", ":---:", ": x", "$x$", "!", "(c)", "  \n", "\\\n", "x\\", "|\\",
    "\\`", "é", "\U0001f600",
)  # fmt: skip


def pieces(*, lines: bool) -> st.SearchStrategy[str]:
    """Text as the loader lets it through, rich in what has a meaning in Markdown. What it would refuse is taken out."""

    def allowed(parts: list[str]) -> str:
        kept = "".join(char for char in "".join(parts) if (char in "\n\t\r" and not lines) or not UNSAFE.search(char))
        return kept if (kept if lines else kept.strip()) else "x"

    return st.lists(st.one_of(st.sampled_from(TRAPS), st.text(max_size=6)), max_size=4).map(allowed)


LINE, TEXT = pieces(lines=True), pieces(lines=False)


@st.composite
def stars(draw: st.DrawFn) -> dict[str, Any]:
    """What may be written. Ids need not fit together: rendering does not depend on it."""
    ids = st.tuples(LINE, st.integers(0, 9)).map(lambda pair: f"{pair[0]}{pair[1]}")
    said = st.fixed_dictionaries({"id": LINE, "text": TEXT})
    goal = st.fixed_dictionaries(
        {"id": ids, "title": LINE},
        optional={
            "phase": st.integers(0, 9),
            "priority": LINE,
            "depends_on": st.lists(LINE, max_size=3).map(tuple),
            "workstream": LINE,
            "serves": st.lists(LINE, max_size=2).map(tuple),
            "state": st.sampled_from(("open", "done")),
        },
    )
    whole = st.fixed_dictionaries(
        {"version": st.just(1), "mission": TEXT},
        optional={
            "substrate": st.one_of(TEXT, TEXT.map(lambda text: {"note": text})),
            "standing_objectives": st.lists(said, max_size=3).map(tuple),
            "success_criteria": st.lists(said, max_size=3).map(tuple),
            "workstreams": st.lists(st.fixed_dictionaries({"id": LINE, "title": LINE}), max_size=3).map(tuple),
            "goals": st.lists(goal, max_size=4).map(tuple),
            "assumptions": st.lists(
                st.fixed_dictionaries({"id": LINE, "text": TEXT}, optional={"vetoable": st.booleans()}), max_size=3
            ).map(tuple),
            "spend": st.fixed_dictionaries({}, optional={"advisory": st.booleans(), "note": TEXT}),
        },
    )
    found: dict[str, Any] = draw(whole)
    return found


def plain(token: Token) -> str:
    """The text of an inline token. Bold is ours; anything else would be the operator's text taken for Markdown."""
    allowed = {"text", "text_special", "strong_open", "strong_close"}
    assert {child.type for child in token.children or ()} <= allowed, token.content
    return "".join(child.content for child in token.children or ())


def outline(markdown: str) -> list[tuple[str, Any]]:
    """The document as a reader sees it: headings, paragraphs, list items, and tables as rows of cells."""
    found: list[tuple[str, Any]] = []
    inside: list[str] = []
    for token in MARKDOWN.parse(markdown):
        if token.type == "tr_open":
            if inside[-1] == "thead":
                found.append(("table", []))
            found[-1][1].append([])
        if token.nesting == 1:
            inside.append(token.tag)
        elif token.nesting == -1:
            inside.pop()
        elif token.type == "inline":
            text = plain(token)
            if "table" in inside:
                found[-1][1][-1].append(text)
            else:
                found.append((inside[0] if inside[0] != "ul" else "li", text))
        else:
            found.append((token.type, token.content))
    return found


def expected(star: NorthStar) -> list[tuple[str, Any]]:
    """What `outline` has to show, written down without any of the code that is tried here."""

    def parts(text: str) -> list[tuple[str, Any]]:
        lines = re.sub(r"\r\n?", "\n", text)
        return [("p", flat(part)) for part in re.split(r"\n[ \t]*\n", lines) if part.strip()]

    def item(id_: str, text: str, mark: str = "") -> tuple[str, str]:
        return ("li", f"{flat(id_)}{mark}: {flat(text)}" if id_.strip() else f"{flat(text)}{mark}")

    def row(*cells: str) -> list[str]:
        return [flat(one) or "-" for one in cells]

    found: list[tuple[str, Any]] = [("h1", "North star"), ("h2", "Mission")]
    found += parts(star.mission)
    if star.substrate is not None:
        found += [("h2", "Substrate"), *parts(star.substrate.note)]
    if star.standing_objectives:
        found += [("h2", "Standing objectives"), *(item(one.id, one.text) for one in star.standing_objectives)]
    if star.success_criteria:
        found += [("h2", "Success criteria"), *(item(one.id, one.text) for one in star.success_criteria)]
    if star.workstreams:
        rows = [["Workstream", "Title"], *(row(one.id, one.title) for one in star.workstreams)]
        found += [("h2", "Workstreams"), ("table", rows)]
    if star.goals:
        head = ["Goal", "Title", "Phase", "Priority", "Depends on", "Workstream"]
        head += ["Serves"] * any(goal.serves for goal in star.goals)
        head += ["State"] * any(goal.state == "done" for goal in star.goals)
        rows = [head]
        streams = star.workstream_of()
        for goal in star.goals:
            cells = {
                "Goal": goal.id, "Title": goal.title, "Phase": "" if goal.phase is None else str(goal.phase),
                "Priority": goal.priority or "", "Depends on": ", ".join(goal.depends_on),
                "Workstream": streams.get(goal.id, ""), "Serves": ", ".join(goal.serves), "State": goal.state,
            }  # fmt: skip
            rows.append(row(*(cells[name] for name in head)))
        found += [("h2", "Goals"), ("table", rows)]
    if star.assumptions:
        marks = (item(one.id, one.text, " (may be vetoed)" * one.vetoable) for one in star.assumptions)
        found += [("h2", "Assumptions"), *marks]
    if star.spend is not None:
        advisory = "Advisory: it stops nothing." if star.spend.advisory else "A limit, not only advice."
        found += [("h2", "Spend"), ("p", advisory), *parts(star.spend.note or "")]
    return found


def everywhere(text: str) -> dict[str, Any]:
    line = flat(text) or "x"
    said = ({"id": line, "text": text},)
    goals = ({"id": line, "title": line, "priority": line, "depends_on": (line, line), "serves": (line,)},)
    return {
        "version": 1, "mission": text, "substrate": text, "standing_objectives": said, "success_criteria": said,
        "workstreams": ({"id": line, "title": line},), "goals": goals, "assumptions": said, "spend": {"note": text},
    }  # fmt: skip


@unhurried
@given(stars())
@example(everywhere("1. first | `second` | <b>third</b> &amp; [link](http://x_.y) \\| # **x**"))
@example(everywhere("| a | b |\n| --- | --- |\n| c | d |"))
@example(everywhere("- - -\n\n***\n\n> q\n\n    code\n\n```\nx\n```"))
def test_what_was_written_is_read_back_and_nothing_else(written: dict[str, Any]) -> None:
    star = NorthStar.model_validate(written)
    (_, head), *rest = outline(render(star))
    assert head.startswith(MARK)
    assert rest == expected(star)


def test_every_trap_alone_everywhere() -> None:
    for trap in TRAPS:
        if trap.strip():
            star = NorthStar.model_validate(everywhere(trap))
            assert outline(render(star))[1:] == expected(star), trap


def shuffled(value: Any, draw: st.DataObject) -> Any:
    """The same, with the keys of every mapping in another order. The order of lists means something and is kept."""
    if isinstance(value, dict):
        return {key: shuffled(value[key], draw) for key in draw.draw(st.permutations(sorted(value)))}
    if isinstance(value, tuple):
        return tuple(shuffled(one, draw) for one in value)
    return value


@unhurried
@given(stars(), st.data())
def test_the_order_of_keys_does_not_matter(written: dict[str, Any], data: st.DataObject) -> None:
    again = shuffled(written, data)
    assert render(NorthStar.model_validate(again)) == render(NorthStar.model_validate(written))


def test_the_text_says_what_it_is_made_of() -> None:
    text = render(NorthStar.model_validate({"version": 1, "mission": "x"}))
    head, rest = text.split("\n", 1)
    assert rest == "\n# North star\n\n## Mission\n\nx\n"
    assert "NORTH_STAR.yaml" in head
    assert is_projection(text)
    assert not is_projection(rest)


@unhurried
@given(stars())
def test_an_edit_by_hand_can_be_told(written: dict[str, Any]) -> None:
    text = render(NorthStar.model_validate(written))
    assert is_intact(text)
    assert not is_intact(text + "\n")
    assert not is_intact(text.replace("# North", "# South", 1))
    assert not is_intact("")


def test_a_compiled_fleet_has_its_mission_as_text() -> None:
    fleet = compiled(read(ONE, star="version: 1\nmission: Find | out.\n"))
    assert fleet.mission.startswith(MARK)
    assert "\nFind | out.\n" in fleet.mission
    assert compiled(read(ONE)).mission == ""


def test_as_json_the_mission_survives() -> None:
    from specs.compiled import fleet_from_json, fleet_to_json

    fleet = compiled(read(ONE, star="version: 1\nmission: \u2603\n"))
    assert fleet_from_json(json.loads(json.dumps(fleet_to_json(fleet)))) == fleet
