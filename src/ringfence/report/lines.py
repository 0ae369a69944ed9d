"""Batches: a JSON line with a question in, a JSON line with its answer out."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from typing import TYPE_CHECKING, Any

import msgspec

from ringfence.errors import InputError
from ringfence.report.json import render_line, render_refusal
from ringfence.semantics.question import Question

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ringfence.errors import ManifestError
    from ringfence.semantics.answer import Respondent


class Asked(msgspec.Struct, forbid_unknown_fields=True):
    """One line of questions."""

    client: str
    server: str
    port: int | str | None = None
    protocol: str | None = None
    family: int | None = None


_decoder = msgspec.json.Decoder(Asked)


def answer_line(
    respondent: Respondent, number: int, line: bytes, *, partial: bool, errors: Iterable[ManifestError] = ()
) -> tuple[bytes, bool]:
    """Answer one line.

    Args:
        respondent: Who answers.
        number: The 1-based number of the line.
        line: The question.
        partial: Whether part of the input was not read.
        errors: Why, where the answer is to say so; once in a batch is enough.

    Returns:
        The line of the answer or of the refusal, and whether it was answered.
    """
    try:
        answer = respondent.answer(_read(line.removeprefix(BOM_UTF8) if number == 1 else line))
    except InputError as error:
        return render_refusal(number, error), False
    return render_line(answer, partial=partial, errors=errors), True


def _read(line: bytes) -> Question:
    try:
        asked = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        words = str(error)
        message = f"not a question: {words if words.startswith('JSON') else words[:1].lower() + words[1:]}"
        raise InputError(message, 'write {"client": "x/a", "server": "y/b", "port": 80, "protocol": "TCP"}') from error
    json.loads(line, object_pairs_hook=_each_once)
    return Question.of(asked.client, asked.server, asked.port, asked.protocol, asked.family)


def _each_once(pairs: list[tuple[str, Any]]) -> None:
    """Refuse an object that has a key twice, of which a decoder would silently take the last."""
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            message = f"not a question: key `{key}` is given twice"
            raise InputError(message, "leave one of them out")
