"""Answers for people."""

from __future__ import annotations

from dataclasses import replace

from ringfence.algebra.addresses import Family
from ringfence.report.text import render_answer
from ringfence.semantics.answer import Respondent
from ringfence.semantics.question import Question
from tests.parts import block, named, network_policy, pod, pods, port, rule, service, service_port, snapshot, tcp

WORLD = snapshot(
    *(pod(f"shop/{name}-{n}", f"app={name}", workload=f"Deployment/{name}") for name in ("api", "web") for n in (0, 1)),
    pod("shop/db-0", "app=db", workload="StatefulSet/db", ports=(port("sql", 5432),)),
    pod("other/x", "app=x"),
    network_policy("shop/db", "app=db", ingress=(rule(pods("app=api", "shop"), at="/spec/ingress/0", **named("sql")),)),
    network_policy("other/x", "app=x", egress=(rule(block("10.0.0.0/8"), traffic=tcp(80), at="/spec/egress/0"),)),
)


def answered(client: str, server: str, *traffic: str, color: bool = False) -> str:
    """The text of an answer."""
    return render_answer(Respondent(WORLD).answer(Question.of(client, server, *traffic)), color=color)


def test_one_answer_says_who_decided_each_half_and_where():
    """The verdict first; then both halves, their reasons, places and nearest rules."""
    assert answered("shop/web", "shop/db", "5432") == (
        "denied  shop/web -> shop/db  TCP 5432\n"
        "  egress   allowed  no policy isolates shop/web for egress\n"
        "  ingress  denied   isolated by shop/db and no rule matched\n"
        "                    parts.yaml:1 shop/db\n"
        "           nearest  parts.yaml:1 /spec/ingress/0\n"
    )


def test_a_mixed_answer_says_who_gets_which_verdict():
    """Allowed parts come first; each has its own reasons."""
    assert answered("shop/", "shop/db", "sql") == (
        "mixed  shop/ -> shop/db  TCP sql (5432)\n"
        "  allowed  shop/api -> shop/db  TCP 5432\n"
        "    egress   allowed  no policy isolates shop/api for egress\n"
        "    ingress  allowed  accepted by shop/db rule None\n"
        "                      parts.yaml:1 /spec/ingress/0\n"
        "  denied  shop/web -> shop/db  TCP 5432\n"
        "    egress   allowed  no policy isolates shop/web for egress\n"
        "    ingress  denied   isolated by shop/db and no rule matched\n"
        "                      parts.yaml:1 shop/db\n"
        "             nearest  parts.yaml:1 /spec/ingress/0\n"
    )


def test_servers_without_the_port_that_was_named_are_said_to_be_left_out():
    """Nobody is dropped silently."""
    text = answered("other/x", "shop/", "sql")
    assert text.startswith("denied  other/x -> shop/  TCP sql (5432)\n")
    assert "           left out  shop/api, shop/web: no TCP port named sql, so left out\n" in text


def test_assumptions_and_open_points_are_part_of_the_answer():
    """What it rests on, with its place; what the API leaves open, once for both halves."""
    text = answered("other/x", "shop/api-0", "80")
    assert "assuming  IPv4 is the only family, for the input shows none; give --pod-cidr to check" in text
    assert "assuming  the address of shop/api-0 is not known and taken to lie outside every block" in text
    assert "; give --pod-cidr to check\n                     parts.yaml:1 /spec/egress/0\n" in text
    assert answered("other/x", "shop/db", "", "ICMP").count("undefined  the API leaves open whether") == 1


def test_a_pod_on_its_node_s_network_is_checked_by_its_node():
    """No range of pods holds its address."""
    client = pod("x/a", "app=a")
    policy = network_policy("x/p", "app=a", egress=(rule(block("10.0.0.0/8")),))
    world = snapshot(client, pod("x/b"), pod("x/host", host_network=True), policy)
    text = [render_answer(Respondent(world).answer(Question.of("x/a", each, 80))) for each in ("x/b", "x/host")]

    assert "the address of x/b is not known and taken to lie outside every block; give --pod-cidr to check" in text[0]
    assert "outside every block; give its Node and nodeName to check" in text[1]
    assert "the address of x/host is not known and taken to lie outside every block; give --pod-cidr" not in text[1]


def test_a_family_is_told_where_it_was_asked_or_parts_differ_by_it():
    """Otherwise the answer holds for all families alike."""
    both = replace(WORLD, families=tuple(Family))
    of = Respondent(both).answer
    assert render_answer(of(Question.of("other/x", "10.1.1.1", 80))).startswith(
        "allowed  other/x -> 10.1.1.1  TCP 80\n"
    )
    asked = render_answer(of(Question.of("shop/web", "shop/db", 80, family=6)))
    assert asked.startswith("denied  shop/web -> shop/db  TCP 80  IPv6\n")


def test_colors_mark_verdicts_alone():
    """Without them the text is the same."""
    colored = answered("shop/web", "shop/db", "5432", color=True)
    assert colored.startswith("\x1b[31mdenied\x1b[0m  shop/web")
    assert "\x1b[32mallowed\x1b[0m  no policy" in colored
    plain = colored
    for code in ("\x1b[31m", "\x1b[32m", "\x1b[0m"):
        plain = plain.replace(code, "")
    assert plain == answered("shop/web", "shop/db", "5432")


SHOP = replace(
    WORLD,
    services=(
        service("shop/sql", "app=db", "10.96.0.1", ports=(service_port(80, 5432),)),
        service("shop/open", "app=db", kind="NodePort", ports=(service_port(80, 5432, node_port=30080),)),
    ),
)


def through(client: str, server: str, *traffic: str) -> str:
    """The text of an answer about a Service."""
    return render_answer(Respondent(SHOP).answer(Question.of(client, server, *traffic)))


def test_the_way_to_a_service_is_told_hop_by_hop():
    """Before the halves that are judged on it."""
    assert through("shop/api", "svc:shop/sql", "80") == (
        "allowed  shop/api -> svc:shop/sql  TCP 80\n"
        "  hops              svc:shop/sql TCP 80: translated to shop/db TCP 5432\n"
        "                    shop/db TCP 5432: arrives from shop/api\n"
        "  egress   allowed  no policy isolates shop/api for egress\n"
        "  ingress  allowed  accepted by shop/db rule None\n"
        "                    parts.yaml:1 /spec/ingress/0\n"
    )


def test_several_ways_are_told_one_by_one_though_they_end_alike():
    """What happens on each is worth knowing."""
    assert through("192.0.2.1", "svc:shop/open", "80") == (
        "denied  192.0.2.1 -> svc:shop/open  TCP 80\n"
        "  denied  192.0.2.1 -> svc:shop/open  TCP 80\n"
        "    hops              the node of shop/db TCP 30080: translated to shop/db TCP 5432\n"
        "                      shop/db TCP 5432: arrives from 192.0.2.1\n"
        "    egress   allowed  the address is on no pod network, so no policy applies to it\n"
        "    ingress  denied   isolated by shop/db and no rule matched\n"
        "                      parts.yaml:1 shop/db\n"
        "             nearest  parts.yaml:1 /spec/ingress/0\n"
        "  denied  192.0.2.1 -> svc:shop/open  TCP 80\n"
        "    hops              another node TCP 30080: translated to shop/db TCP 5432\n"
        "                      another node TCP 5432: goes on under the address of that node\n"
        "                      shop/db TCP 5432: arrives from another node\n"
        "    egress   allowed  the address is on no pod network, so no policy applies to it\n"
        "    ingress  denied   isolated by shop/db and no rule matched\n"
        "                      parts.yaml:1 shop/db\n"
        "             nearest  parts.yaml:1 /spec/ingress/0\n"
    )
