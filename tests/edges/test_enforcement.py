"""One table kept what it should be: by differences, against foreign edits, and around what the kernel refuses."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ringfence.algebra.addresses import read_address
from ringfence.dataplane.compile import compile_program
from ringfence.dataplane.delta import delta
from ringfence.dataplane.expressions import Log, Rule, Word
from ringfence.dataplane.netlink.dump import Held, read_dump
from ringfence.dataplane.netlink.messages import DUMP, Message, text
from ringfence.dataplane.netlink.requests import GET_RULE
from ringfence.dataplane.simulate import Packet, simulate
from ringfence.edges import nft
from ringfence.edges.enforcement import Enforcer
from ringfence.edges.netns import Network
from ringfence.edges.nftables import Nftables
from ringfence.edges.packets import TCP, UDP
from ringfence.errors import NftablesError
from tests.dataplane.small import MANIFESTS, small_plan
from tests.kernel.isolation import OWNS, can_own, isolated

if TYPE_CHECKING:
    from ringfence.dataplane.nft import Program, Set

pytestmark = pytest.mark.kernel
SMALL = compile_program(small_plan())
LARGER = compile_program(small_plan(manifests=MANIFESTS.replace("port: 443", "port: 8443")))
DB, WEB, WEB_2 = map(read_address, ("10.0.0.5", "10.0.0.9", "10.0.1.9"))
TO_DB = Packet(WEB_2, DB, TCP, 40_000, 5432)
FROM_WEB = Packet(WEB, read_address("8.8.8.8"), TCP, 40_000, 443)
DNS = Packet(WEB, read_address("8.8.8.8"), UDP, 40_000, 53)
OVERLAPPING = "e_10.0.0.9_pa"


def held(network: Network) -> Held:
    """What a namespace holds of our table."""
    kernel = Nftables(network)
    found, _ = kernel.dump(SMALL.table)
    kernel.close()
    assert found
    return read_dump(found)


def is_held(network: Network, program: Program) -> bool:
    """Whether a namespace holds a program, all of it and nothing else."""
    found = held(network)
    return not found.foreign and delta(found.program, program).transactions() == ()


def refused(program: Program = SMALL) -> Program:
    """A program of which the kernel refuses one set, because its ranges overlap."""
    sets = (_overlapping(each) if each.name == OVERLAPPING else each for each in program.sets)
    return replace(program, sets=tuple(sets))


def _overlapping(named: Set) -> Set:
    (((first, last),),) = named.elements[:1]
    return replace(named, elements=(((first, last + 50),), ((first + 10, last + 60),)))


@isolated
def check_changes(*, owns: bool) -> None:
    """Load a program, change it, and take it over with another socket."""
    network = Network.create()
    kernel = Nftables(network, owns=owns)
    enforcer = Enforcer(kernel)
    for program in (SMALL, LARGER, SMALL):
        assert enforcer.apply(program).quarantined == ()
        assert is_held(network, program)
        assert owns or enforcer._generation == kernel.generation(), "the table would be read again for nothing"
    kernel.close()
    successor = Enforcer(Nftables(network, owns=owns))
    successor.apply(LARGER)
    assert is_held(network, LARGER)


@pytest.mark.parametrize("owns", OWNS)
def test_a_program_is_loaded_changed_and_taken_over(owns: bool):  # noqa: FBT001
    """With an owner or without, and by whoever comes next."""
    check_changes(owns=owns)


@isolated
def test_nothing_is_sent_for_what_is_there():
    """Not even by a socket that has only just been opened."""
    network = Network.create()
    Enforcer(Nftables(network)).apply(SMALL)
    kernel = Nftables(network)
    generation = kernel.generation()
    Enforcer(kernel).apply(SMALL)

    assert kernel.generation() == generation


@isolated
def test_foreign_edits_are_seen_at_the_next_change_and_repaired():
    """Elements, rules, chains, and that everything is gone; also where the same program is to be held again."""
    network = Network.create()
    enforcer = Enforcer(Nftables(network))
    enforcer.apply(SMALL)
    for edit in (
        "delete element inet ringfence eg4 { 10.0.0.9 }",
        "insert rule inet ringfence fwd_o accept",
        "add chain inet ringfence hook_forward { policy drop; }",
        "flush ruleset",
    ):
        for program in (LARGER, LARGER, SMALL):
            nft.apply(network, edit + "\n")
            assert enforcer.apply(program).mended
            assert is_held(network, program)
            assert not enforcer.apply(program).mended


@isolated
def test_an_edit_without_a_change_of_ours_is_seen_by_who_reads_again():
    """Whoever is told that somebody has changed the rules forgets what he knew."""
    network = Network.create()
    enforcer = Enforcer(Nftables(network))
    enforcer.apply(SMALL)
    nft.apply(network, "flush ruleset\n")
    enforcer.forget()
    enforcer.apply(SMALL)

    assert is_held(network, SMALL)


@can_own
@isolated
def test_what_a_lost_answer_was_about_is_read_again():
    """Also by an owner, whose table nobody else changes: it may have been done, and is not done twice."""
    kernel = Nftables(Network.create(), owns=True)
    enforcer = Enforcer(kernel)
    for program in (SMALL, LARGER, SMALL):
        kernel._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        # Nobody takes the answer to this, so there is no room for another.
        kernel._socket.send(Message(GET_RULE, DUMP, text(1, SMALL.table), "rules").encode(kernel._sequence + 10_000))
        applied = enforcer.apply(program)
        assert (applied.quarantined, delta(applied.program, program).transactions()) == ((), ())


@can_own
@isolated
def test_a_table_without_an_owner_gets_one():
    """One that was made without is deleted in the transaction that makes it with."""
    network = Network.create()
    Enforcer(Nftables(network)).apply(SMALL)
    owner = Enforcer(Nftables(network, owns=True))
    owner.apply(LARGER)

    assert is_held(network, LARGER)
    with pytest.raises(NftablesError, match="Operation not permitted"):
        nft.apply(network, "delete table inet ringfence\n")


@isolated
def check_quarantine(*, owns: bool, limit: int | None) -> None:
    """Let the kernel refuse a set of one class, at the first load and at a change."""
    for first in (None, SMALL):
        network = Network.create()
        kernel = Nftables(network, owns=owns)
        kernel.limit = limit or kernel.limit
        enforcer = Enforcer(kernel)
        if first:
            enforcer.apply(first)
        applied = enforcer.apply(refused(LARGER))
        program = held(network).program

        assert [error.name.split(".1")[0] for error in applied.quarantined] == [OVERLAPPING]
        assert is_held(network, applied.program)
        assert simulate(program, TO_DB).accepted
        assert [simulate(program, packet).log_prefix for packet in (FROM_WEB, DNS)] == ["rf1 e 10.0.0.9 "] * 2
        assert enforcer.apply(LARGER).quarantined == ()
        assert is_held(network, LARGER)
        network.close()


@pytest.mark.parametrize(("owns", "limit"), [(False, None), pytest.param(True, None, marks=can_own), (False, 2_000)])
def test_what_the_kernel_refuses_is_closed_and_the_rest_is_enforced(owns: bool, limit: int | None):  # noqa: FBT001
    """The other classes are as they should be, the class is logged as ever, and it opens when the cause has gone."""
    check_quarantine(owns=owns, limit=limit)


@isolated
def test_what_every_packet_meets_cannot_be_closed():
    """Then nothing is changed, and the caller is told."""
    network = Network.create()
    enforcer = Enforcer(Nftables(network))
    enforcer.apply(SMALL)
    log = Rule((Log("x" * 128, 1, 1),))
    chains = tuple(replace(each, rules=(log,)) if each.name == "fwd_o" else each for each in SMALL.chains)

    with pytest.raises(NftablesError, match="a rule of chain fwd_o") as caught:
        enforcer.apply(replace(SMALL, chains=chains))
    assert caught.value.name == "fwd_o"
    assert is_held(network, SMALL)


@isolated
def test_a_chain_that_cannot_log_denies_without():
    """A class that leads to it denies everything all the same."""
    network = Network.create()
    name = "e_10.0.0.9_deny"
    log = Rule((Log("x" * 128, 1, 1), Word.DROP))
    chains = tuple(replace(each, rules=(log,)) if each.name == name else each for each in SMALL.chains)
    applied = Enforcer(Nftables(network)).apply(replace(SMALL, chains=chains))

    assert [error.name for error in applied.quarantined] == [name]
    assert not simulate(held(network).program, replace(DNS, destination_port=54)).accepted
    assert simulate(held(network).program, DNS).accepted
