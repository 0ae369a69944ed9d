"""Whole programs compared with the engine: the right one is proved, and no change of it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.dataplane.compile import compile_program
from ringfence.dataplane.expressions import CtDirection, CtState, Rule, Word
from ringfence.dataplane.handling import Epoch, Handling, Mode
from ringfence.dataplane.plan import Wiring, plan_node
from ringfence.dataplane.proof import prove
from ringfence.dataplane.simulate import SYN, Packet, simulate
from ringfence.semantics.dialects import RINGFENCE
from ringfence.semantics.engine import Engine
from tests.dataplane.small import small_snapshot
from tests.dataplane.test_kernel import packets
from tests.worlds import Limits, snapshots

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.dataplane.nft import Program
    from ringfence.model.snapshot import Snapshot

ADDRESSED = Limits(pods=6, addressed=True)


@settings(max_examples=15)
@given(snapshots(ADDRESSED))
def test_what_is_compiled_is_proved(snapshot: Snapshot):
    """With and without links, whatever is done about established connections."""
    engine = Engine(snapshot, RINGFENCE)
    links = {str(pod): f"pod{number}" for number, pod in enumerate(snapshot.pods)}
    for node in snapshot.nodes:
        for wiring in (None, Wiring("pod", links)):
            plan = plan_node(engine, node, wiring)
            for established in (Epoch(7), Mode.ALWAYS):
                program = compile_program(plan, Handling(established))
                proof = prove(program, engine, node, plan.guard)
                assert (proof.differences, proof.unprovable) == ((), ())


def variants(program: Program) -> Iterator[Program]:
    """Programs with one thing less or another one."""
    for index, named in enumerate(program.sets):
        for gone in range(len(named.elements)):
            less = replace(named, elements=named.elements[:gone] + named.elements[gone + 1 :])
            yield replace(program, sets=(*program.sets[:index], less, *program.sets[index + 1 :]))
    for index, chain in enumerate(program.chains):
        for gone, rule in enumerate(chain.rules):
            last = rule.expressions[-1]
            others = [()] if last is Word.ACCEPT else [(), (Rule((*rule.expressions[:-1], Word.ACCEPT)),)]
            for other in others:
                without = replace(chain, rules=(*chain.rules[:gone], *other, *chain.rules[gone + 1 :]))
                yield replace(program, chains=(*program.chains[:index], without, *program.chains[index + 1 :]))


@settings(max_examples=30)
@given(snapshots(ADDRESSED), st.integers(0, 10_000))
def test_whatever_makes_a_difference_to_a_packet_is_seen_and_nothing_else(snapshot: Snapshot, choice: int):
    """Each difference is a packet with which the simulation shows it; no packet shows one where none is told."""
    engine = Engine(snapshot, RINGFENCE)
    right = compile_program(plan_node(engine, "n1"), Handling(Mode.ALWAYS))
    every = list(variants(right))
    check(engine, right, every[choice % len(every)])


def test_each_part_of_a_program_is_looked_at():
    """Of a small one, everything that can be left out or opened."""
    engine = Engine(small_snapshot(), RINGFENCE)
    right = compile_program(plan_node(engine, "n1"), Handling(Mode.ALWAYS))
    found = [check(engine, right, wrong) for wrong in variants(right)]

    assert found.count(False) > 50


def check(engine: Engine, right: Program, wrong: Program) -> bool:
    """Compare what is told of a wrong program with what the simulation shows, and return whether it is proved."""
    proof = prove(wrong, engine, "n1")
    assert not proof.unprovable
    for each in proof.differences:
        assert simulate(right, each.packet).accepted is each.expected
        assert simulate(wrong, each.packet).accepted is not each.expected
    if proof.holds:
        for packet in met(engine.snapshot):
            assert simulate(wrong, packet).accepted is simulate(right, packet).accepted, packet
    return proof.holds


def met(snapshot: Snapshot) -> Iterator[Packet]:
    """Packets of the kinds that are compared."""
    for packet in list(packets(snapshot))[::97]:
        if packet.destination_port is not None and packet.tcp_flags == SYN:
            yield packet
            if packet.state is CtState.NEW:
                yield replace(packet, ct_direction=CtDirection.REPLY)
