"""Batches: a JSON line with a question in, a JSON line with its answer out."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from ringfence.errors import InputError
from ringfence.report.json import render_brief, render_line, render_refusal
from ringfence.report.pieces import Pieces
from ringfence.semantics.plain import Wanted
from ringfence.semantics.question import Question
from ringfence.semantics.verdict import Outcome, combine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ringfence.errors import ManifestError
    from ringfence.semantics.answer import Respondent

_REMEMBERED = 65_536
"""So many ports, protocols and families are remembered as they were asked."""


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """One line of questions."""

    client: str
    server: str
    port: int | str | None = None
    protocol: str | None = None
    family: int | None = None


_decoder = msgspec.json.Decoder(Asked)


class Batch:
    """Answers lines, most of them by the short way of plain questions."""

    def __init__(
        self,
        respondent: Respondent,
        *,
        partial: bool = False,
        errors: Sequence[ManifestError] = (),
        brief: bool = False,
    ) -> None:
        """Prepare for lines.

        Args:
            respondent: Who answers.
            partial: Whether part of the input was not read.
            errors: Why; the first answer says it, unless answers are brief.
            brief: Whether verdicts alone are wanted.
        """
        self._respondent, self._short_way = respondent, respondent.short_way
        self._partial, self._brief = partial, brief
        self._untold = () if brief else errors
        self._pieces = Pieces(partial=partial)
        self._verdicts = {outcome: render_brief(outcome.value, partial=partial) for outcome in Outcome}

    def answer(self, number: int, line: bytes) -> tuple[bytes, bool]:
        """Answer one line.

        Args:
            number: The 1-based number of the line.
            line: The question.

        Returns:
            The line of the answer or of the refusal, and whether it was answered.
        """
        try:
            asked = _read(line.removeprefix(BOM_UTF8) if number == 1 else line)
            wanted = _wanted(asked.port, asked.protocol, asked.family)
            plain = None if self._untold else self._short_way.answer(asked.client, asked.server, wanted)
            if plain is None:
                return self._at_length(replace(wanted.question, client=asked.client, server=asked.server)), True
        except InputError as error:
            return render_refusal(number, error), False
        if self._brief:
            return self._verdicts[combine(plain.egress.outcome, plain.ingress.outcome)], True
        return self._pieces.line(plain, wanted.question, self._short_way.premises(plain, wanted)), True

    def _at_length(self, question: Question) -> bytes:
        answer = self._respondent.answer(question)
        if self._brief:
            return render_brief(answer.verdict, partial=self._partial)
        errors, self._untold = self._untold, ()
        return render_line(answer, partial=self._partial, errors=errors)


@lru_cache(_REMEMBERED)
def _wanted(port: int | str | None, protocol: str | None, family: int | None) -> Wanted:
    return Wanted(Question.of("", "", port, protocol, family))


def _read(line: bytes) -> Asked:
    try:
        asked = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        words = str(error)
        message = f"not a question: {words if words.startswith('JSON') else words[:1].lower() + words[1:]}"
        raise InputError(message, 'write {"client": "x/a", "server": "y/b", "port": 80, "protocol": "TCP"}') from error
    if line.count(b'"') != _quotes(asked):
        json.loads(line, object_pairs_hook=_each_once)
    return asked


def _quotes(asked: Asked) -> int:
    """Return how many quotation marks a line has at least; one that gives a key twice has more."""
    found = 12 if isinstance(asked.port, str) else 8 if asked.port is None else 10
    if asked.protocol is not None:
        found += 4
    return found if asked.family is None else found + 2


def _each_once(pairs: list[tuple[str, Any]]) -> None:
    """Refuse an object that has a key twice, of which a decoder would silently take the last."""
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            message = f"not a question: key `{key}` is given twice"
            raise InputError(message, "leave one of them out")
