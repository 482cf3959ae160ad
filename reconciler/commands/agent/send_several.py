"""Send one message to several agents: each has its own answer, and one that cannot be reached holds only itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.commands.agent.sending import Sending, SendOutcome
    from specs.compiled import Agent, Peer

AT_ONCE = 8  # receivers: each has a process of tmux or ssh at a time
_MILD = (0, 3, 1)  # exit codes from the mildest: it may have arrived, it did not; any other is worse


def send_to_each(sending: Sending, receivers: Sequence[Agent | Peer]) -> Iterator[SendOutcome]:
    """What became of the message to each, in their order, as soon as it is known. Raises nothing for one receiver:
    what went wrong is its answer."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        pending = [pool.submit(_one, sending, receiver) for receiver in receivers]
        try:
            for future in pending:
                yield future.result()
        finally:
            for future in pending:
                future.cancel()


def worst(codes: Sequence[int]) -> int:
    """The exit code for all of them."""
    return max(codes, key=lambda code: (_MILD.index(code) if code in _MILD else len(_MILD), code), default=0)


def _one(sending: Sending, receiver: Agent | Peer) -> SendOutcome:
    from reconciler.delivery.verdict import Delivery
    from reconciler.errors import MosaicError
    from specs.dataclass import replace

    try:
        return sending.to(receiver)
    except MosaicError as error:
        refused = Delivery(word="not-delivered", reason=error.message, way=error.help)
        return replace(sending.answer(receiver.name, refused), code=int(error.exit_code))
