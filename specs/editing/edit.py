"""Edit a fleet's files and change nothing else: comments, order and formatting stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from specs.editing import block as edit_block
from specs.editing import flow
from specs.editing.block import Patch
from specs.editing.document import EditableFile, EditError, opened_file, plain, same
from specs.fleet_files import FLEET, ROSTER
from specs.yaml_text.quoting import Style, YamlValue

__all__ = (
    "EditError", "add_agent", "add_suspension", "entries", "remove_agent", "remove_suspension", "set_agents",
    "set_value", "suspended",
)  # fmt: skip
_HEAD = ("name", "alias", "runtime", "class", "state", "generation")  # new keys of an agent come below these


def entries(raw: bytes) -> Mapping[str, Mapping[str, Any]]:
    """The agents' entries by name, as they are written, valid or not. Raises EditError if the file cannot be read."""
    listed = opened_file(ROSTER, raw).data().get("agents") or []
    return {one["name"]: one for one in listed if isinstance(one, dict) and isinstance(one.get("name"), str)}


def suspended(raw: bytes) -> Mapping[str, Mapping[str, Any]]:
    """The items of `suspend` in fleet.yaml by agent. Raises EditError if the file cannot be read."""
    listed = opened_file(FLEET, raw).data().get("suspend") or []
    return {one["agent"]: one for one in listed if isinstance(one, dict) and isinstance(one.get("agent"), str)}


def add_agent(raw: bytes, entry: Mapping[str, YamlValue]) -> bytes:
    """The roster with one more agent at its end; `entry` begins with `name`. Raises EditError."""
    opened = opened_file(ROSTER, raw)
    sequence = opened.own(opened.root.get("agents"), "the list of agents")
    style = opened.style(sequence if sequence.written else opened.root)
    patches = opened.added(sequence, entry, style) if sequence.written else _first_agent(opened, entry, style)
    return opened.close(patches, opened.append("agents", opened.spelt(entry, style)))


def _first_agent(opened: EditableFile, entry: Mapping[str, YamlValue], style: Style) -> list[Patch]:
    """The first agent of a list that is empty, or was never begun. Raises EditError for what is not a list."""
    pair = opened.root.pair("agents")
    if pair is None or opened.data()["agents"]:
        raise opened.error(opened.root.start, '"agents" is not a list')
    key, place = pair
    opened.unused_elsewhere(place, "the list of agents")
    lines, text = opened.lines, opened.lines.text
    if not opened.root.flow and "#" not in text[key.end : place.end]:
        colon = text.index(":", key.end) + 1
        rows = [style.pair(name, value) for name, value in entry.items()]
        block = [f"  - {rows[0]}", *(f"    {row}" for row in rows[1:])]
        stop = place.end if text[colon : place.end].strip() else colon  # of nothing, the end is somewhere below
        at = lines.end(stop)
        return [(colon, stop, ""), (at, at, "".join(f"{lines.eol}{row}" for row in block))]
    if place.kind != "sequence":
        return [(place.start, place.end, f"[{style.flow(entry)}]")]
    at = text.index("[", place.start) + 1
    return [(at, at, style.flow(entry))]


def remove_agent(raw: bytes, name: str) -> bytes:
    """The roster without an agent. Raises EditError, also for the only agent that there is."""
    opened = opened_file(ROSTER, raw)
    index, entry = opened.agent(name)
    sequence = opened.own(opened.root.get("agents"), "the list of agents")
    opened.unused_elsewhere(entry, f'agent "{name}"')
    if len(sequence.written) == 1:
        raise opened.error(entry.start, f'"{name}" is the only agent of the roster', "use `state: absent`")
    way = flow if sequence.flow else edit_block
    return opened.close(way.remove_item(opened.lines, sequence, index), opened.drop("agents", index))


def set_agents(raw: bytes, changes: Mapping[str, Mapping[str, YamlValue]]) -> bytes:
    """The roster with other values for some keys of some agents; what is so already stays as it is written.

    Raises EditError.
    """
    rounds = max((len(wanted) for wanted in changes.values()), default=0)
    for number in range(rounds):  # one key of each agent at a time: patches must not meet
        opened, patches = opened_file(ROSTER, raw), []
        data = opened.data()
        for name, wanted in changes.items():
            index, entry = opened.agent(name)
            for key, value in list(wanted.items())[number : number + 1]:
                if entry.kind != "mapping":
                    raise opened.error(entry.start, f'agent "{name}" is an alias of what is written elsewhere')
                spelt = opened.spelling(entry, key)
                if not same(data["agents"][index].get(spelt), plain(value)):
                    data["agents"][index] = {**data["agents"][index], spelt: plain(value)}
                    patches += opened.set(entry, key, value, _HEAD, f'agent "{name}"')
        raw = opened.close(patches, data) if patches else raw
    return raw


def set_value(file: str, raw: bytes, path: Sequence[str], value: YamlValue) -> bytes:
    """A file with another value at one or two keys, such as `("tmux", "socket_name")`. Raises EditError."""
    opened = opened_file(file, raw)
    data = opened.data()
    mapping, inside = opened.root, data
    for key in path[:-1]:
        spelt = opened.spelling(mapping, key)
        if spelt not in inside:
            style = opened.style(mapping)
            row = f"{style.key(key)}: {style.flow({path[-1]: value})}"
            inside[style.key(key).strip('"')] = {style.key(path[-1]).strip('"'): plain(value)}
            return opened.close(opened.insert(mapping, row, ("version", "transport", "name")), data)
        inside = inside[spelt]
        found = opened.own(mapping.get(spelt), f'"{key}"')
        if found.kind != "mapping":
            raise opened.error(found.start, f'"{key}" is not a mapping')
        mapping = found
    spelt = opened.spelling(mapping, path[-1])
    if inside.get(spelt) == value:
        return raw
    inside[spelt] = plain(value)
    return opened.close(opened.set(mapping, path[-1], value, ("version", "name"), f'"{".".join(path)}"'), data)


def add_suspension(raw: bytes, entry: Mapping[str, YamlValue]) -> bytes:
    """fleet.yaml with one more item of `suspend`; `entry` begins with `agent`. Raises EditError."""
    opened = opened_file(FLEET, raw)
    style = opened.style(opened.root)
    pair = opened.root.pair("suspend")
    expected = opened.append("suspend", dict(entry))
    if pair is None:
        if opened.root.flow:
            patches = opened.insert(opened.root, f"{style.key('suspend')}: [{style.flow(entry)}]", ())
        else:
            rows = [style.pair(name, value) for name, value in entry.items()]
            block = ("suspend:", f"  - {rows[0]}", *(f"    {row}" for row in rows[1:]))
            patches = opened.insert(opened.root, "\n".join(block), ())
        return opened.close(patches, expected)
    sequence = opened.own(pair[1], "the list of suspensions")
    if sequence.written:
        return opened.close(opened.added(sequence, entry, style), expected)
    return opened.close(edit_block.replace_value(opened.lines, *pair, f"[{style.flow(entry)}]"), expected)


def remove_suspension(raw: bytes, agent: str) -> bytes:
    """fleet.yaml without the suspension of an agent; unchanged if there is none. Raises EditError."""
    opened = opened_file(FLEET, raw)
    listed = opened.data().get("suspend") or []
    named = [one.get("agent") if isinstance(one, dict) else None for one in listed]
    index = named.index(agent) if agent in named else None
    pair = opened.root.pair("suspend")
    if index is None or pair is None:
        return raw
    sequence = opened.own(pair[1], "the list of suspensions")
    opened.unused_elsewhere(sequence.written[index], f'the suspension of "{agent}"')
    expected = opened.drop("suspend", index)
    if len(listed) > 1:
        way = flow if sequence.flow else edit_block
        return opened.close(way.remove_item(opened.lines, sequence, index), expected)
    if opened.root.flow:
        return opened.close([(sequence.start, sequence.end, "[]")], expected)
    expected.pop("suspend")
    return opened.close(edit_block.remove_pair(opened.lines, opened.root, *pair), expected)
