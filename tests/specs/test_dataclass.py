"""`specs.dataclass` against the standard library's: the same classes, made by both, do the same."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import operator
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Generic, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specs import dataclass as ours

T = TypeVar("T")
OPTIONS: tuple[dict[str, bool], ...] = tuple(
    {"frozen": frozen, "slots": slots, "kw_only": kw_only, "order": order, "eq": eq, "repr": repr_}
    for frozen in (False, True)
    for slots in (False, True)
    for kw_only in (False, True)
    for order, eq in ((False, True), (True, True), (False, False))
    for repr_ in (False, True)
)


def declare(module: Any, options: dict[str, bool]) -> tuple[type, type]:
    """A class with every kind of field, and one that derives from it."""

    @module.dataclass(**options)
    class Thing:
        """Said of it."""

        name: str
        size: int = 1
        words: list[str] = module.field(default_factory=list)
        hidden: str = module.field(default="h", repr=False)
        aside: float = module.field(default=0.5, compare=False)

        @property
        def long(self) -> bool:
            return len(self.name) > 3

    @module.dataclass(**options)
    class More(Thing):
        size: int = 2
        last: tuple[int, ...] = ()

        def __repr__(self) -> str:
            return "more"

    return Thing, More


PAIRS = [(declare(dataclasses, one), declare(ours, one)) for one in OPTIONS]
CALLS: tuple[tuple[tuple[Any, ...], dict[str, Any]], ...] = (
    ((), {"name": "a"}),
    ((), {"name": "b", "size": 7, "words": ["x"], "hidden": "", "aside": 9.0}),
    ((), {"name": "a", "aside": 2.0}),
    (("c",), {}),
    (("c", 3, ["y"]), {}),
    ((), {}),
    ((), {"name": "a", "nothing": 1}),
    (("c",), {"name": "d"}),
)


def outcome(work: Callable[[], object]) -> object:
    """What it returned, or how it failed, without the class that did."""
    try:
        return work()
    except Exception as error:
        return type(error).__name__, str(error).replace("'Thing'", "T").replace("'More'", "T")


def shown(value: object) -> tuple[object, ...]:
    if isinstance(value, tuple):
        return value
    names = ("name", "size", "words", "hidden", "aside", "last")
    return tuple(getattr(value, name, None) for name in names)


def both(pair: int, which: int, work: Callable[[type], object]) -> tuple[object, object]:
    standard, own = PAIRS[pair]
    return outcome(lambda: work(standard[which])), outcome(lambda: work(own[which]))


@pytest.fixture(params=range(len(PAIRS)), ids=lambda at: "-".join(k for k, v in OPTIONS[at].items() if v) or "plain")
def pair(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.mark.parametrize("which", [0, 1])
def test_instances_are_the_same(pair: int, which: int) -> None:
    for _ in range(ours.FEW // 2):  # by the general `__init__` at first, then by one of its own
        for args, words in CALLS:
            standard, own = both(pair, which, lambda cls, args=args, words=words: shown(cls(*args, **words)))  # type: ignore[misc]
            assert standard == own


def made(pair: int) -> Iterator[tuple[list[Any], list[Any]]]:
    standard, own = PAIRS[pair]
    words = [words for _, words in CALLS[:3]]
    for one, other in zip(standard, own, strict=True):
        yield [one(**each) for each in words], [other(**each) for each in words]


COMPARING = (operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge)


def compared(values: list[Any], print_too: bool) -> list[object]:
    """What comparing every pair gives, whether each can be hashed, and how each is printed."""
    found = [outcome(partial(compare, a, b)) for compare in COMPARING for a in values for b in values]
    hashes = [outcome(partial(hash, one)) for one in values]
    found += [one if isinstance(one, tuple) else "hashed" for one in hashes]
    return found + [repr(one) for one in values if print_too]


def test_they_compare_hash_and_print_alike(pair: int) -> None:
    for standard, own in made(pair):
        printed = OPTIONS[pair]["repr"]
        assert compared(standard, printed) == compared(own, printed)


def test_changing_a_field_is_the_same(pair: int) -> None:
    def change(value: Any, name: str) -> object:
        setattr(value, name, "z")
        return getattr(value, name)

    def delete(value: Any) -> object:
        del value.name
        return hasattr(value, "name")

    for standard, own in made(pair):
        for name in ("name", "other"):
            one, other = (outcome(partial(change, value, name)) for value in (standard[0], own[0]))
            slots_refuse = OPTIONS[pair]["slots"] and name == "other"
            assert (one == other) or (slots_refuse and isinstance(one, tuple) and isinstance(other, tuple))
        assert outcome(partial(delete, standard[1])) == outcome(partial(delete, own[1]))


def test_the_standard_functions_take_ours(pair: int) -> None:
    for standard, own in made(pair):
        for this, that in zip(standard, own, strict=True):
            assert dataclasses.asdict(this) == dataclasses.asdict(that) == ours.asdict(that)
            for replace in (dataclasses.replace, ours.replace):
                changed = replace(that, name="new")
                assert shown(dataclasses.replace(this, name="new")) == shown(changed)
                assert type(changed) is type(that)
                with pytest.raises(TypeError):
                    replace(that, nothing=1)
            for one, other in zip(dataclasses.fields(this), ours.fields(that), strict=True):
                for word in ("name", "default", "repr", "compare", "init", "kw_only"):
                    assert getattr(one, word) == getattr(other, word)
            assert shown(ours.replace(this, name="new")) == shown(dataclasses.replace(this, name="new"))
            assert shown(copy.copy(that)) == shown(copy.deepcopy(that)) == shown(that)
            assert hasattr(that, "__dict__") == hasattr(this, "__dict__")
            assert that.long == this.long


def test_a_class_says_the_same_of_itself(pair: int) -> None:
    standard, own = PAIRS[pair]
    for this, that in zip(standard, own, strict=True):
        assert dataclasses.is_dataclass(that)
        assert list(inspect.signature(that).parameters) == list(inspect.signature(this).parameters)
        for word in ("__name__", "__qualname__", "__module__", "__match_args__"):
            assert getattr(that, word) == getattr(this, word)
    assert own[0].__doc__ == standard[0].__doc__


@ours.dataclass(frozen=True, slots=True, kw_only=True)
class Box(Generic[T]):
    """With a type parameter, at the top of a module so that it can be pickled."""

    inside: T
    many: tuple[T, ...] = ()


@given(st.integers(), st.lists(st.integers()))
def test_a_pickle_gives_the_same_value(inside: int, many: list[int]) -> None:
    box = Box(inside=inside, many=tuple(many))
    assert pickle.loads(pickle.dumps(box)) == box  # noqa: S301 - made here
    assert hash(pickle.loads(pickle.dumps(box))) == hash(box)  # noqa: S301
    assert Box[int](inside=inside, many=tuple(many)) == box


def test_a_mutable_default_is_refused() -> None:
    with pytest.raises(ValueError, match="use default_factory"):

        @ours.dataclass
        class Bad:
            words: list[str] = []  # noqa: RUF012


def test_what_it_is_for() -> None:
    said = "import sys, reconciler.run.run; print('dataclasses' in sys.modules, 'inspect' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["False", "False"]
