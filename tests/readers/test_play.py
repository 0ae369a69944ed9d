"""Plays: every step with its place, and every mistake in one told where it stands."""

from __future__ import annotations

import pytest

from ringfence.algebra.traffic import Protocol
from ringfence.readers import Source
from ringfence.readers.play import Apply, Delete, Expect, Pour, Relabel, Send, Step, Stop, read_play
from ringfence.semantics.question import Question

HEAD = "apiVersion: ringfence.io/v1alpha1\nkind: Play\nsteps:\n"
WRONG = {
    "- {}": "steps[0]: does nothing",
    "- {apply: a.yaml, stop: f}": "steps[0]: apply and stop in one step",
    "- {apply: []}": "steps[0].apply: names no file",
    "- {apply: [3]}": "steps[0].apply[0]: expected a string, found the number 3",
    "- {delete: }": "steps[0].delete: is missing",
    "- {relabel: a}": "steps[0].labels: expected labels",
    "- {relabel: a, labels: {b: 1}}": "steps[0].labels.b: expected a string, found the number 1",
    "- {flood: f, from: a, to: b}": "steps[0].port: a flood needs a port of TCP or UDP",
    "- {flood: f, from: a, to: b, port: ICMP}": "steps[0].port: a flood needs a port of TCP or UDP",
    "- {flood: f, from: a, to: b, port: 1, wait: 3}": 'unknown field "steps[0].wait"',
    "- {allow: a, port: 1}": "steps[0].to: is missing",
    "- {deny: a, to: b, port: 99999}": "steps[0].port: port 99999",
    "- {expect: f}": "steps[0]: expects nothing",
    "- {expect: f, lost: -1}": "steps[0].lost: expected a number of packets",
    "- {expect: f, lost: none}": 'steps[0].lost: expected a whole number, found the string "none"',
    "": "steps: there are none",
}


def read(text: str) -> tuple[tuple[Step, ...], list[str]]:
    """The steps of a text, and what is wrong with it."""
    errors = []
    steps = read_play(Source("play.yaml", [text.encode()]), errors)
    return steps, [str(error) for error in errors]


def test_steps_are_read_in_order_with_their_places():
    """All kinds of them, each as few words."""
    steps, errors = read(
        f"""{HEAD}
- {{flood: f, from: shop/web-0, to: 'svc:shop/api', port: 53/UDP}}
- apply: [a.yaml, b.yaml]
- relabel: shop/web
  labels: {{app: x, tier: null}}
- {{probe: shop/web, to: shop/db}}
- {{allow: shop/web, to: shop/db, port: 5432}}
- {{deny: shop/web, to: shop/db, port: http}}
- {{expect: f, leaked: 0}}
- delete: netpol/shop/db
- stop: f
"""
    )

    assert errors == []
    assert [step.act for step in steps] == [
        Pour("f", Question("shop/web-0", "svc:shop/api", (53, 53), Protocol.UDP), "shop/web-0 -> svc:shop/api 53/UDP"),
        Apply(("a.yaml", "b.yaml")),
        Relabel("shop/web", {"app": "x", "tier": None}),
        Send(Question("shop/web", "shop/db"), "shop/web -> shop/db"),
        Send(Question("shop/web", "shop/db", (5432, 5432), Protocol.TCP), "shop/web -> shop/db 5432", arrives=True),
        Send(Question("shop/web", "shop/db", "http", Protocol.TCP), "shop/web -> shop/db http", arrives=False),
        Expect("f", 0, None),
        Delete("netpol/shop/db"),
        Stop("f"),
    ]
    assert [str(step.origin) for step in steps[:4]] == ["play.yaml:5", "play.yaml:6", "play.yaml:7", "play.yaml:9"]
    assert str(steps[2].act) == "relabel shop/web app=x, tier-"
    assert str(steps[6].act) == "expect f: at most 0 leaked"


@pytest.mark.parametrize(("step", "said"), WRONG.items(), ids=WRONG)
def test_what_is_wrong_with_a_step_is_told_at_its_place(step: str, said: str):
    """And the step is left out."""
    steps, (error, *_) = read(f"{HEAD}{step}\n")

    assert steps == ()
    assert error.startswith("play.yaml:")
    assert said in error


def test_another_kind_is_no_play():
    """Nothing of it is carried out."""
    steps, errors = read("apiVersion: v1\nkind: Pod\nsteps: []\n")

    assert (steps, errors) == ((), ["play.yaml:1: expected ringfence.io/v1alpha1 Play, found v1 Pod"])
