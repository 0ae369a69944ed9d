"""What the policies of a world say of each class of pods: its programs, and the rows that readings make of them."""

from __future__ import annotations

from functools import cache, reduce
from operator import and_, or_
from typing import TYPE_CHECKING

from ringfence.model.policy import Direction
from ringfence.semantics.dialects import Choices, Topic
from ringfence.semantics.growth import Translation
from ringfence.semantics.program import Meeting
from ringfence.semantics.rows import Said

if TYPE_CHECKING:
    from ringfence.semantics.growth import Growth
    from ringfence.semantics.program import Compiler, InForce, Program
    from ringfence.semantics.rows import Bounds, Row
    from ringfence.semantics.universe import Universe

_Judges = tuple[Direction, tuple[Choices, ...], tuple["Program | None", ...]]
"""What judges a class in one direction: a program for each of some readings."""


_OF_PROGRAMS = Choices({Topic.BASELINE, Topic.HOST_NETWORK})
"""Open points on which it depends what judges a class."""


class ClassRows:
    """Works out what is said of a class when it is asked for, and keeps it.

    Attributes:
        compiler: What compiles the policies.
        in_force: The policies.
    """

    def __init__(
        self, universe: Universe, compiler: Compiler, in_force: InForce, readings: tuple[Choices, ...]
    ) -> None:
        """Take the world.

        Args:
            universe: The classes.
            compiler: What compiles its policies.
            in_force: Its policies.
            readings: Under which all must be sure, and any makes it possible, where no others are asked for.
        """
        self._universe, self.compiler, self.in_force, self._readings = universe, compiler, in_force, readings
        self._programs: dict[tuple[int, Direction, Choices], Program | None] = {}
        self._said_by_programs: dict[_Judges, Said] = {}
        self._said: dict[tuple[Row | None, ...], Said] = {}

    def revised(self, in_force: InForce) -> ClassRows:
        """Return the same of a world with other policies; what equal programs say is worked out once for both."""
        found = ClassRows(self._universe, self.compiler, in_force, self._readings)
        touched = self._universe.classes_in(self.in_force.unlike(in_force))
        found._programs = {key: program for key, program in self._programs.items() if key[0] not in touched}
        found._said_by_programs, found._said = self._said_by_programs, self._said
        return found

    def grown(
        self, growth: Growth, compiler: Compiler, in_force: InForce, translation: Translation | None
    ) -> ClassRows:
        """Return the same of a later world; what is said of classes that it leaves alone is taken over.

        Args:
            growth: What became of the universe.
            compiler: What compiles the later policies over that.
            in_force: The later policies.
            translation: See :meth:`translation`.
        """
        found = ClassRows(growth.universe, compiler, in_force, self._readings)
        touched = growth.universe.classes_in(self.in_force.unlike(in_force)) | growth.touched
        kept = found._programs = {key: each for key, each in self._programs.items() if key[0] not in touched}
        others = compiler.naming(growth.differing) if growth.differing else ()
        alike = {each for each in kept.values() if each and not any(number in each for number in others)} | {None}
        found._said_by_programs = {
            key: translation.said(said) if translation else said
            for key, said in self._said_by_programs.items()
            if alike.issuperset(key[2])
        }
        return found

    def translation(self, growth: Growth, compiler: Compiler) -> Translation | None:
        """Return what turns rows into those over a grown universe and perhaps finer traffic; None where they stay."""
        if compiler.rows is self.compiler.rows:
            return None
        old, new = self.compiler.traffic, compiler.traffic
        mask = None if old is new else cache(old.masks_in(new))
        return Translation(self._universe.sets, growth.twins, mask)

    def program(self, number: int, direction: Direction, choices: Choices) -> Program | None:
        """Return what judges the pods of a class; None for those that no policy can select."""
        choices &= _OF_PROGRAMS
        key = (number, direction, choices)
        if key not in self._programs:
            found = self._universe.classes[number]
            judged = found.selectable or Topic.HOST_NETWORK in choices
            self._programs[key] = self.compiler.program(found, direction, self.in_force, choices) if judged else None
        return self._programs[key]

    def bounds(self, program: Program | None, meeting: Meeting, choices: Choices) -> Bounds:
        """Return what a program says of every peer, if its subject met all of them in one way."""
        if program is None:
            return self.compiler.rows.everything, self.compiler.rows.everything
        return self.compiler.bounds(program, meeting, choices)

    def said(self, number: int | None, direction: Direction, readings: tuple[Choices, ...] = ()) -> Said:
        """Return what the policies of a class let its pods do with every peer but themselves; no class, no policies.

        Args:
            number: The class.
            direction: Seen from its pods.
            readings: Under which all must be sure, and any makes it possible; those of the world by default.
        """
        readings = readings or self._readings
        programs = [self.program(number, direction, c) if number is not None else None for c in readings]
        key = (direction, readings, tuple(programs))
        found = self._said_by_programs.get(key)
        if found is None:
            rows = self.compiler.rows
            each = [self._said_of(program, direction, c) for program, c in zip(programs, readings, strict=True)]
            both = [
                (reduce(rows.least, (low for low, _ in told)), reduce(rows.most, (high for _, high in told)))
                for told in zip(*each, strict=True)
            ]
            if direction is Direction.INGRESS:
                both = [self._from_any_source(*bounds) for bounds in both]
            found = self._said_by_programs[key] = self._one_object(Said(*both))
        return found

    def _one_object(self, said: Said) -> Said:
        """Return the object that stands for all that say the same; hashing a row takes as long as its sets are."""
        (least, most), (near_least, near_most) = said.ordinary, said.own_node
        key = (
            least,
            None if most == least else most,
            None if near_least == least else near_least,
            None if near_most == near_least else near_most,
        )
        return self._said.setdefault(key, said)

    def counts(self) -> dict[str, int]:
        """Return how many programs and rows were worked out so far."""
        programs = {id(program) for program in self._programs.values() if program}
        return {"programs": len(programs), "rows": len(set(map(id, self._said_by_programs.values())))}

    @staticmethod
    def is_exempt(direction: Direction, choices: Choices) -> bool:
        """Tell whether a pod and its own node always reach each other in one direction."""
        return direction is Direction.INGRESS or Topic.POD_TO_OWN_NODE in choices

    def _from_any_source(self, least: Row, most: Row) -> Bounds:
        """Return bounds in which a client that may speak from several addresses has what all, or any, of them have."""
        rows = self.compiler.rows
        for atom, others in self._universe.tunneled.items():
            low = reduce(and_, (rows.mask_at(least, each) for each in (atom, *others)))
            high = reduce(or_, (rows.mask_at(most, each) for each in (atom, *others)))
            least, most = rows.put(least, atom, low), rows.put(most, atom, high)
        return least, most

    def _said_of(self, program: Program | None, direction: Direction, choices: Choices) -> tuple[Bounds, Bounds]:
        """Return what a program says of every peer, and of the network of the subject's node."""
        ordinary = self.bounds(program, Meeting.ORDINARY, choices)
        near = self._universe.on_nodes if self.is_exempt(direction, choices) else self._universe.sets.empty
        if program is None or not near:
            return ordinary, ordinary
        rows, (least, most) = self.compiler.rows, self.bounds(program, Meeting.OWN_NODE, choices)
        low = rows.blend(ordinary[0], near, rows.traffic, least)
        certain = ordinary[0] is ordinary[1] and least is most
        return ordinary, (low, low if certain else rows.blend(ordinary[1], near, rows.traffic, most))
