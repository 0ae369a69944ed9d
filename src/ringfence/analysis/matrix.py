"""The map as a matrix: everybody once as client and once as server, and which policies judge them.

Nothing here is said pair by pair. What is allowed is said of sets of clients with sets of
servers, and what rules name is said of sets of kinds; whoever looks at one pair finds both.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.model.naming import Directory
from ringfence.model.policy import Direction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.algebra.intervals import Intervals
    from ringfence.model.origin import Origin
    from ringfence.model.policy import Action, Policy
    from ringfence.semantics.ends import Ends
    from ringfence.semantics.engine import Engine
    from ringfence.semantics.rows import Clause
    from ringfence.semantics.summary import Line


@dataclass(frozen=True, slots=True)
class Member:
    """A row of the matrix, and a column.

    Attributes:
        namespace: Its namespace; empty for addresses.
        name: A workload whose pods policies cannot tell apart, one pod of any other, or addresses.
        kind: What policies can tell of it, as a number: below ``len(engine.classes)`` a class.
        lone: Whether it is one pod, which nobody asks to reach itself.
    """

    namespace: str
    name: str
    kind: int
    lone: bool


@dataclass(frozen=True, slots=True)
class Area:
    """A line of the map by the places of its members.

    Attributes:
        clients: Places, in order.
        servers: Likewise.
        line: What is answered for all of them.
    """

    clients: tuple[int, ...]
    servers: tuple[int, ...]
    line: Line


@dataclass(frozen=True, slots=True)
class Named:
    """What a rule means.

    Attributes:
        origin: Where the rule stands.
        action: What it does.
        traffic: On what.
        kinds: Whom it names, in order.
        perhaps: Whom it perhaps names.
    """

    origin: Origin
    action: Action
    traffic: Intervals
    kinds: tuple[int, ...]
    perhaps: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Judge:
    """A policy as it judges some subjects in one direction.

    Attributes:
        policy: The policy.
        rules: What each of its rules means for them; those that name nobody are left out.
    """

    policy: Policy
    rules: tuple[Named, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Who reaches whom, and why.

    Attributes:
        members: Pods by namespace and name, then addresses.
        areas: What is allowed or undecided; all other pairs are denied.
        judges: Each once.
        panels: For each direction, the judges of each class by place, in the order in which they are consulted.
    """

    members: tuple[Member, ...]
    areas: tuple[Area, ...]
    judges: tuple[Judge, ...]
    panels: dict[Direction, tuple[tuple[int, ...], ...]]


def matrix(engine: Engine, lines: tuple[Line, ...]) -> Matrix:
    """Return the matrix of a map that the engine made."""
    seats = _Seats(engine)
    areas = tuple(Area(seats.places(line.clients), seats.places(line.servers), line) for line in lines)
    bench = _Bench(engine, seats.kind_at)
    panels = {d: tuple(bench.panel(number, d) for number in range(len(engine.classes))) for d in Direction}
    return Matrix(tuple(seats.members), areas, tuple(bench.judges), panels)


class _Seats:
    """Gives everybody a place.

    Attributes:
        members: In the order of places.
        kind_at: The kind of whoever is at an atom.
    """

    def __init__(self, engine: Engine) -> None:
        directory, universe = Directory(engine.snapshot), engine.universe
        named = [
            (pods, Member(pods[0].namespace, name, number, len(pods) == 1))
            for number, found in enumerate(engine.classes)
            for name, pods in directory.named(found).items()
        ]
        named.sort(key=lambda each: (each[1].namespace, each[1].name))
        self.members = [member for _, member in named]
        self._place_of = {(p.namespace, p.name): place for place, (pods, _) in enumerate(named) for p in pods}
        self._strangers: list[tuple[int, Intervals]] = []
        self.kind_at = {
            atom: number
            for number in range(len(engine.classes))
            for atoms in universe.atoms_of_class(number).values()
            for atom in atoms
        }
        for atom in (atom for family in engine.snapshot.families for atom in universe.outside(family)):
            held, kind = universe.strangers[atom], len(engine.classes) + len(self._strangers)
            self._strangers.append((len(self.members), held))
            self.members.append(Member("", directory.render_addresses(held), kind, lone=False))
            self.kind_at[atom] = kind

    def places(self, ends: Ends) -> tuple[int, ...]:
        """Return where some ends are, in order."""
        pods = sorted({self._place_of[pod.namespace, pod.name] for pod in ends.pods})
        return (*pods, *(place for place, held in self._strangers if held & ends.addresses))


class _Bench:
    """Finds judges, each once.

    Attributes:
        judges: Those found so far.
    """

    def __init__(self, engine: Engine, kind_at: dict[int, int]) -> None:
        self._engine, self._kind_at = engine, kind_at
        self._atoms_of: dict[int, set[int]] = defaultdict(set)
        for atom, kind in kind_at.items():
            self._atoms_of[kind].add(atom)
        self.judges: list[Judge] = []
        self._places: dict[tuple[int, int], int] = {}

    def panel(self, number: int, direction: Direction) -> tuple[int, ...]:
        """Return the places of the judges of a class."""
        found = []
        for policy, clauses in self._engine.judges(number, direction):
            # Rules of one policy mean other things to subjects with other named ports.
            key = (id(policy), id(clauses))
            if key not in self._places:
                self._places[key] = len(self.judges)
                self.judges.append(Judge(policy, tuple(self._named(clauses))))
            found.append(self._places[key])
        return tuple(found)

    def _named(self, clauses: tuple[Clause, ...]) -> Iterator[Named]:
        sets, traffic = self._engine.sets, self._engine.traffic
        for clause in clauses:
            if clause.rule:
                surely = set(sets.ids(clause.peers))
                every = {
                    self._kind_at[atom] for atom in surely | set(sets.ids(clause.perhaps)) if atom in self._kind_at
                }
                sure = {kind for kind in every if self._atoms_of[kind] <= surely}
                kinds, perhaps = tuple(sorted(sure)), tuple(sorted(every - sure))
                yield Named(clause.rule.origin, clause.action, traffic.traffic(clause.traffic), kinds, perhaps)
