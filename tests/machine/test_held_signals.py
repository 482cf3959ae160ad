"""Signals that wait until a started process is known to whoever has to end it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn

import pytest

from providers.processes.held_signals import held_signals


class Ended(BaseException):
    """What the handler of a command line raises."""


def end(_number: int, _frame: FrameType | None) -> NoReturn:
    raise Ended


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGTERM, before[0])
    signal.signal(signal.SIGINT, before[1])


def test_what_comes_meanwhile_is_raised_where_it_is_let_through() -> None:
    reached = []

    def start() -> None:
        with held_signals() as release:
            signal.raise_signal(signal.SIGTERM)
            reached.append("started")
            release()
            reached.append("never")

    with pytest.raises(Ended):
        start()
    assert reached == ["started"]
    assert signal.getsignal(signal.SIGTERM) is end


def test_the_end_of_the_block_lets_through_too() -> None:
    with pytest.raises(Ended), held_signals():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is end


def test_without_a_signal_nothing_happens_and_an_ignored_one_stays_ignored() -> None:
    with held_signals() as release:
        signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        release()
        assert signal.getsignal(signal.SIGTERM) is end
    with pytest.raises(Ended):
        signal.raise_signal(signal.SIGTERM)


def test_another_thread_changes_no_handler() -> None:
    seen = []

    def work() -> None:
        with held_signals() as release:
            release()
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(timeout=60)
    assert seen == [end]
