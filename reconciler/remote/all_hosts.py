"""The rows of every host of the fleet. Each host looks for itself; all are asked at the same time, and one that does
not answer is a row that says why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from reconciler.errors import MosaicError, Unavailable
from reconciler.helpers.sealed_json import Damaged
from reconciler.listing.document import Listing, problems_back, rows_back
from reconciler.listing.row import Row, Sync, in_order, silent_host
from reconciler.remote.ssh import Asking, Destination, Remote, RemoteAnswer, destination
from specs.dataclass import replace

if TYPE_CHECKING:
    from specs.compiled import Fleet, Peer

T = TypeVar("T")
TIMEOUT_S = 20.0  # for a look there, which takes a tenth of a second, over a slow line


def ask_all(
    peers: Iterable[Peer],
    words: Sequence[str],
    read: Callable[[str, Asking, RemoteAnswer], T],
    *,
    timeout_s: float = TIMEOUT_S,
) -> tuple[Mapping[str, T], Mapping[str, str]]:
    """Run one command on every host of these agents, on all at the same time. By host: what `read` makes of its answer,
    and of a host without one the reason. Raises nothing, provided that `read` raises only MosaicError."""
    asked: dict[str, Asking] = {}
    found: dict[str, T] = {}
    silent: dict[str, str] = {}
    try:
        for host, there in by_host(peers).items():
            try:
                asked[host] = Asking(way_to(there), words, timeout_s=timeout_s)
            except MosaicError as error:
                silent[host] = _reason(error)
        for host, asking in asked.items():
            try:
                found[host] = read(host, asking, asking.answer())
            except MosaicError as error:
                silent[host] = _reason(error)
    finally:
        for asking in asked.values():
            asking.abandon()
    return found, dict(sorted(silent.items()))


def _reason(error: MosaicError) -> str:
    return error.message + (f" ({error.help})" if error.help else "")


def everywhere(listing: Listing, fleet: Fleet, *, timeout_s: float = TIMEOUT_S) -> Listing:
    """`listing` with the rows of every other host that the fleet has agents on, and with what is wrong there as a
    whole."""
    words = ["fleet", "ps", "--fleet", fleet.name, "-o", "json"]
    found, silent = ask_all(fleet.peers, words, _read, timeout_s=timeout_s)
    homes = {agent.name: fleet.host for agent in fleet.agents} | {peer.name: peer.host for peer in fleet.peers}
    theirs = [row for rows, _ in found.values() for row in rows]
    theirs += [silent_host(host, listing.tenant_id, why, listing.observed_at) for host, why in silent.items()]
    return replace(
        listing,
        rows=in_order((*listing.rows, *(_at_home(row, homes) for row in theirs))),
        problems=(*listing.problems, *(problem for _, problems in found.values() for problem in problems)),
    )


def _at_home(row: Row, homes: Mapping[str, str]) -> Row:
    """A row of another host as this one's commit has it: an agent that is declared somewhere else by now is not as git
    says, whatever its host knows of that."""
    home = homes.get(row.name, row.host)
    if row.kind != "agent" or home == row.host or row.desired != "running":
        return row
    said = f"moving to {home}: {row.host} has not taken that commit yet"
    return replace(row, sync=Sync.EXTRA, wrong=True, problems=(said, *row.problems))


def by_host(peers: Iterable[Peer]) -> dict[str, list[Peer]]:
    """Those that are there to stay, by their host, in the order of the hosts."""
    found: dict[str, list[Peer]] = {}
    for peer in peers:
        if peer.state != "absent":
            found.setdefault(peer.host, []).append(peer)
    return dict(sorted(found.items()))


def way_to(peers: Sequence[Peer]) -> Destination:
    """By what the first of them names, else by the host's name."""
    return destination(next((peer for peer in peers if peer.ssh), peers[0]))


def _read(host: str, asking: Asking, answer: RemoteAnswer) -> tuple[tuple[Row, ...], tuple[str, ...]]:
    """The host's rows and problems under the name that it has in the fleet: that of the machine may be another."""
    if answer.document is None:
        raise Remote(asking.there, answer)
    try:
        rows = tuple(replace(row, host=host) for row in rows_back(answer.document))
        return rows, tuple(f"{host}: {problem}" for problem in problems_back(answer.document))
    except Damaged as error:
        raise Unavailable(
            f"{host} gave an answer that is not understood: {error}; is the same version installed there?"
        ) from error
