"""Batches: one question a line, one answer a line."""

from __future__ import annotations

import json

import pytest

from ringfence.report.lines import answer_line
from ringfence.semantics.answer import Respondent
from tests.report.test_text import WORLD

RESPONDENT = Respondent(WORLD, "shop")


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
    text, answered = answer_line(RESPONDENT, 1, line.encode(), partial=False)

    assert answered
    assert json.loads(text)["verdict"] == verdict


def test_a_byte_order_mark_is_accepted_where_a_file_begins():
    """Editors of one system write it; anywhere else it is an error."""
    line = b'\xef\xbb\xbf{"client": "api", "server": "db", "port": "sql"}'

    assert answer_line(RESPONDENT, 1, line, partial=False)[1]


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
    text, answered = answer_line(RESPONDENT, 7, line, partial=False)
    refusal = json.loads(text)

    assert not answered
    assert refusal["line"] == 7
    assert refusal["error"].startswith(error)
