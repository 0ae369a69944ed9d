"""Faults while rules are changed: what is denied stays denied, what is allowed passes, the next change mends all."""

from __future__ import annotations

import os
import signal
import socket
import sys
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from ringfence.dataplane.compile import compile_program
from ringfence.dataplane.handling import Epoch, Handling
from ringfence.dataplane.names import TABLE
from ringfence.dataplane.netlink.messages import DUMP, Message, text
from ringfence.dataplane.netlink.requests import GET_RULE
from ringfence.dataplane.plan import closed_node
from ringfence.edges import nft
from ringfence.edges.enforcement import Enforcer, uninstall
from ringfence.edges.netns import Network
from ringfence.edges.nftables import Nftables
from ringfence.edges.upkeep import Upkeep
from ringfence.errors import NftablesError
from ringfence.lab.wiring import wiring_of
from tests.kernel.isolation import OWNS, can_own, isolated
from tests.kernel.moving import LESS, Moving
from tests.lab.small import MANIFESTS

if TYPE_CHECKING:
    from ringfence.dataplane.plan import NodePlan

pytestmark = pytest.mark.kernel
EVERY = int(os.environ.get("RINGFENCE_KILL_EVERY", "23"))
"""At each of how many steps of a change its process is killed; CI takes a part of them."""

SMALL_PARTS = 1_500
"""Bytes of a transaction, so that a change needs several."""


class Mortal:
    """A socket whose process is killed before a call of some number, or after it has taken effect."""

    def __init__(self, sock: socket.socket, calls: int) -> None:
        self._sock, self._left = sock, calls

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._sock, name)
        if name not in {"send", "recv"}:
            return found

        def call(*arguments: Any) -> Any:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            try:
                return found(*arguments)
            finally:
                self._left -= 1
                if self._left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        return call


def killed_in(lab: Moving, plan: NodePlan, step: int, *, owns: bool) -> bool:
    """Let another process enforce a plan and be killed at a step; False when it was done before."""
    process = os.fork()
    if process == 0:
        status = 1
        try:
            kernel = Nftables(lab.network, owns=owns)
            kernel.limit = SMALL_PARTS
            kernel._socket = Mortal(kernel._socket, step)  # type: ignore[assignment]
            Upkeep(lab.network, kernel).apply(plan)
            status = 0
        except BaseException:  # noqa: BLE001 - the fork must end here
            traceback.print_exc()
            sys.stderr.flush()
        finally:
            os._exit(status)
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    assert code in {-signal.SIGKILL, 0}
    return code != 0


@isolated
def check_kills(*, owns: bool) -> None:
    """Kill the process that changes a node at one step after the other; the next process finds its way."""
    lab = Moving()
    start = Upkeep(lab.network, Nftables(lab.network, owns=owns))
    start.apply(lab.plan(MANIFESTS))
    start.close()
    steps, wanted = 0, (LESS, MANIFESTS)
    with lab.watched():
        step = 1
        while killed_in(lab, lab.plan(wanted[steps % 2]), step, owns=owns):
            steps, step = steps + 1, step + EVERY
            if steps % 2 == 0:
                successor = Upkeep(lab.network, Nftables(lab.network, owns=owns))
                assert successor.apply(lab.plan(wanted[steps % 2])).quarantined == ()
                successor.close()
                lab.check(wanted[steps % 2])
    assert steps > 3
    lab.check(wanted[steps % 2])


@pytest.mark.parametrize("owns", OWNS)
def test_a_process_that_is_killed_at_any_step_leaves_nothing_open(owns: bool):  # noqa: FBT001
    """Nor anything closed that both policies allow; whoever comes next ends where he should."""
    check_kills(owns=owns)


@can_own
@isolated
def test_an_owned_table_survives_what_others_do_to_all_tables():
    """It is flushed by nobody and edited by nobody, and goes on working."""
    lab = Moving()
    upkeep = Upkeep(lab.network, Nftables(lab.network, owns=True))
    upkeep.apply(lab.plan(MANIFESTS))
    with lab.watched():
        nft.apply(lab.network, "flush ruleset\n")
        with pytest.raises(NftablesError, match="Operation not permitted"):
            nft.apply(lab.network, f"insert rule inet {TABLE} hook_forward accept\n")
        lab.check(MANIFESTS)
        upkeep.apply(lab.plan(LESS))
        lab.check(LESS)


@isolated
def test_a_table_without_an_owner_is_mended_by_the_next_change():
    """Whatever was done to it; also when nothing else has changed."""
    lab = Moving()
    upkeep = Upkeep(lab.network, Nftables(lab.network))
    for edit in ("flush ruleset", f"insert rule inet {TABLE} fwd_o accept", f"flush table inet {TABLE}"):
        for manifests in (LESS, LESS, MANIFESTS):
            nft.apply(lab.network, f"{edit}\n")
            upkeep.apply(lab.plan(manifests))
            lab.check(manifests)
    with lab.watched():
        lab.check(MANIFESTS)


@isolated
def test_an_answer_for_which_there_is_no_room_is_not_taken_for_a_good_one():
    """What the table holds is read again, and the rest is done."""
    lab = Moving()
    kernel = Nftables(lab.network)
    kernel._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    upkeep = Upkeep(lab.network, kernel)
    upkeep.apply(lab.plan(MANIFESTS))
    with lab.watched():
        for manifests in (LESS, MANIFESTS):
            # Nobody takes the answer to this, so there is no room for another.
            question = Message(GET_RULE, DUMP, text(1, TABLE), "rules")
            kernel._socket.send(question.encode(kernel._sequence + 10_000))
            assert upkeep.apply(lab.plan(manifests)).quarantined == ()
            lab.check(manifests)


@isolated
def test_numbers_are_used_again_from_the_first():
    """Fifteen bits have room for 32,767; what was allowed under another rule of a number is not let through by it."""
    lab = Moving()
    kernel = Nftables(lab.network)
    upkeep = Upkeep(lab.network, kernel, Handling(Epoch(32_765)))
    numbers = []
    with lab.watched():
        for turn in range(6):
            upkeep.apply(lab.plan((LESS, MANIFESTS)[turn % 2]))
            assert isinstance(upkeep.handling.established, Epoch)
            numbers.append(upkeep.handling.established.number)
    lab.check(MANIFESTS)
    assert numbers[0] == 32_766
    assert numbers[-1] < 100


@isolated
def test_a_node_that_has_just_started_is_closed_to_its_pods_until_it_is_told():
    """Nothing arrives from any pod or at one; then what policies allow, and nothing they deny meanwhile."""
    lab = Moving()
    upkeep = Upkeep(lab.network, Nftables(lab.network))
    prefix = wiring_of(lab.cluster.topology).prefix
    nft.apply(lab.network, f"flush ruleset\n{compile_program(closed_node(lab.node, prefix)).render()}")
    allowed, denied = lab.flood(5432), lab.flood(7, "UDP")
    for each in (*allowed, *denied):
        while not each.turn():
            pass
    upkeep.apply(lab.plan(MANIFESTS))
    for each in allowed:
        each.turn()
        while each.counts()[-1].sent < 50:
            pass
        before, *_, opened = each.stop()
        assert before.arrived == 0
        assert opened.arrived == opened.sent
    assert [sum(count.arrived for count in each.stop()) for each in denied] == [0, 0]
    lab.check(MANIFESTS)


@isolated
@pytest.mark.parametrize("owns", OWNS)
def test_rules_stay_until_they_are_taken_away_and_then_all_of_them_go(owns: bool):  # noqa: FBT001
    """A process that ends leaves them; whoever takes them away leaves what others have."""
    network = Network.create()
    nft.apply(network, "table inet other {\n}\n")
    before = nft.list_ruleset(network)
    kernel = Nftables(network, owns=owns)
    Enforcer(kernel).apply(compile_program(closed_node("n1", "pod")))
    kernel.close()
    assert TABLE in nft.list_ruleset(network)
    other = Nftables(network)

    assert uninstall(other) == (TABLE,)
    assert nft.list_ruleset(network) == before
    assert uninstall(other) == ()


@can_own
@isolated
def test_a_table_that_somebody_owns_is_taken_away_by_its_owner_alone():
    """And whoever may not is told so."""
    network = Network.create()
    owner = Nftables(network, owns=True)
    Enforcer(owner).apply(compile_program(closed_node("n1", "pod")))

    with pytest.raises(NftablesError, match="operation not permitted"):
        uninstall(Nftables(network))
    assert uninstall(owner) == (TABLE,)
    assert nft.list_ruleset(network) == ""
