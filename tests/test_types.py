"""Where the type checker is told to look away. Between modules travel values of known types: `Any` is for what a
library gives or takes, and `Parsed` for what was read and is checked by whoever reads it. Both lists only shrink."""

from __future__ import annotations

import ast
from collections import Counter

from tests.test_layers import MODULES, tree

# How often each module says `Any`, and why it has to.
ANY = {
    "providers.base": 1,  # the definition of Parsed
    "providers.filesystem.look_helper": 2,  # what a child sends us
    "providers.machine.look": 1,  # a cache of things of many types
    "providers.systemd.calls": 1,  # bodies of D-Bus messages, by their signature
    "providers.systemd.client": 1,
    "providers.systemd.confining": 3,
    "providers.systemd.connection": 6,
    "reconciler.commands.change.common": 1,  # as click calls a command
    "reconciler.git.log": 2,  # as GitPython asks for a database
    "reconciler.state.store": 1,  # a cache of things of many types
    "reconciler.terminal.screen": 2,  # what termios and signal give back
    "specs.compiled": 2,  # a fleet as it is stored
    "specs.editing.document": 9,  # what a YAML file may hold
    "specs.editing.edit": 2,
    "specs.models.explain": 3,  # errors of pydantic
    "specs.scaffold.schema": 2,  # a JSON Schema, as pydantic gives it
    "specs.yaml_text.tree": 1,
}
# Modules that take apart what was read.
PARSED = {
    "providers.base",
    "providers.shipped.manifest",
    "reconciler.attention.document",
    "reconciler.changes.edits",
    "reconciler.conformance.answers",
    "reconciler.context.settings",
    "reconciler.delivery.message",
    "reconciler.answering.remote",
    "reconciler.delivery.remote_send",
    "reconciler.helpers.atomic_files",
    "reconciler.helpers.sealed_json",
    "reconciler.listing.document",
    "reconciler.notify.failures",
    "reconciler.plan.diff",  # what DeepDiff gives
    "reconciler.remote.attention",
    "reconciler.remote.ssh",
    "reconciler.source.old_host",
    "reconciler.state.codec",
    "reconciler.state.open_cases",
    "reconciler.state.store",
    "reconciler.status.document",
}


def _names(module: str) -> Counter[str]:
    return Counter(node.id for node in ast.walk(tree(module)) if isinstance(node, ast.Name))


def test_any_stands_where_it_must_and_nowhere_else() -> None:
    found = {module: count for module in MODULES if (count := _names(module)["Any"])}
    assert found == ANY, "a new one needs a type of its own; one that went is taken off the list"


def test_what_was_read_is_taken_apart_where_it_is_read() -> None:
    assert {module for module in MODULES if _names(module)["Parsed"]} == PARSED


def test_nothing_but_the_diff_and_the_kinds_reads_a_compared_field() -> None:
    """Whoever decides or shows reads `evidence`, which has names that are checked."""
    read = [
        f"{MODULES[module]}:{node.lineno}"
        for module in MODULES
        if module != "reconciler.plan.diff" and not module.startswith(("specs.", "providers.kinds."))
        for node in ast.walk(tree(module))
        if (isinstance(node, ast.Subscript) and _is_fields(node.value))
        or (isinstance(node, ast.Attribute) and node.attr == "get" and _is_fields(node.value))
    ]
    assert not read


def test_the_known_words_of_a_record_are_read_by_their_names() -> None:
    """What a heartbeat or a turn record says is in `HeartbeatFile`; the keys of its words stand nowhere else."""
    read = [
        f"{MODULES[module]}:{node.lineno}"
        for module in MODULES
        if module.startswith(("providers.", "reconciler.")) and module != "providers.host"
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Attribute | ast.Subscript)
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "words"
    ]
    assert not read


def _is_fields(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "fields"
