"""Time how a change of a policy reaches the kernel of one node; ``python -m bench.node`` prints it alone.

The cluster is that of :mod:`bench.fleet`, and one of its nodes has 110 pods. Each change is
timed from the new snapshot until the kernel holds what follows from it, in a namespace of its
own: the engine follows, the node is planned and compiled, and the difference is committed.
"""

from __future__ import annotations

import gc
import io
import json
import os
import time
from dataclasses import asdict, replace
from itertools import islice
from typing import TYPE_CHECKING

from bench.figures import Figure, table
from bench.fleet import Size, write
from ringfence.algebra.selectors import Selector
from ringfence.algebra.traffic import Protocol, ports
from ringfence.dataplane.plan import plan_node
from ringfence.dataplane.recall import Recall
from ringfence.edges.netns import Network, fork_isolated
from ringfence.edges.nftables import Nftables
from ringfence.edges.upkeep import Upkeep
from ringfence.model.policy import PodPeer, PodSelector
from ringfence.readers import Source, read
from ringfence.semantics.dialects import RINGFENCE
from ringfence.semantics.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.model.cluster import Pod
    from ringfence.model.policy import Policy, Rule
    from ringfence.model.snapshot import Snapshot

SIZE, PODS, CHANGES = Size(10_000, 10_000), 110, 200
NODE, OTHER = "node-5", "node-6"
LABEL = "bench"
"""A label by which pods are told apart that no policy names."""

KNOWN, NEW = "ports that are known", "a new selector"
GOALS = {KNOWN: "<= 20", NEW: "<= 80"}
"""What is hoped for, in milliseconds."""


def figures(size: Size = SIZE) -> Iterator[Figure]:
    """Measure everything in a world of its own."""
    reading, writing = os.pipe()

    def main() -> int:
        os.close(reading)
        with os.fdopen(writing, "w") as stream:
            json.dump([asdict(figure) for figure in _changes(size)], stream)
        return 0

    keeper = fork_isolated(main, refused=print, waited_for=True)
    os.close(writing)
    with os.fdopen(reading) as stream:
        text = stream.read()
    os.waitpid(keeper, 0)
    yield from (Figure(**each) for each in json.loads(text))


def crowded(size: Size) -> Snapshot:
    """Return the cluster, whose node has as many pods as a kubelet takes, each pod with a label of its own."""
    stream = io.StringIO()
    write(stream, 1, size, slim=True)
    snapshot = read([Source("fleet.json", [stream.getvalue().encode()])]).snapshot
    local = [pod for pod in snapshot.pods if pod.node == NODE and pod.selectable]
    near = [pod for pod in snapshot.pods if pod.node == OTHER and pod.selectable]
    moved = {id(pod) for pod in near[: PODS - len(local)]}
    pods = (replace(pod, node=NODE) if id(pod) in moved else pod for pod in snapshot.pods)
    return replace(snapshot, pods=tuple(replace(pod, labels={**pod.labels, LABEL: str(pod)}) for pod in pods))


def _changes(size: Size) -> Iterator[Figure]:
    snapshot = crowded(size)
    engine, recall = Engine(snapshot, RINGFENCE), Recall()
    network = Network.create()
    upkeep = Upkeep(network, Nftables(network))
    upkeep.apply(plan_node(engine, NODE, recall=recall))
    for kind in (KNOWN, NEW):
        found = []
        gc.collect()
        gc.freeze()
        for later in islice(edits(snapshot, kind), CHANGES):
            started = time.perf_counter(), time.process_time()
            engine = engine.after(later)
            plan = plan_node(engine, NODE, recall=recall)
            upkeep.apply(plan)
            found.append((time.perf_counter() - started[0], time.process_time() - started[1]))
            if not engine.follows:
                message = "the change was not followed"
                raise RuntimeError(message)
        what = f"{size.pods:,} pods, {size.policies:,} policies, a node of {PODS} pods: {kind}, to the kernel"
        for place, clock in enumerate(("elapsed", "CPU time")):
            times = sorted(each[place] for each in found)
            yield Figure(f"{what}, {clock}, median", 1e3 * times[len(times) // 2], "ms")
            slowest = 1e3 * times[len(times) * 99 // 100]
            yield Figure(f"{what}, {clock}, of a hundred the slowest", slowest, "ms", GOALS[kind])


def edits(snapshot: Snapshot, kind: str) -> Iterator[Snapshot]:
    """Yield the cluster after one change and another, each of a policy for pods of the node."""
    local: dict[str, list[Pod]] = {}
    for pod in snapshot.pods:
        if pod.node == NODE and pod.selectable:
            local.setdefault(pod.namespace, []).append(pod)
    places = [place for place, each in enumerate(snapshot.policies) if _is_for(each, local)]
    policies = list(snapshot.policies)
    for number in range(CHANGES):
        place = places[number % len(places)]
        policy = policies[place]
        (rule, *rest) = policy.ingress
        changed = _with_ports(rule, number) if kind == KNOWN else _with_peer(rule, policy, snapshot, number)
        policies[place] = replace(policy, ingress=(changed, *rest))
        yield replace(snapshot, policies=tuple(policies))


def _is_for(policy: Policy, local: dict[str, list[Pod]]) -> bool:
    pods = local.get(str(policy.subject.scope), ())
    named = policy.ingress and all(isinstance(peer, PodPeer) for peer in policy.ingress[0].peers)
    return bool(named and policy.subject.pods.requirements) and any(
        policy.subject.pods.matches(pod.labels) for pod in pods
    )


def _with_ports(rule: Rule, number: int) -> Rule:
    known = (8080, 9000, 8081, 5432, 6379, 53)
    port = next(each for each in known[number % 5 :] if not rule.traffic & ports(Protocol.TCP, each, each))
    return replace(rule, traffic=ports(Protocol.TCP, port, port), named=())


def _with_peer(rule: Rule, policy: Policy, snapshot: Snapshot, number: int) -> Rule:
    pods = snapshot.pods_in(str(policy.subject.scope))
    scope, pod = str(policy.subject.scope), pods[number % len(pods)]
    peer = PodPeer(PodSelector(scope, Selector.labels({LABEL: str(pod)})), rule.origin, by_pods=True)
    return replace(rule, peers=(*rule.peers, peer))


if __name__ == "__main__":
    print(table(figures()))
