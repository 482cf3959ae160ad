"""Valid files, damaged in every way that editors, merges and disks damage them: never a traceback, never a hang."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from specs.fleet_files import FILES
from specs.loading.load import LoadResult, load
from specs.values.problems import render_all
from tests.specs.helpers import compiled
from tests.specs.test_compile import FLEET, FULL

EXAMPLE = Path(__file__).parents[2] / "examples" / "fleets" / "coding"
SECRET = "gh" + "p_" + "Zx9" * 12
VALID: tuple[dict[str, bytes], ...] = (
    {file: (EXAMPLE / file).read_bytes() for file in FILES},
    {"roster.yaml": FULL.encode(), "fleet.yaml": FLEET.encode()},
)
TOKENS = (
    *("- ", ": ", "? ", "&a ", "*a", "<<: *a", "!!str ", "!x ", "|", ">", "[", "]", "{", "}", ",", "#", "'", '"', "\\"),
    *(
        "---\n",
        "...\n",
        "%YAML 1.1\n",
        "\t",
        "\r",
        "\n",
        "\x00",
        "\x85",
        "\ufeff",
        "\u2028",
        "\U0001f600",
        "`",
        "@",
        "=",
    ),
    *(
        "~",
        "null",
        "yes",
        "1e999",
        "0x",
        "9" * 30,
        ".inf",
        ".nan",
        "name:",
        "agents:",
        "\n  - ",
        "\n    name: x",
        " " * 50,
    ),
    *("depends_on: [lead]", "class: enhancr", SECRET, "API_KEY: hunter2"),
)
QUIET = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


def check(files: dict[str, bytes]) -> LoadResult:
    """What must be true of any input whatever."""
    loaded = load(files)
    assert (loaded.roster is None) == bool(loaded.errors_fatal)
    assert loaded.ok == all(problem.severity == "warning" for problem in loaded.problems)
    for problem in loaded.problems:
        lines = problem.render().split("\n")
        assert problem.message
        assert problem.line >= 1
        assert problem.column >= 1
        assert all(line.isprintable() for line in lines), lines
        assert SECRET not in problem.render()
    assert SECRET not in render_all(loaded.problems)
    if loaded.roster is not None:
        fleet = compiled(loaded)
        names = [agent.name for agent in fleet.agents]
        assert len(set(names)) == len(names)
        assert set(loaded.held) == {agent.name for agent in fleet.agents if agent.held} | {
            name for name, spec in loaded.held_specs.items() if spec.host not in (None, "here")
        }
        for agent in fleet.agents:
            assert agent.held or agent.argv
            words = (agent.working_directory, *agent.argv, *(value.literal or "" for _, value in agent.env))
            assert not any(set(word) & set("\n\r\x00") for word in words)
    return loaded


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, bytes]:
    files = dict(draw(st.sampled_from(VALID)))
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from(sorted(files)))
        raw = files[name]
        files[name] = draw(st.sampled_from((_flip, _insert, _truncate, _lines)))(draw, raw)
    return files


def _flip(draw: st.DrawFn, raw: bytes) -> bytes:
    place = draw(st.integers(0, max(0, len(raw) - 1)))
    return raw[:place] + bytes([draw(st.integers(0, 255))]) + raw[place + 1 :]


def _insert(draw: st.DrawFn, raw: bytes) -> bytes:
    text = raw.decode(errors="replace")
    place = draw(st.integers(0, len(text)))
    return (text[:place] + draw(st.sampled_from(TOKENS)) + text[place:]).encode()


def _truncate(draw: st.DrawFn, raw: bytes) -> bytes:
    return raw[: draw(st.integers(0, len(raw)))]


def _lines(draw: st.DrawFn, raw: bytes) -> bytes:
    lines = raw.splitlines(keepends=True)
    if not lines:
        return raw
    here, there = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, len(lines) - 1))
    match draw(st.sampled_from(("delete", "repeat", "swap", "indent"))):
        case "delete":
            del lines[here]
        case "repeat":
            lines.insert(there, lines[here])
        case "swap":
            lines[here], lines[there] = lines[there], lines[here]
        case _:
            lines[here] = b"  " + lines[here]
    return b"".join(lines)


@QUIET
@given(damaged())
def test_damaged_files_are_explained(files: dict[str, bytes]) -> None:
    check(files)


@QUIET
@given(st.dictionaries(st.sampled_from(FILES), st.binary(max_size=300)))
def test_any_bytes_are_explained(files: dict[str, bytes]) -> None:
    assert check(files).problems


@QUIET
@given(st.lists(st.one_of(st.sampled_from(TOKENS), st.text(max_size=5)), max_size=40).map("".join))
def test_any_text_of_yaml_pieces_is_explained(text: str) -> None:
    check({"roster.yaml": text.encode(errors="surrogatepass"), "fleet.yaml": text.encode(errors="surrogatepass")})


VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=8),
        st.sampled_from(("claude", "lead", "~", "15s")),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
    max_leaves=8,
)
KEYS = st.sampled_from(
    (
        "name",
        "runtime",
        "class",
        "state",
        "env",
        "depends_on",
        "command",
        "resources",
        "host",
        "socket",
        "workingDirectory",
        "yolo",
    )
)


@QUIET
@given(
    st.lists(st.dictionaries(KEYS, VALUES, max_size=6), max_size=4),
    st.dictionaries(st.sampled_from(("tmux", "runtimes", "defaults", "connector", "transport")), VALUES, max_size=2),
    st.dictionaries(
        st.sampled_from(("name", "hosts", "reconcile", "heartbeat", "suspend", "floor")), VALUES, max_size=3
    ),
    st.dictionaries(st.sampled_from(("mission", "goals", "assumptions", "substrate", "spend")), VALUES, max_size=3),
)
def test_values_of_every_shape_in_every_place(
    entries: object, head: dict[str, object], fleet: object, star: object
) -> None:
    import json

    roster = {"version": 1, "agents": entries, **head}
    files = {"roster.yaml": roster, "fleet.yaml": fleet, "NORTH_STAR.yaml": star}
    check({name: json.dumps(value, ensure_ascii=True, indent=1).encode() for name, value in files.items()})
