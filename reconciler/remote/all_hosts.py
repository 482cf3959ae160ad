"""The rows of every host of the fleet. Each host looks for itself; all are asked at the same time, and one that does
not answer is a row that says why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from reconciler.errors import MosaicError
from reconciler.helpers.sealed_json import Damaged
from reconciler.listing.document import Listing, problems_back, rows_back
from reconciler.listing.row import Row, Sync, in_order, silent_host
from reconciler.remote.ssh import Asking, Destination, Remote, destination
from specs.dataclass import replace

if TYPE_CHECKING:
    from specs.compiled import Fleet, Peer

TIMEOUT_S = 20.0  # for a look there, which takes a tenth of a second, over a slow line


def everywhere(listing: Listing, fleet: Fleet, *, timeout_s: float = TIMEOUT_S) -> Listing:
    """`listing` with the rows of every other host that the fleet has agents on, and with what is wrong there as a
    whole."""
    words = ["fleet", "ps", "--fleet", fleet.name, "-o", "json"]
    asked: list[tuple[str, Asking | MosaicError]] = []
    try:
        for host, peers in by_host(fleet.peers).items():
            try:
                asked.append((host, Asking(way_to(peers), words, timeout_s=timeout_s)))
            except MosaicError as error:
                asked.append((host, error))
        found = [_answer(host, asking, listing) for host, asking in asked]
        homes = {agent.name: fleet.host for agent in fleet.agents} | {peer.name: peer.host for peer in fleet.peers}
    finally:
        for _, asking in asked:
            if isinstance(asking, Asking):
                asking.abandon()
    return replace(
        listing,
        rows=in_order((*listing.rows, *(_at_home(row, homes) for rows, _ in found for row in rows))),
        problems=(*listing.problems, *(problem for _, problems in found for problem in problems)),
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


def _answer(host: str, asking: Asking | MosaicError, listing: Listing) -> tuple[tuple[Row, ...], tuple[str, ...]]:
    """The host's rows and problems under the name that it has in the fleet: that of the machine may be another."""
    try:
        if isinstance(asking, MosaicError):
            raise asking
        answer = asking.answer()
        if answer.document is None:
            raise Remote(asking.there, answer)
        rows = tuple(replace(row, host=host) for row in rows_back(answer.document))
        return rows, tuple(f"{host}: {problem}" for problem in problems_back(answer.document))
    except MosaicError as error:
        why = error.message + (f" ({error.help})" if error.help else "")
    except Damaged as error:
        why = f"{host} gave an answer that is not understood: {error}; is the same version installed there?"
    return (silent_host(host, listing.tenant_id, why, listing.observed_at),), ()
