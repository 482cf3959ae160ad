"""What the commands say that speak with an agent or look at it, and what is about to be taken away."""

from __future__ import annotations

from collections.abc import Iterator

from providers.tmux.pane_view import PaneSnapshot
from reconciler.agents.sessions import AgentSession
from reconciler.delivery.message import Message
from reconciler.delivery.verdict import Delivery
from reconciler.render.delivery_text import delivery_text, outbox_rows, outbox_text
from reconciler.render.purge_text import purge_text
from reconciler.render.sessions_text import sessions_text
from reconciler.render.watch_text import heading, status_line
from reconciler.terminal.viewport import Size
from reconciler.update.purge import Purge
from tests import builders as make
from tests.golden.book import Text
from tests.strategies import make_agent, make_fleet

NOW = make.NOW
WAITS = Message(id="m1", agent="coder0", sender="ada", text="please look", created=NOW - 60, revision=make.SHA)
UNSURE = Message(
    id="m2", agent="coder0", sender="ada", text="and this", created=NOW - 600, state="unconfirmed",
    reason="its screen changed while it was typed", ended=NOW - 500,
)  # fmt: skip
AWAY = Message(id="m3", agent="old", sender="bob", text="hello", created=NOW - 9000, state="put-away", reason="removed")


def send() -> Iterator[Text]:
    yield Text("taken up", delivery_text("coder0", Delivery(word="delivered", evidence="hook")))
    yield Text("queued", delivery_text("coder0", Delivery(word="delivered", evidence="pane", queued=True)))
    yield Text("nobody waited", delivery_text("coder0", Delivery(word="sent")))
    yield Text("it may have arrived", delivery_text("coder0", Delivery(word="unconfirmed", reason="nothing tells")))
    yield Text("not put in", delivery_text("coder0", Delivery(word="not-delivered", reason="a person writes to it")))


def sessions() -> Iterator[Text]:
    known = (
        AgentSession(
            id="5f0c3a1e-1111-4111-8111-111111111111", program="claude", directory="/home/op/src",
            started=NOW - 90_000, last=NOW - 60, size=1_204_000, present=True,
        ),
        AgentSession(
            id="0b7d9c22-2222-4222-8222-222222222222", program="claude", directory="/home/op/old",
            started=NOW - 900_000, last=NOW - 400_000, why_not="it was held in /home/op/old",
        ),
    )  # fmt: skip
    yield Text("two of them", sessions_text("coder0", known, now=NOW))
    yield Text("none", sessions_text("coder0", (), now=NOW))


def outbox() -> Iterator[Text]:
    fleet = make_fleet(make_agent("coder0"))
    yield Text("empty", outbox_text([], now=NOW))
    yield Text("a message of each kind", outbox_text(outbox_rows(fleet, [WAITS, UNSURE, AWAY]), now=NOW))


def watch() -> Iterator[Text]:
    seen = PaneSnapshot(found="pane", width=80, height=24, activity=NOW - 7)
    room = Size(columns=80, rows=25)
    view = make.view(waiting="permission")
    yield Text("the line below the pane", status_line("coder0", seen, view, now=NOW, terminal=room))
    wide = PaneSnapshot(found="pane", width=200, height=60, in_mode=True)
    yield Text("a pane that is larger", status_line("coder0", wide, None, now=NOW, terminal=room))
    yield Text("a stream", heading("coder0", NOW))


def purge() -> Iterator[Text]:
    found = Purge(
        units=("mosaic-agent@coder0.service",),
        slices=("mosaic.slice",),
        links=("/home/ada/.config/systemd/user/default.target.wants/mosaic-agent@coder0.service",),
        files=("/home/ada/.config/systemd/user/mosaic-agent@.service",),
        folders=("/home/ada/.local/state/mosaic",),
        left=(("/home/ada/fleet", "the repository"),),
    )
    yield Text("--purge: what is about to go", purge_text(found))
