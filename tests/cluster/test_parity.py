"""What the API server says of thousands of objects, and what ringfence says: the same."""

from __future__ import annotations

import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import pytest

from ringfence.readers.structural import Channel
from tests.cluster.answers import Answer, of_ringfence, of_server, written
from tests.cluster.excuses import EXCUSES, unexcused
from tests.cluster.kinds import CHANNELS, DEFINED, NETWORK_POLICY
from tests.cluster.objects import NETWORK_POLICY as NETWORK_POLICY_SHAPE
from tests.cluster.objects import objects, read_definition

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.cluster.client import Client
    from tests.cluster.control_plane import ControlPlane
    from tests.cluster.excuses import Excuse
    from tests.cluster.kinds import Kind
    from tests.cluster.shapes import Shape

pytestmark = pytest.mark.cluster

COUNT = 2200
"""Objects of each kind and channel."""

CLIENTS = 4

SHOWN = 20
"""Differences that a failing test shows."""


def asked(plane: ControlPlane, kind: Kind, texts: Iterable[bytes]) -> Iterator[Answer]:
    """What the server says of each text, several at a time."""
    idle: SimpleQueue[Client] = SimpleQueue()

    def ask(text: bytes) -> Answer:
        client = idle.get()
        try:
            return of_server(client, kind, text)
        finally:
            idle.put(client)

    with ExitStack() as stack:
        for _ in range(CLIENTS):
            idle.put(stack.enter_context(plane.client()))
        with ThreadPoolExecutor(CLIENTS) as pool:
            yield from pool.map(ask, texts)


def compare(plane: ControlPlane, kind: Kind, shape: Shape, channel: Channel | None) -> tuple[Counter[str], list[str]]:
    """Count how objects are answered, and list what is answered differently without an excuse."""
    counts: Counter[str] = Counter()
    differences = []
    texts = [written(kind, each) for each in objects(shape, COUNT, seed=1)]
    for text, theirs in zip(texts, asked(plane, kind, texts), strict=True):
        ours = of_ringfence(text, channel)
        counts[theirs.outcome] += 1
        lines = ours.unlike(theirs)
        counts["excused"] += bool(lines)
        if left := unexcused(lines):
            differences.append(f"{text.decode()}\n{left}")
    return counts, differences


def report(kind: Kind, channel: str, counts: Counter[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Print the counts, whoever captures the output."""
    with capsys.disabled():
        numbers = ", ".join(f"{number} {name}" for name, number in sorted(counts.items()))
        sys.stdout.write(f"\n{kind.name} ({channel}): {numbers}\n")


@pytest.mark.parametrize("excuse", EXCUSES, ids=lambda excuse: excuse.cause)
def test_every_excuse_is_still_needed(plane: ControlPlane, excuse: Excuse):
    """What it excuses is what is said of its example, and there is nothing else to excuse there."""
    text = written(excuse.kind, dict(excuse.example))
    (theirs,) = asked(plane, excuse.kind, [text])
    lines = of_ringfence(text).unlike(theirs)

    assert lines
    assert excuse.without("".join(f"{line}\n" for line in lines)) == ""


def test_a_network_policy_is_judged_as_by_the_server(plane: ControlPlane, capsys: pytest.CaptureFixture[str]):
    """Field, reason and message of everything that is refused."""
    counts, differences = compare(plane, NETWORK_POLICY, NETWORK_POLICY_SHAPE, None)

    report(NETWORK_POLICY, "v1", counts, capsys)
    assert differences[:SHOWN] == []


@pytest.mark.parametrize("kind", DEFINED, ids=lambda kind: kind.name)
@pytest.mark.parametrize("definitions", CHANNELS, indirect=True)
def test_a_policy_of_a_tier_is_judged_as_by_the_server(
    plane: ControlPlane, definitions: dict[Kind, dict[str, Any]], kind: Kind, capsys: pytest.CaptureFixture[str]
):
    """Its definition decides, in both channels."""
    annotations = definitions[kind]["metadata"]["annotations"]
    channel = Channel(annotations["policy.networking.k8s.io/channel"])
    counts, differences = compare(plane, kind, read_definition(definitions[kind]), channel)

    report(kind, channel.value, counts, capsys)
    assert differences[:SHOWN] == []
