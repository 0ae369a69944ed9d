"""Answers to plain questions as JSON lines, put together from pieces that were encoded once.

The bytes are those that :mod:`ringfence.report.json` writes of the same answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import UNSET

from ringfence.algebra.intervals import Intervals
from ringfence.report.json import as_half, as_spoken, as_undefined
from ringfence.report.json_parts import as_assumption
from ringfence.semantics.telling import CLIENT, SERVER
from ringfence.semantics.verdict import Verdict, combine

if TYPE_CHECKING:
    from ringfence.algebra.addresses import Family
    from ringfence.semantics.plain import Plain
    from ringfence.semantics.question import Question
    from ringfence.semantics.verdict import Assumption, Half

_PIECES = 65_536
"""So many pieces of a kind are kept: a bound on memory while questions keep coming."""

_CLIENT, _SERVER = b"\0", b"\1"
"""Stand-ins for names within pieces: JSON never holds these bytes."""


class Pieces:
    """Writes the answers to plain questions of one batch."""

    def __init__(self, *, partial: bool) -> None:
        """Prepare for answers.

        Args:
            partial: Whether part of the input was not read or is in error.
        """
        self._end = b',"partial":true}\n' if partial else b"}\n"
        self._halves: dict[int, tuple[Half, bytes, tuple[bytes, ...]]] = {}
        self._asked: dict[tuple[str | None, int, Family | None], bytes] = {}
        self._premises: dict[tuple[Assumption, ...], tuple[bytes, ...]] = {(): ()}

    def line(self, plain: Plain, asked: Question, premises: tuple[Assumption, ...]) -> bytes:
        """Return a JSON line.

        Args:
            plain: The answer.
            asked: What was asked; its names are not looked at.
            premises: What is taken for granted of the question.
        """
        client, server = msgspec.json.encode(plain.client.name), msgspec.json.encode(plain.server.name)
        _, egress, assumed = self._half(plain.egress)
        _, ingress, assumed_too = self._half(plain.ingress)
        assumptions = b""
        if premises or assumed or assumed_too:
            assumptions = b",".join(dict.fromkeys((*self._premised(premises), *assumed, *assumed_too)))
        undefined = b"[]"
        if plain.egress.undefined or plain.ingress.undefined:
            undefined = msgspec.json.encode([*map(as_undefined, Verdict(plain.egress, plain.ingress).undefined)])
        name = asked.port if isinstance(asked.port, str) else None
        family = plain.families[0] if len(plain.families) == 1 else None
        key = (name, plain.traffic, family)
        spoken = self._asked.get(key) or self._spoken(key, asked)
        outcome = combine(plain.egress.outcome, plain.ingress.outcome).value.encode()
        told = b'%b","egress":%b,"ingress":%b,"assumptions":[%b]' % (outcome, egress, ingress, assumptions)
        told = told.replace(_CLIENT, client[1:-1]).replace(_SERVER, server[1:-1])
        return b'{"client":%b,"server":%b,%b,"verdict":"%b,"undefined":%b%b' % (
            client,
            server,
            spoken,
            told,
            undefined,
            self._end,
        )

    def _half(self, half: Half) -> tuple[Half, bytes, tuple[bytes, ...]]:
        """Return a half, which is kept so that its identity stays its own, as JSON, and its assumptions likewise."""
        found = self._halves.get(id(half))
        if found is None:
            if len(self._halves) >= _PIECES:
                self._halves.clear()
            body = as_half((half,))
            body.reason = _raw(half.reason)
            found = (half, msgspec.json.encode(body), tuple(map(_assumption, half.assumptions)))
            self._halves[id(half)] = found
        return found

    def _premised(self, premises: tuple[Assumption, ...]) -> tuple[bytes, ...]:
        found = self._premises.get(premises)
        if found is None:
            if len(self._premises) >= _PIECES:
                self._premises = {(): ()}
            found = self._premises[premises] = tuple(map(_assumption, premises))
        return found

    def _spoken(self, key: tuple[str | None, int, Family | None], asked: Question) -> bytes:
        """Return what stands between the names and the verdict."""
        if len(self._asked) >= _PIECES:
            self._asked.clear()
        _, traffic, family = key
        fields = dict(zip(("port", "protocol", "traffic"), as_spoken(Intervals.point(traffic), asked), strict=True))
        given = {name: value for name, value in (fields | {"family": family or UNSET}).items() if value is not UNSET}
        found = self._asked[key] = msgspec.json.encode(given)[1:-1]
        return found


def _assumption(assumption: Assumption) -> bytes:
    body = as_assumption(assumption)
    body.text = _raw(assumption.text)
    return msgspec.json.encode(body)


def _raw(text: str) -> str:
    """Return a text as JSON, with marks where a name is to stand, in place of the text that it encodes."""
    marked = msgspec.json.encode(text).replace(CLIENT.encode(), _CLIENT).replace(SERVER.encode(), _SERVER)
    return msgspec.Raw(marked)  # type: ignore[return-value]  # encoded as it is, wherever it stands
