"""The shape of the code, as `tests/rooms.toml` declares it: which way imports run, what is pure, how big a room is."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
RULES = tomllib.loads((ROOT / "tests/rooms.toml").read_text(encoding="utf-8"))
ORDER: list[str] = RULES["order"]
SHIPPED = frozenset(RULES["shipped"])
PACKAGES = ("specs", "providers", "reconciler")

# What touches the machine, the clock or chance. `os.path` only takes names apart, so that one function of it is fine.
IMPURE = frozenset((
    "asyncio", "ctypes", "fcntl", "glob", "http", "io", "multiprocessing", "os", "pathlib", "pwd", "random", "resource",
    "secrets", "select", "selectors", "shutil", "signal", "socket", "subprocess", "tempfile", "termios", "threading",
    "time", "urllib",
))  # fmt: skip
NAMES_ONLY = ("basename", "dirname", "join", "splitext")  # of os.path
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
    for layer in PACKAGES:
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


def room(name: str) -> str | None:
    """The innermost room that a module is in; None for the package itself."""
    parts = name.split(".")
    return next((".".join(parts[:end]) for end in range(len(parts), 0, -1) if ".".join(parts[:end]) in ORDER), None)


def says_pure(module: str) -> bool:
    return re.search(r"\bPure\b", ast.get_docstring(tree(module)) or "") is not None


@cache
def pure() -> tuple[str, ...]:
    """Every module of a pure room, and every one that says of itself that it is."""

    def within(module: str, rooms: list[str]) -> bool:
        return any(module == one or module.startswith(f"{one}.") for one in rooms)

    by_room = (one for one in MODULES if within(one, RULES["pure"]) and not within(one, RULES["pure_but_for"]))
    return tuple(sorted({*by_room, *(one for one in MODULES if says_pure(one))} - SHIPPED - PACKAGE_TEXTS))


PACKAGE_TEXTS = frozenset(name for name, path in MODULES.items() if path.name == "__init__.py")  # a docstring each


def test_every_module_has_its_place() -> None:
    assert [one for one in MODULES if room(one) is None and one not in PACKAGES] == []
    assert [one for one in ORDER if one not in MODULES] == []


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_one_way(module: str) -> None:
    """A room imports from itself and from those before it; types of a later room are not for an earlier one either."""
    own = room(module)
    back = [
        f"{MODULES[module]}:{one.line} imports {one.name}"
        for one in imports(module)
        if one.name.split(".")[0] == "tests"
        or (
            one.name in MODULES
            and own is not None
            and (other := room(one.name))
            and ORDER.index(other) > ORDER.index(own)
        )
    ]
    assert not back


def test_a_room_is_small_enough_to_be_known() -> None:
    files = Counter(str(path.parent.relative_to(ROOT)) for name, path in MODULES.items() if name not in PACKAGE_TEXTS)
    assert {name: number for name, number in files.items() if number > RULES["most_files"]} == {}


@pytest.mark.parametrize("name", sorted(PACKAGE_TEXTS - SHIPPED))
def test_a_room_says_what_it_is_for(name: str) -> None:
    text = ast.get_docstring(tree(name)) or ""
    assert text, f"{MODULES[name]}: say what it is for, what it may import, and which file to read first"
    if name in ORDER:
        first = re.search(r"Read\s`(\w+)\.py`", text)
        assert first is not None, MODULES[name]
        assert f"{name}.{first[1]}" in MODULES, MODULES[name]
        assert "Imports everything." in text or said_imports(name, text) == real_imports(name), MODULES[name]


def said_imports(name: str, text: str) -> set[str]:
    """Of a room's text: the rooms of its package in the sentence `Imports ...`, by dotted name."""
    sentence = re.search(r"Imports (.*?)[.;](?=\s|$)", text, re.DOTALL)
    assert sentence is not None, MODULES[name]
    package = name.partition(".")[0]
    return {f"{package}.{one}" for one in re.findall(r"`([\w.]+)`", sentence[1]) if one not in PACKAGES}


def real_imports(name: str) -> set[str]:
    """The other rooms of its package that a room imports from."""
    package = name.partition(".")[0]
    found = {room(one.name) for module in MODULES if room(module) == name for one in imports(module)}
    return {one for one in found if one is not None and one != name and one.partition(".")[0] == package}


def _own_impurities(module: str) -> Iterator[str]:
    """What in this file is not pure. Of `os.path` only what takes names apart is; the rest looks at the machine."""
    for one in imports(module):
        if not one.typing and one.name != "os.path" and one.name.split(".")[0] in IMPURE:
            yield f"{MODULES[module]}:{one.line} imports {one.name}"
    for call in (node for node in ast.walk(tree(module)) if isinstance(node, ast.Call)):
        name = ast.unparse(call.func)
        looks = name.startswith("os.") and name.removeprefix("os.path.") not in NAMES_ONLY
        if name in ("open", "input", "print") or name.endswith(CLOCKS) or looks:
            yield f"{MODULES[module]}:{call.lineno} calls {name}"


@cache
def impurities() -> dict[str, str]:
    """Module to what makes it impure: something in it, or an import of another one that is, even inside a function."""
    found = {one: why for one in MODULES if one not in SHIPPED and (why := next(_own_impurities(one), ""))}
    fresh = set(found)
    while fresh:
        further = {
            name: f"{MODULES[name]}:{one.line} imports {one.name}, and {found[one.name]}"
            for name in MODULES.keys() - found.keys() - SHIPPED
            for one in imports(name)
            if not one.typing and one.name in fresh
        }
        found |= further
        fresh = set(further)
    return found


@pytest.mark.parametrize("module", pure())
def test_a_pure_module_is_pure(module: str) -> None:
    assert impurities().get(module) is None


def test_no_two_public_types_share_a_name() -> None:
    """A class, or a name for a type (`Verb = Literal[...]`), at the top of a module: who reads it knows which it is."""
    where: dict[str, list[str]] = {}
    for module in MODULES:
        for node in tree(module).body:
            names = [node.name] if isinstance(node, ast.ClassDef) and node.name[0] != "_" else []
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                names = [one for one in [node.targets[0].id] if re.fullmatch(r"[A-Z]\w*[a-z]\w*", one)]
            for name in names:
                where.setdefault(name, []).append(module)
    assert {name: modules for name, modules in where.items() if len(modules) > 1} == {}


def test_value_classes_are_made_by_our_decorator() -> None:
    """One of the standard library's costs every start of the program as much as a whole module: `from specs.dataclass
    import dataclass, field, replace` instead. Inside a function it costs only whoever calls that."""
    standard = {
        module
        for module in MODULES
        for node in tree(module).body
        if (isinstance(node, ast.ImportFrom) and node.module == "dataclasses")
        or (isinstance(node, ast.Import) and any(one.name == "dataclasses" for one in node.names))
    }
    assert standard == set()


def test_programs_are_started_in_few_modules() -> None:
    starting = {
        module
        for module in MODULES
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Attribute)
        and ast.unparse(node) in ("subprocess.Popen", "subprocess.run", "os.posix_spawn", "os.system", "os.popen")
    }
    assert starting == set(RULES["start_programs"])


@pytest.mark.parametrize("module", MODULES)
def test_no_file_is_long(module: str) -> None:
    with MODULES[module].open(encoding="utf-8") as lines:
        assert sum(1 for _ in lines) <= RULES["most_lines"]


@cache
def _calls(module: str) -> tuple[ast.Call, ...]:
    return tuple(node for node in ast.walk(tree(module)) if isinstance(node, ast.Call))


def _spelt(module: str, value: ast.expr) -> ast.expr:
    """What a name stands for, where the module says so."""
    named = (node for node in ast.walk(tree(module)) if isinstance(node, ast.Assign) and len(node.targets) == 1)
    return next((one.value for one in named if ast.unparse(one.targets[0]) == ast.unparse(value)), value)


def _takes_a_place(call: ast.Call) -> bool:
    """A rename, or `Path.replace`: unlike that of a text, of a value or of a date it has one argument with no name."""
    if not isinstance(call.func, ast.Attribute):
        return False
    renames = call.func.attr in ("rename", "renames") or ast.unparse(call.func) in ("os.replace", "shutil.move")
    return renames or (call.func.attr == "replace" and len(call.args) == 1 and not call.keywords)


def _reads_a_file(module: str, call: ast.Call) -> bool:
    """Opens a file for reading, by any of the ways there are; a folder that is opened is not read."""
    name = ast.unparse(call.func)
    if name == "os.open":
        return not re.search("O_WRONLY|O_RDWR|O_DIRECTORY", ast.unparse(_spelt(module, call.args[1])))
    if isinstance(call.func, ast.Attribute) and call.func.attr in ("read_bytes", "read_text"):
        return True
    path = isinstance(call.func, ast.Attribute) and call.func.attr == "open" and name != "Store.open"
    if name != "open" and not path:
        return False
    mode = next((one.value for one in call.keywords if one.arg == "mode"), None)
    mode = mode or next(iter(call.args[1:] if name == "open" else call.args), None)
    return mode is None or "r" in ast.unparse(mode)


def test_one_module_writes_whole_files() -> None:
    """Whatever else gives a file another name moves what is there, and says so in the list."""
    moving = {module for module in MODULES if any(_takes_a_place(call) for call in _calls(module))}
    assert moving == {RULES["atomic_write"], *RULES["move_files"]}
    syncing = {module for module in MODULES if any(ast.unparse(call.func) == "os.fsync" for call in _calls(module))}
    assert syncing == {RULES["atomic_write"], *RULES["sync_files"]}


def test_one_module_reads_files_that_others_may_have_replaced() -> None:
    reading = {module for module in MODULES if any(_reads_a_file(module, call) for call in _calls(module))}
    assert reading == {RULES["guarded_read"], *RULES["read_files"]}
