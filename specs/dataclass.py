"""`dataclass`, `field` and `replace` as the standard library has them, at a fraction of their start-up time.

The standard decorator compiles half a dozen methods for each class when its module is imported, which took longer than
all that a run does when there is nothing to do. This one compiles nothing then: the methods that compare, hash and
print are closures, and a class gets an `__init__` of its own once several instances have been made. To the type checker
both are the same, and the functions of `dataclasses` accept the classes of either. What this program does not use is
missing here: `__post_init__`, `InitVar` and the other options.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter, ge, gt, le, lt
from types import MemberDescriptorType
from typing import TYPE_CHECKING, NoReturn, TypeVar, cast

if TYPE_CHECKING:
    import inspect
    from dataclasses import asdict, dataclass, field, fields, replace

    from _typeshed import DataclassInstance

FEW = 16  # instances: to make them by the general `__init__` costs about as much as to compile one
T = TypeVar("T")
Init = Callable[..., None]
Compare = Callable[[tuple[object, ...], tuple[object, ...]], bool]
_ORDERS: Mapping[str, Compare] = {"__lt__": lt, "__le__": le, "__gt__": gt, "__ge__": ge}


class _Missing:
    """Stands for a default that does not exist, and for one that is made for each instance."""

    def __repr__(self) -> str:
        return "<made for each>"


_MISSING = _Missing()


class _Field:
    """One field: its default or the function that makes one, what it takes part in, and its type as written."""

    __slots__ = ("compare", "default", "factory", "kw_only", "repr", "type")

    def __init__(self, default: object, factory: object, shown: bool, compare: bool) -> None:
        self.default, self.factory, self.repr, self.compare = default, factory, shown, compare
        self.kw_only = False
        self.type: object = ""


class _Made:
    """What is known of a class: its fields by name, those of its bases first, and the options of the decorator."""

    __slots__ = ("cls", "count", "defaults", "factories", "fields", "names", "options", "setters", "values")

    def __init__(self, fields: dict[str, _Field], options: Mapping[str, bool]) -> None:
        self.cls: type = object
        self.fields, self.names, self.options = fields, fields.keys(), options
        self.defaults = {name: one.default for name, one in fields.items() if one.default is not _MISSING}
        self.factories = {name: one.factory for name, one in fields.items() if one.factory is not _MISSING}
        self.setters: dict[str, Callable[[object, object], None]] = {}
        self.values = _getter(list(fields))
        self.count = 0  # instances made by the general `__init__`

    def make_setters(self) -> None:
        """Functions that set a field of an instance, frozen or not."""
        for name in self.fields:
            slot = getattr(self.cls, name, None)
            self.setters[name] = slot.__set__ if type(slot) is MemberDescriptorType else _setter(name)

    def compile_init(self) -> Init:
        """Make the class's own `__init__`, put it in its place and return it."""
        if not self.setters:
            self.make_setters()
        scope: dict[str, object] = {f"_set_{name}": set_ for name, set_ in self.setters.items()} | {"_each": _MISSING}
        words, keywords, lines = ["self"], ["*"], []
        for name, one in self.fields.items():
            word, value = name, name
            if name in self.factories:
                scope[f"_new_{name}"] = one.factory
                word, value = f"{name}=_each", f"_new_{name}() if {name} is _each else {name}"
            elif name in self.defaults:
                scope[f"_default_{name}"] = one.default
                word = f"{name}=_default_{name}"
            (keywords if one.kw_only else words).append(word)
            lines.append(f"_set_{name}(self, {value})" if self.options["frozen"] else f"self.{name} = {value}")
        head, body = ", ".join(words + (keywords if len(keywords) > 1 else [])), "\n ".join(lines or ["pass"])
        exec(f"def __init__({head}):\n {body}", scope)  # noqa: S102 - of names in our own source, as the standard one
        init = cast("Init", scope["__init__"])
        init.__qualname__ = f"{self.cls.__qualname__}.__init__"
        init.__annotations__ = {name: one.type for name, one in self.fields.items()} | {"return": None}
        self.cls.__init__ = init  # type: ignore[misc]
        return init


def _setter(name: str) -> Callable[[object, object], None]:
    return lambda value, given: object.__setattr__(value, name, given)


def _first_init(made: _Made) -> Init:
    """The `__init__` of the first instances. A call with values by position, or with a missing one, is for the compiled
    one, so that errors are Python's own."""

    def __init__(self: object, /, *args: object, **given: object) -> None:
        made.count += 1
        if not args and made.count <= FEW:
            values = made.defaults | given
            for name, make in made.factories.items():
                if name not in values:
                    values[name] = cast("Callable[[], object]", make)()
            if values.keys() == made.names:
                if not made.setters:
                    made.make_setters()
                for name, set_ in made.setters.items():
                    set_(self, values[name])
                return
        made.compile_init()(self, *args, **given)

    return __init__


def _getter(names: list[str]) -> Callable[[object], tuple[object, ...]]:
    """The values of these attributes."""
    return attrgetter(*names) if len(names) > 1 else lambda value: tuple(getattr(value, name) for name in names)


def _methods(made: _Made) -> dict[str, object]:
    """The methods that the options ask for."""
    options, compared = made.options, [name for name, one in made.fields.items() if one.compare]
    get = _getter(compared)
    methods: dict[str, object] = {"__replace__": _replace}
    if options["repr"]:

        def __repr__(self: object) -> str:
            shown = (f"{name}={getattr(self, name)!r}" for name, one in made.fields.items() if one.repr)
            return f"{type(self).__qualname__}({', '.join(shown)})"

        methods["__repr__"] = __repr__
    if options["eq"]:

        def __eq__(self: object, other: object) -> bool:
            return get(self) == get(other) if type(other) is type(self) else NotImplemented

        def __hash__(self: object) -> int:
            return hash(get(self))

        methods |= {"__eq__": __eq__, "__hash__": __hash__ if options["frozen"] else None}
    if options["order"]:
        methods |= {name: _ordering(operator, get) for name, operator in _ORDERS.items()}
    if options["frozen"]:
        methods |= {"__setattr__": _cannot("assign to"), "__delattr__": _cannot("delete")}
        if options["slots"]:
            methods |= {"__getstate__": _state, "__setstate__": _set_state}
    return methods


def _ordering(compare: Compare, get: Callable[[object], tuple[object, ...]]) -> Callable[[object, object], bool]:
    return lambda one, other: compare(get(one), get(other)) if type(other) is type(one) else NotImplemented


def _cannot(what: str) -> Callable[..., NoReturn]:
    def refuse(_self: object, name: str, _value: object = None) -> NoReturn:
        from dataclasses import FrozenInstanceError

        raise FrozenInstanceError(f"cannot {what} field {name!r}")

    return refuse


def _state(self: object) -> list[object]:
    return list(_known(self).values(self))


def _set_state(self: object, state: list[object]) -> None:
    for name, value in zip(_known(self).fields, state, strict=True):
        object.__setattr__(self, name, value)


def _known(value: object) -> _Made:
    return cast("_Made", getattr(type(value), "__made__", None))


class _Lent:
    """A class attribute that only the standard library's functions ask for; it is made when one of them does."""

    __slots__ = ("_make", "_name")

    def __init__(self, name: str, make: Callable[[_Made], object]) -> None:
        self._name, self._make = name, make

    def __get__(self, value: object, owner: type) -> object:
        made = cast("_Made", getattr(owner, "__made__", None))
        found = self._make(made)
        setattr(made.cls, self._name, found)
        return found


def _standard(made: _Made) -> type:
    """A class of the standard library with the same fields."""
    import dataclasses

    def like(one: _Field) -> object:
        given = {"default": one.default, "default_factory": one.factory}
        kept = {name: value for name, value in given.items() if value is not _MISSING}
        return dataclasses.field(repr=one.repr, compare=one.compare, kw_only=one.kw_only, **kept)  # type: ignore[call-overload]

    fields = [(name, one.type, like(one)) for name, one in made.fields.items()]
    return dataclasses.make_dataclass(made.cls.__name__, fields, frozen=made.options["frozen"])


def _signature(made: _Made) -> inspect.Signature:
    import inspect

    signature = inspect.signature(made.compile_init())
    return signature.replace(parameters=list(signature.parameters.values())[1:])


_LENT: dict[str, object] = {
    name: _Lent(name, lambda made, name=name: getattr(_standard(made), name))  # type: ignore[misc]
    for name in ("__dataclass_fields__", "__dataclass_params__")
}
_LENT["__signature__"] = _Lent("__signature__", _signature)


def _made_of(cls: type[T], options: Mapping[str, bool]) -> type[T]:
    """The class with the methods that its options ask for: a new one if it has slots, as in the standard library."""
    names, own = dict(cls.__dict__), dict[str, _Field]()
    for name, annotation in names.get("__annotations__", {}).items():
        if str(annotation).startswith("ClassVar"):
            continue
        given = names.get(name, _MISSING)
        one = own[name] = given if isinstance(given, _Field) else _Field(given, _MISSING, True, True)
        one.kw_only, one.type = options["kw_only"], annotation
        if isinstance(one.default, list | dict | set):
            raise ValueError(f"mutable default for {cls.__qualname__}.{name}: use default_factory")
    before = [base.__dict__["__made__"].fields for base in reversed(cls.__mro__[1:]) if "__made__" in base.__dict__]
    made = _Made({name: one for fields in [*before, own] for name, one in fields.items()}, options)
    added = {name: method for name, method in _methods(made).items() if name not in names or names[name] is None}
    if "__init__" in names:
        raise TypeError(f"{cls.__qualname__} has an __init__ of its own, which a dataclass here may not")
    added |= {"__made__": made, "__init__": _first_init(made), **_LENT}
    added["__match_args__"] = tuple(name for name, one in made.fields.items() if not one.kw_only)
    if options["slots"]:
        slots = {name for base in cls.__mro__[1:] for name in base.__dict__.get("__slots__", ())}
        left = {name: value for name, value in names.items() if name not in own}
        left.pop("__dict__", None)
        left.pop("__weakref__", None)
        extra = {"__slots__": tuple(name for name in own if name not in slots), "__qualname__": cls.__qualname__}
        metaclass = cast("Callable[..., type[T]]", type(cls))
        cls = metaclass(cls.__name__, cls.__bases__, {**left, **added, **extra})
    else:
        for name, value in added.items():
            setattr(cls, name, value)
        for name, one in own.items():
            if names.get(name) is one:
                setattr(cls, name, one.default) if one.default is not _MISSING else delattr(cls, name)
    made.cls = cls
    return cls


def _dataclass(
    cls: type[T] | None = None,
    /,
    *,
    frozen: bool = False,
    slots: bool = False,
    kw_only: bool = False,
    order: bool = False,
    eq: bool = True,
    repr: bool = True,
) -> type[T] | Callable[[type[T]], type[T]]:
    options = {"frozen": frozen, "slots": slots, "kw_only": kw_only, "order": order, "eq": eq, "repr": repr}
    return _made_of(cls, options) if cls is not None else lambda cls: _made_of(cls, options)


def _field(
    *,
    default: object = _MISSING,
    default_factory: object = _MISSING,
    repr: bool = True,
    compare: bool = True,
) -> _Field:
    return _Field(default, default_factory, repr, compare)


def _replace(value: T, /, **changes: object) -> T:
    made = _known(value)
    if made is None:
        import dataclasses

        return cast("T", dataclasses.replace(cast("DataclassInstance", value), **changes))
    if not made.options["slots"] or made.cls is not type(value) or not changes.keys() <= made.names:
        known = dict(zip(made.fields, made.values(value), strict=True))
        return cast("Callable[..., T]", type(value))(**(known | changes))
    copy = object.__new__(type(value))  # no field is missing, so nothing is left for `__init__` to check
    if not made.setters:
        made.make_setters()
    for set_, kept in zip(made.setters.values(), made.values(value)):  # noqa: B905 - asking costs as much as a field
        set_(copy, kept)
    for name, new in changes.items():
        made.setters[name](copy, new)
    return copy


def _imported(name: str) -> Callable[[object], object]:
    """A function of the standard library, which is imported when it is called."""

    def call(value: object) -> object:
        import dataclasses

        return cast("Callable[[object], object]", getattr(dataclasses, name))(value)

    return call


if not TYPE_CHECKING:  # to the type checker they are the standard library's
    dataclass, field, replace = _dataclass, _field, _replace
    asdict, fields = _imported("asdict"), _imported("fields")

__all__ = ["asdict", "dataclass", "field", "fields", "replace"]
