"""What a program has proved about itself. Pure."""

from __future__ import annotations

from typing import Literal, get_args

from specs.dataclass import dataclass

ProofName = Literal[
    "launch",
    "identification",
    "delivery",
    "contract",
    "heartbeat",
    "reset",
    "queue",
    "interruption",
    "trouble",
    "logged-out",
    "dialog",
    "resume",
    "files",
]
TrialOutcome = Literal["pass", "fail", "skipped"]

PROOFS: tuple[ProofName, ...] = get_args(ProofName)
OUTCOMES: tuple[TrialOutcome, ...] = get_args(TrialOutcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """`evidence` says what was seen, in one sentence without its full stop."""

    name: ProofName
    outcome: TrialOutcome
    evidence: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One runtime. `path` is "" where its program is not installed: then nothing was tried, and `wanted` says whether
    that is a failure. `version` is its own first line."""

    runtime: str
    path: str
    version: str
    wanted: bool
    proofs: tuple[Proof, ...] = ()
    seconds: float = 0.0

    @property
    def installed(self) -> bool:
        return bool(self.path)

    @property
    def passed(self) -> bool:
        """Nothing failed. A program that nobody asked for by name need not be there."""
        if not self.installed:
            return not self.wanted
        return bool(self.proofs) and all(proof.outcome == "pass" for proof in self.proofs)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractReport:
    """Every runtime that was asked for. `at` is Unix seconds."""

    tenant_id: str
    host: str
    at: float
    trials: tuple[Trial, ...]

    @property
    def passed(self) -> bool:
        return all(trial.passed for trial in self.trials)


def complete(proofs: list[Proof], why: str) -> tuple[Proof, ...]:
    """All of them in their order: those that were not come to are skipped."""
    known = {proof.name: proof for proof in proofs}
    return tuple(known.get(name) or Proof(name=name, outcome="skipped", evidence=why) for name in PROOFS)
