"""Send one message to one agent, wherever it is: what `mosaic agent send` does for each receiver."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from specs.dataclass import dataclass

if TYPE_CHECKING:
    from providers.base import Json
    from reconciler.context.fleet import FleetContext
    from reconciler.delivery.signing import Signature
    from reconciler.delivery.verdict import Delivery
    from reconciler.helpers.words import Paint
    from specs.compiled import Agent, Fleet, Peer

EXPIRES_S = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SendOutcome:
    """What became of one message: its document, its line for people, what to do, and the exit code."""

    document: Mapping[str, Json]
    line: str
    code: int
    help: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """One message. `expires`: seconds that it may wait, None where it is sent now; `verify`: seconds to wait for
    evidence, None for no wait."""

    place: FleetContext
    fleet: Fleet
    text: str
    by: Signature
    verify: float | None
    expires: float | None
    paint: Paint

    def to(self, agent: Agent | Peer) -> SendOutcome:
        """Send it. Raises MosaicError if there is no answer that could be one of a message."""
        from specs.compiled import Peer

        if isinstance(agent, Peer):
            return self._elsewhere(agent)
        return self._here(agent) if self.expires is None else self._kept(agent, self.expires)

    def answer(self, agent: str, found: Delivery) -> SendOutcome:
        """The outcome that a delivery is."""
        from reconciler.delivery.send import EXIT
        from reconciler.render.delivery_text import delivery_document, delivery_text

        size = len(self.text.encode())
        return SendOutcome(
            document=delivery_document(self.fleet, agent, found, sender=self.by.sender, size=size),
            line=delivery_text(agent, found, paint=self.paint),
            code=int(EXIT[found.word]),
            help=found.way,
        )

    def _here(self, agent: Agent) -> SendOutcome:
        from reconciler.delivery.deliver import VERIFY_S
        from reconciler.delivery.send import send

        found = send(
            self.fleet, agent, self.text,
            facts=self.place.facts, store=self.place.store,
            sender=self.by.sender, source=self.by.source,
            verify=self.verify is not None, timeout_s=VERIFY_S if self.verify is None else self.verify,
        )  # fmt: skip
        return self.answer(agent.name, found)

    def _elsewhere(self, peer: Peer) -> SendOutcome:
        """To another host; what it answers is told as it is."""
        from reconciler.delivery.remote_send import send_elsewhere
        from reconciler.delivery.verdict import Delivery
        from reconciler.helpers.words import data
        from reconciler.render.delivery_text import delivery_text

        options = [] if self.verify is None else ["--verify", "--verify-timeout", f"{self.verify:g}s"]
        if self.expires is not None:
            options = ["--when", "available", "--expires", f"{self.expires:g}s"]
        found = send_elsewhere(
            self.fleet, peer, self.text, sender=self.by.sender, options=options, wait_s=self.verify or 0.0
        )
        if isinstance(found, Delivery):  # nobody answered
            return self.answer(peer.name, found)
        document = dict(found.document)
        if found.delivery is None:
            line = f"stored as {data(document['id'])} on {peer.host}: it is delivered when {peer.name} is available"
            return SendOutcome(document=document, line=line, code=found.code)
        line = delivery_text(peer.name, found.delivery, paint=self.paint)
        return SendOutcome(document=document, line=line, code=found.code, help=found.delivery.way)

    def _kept(self, agent: Agent, expires: float) -> SendOutcome:
        """Into the outbox, and wake the loop up."""
        from reconciler.delivery.outbox import Outbox
        from reconciler.errors import MosaicError
        from reconciler.render.delivery_text import stored_document
        from reconciler.state.pause import read_pause
        from reconciler.state.trigger import request_look

        if agent.state == "absent":
            raise MosaicError(
                f"agent {agent.name} is declared absent, and gets no messages", help="mosaic agent roster"
            )
        now = time.time()
        kept = Outbox(self.place.store).put(
            agent=agent.name, sender=self.by.sender, text=self.text,
            now=now, expires=now + expires, revision=self.fleet.revision,
        )  # fmt: skip
        resident = request_look(self.place.store)
        who = "the resident reconciler delivers it" if resident else "the next run of the reconciler delivers it"
        warnings = []
        if agent.state != "running":
            warnings.append(f"{agent.name} is declared {agent.state}: it waits until that changes, or it expires")
        if read_pause(self.place.facts) is not None:
            warnings.append("the fleet is paused, and nothing is delivered until `mosaic fleet resume`")
        return SendOutcome(
            document=stored_document(self.fleet, kept),
            line=f"stored as {kept.id}: {who} when {agent.name} is available",
            code=0,
            warnings=tuple(warnings),
        )
