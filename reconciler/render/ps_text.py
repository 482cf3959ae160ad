"""The text of `mosaic fleet ps`.

Off a terminal, and with `-o wide`, every line is whole. On a terminal the columns are made to fit: first WHY wraps in
its column; if there is no room for that, it goes under the row; then the columns of `DROPPED` are left out, in that
order, until the rest fits, and a line at the end says which. Nothing is cut but a name that is longer than the screen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from reconciler.helpers.times import spell_duration
from reconciler.helpers.words import Paint, Tint, count, data, no_paint, short, when
from reconciler.listing.document import Listing
from reconciler.listing.row import Row, Sync
from reconciler.model import Readiness

WHY = "WHY"
_HEADWORDS: Mapping[str, Tint] = {"wrong:": "red", "PAUSED": "yellow", "newest commit": "yellow"}
DROPPED = ("CLASS", "CPU", "MEM", "RUNTIME", "RESTARTS", "UP", "HB", "IDLE")
WHY_ROOM = 40  # characters; with less, a sentence is easier to read on a line of its own
GAP = "  "
CUT = "~"  # stands for what was cut off

_COLUMNS: Mapping[str, Callable[[Row], str]] = {
    "AGENT": lambda row: data(row.name),
    "CLASS": lambda row: data(row.agent_class),
    "RUNTIME": lambda row: data(row.runtime),
    "STATE": lambda row: data(row.shown_state),
    "SYNC": lambda row: str(row.sync),
    WHY: lambda row: data(row.why),
    "UP": lambda row: length(row.up),
    "IDLE": lambda row: length(row.idle),
    "HB": lambda row: length(row.heartbeat_age) if row.heartbeat != "unknown" else "",
    "RESTARTS": lambda row: str(row.restarts),
    "CPU": lambda row: cpu(row.cpu_s),
    "MEM": lambda row: size(row.memory),
}
_WIDE: Mapping[str, Callable[[Row], str]] = {
    "KIND": lambda row: row.kind,
    "HOST": lambda row: data(row.host),
    "TENANT": lambda row: data(row.tenant_id),
    "DECLARED": lambda row: data(row.desired),
    "UNIT": lambda row: data(row.unit),
    "ENABLED": lambda row: {True: "yes", False: "no", None: "unknown"}[row.enabled],
    "PANE": lambda row: data(row.session),
    "PROGRAM": lambda row: data(row.program),
    "PID": lambda row: str(row.pid or ""),
    "SOCKET": lambda row: data(row.socket),
    "HB-FROM": lambda row: data(row.heartbeat_source),
    "MAY-STOP": lambda row: "yes" if row.may_stop else data(f"no: {row.may_stop_why}"),
    "NEXT": lambda row: data(f"{row.next_verb}: {row.next_reason}" if row.next_verb else ""),
}


def ps_text(listing: Listing, *, width: int | None = None, wide: bool = False, paint: Paint = no_paint) -> str:
    """The commit, what is wrong with the fleet as a whole, a row for each agent, and a count. `width`: columns of the
    terminal, None if there is none."""
    room = None if wide else width
    blocks = [
        _tinted(_fit(heading(listing), room), paint),
        table(listing.rows, width=room, wide=wide, paint=paint),
        _fit([counted(listing)], room),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _tinted(lines: list[str], paint: Paint) -> list[str]:
    """The words that say what is wrong with the fleet as a whole."""
    out = []
    for line in lines:
        word = next((word for word in _HEADWORDS if line.startswith(word)), "")
        out.append(paint(word, _HEADWORDS[word]) + line.removeprefix(word) if word else line)
    return out


def wrap(text: str, width: int, *, indent: str = "", below: str = "") -> list[str]:
    """Lines of at most `width`; `indent` begins the first, `below` the others."""
    from textwrap import wrap as fill  # it compiles patterns, which a list for a pipe does not need

    return fill(text, width, initial_indent=indent, subsequent_indent=below)


def _fit(lines: list[str], width: int | None) -> list[str]:
    if width is None:
        return lines
    return [part for line in lines for part in wrap(line, width, below="    ")]


def heading(listing: Listing) -> list[str]:
    """Which fleet, which commit, and what is wrong with the fleet as a whole."""
    where = f"fleet {data(listing.fleet)} of {data(listing.tenant_id)} on {data(listing.host)}"
    lines = [f"{where}, commit {short(listing.compared)}"]
    if listing.rejected:
        lines.append(f"newest commit {short(listing.newest)} is not taken: {data(listing.rejected)}")
    elif listing.in_force and listing.in_force != listing.compared:
        lines.append(f"this commit is not applied yet: {short(listing.in_force)} is in force")
    if listing.pause is not None:
        by = f" by {data(listing.pause.by)}" if listing.pause.by else ""
        since = f" {when(listing.pause.since, listing.observed_at)}" if listing.pause.since else ""
        lines.append(f"PAUSED{by}{since}: {data(listing.pause.reason) or 'no reason given'}")
    return [*lines, *(f"wrong: {data(problem)}" for problem in listing.problems)]


def counted(listing: Listing) -> str:
    """`5 agents: 3 working, 1 dead, 1 stopped; 1 extra; 1 wrong`; nothing is wrong only where a check says so, too."""
    rows = listing.rows
    agents = [row for row in rows if row.kind == "agent"]
    words = Counter(row.state for row in agents)
    order = [*map(str, Readiness), "stopped", "absent"]
    tally = ", ".join(f"{words[word]} {word}" for word in order if words[word])
    extra = sum(row.sync is Sync.EXTRA for row in rows)
    silent = sum(row.kind == "host" for row in rows)
    wrong = sum(row.wrong for row in rows)
    parts = [count(len(agents), "agent") + (f": {tally}" if tally else "")]
    needs = sum(len(row.attention) for row in rows)
    parts += [f"{needs} need{'s' if needs == 1 else ''} a person (mosaic fleet attention)"] if needs else []
    parts += [f"{extra} extra"] if extra else []
    parts += [f"{count(silent, 'host')} silent"] if silent else []
    parts += [f"{wrong} wrong"] if wrong else []
    if listing.problems and listing.pause is None:
        parts.append(f"{count(len(listing.problems), 'problem')} of the fleet as a whole")
    parts += ["the newest commit is not taken"] if listing.rejected else []
    return "; ".join(parts if listing.wrong else [*parts, "nothing wrong"])


def table(rows: Sequence[Row], *, width: int | None = None, wide: bool = False, paint: Paint = no_paint) -> list[str]:
    """Header and rows; empty for no rows. A column HOST appears when there is more than one."""
    if not rows:
        return []
    columns = dict(_COLUMNS)
    if wide:
        columns |= _WIDE
    elif len({row.host for row in rows}) > 1:
        columns = {"AGENT": columns.pop("AGENT"), "HOST": _WIDE["HOST"], **columns}
    cells = {name: [cell(row) or "-" for row in rows] for name, cell in columns.items()}
    tints = [_tint(row) for row in rows]
    if width is None:
        return _lines(cells, tints, paint)
    return _fitted(cells, tints, width, paint)


def _fitted(cells: dict[str, list[str]], tints: Sequence[Tint | None], width: int, paint: Paint) -> list[str]:
    whys = cells[WHY]
    others = {name: column for name, column in cells.items() if name != WHY}
    room = width - _total(others) - len(GAP)
    if room >= min(WHY_ROOM, _width(WHY, whys)):
        return _lines(cells, tints, paint, why=room)
    dropped = []
    for name in DROPPED:
        if _total(others) <= width:
            break
        if name in others:
            del others[name]
            dropped.append(name)
    over = _total(others) - width
    if over > 0:
        longest = max(8, _width("AGENT", others["AGENT"]) - over)
        others["AGENT"] = [_cut(name, longest) for name in others["AGENT"]]
    lines = _lines(others, tints, paint, under=[why if why != "-" else "" for why in whys], width=width)
    if dropped:
        note = f"not shown at {width} columns: {', '.join(dropped)} (-o wide shows all)"
        lines += ["", *(paint(line, "dim") for line in wrap(note, width))]
    return lines


def _lines(
    cells: Mapping[str, Sequence[str]],
    tints: Sequence[Tint | None],
    paint: Paint,
    *,
    why: int | None = None,
    under: Sequence[str] = (),
    width: int = 0,
) -> list[str]:
    """`why`: the most that its column may take, longer ones go on below; `under`: a sentence below each row."""
    widths = {name: _width(name, column) for name, column in cells.items()}
    if why is not None:
        widths[WHY] = min(widths[WHY], why)

    def line(values: Mapping[str, str]) -> str:
        return GAP.join(values.get(name, "").ljust(widths[name]) for name in cells).rstrip()

    out = [paint(line({name: name for name in cells}), "bold")]
    for index, tint in enumerate(tints):
        values = {name: column[index] for name, column in cells.items()}
        broken = wrap(values[WHY], widths[WHY]) if why is not None else []
        if broken:
            values[WHY] = broken[0]
        text = [line(values), *(line({WHY: more}) for more in broken[1:])]
        if under and under[index]:
            text += wrap(under[index], width, indent="    ", below="    ")
        out += [paint(one, tint) if tint else one for one in text]
    return out


def _width(name: str, column: Sequence[str]) -> int:
    return max(len(name), *(len(cell) for cell in column))


def _total(cells: Mapping[str, Sequence[str]]) -> int:
    return sum(_width(name, column) for name, column in cells.items()) + len(GAP) * (len(cells) - 1)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + CUT


def _tint(row: Row) -> Tint | None:
    if row.wrong:
        return "red"
    if row.readiness is Readiness.WAITING or row.sync is not Sync.SYNCED:
        return "yellow"
    return "dim" if row.state in ("stopped", "absent") else None


def length(seconds: float | None) -> str:
    """`2h5m`, without a space, so that a column stays one word; "" for None."""
    return "" if seconds is None else spell_duration(seconds).replace(" ", "")


def cpu(seconds: float | None) -> str:
    """CPU time: `0.4s`, `12s`, `3m5s`."""
    return "" if seconds is None else f"{seconds:.1f}s" if seconds < 10 else length(seconds)


def size(memory: int | None) -> str:
    """`512K`, `310M`, `1.2G`."""
    if memory is None:
        return ""
    for unit, factor in (("G", 2**30), ("M", 2**20)):
        if memory >= factor:
            value = memory / factor
            return f"{value:.1f}{unit}" if unit == "G" and value < 10 else f"{value:.0f}{unit}"
    return f"{memory // 1024}K"
