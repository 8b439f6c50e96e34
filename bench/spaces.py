"""Where `bench tune` looks for a setting's best value: declared beside the setting, or said by the user.

learning_rate: Annotated[float, Around(10)] = Field(3e-5, …)
pooling: Annotated[Literal["mean", "last"], AnyOf("mean", "last")] = Field("mean", …)
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, get_args

from bench.errors import UserError
from bench.settings import Settings

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from pydantic.fields import FieldInfo

Value = float | int | str | bool | None
_DIGITS = 3


class Domain(ABC):
    """The values that a setting may take."""

    @abstractmethod
    def distribution(self) -> BaseDistribution:
        """The same for Optuna."""

    @abstractmethod
    def __contains__(self, value: object) -> bool:
        """Whether it may take this one."""

    @property
    @abstractmethod
    def samples(self) -> tuple[Value, ...]:
        """Its values, or its ends: where those are allowed, all are."""

    @abstractmethod
    def value(self, drawn: Any) -> Value:
        """What is set where Optuna drew this."""

    def drawn(self, value: Any) -> Any:
        """What Optuna would have drawn for this value."""
        return value


@dataclass(frozen=True)
class Between(Domain):
    """A number from ``low`` to ``high``, both included; ``log``: even on a scale of logarithms.

    Fractions are set with three significant digits, which is finer than anything that they decide.
    """

    low: float
    high: float
    log: bool = False

    def distribution(self) -> BaseDistribution:
        """A distribution of whole numbers where both ends are."""
        from optuna.distributions import FloatDistribution, IntDistribution

        if self._whole:
            return IntDistribution(int(self.low), int(self.high), log=self.log)
        return FloatDistribution(self.low, self.high, log=self.log)

    def value(self, drawn: Any) -> Value:
        """Rounded, and not beyond the ends."""
        if self._whole:
            return int(drawn)
        return min(max(_short(drawn), self.low), self.high)

    def __contains__(self, value: object) -> bool:
        if not isinstance(value, int | float) or isinstance(value, bool):
            return False
        return self.low <= value <= self.high and not (self._whole and value % 1)

    def __str__(self) -> str:
        return f"{'log:' if self.log else ''}{self.low:g}..{self.high:g}"

    @property
    def samples(self) -> tuple[Value, ...]:
        """Both ends."""
        return self.low, self.high

    @property
    def _whole(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int)


@dataclass(frozen=True)
class Options(Domain):
    """One of some values."""

    values: tuple[Value, ...]

    @property
    def samples(self) -> tuple[Value, ...]:
        """All of them."""
        return self.values

    def distribution(self) -> BaseDistribution:
        """Categories, by their position: Optuna does not take lists."""
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(range(len(self.values)))

    def value(self, drawn: Any) -> Value:
        """The value at this position."""
        chosen: Value = self.values[drawn]
        return chosen

    def drawn(self, value: Any) -> Any:
        """The position of this value."""
        return self.values.index(value)

    def __contains__(self, value: object) -> bool:
        return value in self.values

    def __str__(self) -> str:
        return ",".join("null" if value is None else str(value) for value in self.values)


class Space(ABC):
    """Marks a setting that `bench tune` may change."""

    @abstractmethod
    def domain(self, value: Any) -> Domain | None:
        """Where to look, starting from the value as it stands; None where that cannot be said of it."""


@dataclass(frozen=True)
class Around(Space):
    """A number from a ``factor``-th of the value as it stands to ``factor`` times it, on a scale of logarithms.

    So what suits a network of ten million weights and one of ten billion is searched for equally far.
    """

    factor: float

    def domain(self, value: Any) -> Domain | None:
        """None where the value is no number above zero."""
        if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
            return None
        return Between(_short(value / self.factor), _short(value * self.factor), log=True)


@dataclass(frozen=True)
class Within(Space):
    """A number between fixed ends, whatever it is now; ``log``: on a scale of logarithms."""

    low: float
    high: float
    log: bool = False

    def domain(self, value: Any) -> Domain:
        """The same for every value."""
        return Between(self.low, self.high, self.log)


@dataclass(frozen=True)
class AnyOf(Space):
    """One of some values, whatever it is now."""

    values: tuple[Value, ...]

    def __init__(self, *values: Value) -> None:
        object.__setattr__(self, "values", values)

    def domain(self, value: Any) -> Domain:
        """The same for every value."""
        return Options(self.values)


def domains(
    settings: Settings, said: Mapping[str, Domain] | None = None, fixed: Collection[str] = ()
) -> dict[str, Domain]:
    """Where to look for the best value of each setting, in the order of their declaration.

    Args:
        settings: As they stand.
        said: What the user says, which outranks what is declared.
        fixed: Settings that the user set: nobody looks beside them, unless ``said`` has them.

    Raises:
        UserError: What the user says are no values of the setting.
    """
    found: dict[str, Domain] = {}
    for key, info in type(settings).model_fields.items():
        if key in (said or {}):
            found[key] = _fitting((said or {})[key], key, info)
        elif key not in fixed:
            domain = _declared(info.annotation, info.metadata, getattr(settings, key))
            if domain is not None:
                found[key] = _fitting(domain, key, info)
    return found


def _fitting(domain: Domain, key: str, info: FieldInfo) -> Domain:
    """The domain in numbers of the setting's kind: ``0..1`` are fractions where the setting is one."""
    from pydantic import TypeAdapter, ValidationError

    kinds = {info.annotation, *get_args(info.annotation)}
    if isinstance(domain, Between) and float in kinds:
        domain = replace(domain, low=float(domain.low), high=float(domain.high))
    allowed: TypeAdapter[Any] = TypeAdapter(Annotated[info.annotation, info])  # type: ignore[arg-type]
    for value in domain.samples:
        try:
            allowed.validate_python(value)
        except ValidationError as error:
            reason = error.errors()[0]["msg"]
            raise UserError(
                f"--space {key}={domain}: {value!r} is no value of {key} ({reason}); see bench show"
            ) from None
    return domain


def _declared(annotation: Any, metadata: list[Any], value: Any) -> Domain | None:
    marks = [*metadata, *(mark for part in get_args(annotation) for mark in getattr(part, "__metadata__", ()))]
    return next((mark.domain(value) for mark in marks if isinstance(mark, Space)), None)


def parse_spaces(words: list[str] | None) -> dict[str, Domain]:
    """``[NAME.]KEY=SPACE`` words as domains by ``[NAME.]KEY``: ``LOW..HIGH``, ``log:LOW..HIGH`` or ``A,B,C``.

    Raises:
        UserError: A word is none of these.
    """
    found: dict[str, Domain] = {}
    for word in words or ():
        key, equals, space = word.partition("=")
        if not equals or not key.strip() or not space.strip():
            raise UserError(f"--space {word}: write KEY=LOW..HIGH, KEY=log:LOW..HIGH or KEY=A,B,C")
        ranged = ".." in space or space.strip().startswith("log:")
        found[key.strip()] = _range(space.strip(), word) if ranged else Options(tuple(_listed(space)))
    return found


def _range(space: str, word: str) -> Between:
    log = space.startswith("log:")
    low, dots, high = space.removeprefix("log:").partition("..")
    ends = _listed(f"{low},{high}") if dots else []
    numbers = [end for end in ends if isinstance(end, int | float) and not isinstance(end, bool)]
    if len(numbers) < 2 or not numbers[0] < numbers[1] or (log and numbers[0] <= 0):
        wanted = "two numbers above zero, the lower first" if log else "two numbers, the lower first"
        raise UserError(f"--space {word}: {space} is no range; write {wanted}")
    return Between(numbers[0], numbers[1], log)


def _listed(text: str) -> list[Value]:
    import yaml

    values: list[Value] = []
    for part in text.split(","):
        try:
            value = yaml.safe_load(part)
        except (yaml.YAMLError, ValueError):
            value = part
        values.append(_number(value))
    return values


def _short(number: float) -> float:
    return float(f"{number:.{_DIGITS}g}")


def _number(value: Any) -> Any:
    """YAML 1.1 reads ``1e-5`` as a word."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value
