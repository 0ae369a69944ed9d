"""Answers for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ringfence.report.json as shapes
from ringfence.algebra.addresses import cidrs, read_cidr
from ringfence.errors import InputError, ManifestError
from ringfence.lab.documents import lab_schema
from ringfence.model import origin as places
from ringfence.readers.listing import snapshot_schema
from ringfence.report.schemas import schemas
from ringfence.semantics.answer import Respondent
from ringfence.semantics.engine import Engine
from ringfence.semantics.question import Question
from ringfence.semantics.summary import lines
from tests.report.test_text import SHOP, WORLD
from tests.worlds import snapshots

if TYPE_CHECKING:
    from ringfence.model.snapshot import Snapshot

SCHEMA = Path(shapes.__file__).parent / "schema"

FAULT = ManifestError(
    'spec.policyTypes[0]: Unsupported value: "x"',
    places.Origin("a.yaml", 3, 5, "/spec/policyTypes/0", "NetworkPolicy/x/p"),
    "write Ingress or Egress",
    field="spec.policyTypes[0]",
    reason="FieldValueNotSupported",
)


def answered(client: str, server: str, *traffic: str | int) -> dict[str, Any]:
    """The whole document of an answer, decoded."""
    answer = Respondent(WORLD).answer(Question.of(client, server, *traffic))
    return json.loads(shapes.render_answer(answer))


def test_an_answer_has_the_documented_shape():
    """Absent means not applicable; lists are never null; an origin has all its keys."""
    assert answered("shop/web", "shop/db", 5432) == {
        "apiVersion": "ringfence.io/v1alpha1",
        "kind": "Verdict",
        "client": "shop/web",
        "server": "shop/db",
        "port": 5432,
        "protocol": "TCP",
        "family": 4,
        "verdict": "denied",
        "egress": {
            "verdict": "allowed",
            "tier": None,
            "reason": "no policy isolates shop/web for egress",
            "origins": [],
        },
        "ingress": {
            "verdict": "denied",
            "tier": "NetworkPolicy",
            "reason": "isolated by shop/db and no rule matched",
            "origins": [origin("shop/db")],
            "nearest": [origin("/spec/ingress/0")],
        },
        "assumptions": [],
        "undefined": [],
    }


def origin(pointer: str) -> dict[str, Any]:
    """The document of an origin."""
    place = {"source": "parts.yaml", "line": 1, "column": 1, "pointer": pointer, "object": "Part/x"}
    return {**place, "rule": None, "rule_name": None}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ((5432,), {"port": 5432, "protocol": "TCP"}),
        (("80-81", "UDP"), {"port": "80-81", "protocol": "UDP"}),
        (("", "ICMP"), {"protocol": "ICMP"}),
        (("", "SCTP"), {"protocol": "SCTP"}),
        (("sql",), {"port": "sql", "protocol": "TCP", "traffic": [{"protocol": "TCP", "ports": ["5432"]}]}),
        ((), {"traffic": [{"protocol": name} for name in ("TCP", "UDP", "SCTP", "ICMP")]}),
    ],
)
def test_traffic_is_said_by_port_and_protocol_where_they_can(asked: tuple[str | int, ...], said: dict[str, Any]):
    """Everything else is a list of protocols with their ports, spelled as PORT is asked."""
    document = answered("shop/web", "shop/db", *asked)
    assert {key: document[key] for key in ("port", "protocol", "traffic") if key in document} == said


def test_a_mixed_answer_has_parts_and_no_halves():
    """Each part is an answer of its own, without the head of a document."""
    document = answered("shop/", "shop/db")

    assert document["verdict"] == "mixed"
    assert not {"egress", "ingress"} & document.keys()
    assert [part["verdict"] for part in document["parts"]] == ["allowed", "denied", "denied"]
    assert document["parts"][1]["client"] == "shop/api"
    ports = [{"protocol": "TCP", "ports": ["1-5431", "5433-65535"]}, {"protocol": "UDP"}, {"protocol": "SCTP"}]
    assert document["parts"][1]["traffic"] == [*ports, {"protocol": "ICMP"}]
    assert not {"apiVersion", "kind", "parts"} & document["parts"][0].keys()


def test_parts_name_ends_in_words_that_can_be_asked_again():
    """Text is free to say what is left out; a program would have to take it apart."""
    document = answered("other/x", "0.0.0.0/0", 80)
    (loopback, allowed, denied) = document["parts"]
    others = read_cidr("0.0.0.0/0") - read_cidr("10.0.0.0/8") - read_cidr("127.0.0.0/8")

    assert (allowed["server"], loopback["server"]) == ("10.0.0.0/8", "127.0.0.0/8")
    assert denied["client"] == "other/x"
    assert denied["server"].split(", ") == cidrs(others)


def test_halves_that_several_members_have_are_joined():
    """One verdict for all, with every reason and every place."""
    document = answered("shop/api", "shop/", 5432)
    reasons = ["no policy isolates shop/api, shop/web for ingress", "accepted by shop/db rule None"]

    assert document["verdict"] == "allowed"
    assert "parts" not in document
    assert sorted(document["ingress"]["reason"].split("; ")) == sorted(reasons)
    assert document["ingress"]["origins"] == [origin("/spec/ingress/0")]
    assert document["ingress"]["tier"] is None


def test_a_line_is_one_line_and_says_when_part_was_not_read():
    """Lines have no head."""
    answer = Respondent(WORLD).answer(Question.of("shop/web", "shop/db", 80))
    line = shapes.render_line(answer, partial=True)

    assert line.count(b"\n") == 1
    assert line.startswith(b'{"client":"shop/web","server":"shop/db","port":80,')
    assert line.endswith(b'"partial":true}\n')


def test_a_refusal_has_the_line_the_error_and_a_hint_if_any():
    """An absent hint is no empty string."""
    assert shapes.render_refusal(7, InputError("no", "do")) == b'{"line":7,"error":"no","hint":"do"}\n'
    assert shapes.render_refusal(7, InputError("no")) == b'{"line":7,"error":"no"}\n'


@given(snapshots(), st.sampled_from(["x/", "y/", "0.0.0.0/0"]), st.sampled_from(["x/", "fd00::/16"]))
def test_every_document_fits_its_published_shape(world: Snapshot, client: str, server: str):
    """Decoding by the shape and encoding again gives the same bytes."""
    found = shapes.render_reachability(lines(Engine(world)), world)
    documents = [(found, shapes.Reachability)]
    try:
        answer = Respondent(world).answer(Question.of(client, server))
        documents.append((shapes.render_answer(answer), shapes.Answer))
    except InputError:
        pass
    for document, shape in documents:
        again = msgspec.json.encode(msgspec.json.decode(document, type=shape))
        assert msgspec.json.format(again, indent=2) + b"\n" == document


def test_an_answer_says_what_of_the_input_is_in_error():
    """What no API server would refuse has no field and no reason, and a whole answer no list."""
    answer = Respondent(WORLD).answer(Question.of("shop/web", "shop/db", 5432))
    absent = ManifestError("cannot be read: no such file", places.Origin("z.yaml", 0, 0, "", ""))
    document = json.loads(shapes.render_answer(answer, [absent]))

    assert document["partial"] is True
    assert document["errors"] == [
        {"source": "z.yaml", "line": 0, "column": 0, "pointer": "", "object": "", "message": absent.message}
    ]
    assert "errors" not in json.loads(shapes.render_answer(answer))


def test_documents_say_what_was_left_out():
    """One line each; a document without any has no list, and a part of an answer or a line never has one."""
    answer = Respondent(WORLD).answer(Question.of("shop/web", "shop/db", 5432))
    documents = [
        (shapes.render_answer(answer, (), ["a", "b"]), shapes.render_answer(answer)),
        (shapes.render_reachability((), WORLD, (), ["a", "b"]), shapes.render_reachability((), WORLD)),
    ]
    for noted, plain in documents:
        assert json.loads(noted) == json.loads(plain) | {"notes": ["a", "b"]}
        assert "notes" not in json.loads(plain)
    assert "notes" not in json.loads(shapes.render_line(answer, partial=False))


def test_the_map_names_its_members_one_by_one():
    """Each is a name that can be asked about."""
    document = json.loads(shapes.render_reachability(lines(Engine(WORLD), "other"), WORLD, [FAULT]))

    assert document["connections"][0] == {
        "clients": ["other/x"],
        "servers": ["10.0.0.0/8"],
        "traffic": [{"protocol": "TCP", "ports": ["80"]}],
        "families": [4],
        "verdict": "allowed",
    }
    assert document["kind"] == "Reachability"
    assert document["partial"] is True
    assert document["errors"] == [
        {
            "source": "a.yaml",
            "line": 3,
            "column": 5,
            "pointer": "/spec/policyTypes/0",
            "object": "NetworkPolicy/x/p",
            "message": 'Unsupported value: "x"',
            "field": "spec.policyTypes[0]",
            "reason": "FieldValueNotSupported",
            "hint": "write Ingress or Egress",
        }
    ]
    assert [each["topic"] for each in document["assumptions"]] == ["family", "pod-address"]


def test_the_published_schemas_are_those_of_the_shapes():
    """A change of shape is a change of the files in the repository."""
    found = {path.name: path.read_bytes() for path in SCHEMA.iterdir()}

    assert found == schemas() | {"snapshot.json": snapshot_schema(), "lab.json": lab_schema()}


def test_hops_and_remarks_have_the_documented_shape():
    """Each hop says where the packet is, what happens, whose policies are judged there, and what they see."""
    answer = Respondent(SHOP).answer(Question.of("svc:shop/sql", "svc:shop/sql", 80))
    found = json.loads(shapes.render_answer(answer))

    assert found["hops"] == [
        {
            "at": "svc:shop/sql",
            "protocol": "TCP",
            "port": 80,
            "happening": "translated",
            "text": "translated to shop/db TCP 5432",
            "judged": "Egress",
            "seen": "shop/db",
        },
        {
            "at": "shop/db",
            "protocol": "TCP",
            "port": 5432,
            "happening": "arrives",
            "text": "arrives from shop/db",
            "judged": "Ingress",
            "seen": "shop/db",
        },
    ]
    assert found["remarks"] == [
        {"topic": "service-client", "text": "svc:shop/sql as a client is the pods behind it", "origins": []}
    ]
    assert "parts" not in found


def test_several_ways_are_parts():
    """An answer with parts has no hops and no halves of its own."""
    answer = Respondent(SHOP).answer(Question.of("192.0.2.1", "svc:shop/open", 80))
    found = json.loads(shapes.render_answer(answer))

    assert found["verdict"] == "denied"
    assert [[hop["happening"] for hop in part["hops"]] for part in found["parts"]] == [
        ["translated", "arrives"],
        ["translated", "masqueraded", "arrives"],
    ]
    assert not found.keys() & {"hops", "egress", "ingress"}
