"""The answer for one connection, with its reasons."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from ringfence.model.cluster import Pod
from ringfence.model.policy import Tier

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ringfence.model.connection import End
    from ringfence.model.origin import Origin
    from ringfence.model.policy import Direction, Policy, Rule
    from ringfence.semantics.unknown import Unknown


class Outcome(Enum):
    """What is answered; undecided when the input does not settle it."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNDECIDED = "undecided"

    __hash__ = object.__hash__  # a member is one object; the default hashes its name in Python, each time anew


@dataclass(frozen=True, slots=True)
class Assumption:
    """Something taken for granted, without which the answer would differ.

    Attributes:
        topic: What it is about, e.g. ``pod-address``, ``node-address`` or ``pod-node``.
        text: One clause for people.
        origins: The rules whose meaning rests on it.
    """

    topic: str
    text: str
    origins: tuple[Origin, ...] = ()

    @classmethod
    def of_address(cls, end: End, differing: Iterable[Half]) -> Assumption:
        """Say that an address is taken to lie outside every block; otherwise one of these halves would be right."""
        on_node = isinstance(end, Pod) and end.host_network
        text = f"the address of {end} is not known and taken to lie outside every block"
        return cls("node-address" if on_node else "pod-address", text, origins_of(differing))


@dataclass(frozen=True, slots=True, order=True)
class Undefined:
    """A point that the API leaves open, and on which an answer rests.

    Attributes:
        topic: Its name in the table of open points, e.g. ``hairpin``.
        dialect: Whose choice was taken.
        otherwise: The dialects that choose otherwise; none may, and the point is open nevertheless.
    """

    topic: str
    dialect: str
    otherwise: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Half:
    """One direction of a verdict: egress judged at the client, ingress at the server.

    Attributes:
        direction: Which half it is.
        outcome: The answer of this half.
        tier: The tier that decided, the first of several that may have; None when no policy did.
        reason: One clause, lower case, naming ``namespace/name``.
        origins: What decided: rules that matched, or policies that isolate; empty only
            when no policy decided.
        nearest: When isolated and no rule matched: rules that miss by the peer alone or
            by the traffic alone.
        passed: Rules of tiers above that passed it on, or perhaps did.
        assumptions: What the outcome rests on.
        undefined: What the API leaves open here.
        unknown: What is not known of domain names and nodes and would, if it were, decide what is undecided.
    """

    direction: Direction
    outcome: Outcome
    tier: Tier | None
    reason: str
    origins: tuple[Origin, ...] = ()
    nearest: tuple[Origin, ...] = ()
    passed: tuple[Origin, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    undefined: tuple[Undefined, ...] = ()
    unknown: tuple[Unknown, ...] = ()

    @property
    def places(self) -> tuple[Origin, ...]:
        """Everything that its reason names: what passed it on, then what decided."""
        return (*self.passed, *self.origins)


@dataclass(frozen=True, slots=True)
class Passed:
    """How a connection came through the tiers above: by rules that passed it, or because none matched.

    Attributes:
        reason: One clause for each tier with such a rule; empty when there is none.
        origins: The rules.
    """

    reason: str = ""
    origins: tuple[Origin, ...] = ()

    @classmethod
    def by(cls, rules: Sequence[tuple[Policy, Rule]], *, perhaps: bool) -> Passed:
        """Return that rules of one tier passed it, any of them, or perhaps none."""
        if not rules:
            return cls()
        names = " or ".join(f"{policy.name} {rule.words}" for policy, rule in rules)
        return cls(f"{'perhaps ' if perhaps else ''}passed by {names}", tuple(rule.origin for _, rule in rules))

    def then(self, below: Passed) -> Passed:
        """Return that it came through one more tier."""
        reasons = [each.reason for each in (self, below) if each.reason]
        return Passed(", then ".join(reasons), (*self.origins, *below.origins))

    def before(self, half: Half) -> Half:
        """Return what a tier below says, told with what passed it there."""
        return replace(half, reason=f"{self.reason}, then {half.reason}", passed=self.origins) if self.reason else half


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer for one connection: both halves must allow it."""

    egress: Half
    ingress: Half

    @property
    def halves(self) -> tuple[Half, Half]:
        """Both halves, in the order a packet meets them."""
        return (self.egress, self.ingress)

    @property
    def outcome(self) -> Outcome:
        """Denied if a half denies, else undecided if a half is, else allowed."""
        return combine(self.egress.outcome, self.ingress.outcome)

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """The assumptions of both halves, each once."""
        return tuple(dict.fromkeys(a for half in self.halves for a in half.assumptions))

    @property
    def undefined(self) -> tuple[Undefined, ...]:
        """The open points on which it rests, each once, sorted; none where a half denies whatever they mean."""
        if any(half.outcome is Outcome.DENIED and not half.undefined for half in self.halves):
            return ()
        return unite_undefined(point for half in self.halves for point in half.undefined)

    @property
    def unknown(self) -> tuple[Unknown, ...]:
        """What would have to be known to decide it, each once, sorted; nothing where a half denies."""
        found = {each for half in self.halves for each in half.unknown}
        return tuple(sorted(found)) if self.outcome is Outcome.UNDECIDED else ()


def settle(halves: Sequence[Half], unknown: str = "") -> Half:
    """Return one half for several of which each may be right: undecided when their outcomes differ.

    It names what each of them names; where no policy decides in any, one of their reasons is enough.

    Args:
        halves: Of one direction, at least one.
        unknown: What is not known yet and decides between them; empty when that is something else.
    """
    if len(halves) == 1:
        return halves[0]
    outcomes, different = {half.outcome for half in halves}, set(halves)
    if len(different) == 1 or (len(outcomes) == 1 and not any(half.places for half in different)):
        return halves[0]
    halves = sorted(halves, key=lambda half: half.outcome.value)  # what allows comes first
    reasons = list(dict.fromkeys(half.reason.removeprefix("either ") for half in halves))
    depends = f"the {'answer' if len(outcomes) > 1 else 'reason'} depends on {unknown}: " if unknown else ""
    tiers = {half.tier for half in halves}
    return replace(
        halves[0],
        outcome=halves[0].outcome if len(outcomes) == 1 else Outcome.UNDECIDED,
        tier=next((tier for tier in Tier if tier in tiers), None),
        reason=halves[0].reason if len(reasons) == 1 else f"{depends}either {' or '.join(reasons)}",
        origins=origins_of(halves),
        nearest=tuple(dict.fromkeys(origin for half in halves for origin in half.nearest)),
        passed=tuple(dict.fromkeys(origin for half in halves for origin in half.passed)),
        assumptions=tuple(dict.fromkeys(each for half in halves for each in half.assumptions)),
        undefined=unite_undefined(point for half in halves for point in half.undefined),
        unknown=tuple(sorted({each for half in halves for each in half.unknown})),
    )


def depend(half: Half, unknown: Sequence[Unknown]) -> Half:
    """Return an undecided half that says what would have to be known to decide it."""
    if not unknown:
        return half
    begins = "the answer depends on "
    words = [each.words for each in unknown]
    rest = f" and {half.reason.removeprefix(begins)}" if half.reason.startswith(begins) else f": {half.reason}"
    return replace(half, reason=f"{begins}{' and '.join(words)}{rest}", unknown=tuple(sorted(unknown)))


def undecide(half: Half) -> Half:
    """Return a half that rests on open points as undecided, its reason kept."""
    reason = f"the API leaves it open; {half.outcome.value} if {half.reason}"
    return replace(half, outcome=Outcome.UNDECIDED, reason=reason)


def unite_undefined(points: Iterable[Undefined]) -> tuple[Undefined, ...]:
    """Return open points each once, sorted, with all who choose otherwise on either side."""
    otherwise: dict[tuple[str, str], set[str]] = {}
    for point in points:
        otherwise.setdefault((point.topic, point.dialect), set()).update(point.otherwise)
    return tuple(sorted(Undefined(*key, tuple(sorted(names))) for key, names in otherwise.items()))


def origins_of(halves: Iterable[Half]) -> tuple[Origin, ...]:
    """Return the origins of several halves, each once, in order."""
    return tuple(dict.fromkeys(origin for half in halves for origin in half.origins))


def combine(egress: Outcome, ingress: Outcome) -> Outcome:
    """Return the outcome of a connection from those of its halves."""
    for outcome in (Outcome.DENIED, Outcome.UNDECIDED):
        if outcome in (egress, ingress):
            return outcome
    return Outcome.ALLOWED
