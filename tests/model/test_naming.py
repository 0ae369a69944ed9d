"""Names of clients and servers: read, found, and given back."""

from __future__ import annotations

import pytest
from hypothesis import given

from ringfence.algebra.addresses import read_address, read_cidr
from ringfence.algebra.intervals import Intervals
from ringfence.algebra.selectors import Operator, Requirement, Selector
from ringfence.model.naming import (
    AddressName,
    Directory,
    InternetName,
    NodeName,
    ObjectName,
    PodsName,
    ServiceName,
    read_name,
    read_selector,
)
from ringfence.model.snapshot import Snapshot
from tests.parts import pod
from tests.worlds import snapshots

WEB = [pod(f"shop/web-{n}", "app=web", workload="Deployment/web") for n in (0, 1)]
DB = [pod("shop/db-0", "app=db", "10.0.0.5", workload="StatefulSet/db")]
TWINS = [pod("data/redis-0", workload="Deployment/redis"), pod("data/redis-a", workload="StatefulSet/redis")]
OTHERS = [pod("data/lonely", "app=lonely"), pod("data/done", "app=done", terminal=True)]
SNAPSHOT = Snapshot(pods=tuple(sorted([*WEB, *DB, *TWINS, *OTHERS], key=str)))
DIRECTORY = Directory(SNAPSHOT)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("shop/web", ObjectName("shop", "web")),
        ("web", ObjectName("here", "web")),
        ("shop/deploy/web", ObjectName("shop", "web", "Deployment")),
        ("shop/StatefulSets/db", ObjectName("shop", "db", "StatefulSet")),
        ("shop/po/web-0", ObjectName("shop", "web-0", "Pod")),
        ("shop/rollout/web", ObjectName("shop", "web", "rollout")),
        ("svc:shop/db", ServiceName("shop", "db")),
        ("svc:db", ServiceName("here", "db")),
        ("service:shop/db", ServiceName("shop", "db")),
        ("shop/svc/db", ServiceName("shop", "db")),
        ("shop/Services/db", ServiceName("shop", "db")),
        ("node:worker-1", NodeName("worker-1")),
        ("internet", InternetName()),
        ("shop/", PodsName("shop")),
        ("shop:app=web", PodsName("shop", Selector.labels({"app": "web"}))),
        (":app=web", PodsName("here", Selector.labels({"app": "web"}))),
        ("shop:a.b/c", PodsName("shop", Selector.of([Requirement("a.b/c", Operator.EXISTS)]))),
        ("10.0.0.5", AddressName(Intervals.point(read_address("10.0.0.5")))),
        ("10.0.0.5/24", AddressName(read_cidr("10.0.0.0/24"))),
        ("2001:db8::/64", AddressName(read_cidr("2001:db8::/64"))),
        ("::1", AddressName(Intervals.point(read_address("::1")))),
    ],
)
def test_a_name_is_read_by_its_shape(text: str, name: object):
    """The shape alone tells a pod from labels and from addresses."""
    assert read_name(text, "here") == name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("/", "no name"),
        ("/web", "no name"),
        ("a/b/c/d", "no name"),
        ("shop/deploy/", "'shop/deploy/' is no name: a part before or behind a slash is empty"),
        ("shop//web", "'shop//web' is no name: a part before or behind a slash is empty"),
        ("/deploy/web", "a part before or behind a slash is empty"),
        ("shop/*", "write shop/ for every pod of the namespace"),
        ("*", "write here/ for every pod of a namespace"),
        ("fe80::1%eth0", "'fe80::1%eth0' has a zone"),
        ("fe80::1%eth0/64", "has a zone"),
        ("svc:", "'svc:' is no name"),
        ("svc:/db", "'svc:/db' is no name"),
        ("svc:a/b/c", "'svc:a/b/c' is no name"),
        ("node:", "'node:' is no name"),
        ("node:a/b", "'node:a/b' is no name"),
        ("shop/node/w", "a node is in no namespace; write node:w"),
        ("shop:", "no label selector"),
        ("shop:app=web,", "no label selector"),
        ("shop:app>1", "no label selector"),
        ("10.0.0.0/33", "no CIDR"),
    ],
)
def test_what_is_no_name_is_refused_in_its_own_words(text: str, message: str):
    """Nothing is guessed."""
    with pytest.raises(ValueError, match=message):
        read_name(text, "here")


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("app=web", "app=web"),
        ("app==web", "app=web"),
        ("app = web , tier", "app=web,tier"),
        ("app!=web", "app notin (web)"),
        ("app in (web, api)", "app in (api,web)"),
        ("app notin (web),!old", "app notin (web),!old"),
        ("example.com/part-of=shop", "example.com/part-of=shop"),
        ("app=", "app="),
    ],
)
def test_selectors_are_read_in_kubectl_s_grammar(text: str, canonical: str):
    """Every operator is known, and spaces do not matter."""
    assert str(read_selector(text)) == canonical
    assert read_selector(canonical) == read_selector(text)


AS_WRITTEN = ["shop/web", "shop/sts/db", "shop/", "shop:app in (a,b),!c", "10.0.0.5", "fd00::/64", "svc:shop/db"]


@pytest.mark.parametrize("text", [*AS_WRITTEN, "node:w1", "internet"])
def test_a_name_is_written_as_it_can_be_asked_again(text: str):
    """What an answer calls its client is a question's name for it."""
    assert str(read_name(text, "here")) == text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("shop/web-0", {"shop/web-0": (WEB[0],)}),
        ("shop/web", {"shop/deploy/web": tuple(WEB)}),
        ("shop/deploy/web", {"shop/deploy/web": tuple(WEB)}),
        ("shop/sts/web", {}),
        ("shop/po/web", {}),
        ("data/redis", {"data/deploy/redis": (TWINS[0],), "data/sts/redis": (TWINS[1],)}),
        ("shop/", {"shop/": (*DB, *WEB)}),
        ("shop:app=web", {"shop:app=web": tuple(WEB)}),
        ("shop:app=nobody", {}),
        ("nowhere/", {}),
        ("data/done", {}),
    ],
)
def test_a_name_means_a_pod_before_a_workload(text: str, found: object):
    """Several workloads of one name are all given back, and finished pods are nobody."""
    name = read_name(text, "here")
    assert isinstance(name, ObjectName | PodsName)
    assert DIRECTORY.find(name) == found


def test_a_pod_hides_the_workload_of_its_name():
    """``shop/db`` is the pod; the workload is then only found, and only named, with its kind."""
    lone, owned = pod("shop/db"), pod("shop/db-0", workload="StatefulSet/db")
    directory = Directory(Snapshot(pods=(lone, owned)))

    assert directory.find(ObjectName("shop", "db")) == {"shop/db": (lone,)}
    assert directory.names_of([owned]) == ("shop/sts/db",)


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("default/web", ("shop/web",)),
        ("shop/wbe", ("shop/web",)),
        ("shop:app=wbe", ("shop:app=web",)),
        ("shpo/", ("shop/",)),
        ("zzz/qqq", ()),
    ],
)
def test_the_nearest_names_are_those_that_somebody_has(text: str, nearest: tuple[str, ...]):
    """The same name elsewhere comes first, then what is spelled alike."""
    name = read_name(text, "here")
    assert isinstance(name, ObjectName | PodsName)
    assert DIRECTORY.nearest(name)[:1] == nearest


def test_a_whole_workload_is_named_as_one_and_a_part_pod_by_pod():
    """Nobody is named who is not meant."""
    assert DIRECTORY.names_of([*WEB, *DB]) == ("shop/db", "shop/web")
    assert DIRECTORY.names_of([WEB[1], *DB]) == ("shop/db", "shop/web-1")
    assert DIRECTORY.names_of(TWINS) == ("data/deploy/redis", "data/sts/redis")


def test_whole_namespaces_and_everybody_are_one_term():
    """A set of a thousand is as short to say as it is to think."""
    assert DIRECTORY.terms([*DB, *WEB]) == ("shop/*",)
    assert DIRECTORY.terms([*DB, *WEB, OTHERS[0]]) == ("data/lonely", "shop/*")
    assert DIRECTORY.terms(DIRECTORY.pods) == ("*",)


def test_nearly_everybody_is_everybody_but_a_few():
    """The shorter of both ways is chosen, but a few names are always written out."""
    crowd = [pod(f"big/p{number}") for number in range(9)]
    directory = Directory(Snapshot(pods=(*crowd, pod("small/a"), pod("small/b"))))

    assert directory.render(crowd[:3]) == "big/p0, big/p1, big/p2"
    assert directory.render(crowd[:4]) == "big/p0, big/p1, big/p2, big/p3"
    assert directory.render(crowd[:8]) == "big/* except big/p8"
    assert directory.render(directory.pods[:-1]) == "big/*, small/a"
    assert directory.render([*crowd[1:], *directory.pods[-2:]]) == "* except big/p0"


def test_pods_leave_no_gaps_in_addresses_that_are_written():
    """``10.0.0.0/24`` stands for those there who are no pods; a pod at its edge is no part of it."""
    directory = Directory(Snapshot(pods=(pod("x/a", "", "10.0.0.5", "fd00::1"), pod("x/b", "", "10.0.1.0"))))
    rest = read_cidr("10.0.0.0/24") - Intervals.point(read_address("10.0.0.5"))

    assert directory.render_addresses(rest) == "10.0.0.0/24"
    assert directory.filled(read_cidr("10.0.0.0/24")) == read_cidr("10.0.0.0/24")


@given(snapshots())
def test_every_pod_is_found_by_the_name_it_is_given(snapshot: Snapshot):
    """Naming and finding are inverse."""
    directory = Directory(snapshot)
    for each in directory.pods:
        for text in directory.names_of([each]):
            name = read_name(text, "nowhere")
            assert isinstance(name, ObjectName | PodsName)
            assert directory.find(name) == {text: (each,)}


@pytest.mark.parametrize("text", ["x/rollout/web", "x/Rollout/web", "x/rollouts/web"])
def test_a_kind_of_somebody_else_is_found_however_it_is_written(text: str):
    """As kubectl takes it: in any case, and in the plural."""
    owned = pod("x/web-0", workload="Rollout/web")
    name = read_name(text, "here")
    assert isinstance(name, ObjectName)

    assert Directory(Snapshot(pods=(owned,))).find(name) == {"x/rollout/web": (owned,)}


def test_a_kind_with_a_group_is_found_without_it():
    """And is not taken for Kubernetes' own of that name."""
    owned = pod("x/web-0", workload="Deployment.example.com/web")
    directory = Directory(Snapshot(pods=(owned,)))

    assert directory.find(ObjectName("x", "web", "Deployment")) == {}
    assert list(directory.find(ObjectName("x", "web", "deployment.example.com"))) == ["x/deployment.example.com/web"]
