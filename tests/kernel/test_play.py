"""Policies that change while packets go on, step by step, in a real kernel."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import msgspec
import pytest

from ringfence.edges import nft
from ringfence.lab.cluster import Cluster
from ringfence.lab.documents import LabPlay, lab_schema, plain
from ringfence.lab.floods import Tally, Watched
from ringfence.lab.play import Play
from ringfence.lab.topology import lay_out
from ringfence.lab.trying import Attempt
from ringfence.lab.words import tell_play
from ringfence.readers import Source
from ringfence.readers.play import read_play
from ringfence.semantics.question import Question
from tests.kernel.command import user
from tests.kernel.isolation import isolated
from tests.kernel.test_cluster import DUAL_STACK
from tests.lab.small import MANIFESTS, pod_of, small
from tests.schemas import fits

pytestmark = pytest.mark.kernel
HEAD = "apiVersion: ringfence.io/v1alpha1\nkind: Play\nsteps:\n"
DENY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec: {podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress]}
"""
NO_WEB = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress]}
"""
STEPS = f"""{HEAD}
- {{flood: good, from: shop/web-0, to: shop/db, port: 5432}}
- {{flood: bad, from: shop/web-0, to: shop/db, port: 7/UDP}}
- {{flood: through, from: shop/db, to: 'svc:shop/web', port: 80}}
- {{allow: shop/web-0, to: shop/db, port: 5432}}
- {{apply: deny.yaml}}
- {{deny: shop/web-0, to: shop/db, port: 5432}}
- {{relabel: shop/db, labels: {{app: other}}}}
- {{allow: shop/web-0, to: shop/db, port: 5432}}
- {{relabel: shop/web-1, labels: {{app: db}}}}
- {{probe: shop/db, to: shop/web-1, port: 8080}}
- {{apply: [web.yaml]}}
- {{delete: netpol/web}}
- {{expect: good, leaked: 0, lost: 0}}
- {{stop: through}}
"""


def trials(cluster: Cluster, client: str, server: str, port: str) -> tuple:
    """The connections of a flood."""
    return tuple(Attempt(Question.of(client, server, *port.split("/")), "shop").trials(cluster))


@isolated
def test_a_play_goes_as_policies_have_it():
    """In both families, through a Service whose endpoints change, with a document as its schema says."""
    found = Cluster(lay_out(small(DUAL_STACK)))
    play = Play(found, {"deny.yaml": DENY, "web.yaml": NO_WEB}, "shop")
    errors: list = []
    steps = read_play(Source("play.yaml", [STEPS.encode()]), errors)
    played = list(play.carry_out(steps))
    words = tell_play(played, play.tallies)

    assert errors == []
    assert [each.said for each in played if not each.good] == []
    assert words.good
    assert [each.said for each in played[3:6]] == ["2 reached", "1 policy, proved on 2 nodes", "2 dropped"]
    assert {name: (each.leaked, each.lost) for name, each in play.tallies.items()} == dict.fromkeys(
        ("good", "bad", "through"), (0, 0)
    )
    # It was denied for a while, and allowed before and after.
    assert 0 < play.tallies["good"].arrived < play.tallies["good"].sent
    assert fits(words.document, json.loads(lab_schema()))
    assert plain(msgspec.convert(words.document, LabPlay)) == words.document


@isolated
def test_what_leaks_and_what_is_lost_is_counted():
    """A node that somebody opened or closed by hand; the next change repairs it."""
    found = Cluster(lay_out(small(DUAL_STACK)))
    node = found.nodes[pod_of(found.topology.snapshot, "db").node or ""]
    denied = Watched(found, trials(found, "web-0", "db", "7/UDP"))
    allowed = Watched(found, trials(found, "web-0", "db", "5432"))

    def both(rule: str) -> tuple[Tally, Tally]:
        nft.apply(node, f"insert rule inet ringfence hook_forward {rule}\n")
        return denied.tally(), allowed.tally()

    assert [(each.leaked, each.lost) for each in both("counter")] == [(0, 0), (0, 0)]
    leaking, _ = both("accept")
    while not leaking.arrived:
        leaking = denied.tally()
    _, losing = both("drop")
    while losing.arrived == losing.sent:
        losing = allowed.tally()
    assert (leaking.leaked, losing.lost) == (leaking.arrived, losing.sent - losing.arrived)
    for each in (denied, allowed):
        each.before_change()
    found.change(found.topology.snapshot)
    for each in (denied, allowed):
        each.after_change()
    before = denied.tally(), allowed.tally()
    after = denied.tally(), allowed.tally()
    for first, second in zip(before, after, strict=True):
        assert (first.leaked, first.lost) == (second.leaked, second.lost)
        assert second.sent > first.sent
    denied.close()
    allowed.close()


@isolated
def test_a_drop_is_explained_by_the_policies_that_it_met():
    """Though they have gone since."""
    found = Cluster(lay_out(small("")))
    found.prober.close()
    (trial,) = trials(found, "web-0", "db", "7/UDP")
    flood = Watched(found, [trial])
    while not found.drops.remembered:
        found.drops.read()
    flood.close()
    drop = found.drops.remembered[0]
    said = str(found.drops.explain(drop))
    found.change(replace(found.topology.snapshot, policies=()))

    assert "isolated by shop/db" in said
    assert str(found.drops.explain(drop)) == said


def test_a_play_is_run_in_a_lab_of_its_own_and_in_one_that_stays_changed():
    """A step that goes otherwise ends with 1 and says so."""
    play = f"{HEAD}- {{allow: shop/web-0, to: shop/db, port: 5432}}\n- {{apply: deny.yaml}}\n"
    with user(ordinary=True) as somebody:
        files = {"small.yaml": MANIFESTS, "deny.yaml": DENY, "play.yaml": play}
        for name, text in files.items():
            (somebody.folder / name).write_text(text)
        script, manifests = f"{somebody.folder}/play.yaml", f"{somebody.folder}/small.yaml"
        alone = somebody.run("lab", "play", script, "-f", manifests)
        somebody.run("lab", "up", "-f", manifests)
        first, again = (somebody.run("lab", "play", script, "-o", "json") for _ in range(2))
        verified = somebody.run("lab", "verify")
        somebody.run("lab", "down")

    assert (alone.code, alone.out.splitlines()[-1]) == (0, "2 steps, 0 failed")
    assert [done.code for done in (first, again, verified)] == [0, 1, 0], again.err
    assert [each["good"] for each in json.loads(again.out)["steps"]] == [False, True]
    assert json.loads(again.out)["steps"][0]["said"] == "1 dropped"


def test_a_policy_goes_from_audit_to_enforcement_by_applying_it_without_the_mark():
    """Meanwhile whoever follows the flows is told what it would deny, and that it was told is said at the end."""
    audited = DENY.replace("namespace: shop}", "namespace: shop, annotations: {ringfence.io/audit: 'true'}}")
    step = f"{HEAD}- {{apply: deny.yaml}}\n- {{deny: shop/web-0, to: shop/db, port: 5432}}\n"
    back = f"{HEAD}- {{apply: audited.yaml}}\n- {{allow: shop/web-0, to: shop/db, port: 5432}}\n"
    with user(ordinary=True) as somebody:
        files = {"small.yaml": MANIFESTS, "deny.yaml": DENY, "audited.yaml": audited, "on.yaml": step, "off.yaml": back}
        for name, text in files.items():
            (somebody.folder / name).write_text(text)
        somebody.run("lab", "up", "-f", f"{somebody.folder}/small.yaml")
        off = somebody.run("lab", "play", f"{somebody.folder}/off.yaml")
        flows = somebody.run("lab", "flows")
        verified = somebody.run("lab", "verify")
        on = somebody.run("lab", "play", f"{somebody.folder}/on.yaml")
        somebody.run("lab", "down")

    assert [done.code for done in (off, flows, verified, on)] == [0, 0, 0, 0], (off.out, flows.err, on.out)
    assert "apply audited.yaml: 1 policy, 1 of them in audit, proved on 2 nodes" in off.out
    assert "in audit: ingress would be denied: isolated by shop/db and no rule matched" in flows.out
    assert re.search(r"^ringfence: note: with the policies in audit [1-9]\d* would be denied$", flows.err, re.MULTILINE)
    assert "apply deny.yaml: 1 policy, proved on 2 nodes" in on.out
