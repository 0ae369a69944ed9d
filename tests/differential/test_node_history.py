"""A node that follows a cluster holds what it would hold if it had been set up for it as it is now."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from ringfence.algebra.intervals import EMPTY
from ringfence.dataplane.commands import (
    AddChain,
    AddElements,
    AddSet,
    DeleteChain,
    DeleteElements,
    DeleteSet,
    FillChain,
)
from ringfence.dataplane.compile import LARGE, compile_program
from ringfence.dataplane.delta import delta
from ringfence.dataplane.handling import Epoch, Handling
from ringfence.dataplane.nft import Chain, Program
from ringfence.dataplane.plan import Wiring, plan_node
from ringfence.dataplane.proof import prove
from ringfence.dataplane.recall import Recall
from ringfence.dataplane.strangers import strange_addresses
from ringfence.semantics.dialects import RINGFENCE
from ringfence.semantics.engine import Engine
from tests.differential.test_history import histories
from tests.worlds import Limits, snapshots

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringfence.dataplane.commands import Command
    from ringfence.dataplane.nft import Map, Set
    from ringfence.model.snapshot import Snapshot

WORLDS = snapshots(Limits(pods=6, addressed=True))


def carried_out(held: Program, commands: Iterable[Command]) -> Program:
    """What a table holds after some commands, each as nftables takes it."""
    sets: dict[str, Set | Map] = {each.name: each for each in held.named_sets}
    chains = dict(held.chain_by_name)
    for command in commands:
        match command:
            case AddChain(chain=chain):
                assert chain.name not in chains
                chains[chain.name] = Chain(chain.name, (), chain.hook)
            case FillChain(chain=chain):
                chains[chain.name] = chain
            case DeleteChain(name=name):
                assert chains.pop(name).rules == ()
            case AddSet(named=named):
                assert named.name not in sets
                sets[named.name] = replace(named, elements=())
            case AddElements(named=named):
                before = sets[named.name]
                assert set(named.keys).isdisjoint(before.keys)
                sets[named.name] = replace(named, elements=tuple(sorted([*before.elements, *named.elements], key=_key)))
            case DeleteElements(named=named):
                before, gone = sets[named.name], set(named.keys)
                assert gone <= set(before.keys)
                rest = [e for e, key in zip(before.elements, before.keys, strict=True) if key not in gone]
                sets[named.name] = replace(named, elements=tuple(rest))
            case DeleteSet(named=named):
                del sets[named.name]
    of_kind = [tuple(sets[name] for name in sorted(sets) if sets[name].noun == noun) for noun in ("set", "map")]
    return Program(held.table, of_kind[0], of_kind[1], tuple(chains[name] for name in sorted(chains)))  # type: ignore[arg-type]


def _key(element: object) -> object:
    return getattr(element, "key", element)


def in_order(program: Program) -> Program:
    """A program without the order in which it is loaded."""
    return carried_out(program, ())


def wiring_of(world: Snapshot) -> Wiring:
    """A link for each pod, the same whatever becomes of others."""
    return Wiring("pod", {str(pod): f"pod-{pod.namespace}-{pod.name}" for pod in world.pods})


@settings(max_examples=settings().max_examples // 2)
@given(histories(WORLDS, WORLDS), st.sampled_from([1, LARGE]), st.booleans())
def test_whatever_happened_a_node_holds_what_a_new_one_would(history: list[Snapshot], large: int, closed: bool):  # noqa: FBT001
    """Its plan and its program are those made anew, and what is sent to the kernel makes just that of what it held."""
    followed = engines(history)
    for node in history[0].nodes:
        plans, programs, held = Recall(), Recall(), Program("ringfence", (), (), ())
        for number, (engine, new) in enumerate(followed):
            world, handling = engine.snapshot, Handling(Epoch(1 + number // 2))
            strange = strange_addresses(world) if closed else EMPTY
            plan = plan_node(engine, node, wiring_of(world), strange, plans)
            assert plan == plan_node(new, node, wiring_of(world), strange)
            program = compile_program(plan, handling, large, programs)
            assert program == compile_program(plan, handling, large)
            needed = delta(held, program)
            held = carried_out(held, (*needed.change, *needed.tidying))
            assert held == in_order(needed.program)
        assert closed or prove(held, new, node, plan.guard).holds


def engines(history: list[Snapshot]) -> list[tuple[Engine, Engine]]:
    """For each world an engine that followed, and a new one."""
    found = [Engine(history[0], RINGFENCE)]
    for world in history[1:]:
        found.append(found[-1].after(world))
    return [(engine, Engine(world, RINGFENCE)) for engine, world in zip(found, history, strict=True)]
