"""Pods that are read fast: what the readers that look closely make of them, or nothing."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.fleet import Size, fleet
from ringfence.readers import Source, json_stream, read
from ringfence.readers.json_stream import MANY
from ringfence.readers.nodes import told_by_pods
from ringfence.readers.places import MAX_DEPTH, Place
from ringfence.readers.plain import PlainReader
from tests.fuzz.inputs import anything

if TYPE_CHECKING:
    from random import Random

    from ringfence.readers import Reading
    from ringfence.readers.json_stream import Listed
    from ringfence.readers.workloads import OwnedPod

PODS = [each for each in fleet(1, Size(300, 0)) if each["kind"] == "Pod"]
POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {
        "name": "web-0",
        "namespace": "shop",
        "labels": {"app": "web", "pod-template-hash": "5d"},
        "generateName": "web-",
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-5d", "controller": True}],
    },
    "spec": {
        "nodeName": "n",
        "hostNetwork": False,
        "initContainers": [{"restartPolicy": "Always", "ports": [{"name": "side", "containerPort": 81}]}],
        "containers": [{"name": "c", "ports": [{"name": "http", "containerPort": 80, "protocol": "TCP"}]}],
    },
    "status": {
        "phase": "Running",
        "hostIP": "192.0.2.1",
        "hostIPs": [{"ip": "192.0.2.1"}, {"ip": "2001:db8::1"}],
        "podIP": "10.0.0.1",
        "podIPs": [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}],
    },
}


def fast(text: str, listed: Listed = ("List", "v1")) -> OwnedPod | None:
    """What the fast reader makes of a text, and makes of it too where it remembers the parts of a pod much like it."""
    experienced = PlainReader("a.json")
    experienced.read(json.dumps(POD), Place(1, 1), ("List", "v1"))
    found, again = (each.read(text, Place(3, 5), listed) for each in (PlainReader("a.json"), experienced))
    assert found == again
    return found


def slow(text: str) -> Reading:
    """What is read of a text that stands where :func:`fast` is told, without the fast reader."""
    return read([Source("a.json", [b"\n\n    ", text.encode()])])


def changed(*path: str | int, to: Any) -> str:
    """The pod with one part replaced, as JSON."""
    found = deepcopy(POD)
    part: Any = found
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = to
    return json.dumps(found)


def check(text: str) -> bool:
    """Hold that what the fast reader takes, the other reads alike and without a word; return whether it takes it."""
    found = fast(text)
    if found:
        expected = slow(text)
        assert [error.message for error in expected.errors] == ["no network policies"]
        assert (expected.snapshot.pods, expected.notes) == ((found.pod,), ())
        assert expected.snapshot.nodes == told_by_pods({}, [found])
    return found is not None


@pytest.mark.parametrize("pod", [POD, *PODS[::60]])
def test_a_pod_with_which_nothing_is_wrong_is_taken(pod: dict[str, Any]):
    """As a server writes it, on one line or on many."""
    assert check(json.dumps(pod))
    assert check(json.dumps(pod, indent=4))


def test_owners_are_those_of_the_reader_that_looks_closely():
    """The Deployment is known from the hash in the name of its ReplicaSet."""
    found = fast(json.dumps(POD))

    assert found
    assert found.owners == (("ReplicaSet", "web-5d"), ("Deployment", "web"))


TWICE = {
    '"kind": "Pod"': '"kind": "Pod", "kind": "Pod"',
    '"metadata": {': '"metadata": {"name": "x"}, "metadata": {',
    '"name": "web-0"': '"name": "web-0", "name": "web-0"',
    '"labels": {': '"labels": {"app": "x", ',
    '"name": "web-5d"': '"name": "web-5d", "name": "web-5d"',
    '"spec": {': '"spec": {"volumes": [{"a": 1, "a": 1}], ',
    '"nodeName": "n"': '"nodeName": "n", "nodeName": "n"',
    '"containers": [': '"containers": [], "containers": [',
    '"name": "c"': '"name": "c", "name": "c"',
    '"containerPort": 80': '"containerPort": 80, "containerPort": 80',
    '"ports": [{"name": "http"': '"env": [{"a": [{"b": 1, "b": 1}]}], "ports": [{"name": "http"',
    '"phase": ': '"phase": "Failed", "phase": ',
    '"podIPs": [{"ip": "10.0.0.1"': '"podIPs": [{"ip": "10.0.0.1", "ip": "10.0.0.1"',
    '"hostIPs": [{"ip": "192.0.2.1"': '"hostIPs": [{"ip": "192.0.2.1", "ip": "192.0.2.1"',
}
"""Parts of the pod, and what is in error in place of each: a key is given twice."""


@pytest.mark.parametrize(
    "text",
    [
        changed("kind", to="Service"),
        changed("apiVersion", to="v2"),
        changed("specs", to={}),
        changed("status", to=[]),
        changed("metadata", "name", to="Web_0"),
        changed("metadata", "namespace", to="shop.eu"),
        changed("metadata", "namespace", to=""),
        changed("metadata", "labels", "app", to=1),
        changed("metadata", "labels", "app", to=None),
        changed("metadata", "labels", "app", to="a b"),
        changed("metadata", "labels", "k8s-app", to="node-local-dns"),
        changed("metadata", "label", to={}),
        changed("metadata", "generateName", to="Web-"),
        changed("metadata", "generation", to=1 << 63),
        changed("metadata", "creationTimestamp", to="yesterday"),
        changed("metadata", "deletionTimestamp", to="2026-02-30T00:00:00Z"),
        changed("metadata", "managedFields", to=[{"time": "now"}]),
        changed("metadata", "ownerReferences", 0, "controler", to=True),
        changed("spec", "hostnetwork", to=True),
        changed("spec", "hostNetwork", to="false"),
        changed("spec", "nodeName", to=7),
        changed("spec", "initContainers", to=""),
        changed("spec", "containers", 0, "port", to=[]),
        changed("spec", "containers", 0, "ports", 0, "containerPort", to=True),
        changed("spec", "containers", 0, "ports", 0, "containerPort", to=70_000),
        changed("spec", "containers", 0, "ports", 0, "name", to="no port"),
        changed("status", "phases", to="Running"),
        changed("status", "phase", to=["Running"]),
        changed("status", "podIPs", to=0),
        changed("status", "podIP", to="1.2.3.400"),
        changed("status", "hostIP", to=7),
        changed("status", "hostIPs", to=0),
        changed("status", "hostIPs", 1, to={"ip": "192.0.2.256"}),
        changed("status", "podIPs", 0, to={"ip": "10.0.0.999"}),
        changed("spec", "x", to="\ud800"),
        changed("spec", "x", to=float("inf")),
        *(json.dumps(POD).replace(part, twice, 1) for part, twice in TWICE.items()),
        changed("metadata", "creationTimestamp", to=""),
        changed("metadata", "annotations", to={"a": 1}),
        changed("metadata", "annotations", to=["a"]),
        changed("metadata", "finalizers", to=[1]),
        changed("spec", "containers", 0, "restartPolicy", to=False),
        changed("spec", "containers", 0, "ports", to=False),
        json.dumps(POD).replace('"spec": {', '"spec": {"\\u003a": 1, "a": 1, "a": 1, ', 1),
        json.dumps(POD)[:-1],
        f"{json.dumps(POD)} {{}}",
        f"[{json.dumps(POD)}]",
    ],
)
def test_whatever_is_not_as_usual_is_left(text: str):
    """To the reader that looks closely, even where it finds nothing wrong."""
    assert fast(json.dumps(POD))
    assert fast(text) is None


def test_true_is_no_port_where_one_was():
    """What is remembered of one pod is not taken for another's that Python thinks equal."""
    reader = PlainReader("a.json")
    texts = [changed("spec", "containers", 0, "ports", 0, "containerPort", to=number) for number in (1, True, 1.0)]

    assert [bool(reader.read(text, Place(1, 1), ("", ""))) for text in texts] == [True, False, False]


def test_alike_pods_share_what_they_have_in_common():
    """Labels, ports and the names of namespaces and nodes are held once."""
    reader = PlainReader("a.json")
    found = [reader.read(changed("metadata", "name", to=f"web-{n}"), Place(1, 1), ("", "")) for n in range(2)]
    one, other = (each.pod for each in found if each)

    assert all(getattr(one, name) is getattr(other, name) for name in ("labels", "ports", "namespace", "node"))


def test_pods_of_two_namespaces_are_not_taken_for_one_workload():
    """However alike they are otherwise."""
    reader = PlainReader("a.json")
    texts = [changed("metadata", "namespace", to=name) for name in ("shop", "shop2")]
    found = [reader.read(text, Place(1, 1), ("", "")) for text in texts]

    assert [each.pod.namespace for each in found if each] == ["shop", "shop2"]


def test_what_is_too_much_to_remember_is_looked_at_again():
    """Memory ends; what is read does not change."""
    reader = PlainReader("a.json")
    texts = [changed("spec", "volumes", to=[{"name": f"{n}" * 300_000}]) for n in range(9)]
    found = [reader.read(text, Place(1, 1), ("", "")) for text in (*texts, *texts)]

    assert found[0]
    assert found == found[:1] * 18


def test_items_of_a_list_of_pods_need_not_say_that_they_are_pods():
    """Items of any other list must."""
    text = json.dumps({name: POD[name] for name in ("metadata", "spec", "status")})

    assert fast(text, ("PodList", "v1"))
    assert fast(text, ("List", "v1")) is None


def nested(levels: int, string: str) -> str:
    """A pod with so many mappings in each other, each with a text beside the next."""
    inner = f'{{"s": {json.dumps(string)}, "x": ' * levels + "1" + "}" * levels
    return json.dumps(POD).replace('"spec": {', f'"spec": {{"x": {inner}, ', 1)


@pytest.mark.parametrize("string", ["", "}", "{", '"}', "\\", '\\"}', "\n", "{}", "]["])
def test_brackets_in_texts_hide_no_depth(string: str):
    """Two levels less than the deepest are taken where there are few brackets."""
    assert fast(nested(MAX_DEPTH - 1, string)) is None
    assert check(nested(40, string))


@given(seed=st.integers(0, 1 << 32), data=st.data())
def test_what_is_taken_is_what_the_other_reader_reads(seed: int, data: st.DataObject):
    """Whatever stands in place of a part of a pod, in the value and in the text."""
    rng: Random = data.draw(st.randoms(use_true_random=False))
    found = deepcopy(POD)
    holders = _holders(found)
    holder = holders[seed % len(holders)]
    key = rng.choice(list(holder) if isinstance(holder, dict) else list(range(len(holder))) or [None])
    if key is not None:
        holder[key] = anything(rng)
    elif isinstance(holder, list):
        holder.append(anything(rng))
    text = json.dumps(found)
    check(text)
    at = rng.randrange(len(text))
    check(text[:at] + rng.choice(["", '"', ",", "{", "}", "\\", "0", "\x01", "\u00e9", '"a":1,']) + text[at:])


def _holders(value: Any) -> list[Any]:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = [value] if isinstance(value, dict | list) and value else []
    return [*own, *(each for part in parts for each in _holders(part))]


def in_list(objects: list[Any], indent: int | None) -> bytes:
    """A List of objects, keys in order as kubectl writes them."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}, indent=indent).encode()


@pytest.mark.parametrize("indent", [None, 4])
@pytest.mark.parametrize("size", [1 << 20, 5_000, 77])
def test_a_long_list_is_read_alike_by_both(indent: int | None, size: int, monkeypatch: pytest.MonkeyPatch):
    """Places, errors and all, with broken pods and other objects between, wherever the text is cut."""
    objects: list[Any] = [*deepcopy(PODS[: MANY + 40])]
    objects[MANY + 5]["spec"]["hostNetwork"] = "yes"
    objects[MANY + 6]["spec"]["volumes"] = [{"x": '},\n        {\n            "apiVersion": 1'}, {"apiVersion": "a"}]
    objects[MANY + 8 : MANY + 8] = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}}, 7, None]
    objects += [objects[3]]  # declared twice
    text = in_list(objects, indent)
    chunks = [text[at : at + size] for at in range(0, len(text), size)]
    quick = read([Source("a.json", chunks)])
    monkeypatch.setattr(json_stream, "MANY", len(text))
    close = read([Source("a.json", chunks)])

    assert (quick.snapshot, quick.notes, said(quick)) == (close.snapshot, close.notes, said(close))
    assert len(quick.errors) == 5


def said(reading: Reading) -> list[tuple[str, str, object]]:
    """Every error, its hint and its place."""
    return [(error.message, error.hint, error.origin) for error in reading.errors]
