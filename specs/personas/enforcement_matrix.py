"""What enforces each rule of the constitution in each program: a table generated from shipped data. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from specs import library
from specs.dataclass import dataclass

if TYPE_CHECKING:
    from specs.values.problems import Problem

DATA = "framework/matrix.yaml"
CONSTITUTION = "framework/CONSTITUTION.md"
HeldBy = Literal["enforced", "resident", "absent"]
_RULE = re.compile(r"^\d+\. \*\*(C\d+)\. (.+?)\.?\*\*", re.MULTILINE)
_HEAD = """\
# What holds a rule

The constitution has rules for agents. Most of them are text that an agent carries and follows; few are held by anything
else. This table says which, so that nobody takes the one for the other. It is generated, and a test compares it with
the constitution and with the programs.

- **enforced**: something in or around the program stands in the way as well.
- **resident**: the program carries the rule in its contract, and nothing else holds it.
- **absent**: the program is not given the contract, because the fleet does not know how to give it.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """`rules`: titles by name, in order. `carried`: how the contract reaches each program, "" for not at all.
    `enforced`: by rule, the programs in which it is, and by what."""

    rules: Mapping[str, str]
    carried: Mapping[str, str]
    enforced: Mapping[str, tuple[tuple[str, ...], str]]

    def held(self, rule: str, program: str) -> HeldBy:
        """Raises KeyError for what is not in it."""
        if not self.carried[program]:
            return "absent"
        return "enforced" if program in self.enforced.get(rule, ((), ""))[0] else "resident"


def rules() -> Mapping[str, str]:
    """The rules of the shipped constitution: titles by name, in its order."""
    return dict(_RULE.findall(library.text(CONSTITUTION).replace("\n   ", " ")))


def matrix() -> Matrix:
    """Raises ValueError if the data does not fit the constitution or the programs: the installation is damaged."""
    from specs.yaml_text.read import read

    problems: list[Problem] = []
    _, tree = read(DATA, library.text(DATA).encode(), problems)
    if tree is None or problems:
        raise ValueError(f"the shipped {DATA} is damaged")
    data = tree.data()
    enforced = {rule: (tuple(one["in"]), str(one["by"])) for rule, one in data["enforced"].items()}
    made = Matrix(rules=rules(), carried=dict(data["carried"]), enforced=enforced)
    programs = {name.rpartition("/")[2].removesuffix(".md") for name in library.names("framework/runtimes", ".md")}
    known = {name for name, how in made.carried.items() if how}
    if known != programs:
        raise ValueError(f"{DATA}: it has {sorted(known)}, and texts ship for {sorted(programs)}")
    wrong = [
        rule for rule, (where, by) in enforced.items() if rule not in made.rules or not by or not known >= {*where}
    ]
    if wrong:
        raise ValueError(f"{DATA}: what is said of {', '.join(wrong)} makes no sense")
    return made


def page() -> str:
    """docs/matrix.md, whole."""
    made = matrix()
    programs = list(made.carried)
    lines = [_HEAD, f"| rule | {' | '.join(programs)} |", f"|---|{'---|' * len(programs)}"]
    for rule, title in made.rules.items():
        cells = (made.held(rule, program) for program in programs)
        lines.append(f"| {rule}. {title} | {' | '.join(cells)} |")
    lines += ["", "## By what", ""]
    lines += [f"- {rule}, in {' and '.join(where)}: {by}." for rule, (where, by) in made.enforced.items()]
    lines += ["", "## How the contract gets there", ""]
    for program, how in made.carried.items():
        lines.append(f"- {program}: {how or 'not at all; the file is written all the same'}.")
    return "\n".join([*lines, ""])
