"""Manual pages. Pure: from the command lines as data, and the table of exit codes, to troff."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from reconciler.cli.command_tree import CommandNode

_ENVIRONMENT = (
    ("MOSAIC_FLEET", "The fleet's repository, where none is named on the command line."),
    ("MOSAIC_HOME", "The framework's folder; ~/.config/mosaic if it is not set."),
    ("MOSAIC_HEARTBEAT_IDLE_THRESHOLD", "Seconds of quiet after which an agent counts as available."),
    ("NO_COLOR, FORCE_COLOR, TERM", "Whether the output has colours."),
)


def pages(lines: Sequence[CommandNode], codes: Mapping[int, str], version: str) -> dict[str, str]:
    """Every page by its file name (`mosaic-fleet-ps.1`). `codes`: exit codes and what they mean, for people."""
    commands = [command for line in lines for command in line.walk()]
    tops = [line.path[0] for line in lines]
    return {f"{'-'.join(command.path)}.1": _page(command, codes, version, tops) for command in commands}


def _page(command: CommandNode, codes: Mapping[int, str], version: str, tops: Sequence[str]) -> str:
    title = "-".join(command.path)
    out = [f'.TH "{_text(title.upper())}" 1 "" "Mosaic Fleet {version}" "Mosaic Fleet"', ".nh", ".ad l"]
    out += [".SH NAME", f"{_text(title)} \\- {_text(_one_line(command.summary).rstrip('.'))}"]
    out += [".SH SYNOPSIS", f".B {_text(' '.join(command.path))}", _synopsis(command)]
    out += [".SH DESCRIPTION", *_prose(command.help)]
    if command.children:
        out.append(".SH COMMANDS")
        for child in command.children:
            out += [".TP", f".B {_text(child.path[-1])}", _line(_one_line(child.summary))]
    out.append(".SH OPTIONS")
    for option in command.options:
        names = ", ".join(option.names)
        metavar = f" \\fI{_text(option.metavar)}\\fR" if option.metavar else ""
        out += [".TP", f"\\fB{_text(names)}\\fR{metavar}", _line(_one_line(option.help))]
    if not command.children:
        out.append(".SH EXIT STATUS")
        for code, meaning in sorted(codes.items()):
            out += [".TP", f".B {code}", _line(meaning)]
        out.append(".SH ENVIRONMENT")
        for name, meaning in _ENVIRONMENT:
            out += [".TP", f".B {_text(name)}", _line(meaning)]
    examples = _examples(command.epilog)
    if examples:
        out += [".SH EXAMPLES", ".nf", *(_line(line) for line in examples), ".fi"]
    out += [".SH SEE ALSO", _line(", ".join(f"{name}(1)" for name in _related(command, tops)))]
    return "\n".join(line for line in out if line) + "\n"


def _synopsis(command: CommandNode) -> str:
    words = ["[OPTIONS]"] if command.options else []
    if command.children:
        words.append("COMMAND [ARGS]...")
    for argument in command.arguments:
        shown = argument.metavar + ("..." if argument.many else "")
        words.append(shown if argument.required else f"[{shown}]")
    return _line(" ".join(words))


def _prose(text: str) -> list[str]:
    """Paragraphs; one that begins with \\b keeps its lines, as in --help."""
    out: list[str] = []
    for paragraph in re.split(r"\n\s*\n", text.strip("\n")):
        lines = [line.strip() for line in paragraph.splitlines()]
        if out:
            out.append(".PP")
        if lines and lines[0] == "\b":
            out += [".nf", *(_line(line) for line in paragraph.splitlines()[1:]), ".fi"]
        else:
            out.append(_line(" ".join(line for line in lines if line)))
    return out


def _examples(epilog: str) -> list[str]:
    lines = [line.rstrip() for line in epilog.replace("\b", "").splitlines()]
    return [line.strip() if line.startswith(" ") else line for line in lines if line and not _is_head(line)]


def _is_head(line: str) -> bool:
    return line.strip() in ("Example:", "Examples:")


def _related(command: CommandNode, tops: Sequence[str]) -> Iterable[str]:
    if command.children:
        return [*("-".join(child.path) for child in command.children), *(t for t in tops if t != command.path[0])]
    return ["-".join(command.path[:-1])] if len(command.path) > 1 else [t for t in tops if t != command.path[0]]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _text(text: str) -> str:
    return text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")


def _line(text: str) -> str:
    escaped = _text(text)
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
