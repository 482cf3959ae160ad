"""The shape of the house: which way imports run, what the pure modules keep away from, how long a file may be."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LAYERS = ("specs", "providers", "reconciler")  # each may import those before it, and itself
LONGEST = 320  # lines; one that wants more is two ideas

# What touches the machine, the clock or chance. `os.path` only takes names apart, so that one function of it is fine.
IMPURE = frozenset((
    "asyncio", "ctypes", "fcntl", "glob", "http", "io", "multiprocessing", "os", "pathlib", "pwd", "random", "resource",
    "secrets", "select", "selectors", "shutil", "signal", "socket", "subprocess", "tempfile", "termios", "threading",
    "time", "urllib",
))  # fmt: skip
PURE_RECONCILER = (
    "backoff", "classify", "clock", "commit", "conditions", "credit", "decide", "deliver_text", "deliver_verdict",
    "customise", "schemas_persona",
    "describe", "desired", "diff", "documents", "draft", "errors", "events", "failures", "fleet_problems", "floor",
    "forced",
    "guards", "judge", "losses", "may_end", "message", "metrics", "model", "moving", "plan", "plan_agents",
    "plan_reseed", "plan_shared", "plan_summary", "proposal", "provisioning", "redact", "remember",
    "responses", "results", "rollout", "row", "rows", "rows_document", "schema_words", "schemas", "schemas_changing",
    "schemas_seeing",
    "schemas_star", "sightings", "status", "status_document", "store_codec", "suspend", "threshold", "times", "verbs",
    "verify", "views",
)  # fmt: skip
PURE_DOCTOR = (
    "check", "clock", "document", "files", "leftovers", "loop", "programs", "repository", "runtimes", "session",
    "systemd", "terminals",
)  # fmt: skip
PURE_CONTRACT = ("answers", "document", "homes", "model")
PURE_PROVIDERS = (
    "additions", "agent_pane", "base", "comms", "contract", "env", "evidence", "extras", "framework", "heartbeat",
    "holder",
    "host", "host_facts", "identity", "launch", "layouts", "linger", "manifest", "names", "overrides", "pane_rows",
    "pane_values", "place", "placement", "program_fault", "programs.base", "programs.claude",
    "programs.claude_screen", "programs.codex", "programs.codex_screen", "programs.opencode", "programs.painted",
    "programs.pi", "programs.registry", "programs.styled", "programs.told", "projection", "readings", "registry",
    "reseed", "responder", "session", "sgr", "shipped", "steps", "unit", "uses",
)  # fmt: skip
# They read files that are part of the program, as its code is; nothing of the machine is in them.
SHIPPED = ("providers.framework_files", "providers.programs.files", "specs.library")
# Reading a date is pure; asking what time it is is not.
CLOCKS = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "uuid.uuid4")


@dataclass(frozen=True)
class Import:
    """`name` is absolute and dotted. `typing`: for the type checker only."""

    name: str
    line: int
    typing: bool


def modules() -> dict[str, Path]:
    """Every module of the three packages, by dotted name."""
    found = {}
    for layer in LAYERS:
        for path in sorted((ROOT / layer).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


@cache
def imports(module: str) -> tuple[Import, ...]:
    return tuple(_imports(tree(module), typing=False))


def _imports(node: ast.AST, *, typing: bool) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        yield from (Import(one.name, node.lineno, typing) for one in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute"
        for one in node.names:
            inner = f"{node.module}.{one.name}"
            yield Import(inner if inner in MODULES else str(node.module), node.lineno, typing)
    elif isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        for guarded in node.body:
            yield from _imports(guarded, typing=True)
        for other in node.orelse:
            yield from _imports(other, typing=typing)
    else:
        for child in ast.iter_child_nodes(node):
            yield from _imports(child, typing=typing)


def pure() -> list[str]:
    specs = [name for name in MODULES if name.split(".")[0] == "specs" and name not in SHIPPED]
    render = [name for name in MODULES if name.startswith("reconciler.render.")]
    return sorted(
        [*specs, *render, *(f"providers.{name}" for name in PURE_PROVIDERS)]
        + [f"reconciler.{name}" for name in PURE_RECONCILER]
        + [f"reconciler.doctor.{name}" for name in PURE_DOCTOR]
        + [f"reconciler.contract.{name}" for name in PURE_CONTRACT]
    )


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_one_way(module: str) -> None:
    """`reconciler -> providers -> specs` and never back; types of an upper layer are not for a lower one either."""
    allowed = LAYERS[: LAYERS.index(module.partition(".")[0]) + 1]
    back = [
        f"{MODULES[module]}:{one.line} imports {one.name}"
        for one in imports(module)
        if one.name.split(".")[0] in {*LAYERS, "tests"} - set(allowed)
    ]
    assert not back


@pytest.mark.parametrize("module", pure())
def test_pure_modules_import_nothing_impure(module: str) -> None:
    """No I/O, no clock, no chance, and no module of ours that has any of them, not even inside a function."""
    known = {*pure(), *SHIPPED, *LAYERS}
    wrong = [
        f"{MODULES[module]}:{one.line} imports {one.name}"
        for one in imports(module)
        if not one.typing
        and one.name != "os.path"
        and (one.name.split(".")[0] in IMPURE or (one.name in MODULES and one.name not in known))
    ]
    assert not wrong


@pytest.mark.parametrize("module", pure())
def test_pure_modules_open_nothing_and_ask_no_clock(module: str) -> None:
    """Of `os.path` only what takes names apart is used; everything else in it looks at the machine."""
    called = [(node.lineno, ast.unparse(node.func)) for node in ast.walk(tree(module)) if isinstance(node, ast.Call)]
    wrong = [
        f"{MODULES[module]}:{line} calls {name}"
        for line, name in called
        if name in ("open", "input", "print")
        or name.endswith(CLOCKS)
        or (name.startswith("os.") and name.removeprefix("os.path.") not in ("basename", "dirname", "join", "splitext"))
    ]
    assert not wrong


def test_only_the_doors_run_programs() -> None:
    """Programs are started in these files and in no other: each has a deadline, an argument list and a clean end."""
    doors = {"providers.spawn", "reconciler.git"}
    starting = {
        module
        for module in MODULES
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Attribute)
        and ast.unparse(node) in ("subprocess.Popen", "subprocess.run", "os.posix_spawn", "os.system", "os.popen")
    }
    assert starting == doors


@pytest.mark.parametrize("module", MODULES)
def test_no_file_is_long(module: str) -> None:
    with MODULES[module].open(encoding="utf-8") as lines:
        assert sum(1 for _ in lines) <= LONGEST
