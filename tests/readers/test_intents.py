"""Files of intents."""

from __future__ import annotations

from ringfence.analysis.intents import Aim
from ringfence.model.policy import Direction
from ringfence.readers.intents import read_intents
from ringfence.readers.source import Source

HEAD = "apiVersion: ringfence.io/v1alpha1\nkind: Intents\nintents:\n"


def read(text: str, head: str = HEAD):
    """Intents and what is wrong, as lines."""
    errors = []
    found = read_intents(Source("i.yaml", iter([(head + text).encode()]), 1 << 20), errors)
    return found, [f"{error.origin.line}: {error.message}" for error in errors]


def test_each_aim_says_what_is_written():
    """As a sentence, in the order of the file, with its line."""
    found, errors = read(
        "- {allow: x/a, to: x/b, ports: [80, 53/UDP, icmp]}\n"
        "- {deny: internet, to: [x/, y/]}\n"
        "- {name: mine, only: [x/a, x/b], from: x/c}\n"
        "- isolated: [[x/, y/], z/]\n"
    )

    assert errors == []
    assert [str(each) for each in found] == [
        "allow x/a to x/b 80 53/UDP icmp",
        "deny internet to x/, y/",
        "only x/a, x/b from x/c",
        "isolated x/, y/; z/",
    ]
    assert [each.origin.line for each in found] == [4, 5, 6, 7]
    assert [each.towards for each in found[:3]] == [Direction.INGRESS, Direction.INGRESS, Direction.EGRESS]
    assert found[2].name == "mine"
    assert found[3].aim is Aim.ISOLATED


def test_everything_that_is_wrong_is_said_with_its_line():
    """An intent in error is left out; the others are read."""
    found, errors = read(
        "- {allow: x/a, deny: x/b}\n"
        "- {only: x/a}\n"
        "- {only: x/a, to: x/b, from: x/c}\n"
        "- {isolated: [x/], ports: [1]}\n"
        "- {allow: [], to: ''}\n"
        "- {allow: x/a, to: x/b, ports: [0, 80/, 1/ICMP]}\n"
        "- {dney: x/a}\n"
        "- {deny: x/a, to: x/b}\n"
    )

    assert [str(each) for each in found] == ["deny x/a to x/b"]
    assert errors == [
        "4: intents[0]: allow and deny in one intent",
        "5: intents[1]: only needs to or from",
        "6: intents[2]: to and from in one intent",
        "7: intents[3].ports: groups are isolated from each other, on all traffic",
        "7: intents[3].isolated: expected two groups or more",
        "8: intents[4].to: names nobody",
        "8: intents[4].allow: names nobody",
        "9: intents[5].ports[0]: port 0: expected 1 to 65535, ranges from low to high",
        "9: intents[5].ports[1]: port '80/' names no protocol",
        "9: intents[5].ports[2]: port 1/ICMP: ICMP has no ports",
        '10: strict decoding error: unknown field "intents[6].dney"',
        "10: intents[6]: says nothing",
    ]


def test_a_file_of_something_else_is_refused():
    """Manifests are no intents, and neither is an empty list."""
    assert read("", f"{HEAD.rstrip()} []\n")[1] == ["3: intents: there are none"]
    assert read("", "apiVersion: v1\nkind: Pod\n")[1] == ["1: expected ringfence.io/v1alpha1 Intents, found v1 Pod"]
