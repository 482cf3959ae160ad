"""An error reads: what, where, how to mend it."""

from __future__ import annotations

from textwrap import dedent

from specs.values.problems import WINDOW, SourceFile, Span, render_all, render_each
from tests.specs.helpers import agents, only, read, underlined

MISTAKES = (("coder0", "cluade"), ("coder1", "cluade"), ("lead", "cdoex"), ("coder2", "cluade"))


def test_the_layout_is_the_contracts() -> None:
    text = "version: 1\n\nagents:\n  - name: coder0\n    class: implementer\n" + "\n" * 8 + "    runtime: cluade\n"
    assert only(read(text), "unknown runtime").render() == dedent(
        """\
        error: unknown runtime "cluade" for agent "coder0"
          --> roster.yaml:14:14
           |
        14 |     runtime: cluade
           |              ^^^^^^ did you mean "claude"?
        help: runtimes known here: claude, codex, opencode, pi, stub; declare others under `runtimes:`"""
    )


def test_a_mistake_in_every_agent_is_one_error_with_its_lines() -> None:
    """Those of another kind, or with another word, stay apart."""
    entries = [f"  - name: {name}\n    runtime: {runtime}\n" for name, runtime in MISTAKES]
    loaded = read("version: 1\nagents:\n" + "".join(entries))
    assert len(loaded.problems) == 4
    first, other = render_each(loaded.problems)
    assert first == dedent(
        """\
        error: unknown runtime "cluade" for agent "coder0"
         --> roster.yaml:4:14
          |
        4 |     runtime: cluade
          |              ^^^^^^ did you mean "claude"?
        also: coder1 (line 6), coder2 (line 10)
        help: runtimes known here: claude, codex, opencode, pi, stub; declare others under `runtimes:`"""
    )
    assert other.startswith('error: unknown runtime "cdoex" for agent "lead"\n')
    assert "also" not in other
    assert render_all(loaded.problems) == f"{first}\n\n{other}"


def test_the_same_words_about_other_agents_stay_apart() -> None:
    entries = ("name: a, runtime: pi, depends_on: [x]", "name: b, runtime: pi, depends_on: [y]", "name: c, runtime: pi")
    assert len(render_each(read(agents(*entries)).problems)) == 2


def test_a_fleet_in_which_no_agent_is_valid_is_none() -> None:
    """One that is right is enough; one that is only remembered is not."""
    wrong = ("name: a, runtime: pie", "name: b, runtime: pie")
    loaded = read(agents(*wrong))
    assert (loaded.roster, loaded.errors_fatal, [*loaded.held]) == (None, loaded.problems, ["a", "b"])
    assert read(agents(*wrong, "name: c, runtime: pi, state: absent")).roster is None
    good = read(agents(*wrong, "name: c, runtime: pi, state: stopped"))
    assert good.roster is not None
    assert (good.errors_fatal, [*good.held]) == ((), ["a", "b"])


def test_a_warning_says_that_it_is_one() -> None:
    assert only(read(agents("name: a, runtime: pi, class: enhancr")), "class").render().startswith("warning: class")


def test_a_tab_in_the_line_keeps_the_caret_in_place() -> None:
    problem = only(read("version: 1\nagents: [{name: a,\truntime: zzz}]\n"), "unknown runtime")
    assert underlined(problem) == "zzz"
    assert "\t" not in problem.render()


def test_wide_characters_take_two_columns() -> None:
    source = SourceFile("roster.yaml", ["日本: x"])
    rows = source.problem(Span(1, 5, 1), "m").render().splitlines()
    assert rows[3].index("x") + 2 == rows[4].index("^")


def test_a_long_line_is_cut_around_the_caret() -> None:
    entry = f"name: a, runtime: pi, alias: {'x' * 3000}, state: runing, kickstart_template: {'y' * 3000}"
    problem = only(read(agents(entry)), "state")
    assert problem.column > 3000
    assert underlined(problem) == "runing"
    assert max(len(row) for row in problem.render().splitlines()) < WINDOW + 40


def test_a_place_outside_the_file_is_brought_inside() -> None:
    problem = SourceFile("roster.yaml", ["a"]).problem(Span(9, 9, 9), "m")
    assert (problem.line, problem.column, problem.width) == (1, 2, 1)


def test_control_characters_are_not_sent_to_the_terminal() -> None:
    rendered = only(read("version: 1\n# \x1b[2J\n"), "U+001B").render()
    assert "\x1b" not in rendered


def test_columns_count_characters_and_lines_count_every_kind_of_break() -> None:
    problem = only(read("version: 1\r\nagents:\r\n- {name: ä, runtime: pi}\r\n"), 'must not contain "ä"')
    assert (problem.line, problem.column) == (3, 10)
