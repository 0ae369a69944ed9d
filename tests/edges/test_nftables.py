"""The socket to nftables: all or nothing, the object that was refused, owners, and large changes."""

from __future__ import annotations

import socket
from dataclasses import replace

import pytest

from ringfence.dataplane.commands import AddChain, AddElements, AddSet, AddTable, DeleteElements, DeleteTable
from ringfence.dataplane.compile import compile_program
from ringfence.dataplane.delta import delta, replacement
from ringfence.dataplane.expressions import Rule, Word
from ringfence.dataplane.netlink.dump import read_dump
from ringfence.dataplane.netlink.messages import DUMP, Message, text
from ringfence.dataplane.netlink.requests import GET_RULE
from ringfence.dataplane.nft import Chain, Datatype, Hook, Program, Set
from ringfence.edges import nft
from ringfence.edges.netns import Network
from ringfence.edges.nftables import Nftables
from ringfence.errors import NftablesError, OutdatedError
from tests.dataplane.small import small_plan
from tests.kernel.isolation import can_own, isolated

pytestmark = pytest.mark.kernel
ADDRESSES = Set("s", (Datatype.IPV4_ADDR,), tuple(((value, value),) for value in range(5)))
PROGRAM = Program("t", (ADDRESSES,), (), (Chain("c", (Rule((Word.ACCEPT,)),), Hook.INPUT),))
ONE_MORE = AddElements("t", replace(ADDRESSES, elements=(((9, 9),),)))
OWNED, PERSISTENT = 2, 4


def opened(*, owns: bool = False) -> tuple[Network, Nftables]:
    """A namespace that holds the program, and the socket that loaded it."""
    network = Network.create()
    kernel = Nftables(network, owns=owns)
    assert kernel.apply(replacement(PROGRAM)) == 1
    return network, kernel


def size(kernel: Nftables) -> int:
    """How many elements the set has."""
    found, _ = kernel.dump("t")
    assert found
    (named,) = read_dump(found).program.sets
    return len(named.elements)


@isolated
def test_a_table_is_read_in_its_own_network_alone():
    """Where there is none there is nothing; what is there is read whole."""
    network, kernel = opened()
    elsewhere = Nftables(Network.create())
    found, generation = kernel.dump("t")

    assert elsewhere.dump("t")[0] is None
    assert found
    assert read_dump(found).program == PROGRAM
    assert generation == kernel.generation()
    assert "elements = { 0.0.0.0, 0.0.0.1" in nft.list_ruleset(network)


@isolated
def test_a_refusal_names_the_object_and_changes_nothing():
    """The number of the message that was refused leads to what it was about."""
    _, kernel = opened()
    nowhere = replace(ADDRESSES, name="nowhere")

    with pytest.raises(NftablesError, match="nftables refused elements of set nowhere: no such file"):
        kernel.apply([ONE_MORE, AddElements("t", nowhere), AddChain("t", Chain("d", ()))])
    assert size(kernel) == 5
    assert kernel.apply([ONE_MORE]) == 1
    assert size(kernel) == 6


@isolated
def test_a_change_that_rests_on_what_was_read_is_refused_when_that_has_changed():
    """Somebody else's change of any table counts."""
    network, kernel = opened()
    generation = kernel.generation()
    nft.apply(network, "add element inet t s { 1.2.3.4 }\n")

    with pytest.raises(NftablesError, match="changed by somebody else"):
        kernel.apply([ONE_MORE], generation)
    assert size(kernel) == 6
    kernel.apply([ONE_MORE], kernel.generation())
    assert size(kernel) == 7


@can_own
@isolated
def test_an_owned_table_refuses_everybody_else_and_outlives_its_owner():
    """A flush of everything passes it by; whoever owns next takes it over as it is."""
    network, kernel = opened(owns=True)

    nft.apply(network, "flush ruleset\n")
    for command in ("add element inet t s { 1.2.3.4 }\n", "delete table inet t\n"):
        with pytest.raises(NftablesError, match="Operation not permitted"):
            nft.apply(network, command)
    with pytest.raises(NftablesError, match="operation not permitted"):
        Nftables(network).apply([ONE_MORE])
    assert size(kernel) == 5
    kernel.close()
    successor = Nftables(network, owns=True)
    found, _ = successor.dump("t")
    assert found
    assert found.flags == PERSISTENT
    successor.apply([AddTable("t"), ONE_MORE])
    assert size(successor) == 6
    with pytest.raises(NftablesError, match="Operation not permitted"):
        nft.apply(network, "delete table inet t\n")


@isolated
def test_a_table_without_an_owner_is_seen_to_differ_and_repaired():
    """Foreign edits are differences; so is that the table is gone."""
    network, kernel = opened()
    nft.apply(network, "flush set inet t s\nadd element inet t s { 1.2.3.4 }\nadd chain inet t mine\n")
    found, generation = kernel.dump("t")
    assert found
    needed = delta(read_dump(found).program, PROGRAM)
    kernel.apply(needed.change, generation)
    kernel.apply(needed.tidying)
    found, _ = kernel.dump("t")

    assert found
    assert read_dump(found).program == PROGRAM
    nft.apply(network, "flush ruleset\n")
    assert kernel.dump("t")[0] is None


@isolated
def test_a_change_that_is_too_large_is_divided_in_its_order():
    """Elements come in parts, the rest as it stands; one part that no transaction can hold is refused."""
    _, kernel = opened()
    many = replace(ADDRESSES, name="many", elements=tuple(((value, value),) for value in range(20_000)))
    kernel.limit = 100_000
    load = [AddSet("t", many), AddElements("t", many)]

    assert kernel.apply(load) == 5
    found, _ = kernel.dump("t")
    assert found
    assert [len(each.elements) for each in read_dump(found).program.sets] == [20_000, 5]
    assert kernel.apply([DeleteElements("t", many), DeleteTable("t")]) == 5
    assert kernel.dump("t")[0] is None


@isolated
def test_what_the_kernel_cannot_take_at_once_says_what_would_help():
    """Nothing has changed then."""
    _, kernel = opened()
    kernel._socket.setsockopt(1, 7, 4096)  # SO_SNDBUF
    many = replace(ADDRESSES, elements=tuple(((value, value),) for value in range(10, 3_000)))

    with pytest.raises(NftablesError, match="larger than this user may send") as caught:
        kernel.apply([AddElements("t", many)])
    assert "wmem_max" in caught.value.hint
    assert size(kernel) == 5


@isolated
def test_an_answer_for_which_there_is_no_room_is_missed():
    """Nobody knows then what came of a transaction, and least of all that it was carried out."""
    network = Network.create()
    kernel = Nftables(network)
    kernel.apply(replacement(compile_program(small_plan())))
    kernel._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    for table in ("done", "x" * 300):
        # Nobody takes the answer to this, so there is no room for another.
        kernel._socket.send(Message(GET_RULE, DUMP, text(1, "ringfence"), "rules").encode(10_000))
        with pytest.raises(OutdatedError, match="has been lost"):
            kernel.apply([AddTable(table)])
    assert "table inet done" in nft.list_ruleset(network)
    kernel.apply([AddTable("again")])
