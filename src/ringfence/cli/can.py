"""``can``: may this connection open, who decides, and where is it written?"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, BinaryIO

import click

from ringfence.cli import output
from ringfence.cli.codes import Code
from ringfence.cli.dialect import dialect
from ringfence.cli.inputs import Input, inputs
from ringfence.errors import InputError
from ringfence.semantics.answer import Answer, Respondent
from ringfence.semantics.question import Question
from ringfence.semantics.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from ringfence.analysis.weighing import Change
    from ringfence.readers import Reading
    from ringfence.semantics.dialects import Dialect

_CODES = {Outcome.UNDECIDED: Code.UNDECIDED, Outcome.DENIED: Code.DENIED, Outcome.ALLOWED: Code.OK}
"""What each outcome ends with; of an answer that has several, the first."""


@click.command()
@click.argument("client", required=False)
@click.argument("server", required=False)
@click.argument("port", metavar="[PORT[/PROTO]]", required=False)
@inputs
@dialect
@click.option("--family", type=click.Choice(["4", "6"]), help="Ask about IPv4 or IPv6 alone.")
@click.option(
    "--batch",
    type=click.File("rb"),
    metavar="FILE",
    help="Answer JSON lines of questions; - reads them from standard input.",
)
@click.option("--cut", is_flag=True, help="Say what would deny what is allowed, and as little else as can be.")
@click.option("--brief", is_flag=True, help="Answer a batch with verdicts alone, without reasons.")
@click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(["text", "wide", "json"]),
    help="Text for people, the same with the lines to write, or JSON.",
)
def can(  # noqa: PLR0913, PLR0917 - click hands over every option
    given: Input,
    dialect: Dialect,
    client: str | None,
    server: str | None,
    port: str | None,
    family: str | None,
    batch: BinaryIO | None,
    cut: bool,  # noqa: FBT001 - as click hands it over
    brief: bool,  # noqa: FBT001 - likewise
    form: str | None,
) -> Code:
    """May CLIENT open a connection to SERVER?

    \b
    A client or server is named
      shop/web            the pod of that name, else the workload
      shop/deploy/web     a workload of one kind
      shop/               every pod of the namespace
      shop:app=web        pods by their labels
      svc:shop/db         a Service, with every way to the pods behind it
      node:worker-1       a node
      10.1.2.3            an address
      10.0.0.0/8          a CIDR
      internet            every address that is no pod's, node's or Service's

    PORT is a number, a range or a name, PROTO is TCP unless given. No PORT asks about all
    traffic, /UDP about one protocol, ICMP about all that has no ports.

    Under a denied answer stands the smallest change of policies that would allow it, and what
    else it would change; with --cut, under an allowed one the least that would deny it.

    \b
    Examples:
      ringfence can shop/web shop/db 5432
      ringfence can shop/web shop/db 5432 -f manifests/
      ringfence can shop/ 203.0.113.0/24 53/UDP -f manifests/
      ringfence can shop/web shop/db 5432 --cut -f manifests/
      ringfence can --batch questions.jsonl -f manifests/ > answers.jsonl

    \b
    A line of a batch is
      {"client": "shop/web", "server": "shop/db", "port": 5432, "protocol": "TCP"}
    """  # noqa: D301 - click's mark for lines that stay as they are
    if batch:
        _refuse_beside_batch(client or family or cut or form in {"text", "wide"})
        return _answer_batch(given, batch, dialect, brief=brief)
    if brief:
        message = "--brief shortens the answers of --batch"
        raise InputError(message, "give a file of questions with --batch, or leave --brief out")
    if not client or not server:
        message = "CLIENT and SERVER are missing" if not client else "SERVER is missing"
        raise click.UsageError(message)
    question = read_question(client, server, port or "", family)
    reading = given.read(dialect)
    answer, turning = _answered(question, reading, dialect, _cut if cut else _change)
    output.answer(_rendered(answer, {"cut" if cut else "change": turning}, reading, form or "text"))
    return Code.INPUT if reading.partial else _code(answer)


def _refuse_beside_batch(given: object) -> None:
    """Refuse what asks about one connection alone."""
    if given:
        message = "--batch takes its questions from a file and answers in JSON lines"
        raise InputError(message, "leave CLIENT, SERVER, PORT, --family, --cut and -o text out")


def _code(answer: Answer) -> Code:
    outcomes = {part.verdict.outcome for part in answer.parts}
    return next(code for outcome, code in _CODES.items() if outcome in outcomes)


def read_question(client: str, server: str, text: str, family: str | None) -> Question:
    """Read a question from the words of a command line.

    Args:
        client: A name.
        server: A name.
        text: ``PORT``, ``PORT/PROTO``, ``/PROTO`` or ``ICMP``; empty for all traffic.
        family: ``4``, ``6`` or None.

    Raises:
        InputError: a port, protocol or family that there is not.
    """
    port, slash, protocol = text.partition("/")
    if slash and not protocol:
        message = f"port {text!r} names no protocol"
        raise InputError(message, "write a protocol behind the /, or no /")
    if port.upper() == "ICMP" and not slash:
        port, protocol = "", port
    return Question.of(client, server, port, protocol, int(family) if family else None)


def _answered(
    question: Question, reading: Reading, dialect: Dialect, turn: Callable[[Answer, Reading, Dialect], Change | None]
) -> tuple[Answer, Change | None]:
    """Return the answer to a question, and what would turn it."""
    with output.patience("judging"):
        answer = Respondent(reading.snapshot, reading.namespace, dialect).answer(question)
    with output.patience("looking for what would turn it"):
        return answer, turn(answer, reading, dialect)


def _change(answer: Answer, reading: Reading, dialect: Dialect) -> Change | None:
    """Return what would allow what an answer denies."""
    if all(part.verdict.outcome is not Outcome.DENIED for part in answer.parts):
        return None
    from ringfence.analysis.smallest import smallest_change  # noqa: PLC0415 - only a denied answer needs it

    return smallest_change(answer, reading.snapshot, dialect)


def _cut(answer: Answer, reading: Reading, dialect: Dialect) -> Change:
    """Return what would deny what an answer allows."""
    from ringfence.analysis.cut import least_cut  # noqa: PLC0415 - only who asks for it needs it
    from ringfence.analysis.weighing import Change  # noqa: PLC0415

    return least_cut(answer, reading.snapshot, dialect) or Change((), reason="nothing of it is allowed")


def _rendered(answer: Answer, turning: dict[str, Change | None], reading: Reading, form: str) -> bytes:
    if form == "json":
        from ringfence.report.json import render_answer as render_json  # noqa: PLC0415 - slow to import

        return render_json(answer, reading.errors, reading.notes, **turning)
    from ringfence.report.text import render_answer  # noqa: PLC0415

    color = output.has_color(sys.stdout)
    return render_answer(answer, **turning, wide=form == "wide", partial=reading.partial, color=color).encode()


def _answer_batch(given: Input, batch: BinaryIO, dialect: Dialect, *, brief: bool) -> Code:
    from ringfence.report.lines import Batch  # noqa: PLC0415

    if batch is sys.stdin.buffer and "-" in given.manifests.filenames:
        message = "standard input cannot hold both manifests and questions"
        raise InputError(message, "put one of them into a file")
    reading = given.read(dialect)
    respondent = Respondent(reading.snapshot, reading.namespace, dialect)
    with output.patience("telling pods apart"):
        answers = Batch(respondent, partial=reading.partial, errors=reading.errors, brief=brief)
    complete = not reading.partial
    for number, line in enumerate(batch, 1):
        if line.strip():
            text, answered = answers.answer(number, line)
            # Whoever writes questions as they come up waits for each answer.
            output.answer(text, flush=batch is sys.stdin.buffer)
            complete = complete and answered
    output.answer(b"")
    return Code.OK if complete else Code.INPUT
