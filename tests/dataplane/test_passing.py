"""What rules let through between one address and every other at once."""

from __future__ import annotations

from ringfence.algebra.addresses import Address, Family
from ringfence.dataplane.expressions import Field, Lookup, Rule, Word
from ringfence.dataplane.nft import Chain, Datatype, Hook, Program, Set
from ringfence.dataplane.passing import Passing, SetReaches, Situation
from ringfence.dataplane.reach import EVERYTHING, Traffics


def test_each_address_is_looked_at_by_itself():
    """The same packets through the same chain, which lets one sender through and not another."""
    senders = Set("s", (Datatype.IPV4_ADDR,), (((1, 1),),))
    rules = (Rule((Lookup((Field.IP_SADDR,), "s"), Word.ACCEPT)), Rule((Word.DROP,)))
    program = Program("t", (senders,), (), (Chain("c", rules, Hook.FORWARD),))
    traffics = Traffics()
    situation = Situation(Family.IPV4, Field.IP_SADDR, Field.IP_DADDR, Field.DPORT, {})
    passing = Passing(program, SetReaches(traffics, Family.IPV4), situation)
    everyone = [traffics.reach([(0, 9, EVERYTHING)])]

    assert passing.run(Hook.FORWARD, Address(1), {}, everyone) == tuple(everyone)
    assert passing.run(Hook.FORWARD, Address(2), {}, everyone) == ()
