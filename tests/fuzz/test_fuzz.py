"""The fuzzer: its inputs, and that it notices what it looks for."""

from __future__ import annotations

import json

import pytest

from ringfence.model.snapshot import Snapshot
from ringfence.readers import Reading, Source, read
from ringfence.readers.kinds import READ
from tests.fuzz.__main__ import one
from tests.fuzz.inputs import Corpus, Input, make
from tests.fuzz.properties import BrokenError, Seen, check, check_accounted, check_policies, objects_in

CORPUS = Corpus()


@pytest.mark.parametrize("hundred", range(4))
def test_whatever_comes_in_is_read_or_reported(hundred: int):
    """A few hundred inputs here; ``make fuzz`` tries a million."""
    for number in range(100 * hundred, 100 * hundred + 100):
        one(1, number, CORPUS)


def test_every_kind_that_is_read_is_broken_too():
    """A new kind comes with an object to break."""
    kinds = {json.loads(text)["kind"] for text in CORPUS.objects}

    assert set(READ) - kinds == set()


def test_the_objects_to_break_are_valid():
    """Else most of what breaks them would be hidden behind what is wrong anyway."""
    for text in CORPUS.objects:
        errors = [str(error) for error in read([Source("a.json", [text.encode()])]).errors if error.origin.line]
        if '"CiliumNetworkPolicy"' not in text:
            assert errors == [], text


def test_a_number_stands_for_one_input():
    """What was found once can be made again."""
    assert make(7, 11, CORPUS) == make(7, 11, CORPUS) != make(8, 11, CORPUS)


@pytest.mark.parametrize(
    "text", ["kind: Pod\napiVersion: v1\nmetadata: {name: a}\n", "5\n", "kind: 5\napiVersion: v1\n"]
)
def test_what_is_passed_over_is_noticed(text: str):
    """A reader that says nothing of an object does not pass."""
    (seen,) = objects_in("a.yaml", text) or ()

    with pytest.raises(BrokenError):
        check_accounted(seen, Reading(Snapshot(), (), ()), set())


def test_a_policy_that_opens_is_noticed():
    """As if its peers had been left out by mistake."""
    written = {"from": [{"podSelector": {"matchLabels": {"a": "b"}}}]}
    policy = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "p"}}
    opened = read([Source("a.json", [json.dumps(policy | {"spec": {"podSelector": {}, "ingress": [{}]}}).encode()])])

    with pytest.raises(BrokenError, match="opens to everyone"):
        check_policies([Seen(policy | {"spec": {"ingress": [written]}}, 1, 1)], opened)


def test_an_empty_input_is_fine():
    """There is nothing in it that could be passed over."""
    check(Input("a.yaml", (b" \n",)), asking=True)
