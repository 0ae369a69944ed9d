"""Batches: one question a line, one answer a line."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.algebra.addresses import Family, read_address
from ringfence.errors import InputError, ManifestError
from ringfence.model.origin import Origin
from ringfence.report.json import render_line, render_refusal
from ringfence.report.lines import Batch
from ringfence.semantics.answer import Respondent
from ringfence.semantics.dialects import DIALECTS
from ringfence.semantics.question import Question
from tests.parts import block, network_policy, pod, pods, rule, snapshot, tcp
from tests.report.test_text import SHOP, WORLD
from tests.worlds import snapshots

if TYPE_CHECKING:
    from ringfence.model.snapshot import Snapshot
    from ringfence.semantics.dialects import Dialect

BATCH = Batch(Respondent(WORLD, "shop"))
DIALECTS_AND_STRICT = [replace(each, strict=strict) for each, strict in product(DIALECTS.values(), (False, True))]
ENDS = ("x/pod0", "x/pod1", "y/pod0", "y/pod2", "x/", "y:app=a", "10.0.0.1", "node:n1", "nobody")
TRAFFIC = ((80, "TCP"), (53, "udp"), (81, "SCTP"), ("web", None), ("80-80", None), ("80-81", None), (None, "ICMP"))


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        ('{"client": "shop/web", "server": "shop/db", "port": 5432, "protocol": "TCP"}', "denied"),
        ('{"client":"api","server":"db","port":"sql","family":4}', "allowed"),
        ('{"client":"shop/","server":"db","port":"5432-5432"}', "mixed"),
        ('{"client":"api","server":"db","protocol":"ICMP"}', "denied"),
        ('{"client":"10.0.0.1","server":"db"}', "denied"),
    ],
)
def test_a_line_is_a_question(line: str, verdict: str):
    """Names without a namespace get the given one; port, protocol and family may be absent."""
    text, answered = BATCH.answer(1, line.encode())

    assert answered
    assert json.loads(text)["verdict"] == verdict


def test_a_byte_order_mark_is_accepted_where_a_file_begins():
    """Editors of one system write it; anywhere else it is an error."""
    line = b'\xef\xbb\xbf{"client": "api", "server": "db", "port": "sql"}'

    assert BATCH.answer(1, line)[1]


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"{", "not a question: input data was truncated"),
        (b"nonsense", "not a question: JSON is malformed"),
        (b'{"client":"a","server":"b","client":"c"}', "not a question: key `client` is given twice"),
        (b'\xef\xbb\xbf{"client":"api","server":"db"}', "not a question: JSON is malformed"),
        (b"[]", "not a question: expected `object`, got `array`"),
        (b'{"client":"a"}', "not a question: object missing required field `server`"),
        (b'{"client":"a","server":"b","prot":1}', "not a question: object contains unknown field `prot`"),
        (
            b'{"client":"a","server":"b","port":1.5}',
            "not a question: expected `int | str | null`, got `float`",
        ),
        (b'{"client":"\xff","server":"b"}', "not a question: "),
        (b'{"client":"nobody","server":"db"}', "client: nothing is named shop/nobody"),
        (b'{"client":"api","server":"db","port":0}', "port 0: expected 1 to 65535"),
        (b'{"client":"api","server":"db","family":5}', "family 5: expected 4 or 6"),
        (b'{"client":"api","server":"web","port":"sql"}', "server: shop/web has no TCP port named sql"),
    ],
)
def test_a_line_that_cannot_be_answered_is_refused_with_its_number(line: bytes, error: str):
    """The others are not held up by it."""
    text, answered = BATCH.answer(7, line)
    refusal = json.loads(text)

    assert not answered
    assert refusal["line"] == 7
    assert refusal["error"].startswith(error)


def at_length(respondent: Respondent, question: dict[str, str | int | None]) -> bytes:
    """The line of an answer that was cut up and put together."""
    try:
        return render_line(respondent.answer(Question.of(**question)), partial=True)  # type: ignore[arg-type]
    except InputError as error:
        return render_refusal(2, error)


@given(
    snapshots(),
    st.sampled_from(DIALECTS_AND_STRICT),
    st.sampled_from((None, 4, 6)),
    st.lists(st.sampled_from(TRAFFIC), min_size=2, max_size=2),
)
def test_the_short_way_says_what_the_long_way_says(
    world: Snapshot, dialect: Dialect, family: int | None, traffic: list[tuple[int | str | None, str | None]]
):
    """Byte for byte, whoever is asked and whatever was asked before."""
    respondent = Respondent(world, "x", dialect)
    batch, brief = Batch(respondent, partial=True), Batch(respondent, brief=True)
    for client, server, (port, protocol) in product(ENDS, ENDS, traffic):
        question = {"client": client, "server": server, "port": port, "protocol": protocol, "family": family}
        line = json.dumps({name: value for name, value in question.items() if value is not None}).encode()
        expected = at_length(respondent, question)

        assert batch.answer(2, line)[0] == expected, line
        assert json.loads(brief.answer(2, line)[0]).get("verdict") == json.loads(expected).get("verdict"), line


CACHED = snapshot(
    pod("shop/web"),
    pod("shop/dns", "k8s-app=kube-dns"),
    pod("kube-system/cache", "", host_network=True, binds=(read_address("169.254.20.10"),)),
    *(pod(f"shop/agent-{node}", "", workload="DaemonSet/agent", node=node, host_network=True) for node in "ab"),
    *(pod(f"shop/app-{node}", "app=a", workload="Deployment/app", node=node) for node in "ab"),
    network_policy("shop/app", "app=a", ingress=(rule(pods("app=b")),), egress=(rule(block("10.0.0.0/8")),)),
    network_policy("shop/all", "", ingress=(rule(traffic=tcp(53)),)),
)
"""Where questions have remarks and premises, and pods of one workload are on several nodes."""

DUAL = snapshot(
    pod("shop/web", "", "10.0.0.1", "fd00::1"),
    pod("shop/db", "app=db", "10.0.0.2", "fd00::2"),
    pod("shop/six", "", "fd00::3"),
    network_policy("shop/db", "app=db", ingress=(rule(block("10.0.0.0/8")), rule(pods(), traffic=tcp(53)))),
    families=(Family.IPV4, Family.IPV6),
)
"""Where families differ on some ports."""


@pytest.mark.parametrize("world", [WORLD, SHOP, CACHED, DUAL], ids=["policies", "services", "nodes", "families"])
def test_workloads_services_and_ports_by_name_are_told_as_they_are_at_length(world: Snapshot):
    """Pods of a template, doors of Services and what a port's name means on each server."""
    respondent = Respondent(world, "shop")
    batch = Batch(respondent, partial=True)
    workloads = {f"{pod.namespace}/{pod.workload.partition('/')[2]}" for pod in world.pods if pod.workload}
    names = sorted({*map(str, world.pods), *workloads, *(f"svc:{each}" for each in world.services), "shop/"})
    for client, server, port in product(names, names, (80, 53, 5432, "sql", "http", None)):
        question = {"client": client, "server": server, "port": port}

        assert batch.answer(2, json.dumps(question).encode())[0] == at_length(respondent, question), question


@pytest.mark.parametrize(
    "line",
    [
        b'{"client":"api","server":"db","port":null,"port":80}',
        b'{"client":"api","server":"db","port":"80","family":null,"family":4}',
        b'{"client":"a\\"i","client":"api","server":"db"}',
        b'{"client":"api","server":"db","protocol":"TCP","protocol":"UDP"}',
    ],
)
def test_a_key_that_is_given_twice_is_refused_however_it_is_hidden(line: bytes):
    """A decoder would take the last of them."""
    text, answered = BATCH.answer(2, line)

    assert not answered
    assert "is given twice" in json.loads(text)["error"]


def test_a_brief_answer_is_the_verdict_alone():
    """So are those of questions about many, and refusals stay as they are."""
    lines = [
        b'{"client":"api","server":"db","port":"sql"}',
        b'{"client":"shop/","server":"db","port":5432}',
        b'{"client":"nobody","server":"db"}',
    ]
    whole, partial = (Batch(Respondent(WORLD, "shop"), partial=each, brief=True) for each in (False, True))

    assert [whole.answer(2, line)[0] for line in lines[:2]] == [b'{"verdict":"allowed"}\n', b'{"verdict":"mixed"}\n']
    assert [partial.answer(2, line)[0] for line in lines[:2]] == [
        b'{"verdict":"allowed","partial":true}\n',
        b'{"verdict":"mixed","partial":true}\n',
    ]
    assert whole.answer(2, lines[2]) == BATCH.answer(2, lines[2])


def test_what_was_not_read_is_told_once_in_a_batch():
    """The first answer says it, and a refusal before it does not take that away."""
    error = ManifestError("no policy", Origin("a.yaml", 1, 1, "", "", None))
    batch = Batch(Respondent(WORLD, "shop"), partial=True, errors=(error,))
    asked = (b'{"client":"nobody","server":"db"}', *(b'{"client":"api","server":"db","port":"sql"}',) * 2)
    answers = [json.loads(batch.answer(number, line)[0]) for number, line in enumerate(asked, 1)]

    assert ["errors" in each for each in answers] == [False, True, False]
    assert answers[1] == answers[2] | {"errors": answers[1]["errors"]}
