"""``assert``: do the policies achieve what they are meant to?"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from ringfence import __version__
from ringfence.analysis.intents import aim
from ringfence.analysis.proving import Proof, Standing
from ringfence.analysis.whom import Names
from ringfence.cli import output
from ringfence.cli.codes import Code
from ringfence.cli.dialect import dialect
from ringfence.cli.engines import engine_for
from ringfence.cli.forms import form as form_of
from ringfence.cli.inputs import Input, inputs
from ringfence.edges.files import open_sources
from ringfence.errors import InputError
from ringfence.readers.intents import read_intents

if TYPE_CHECKING:
    from ringfence.analysis.intents import Intent
    from ringfence.analysis.proving import Finding
    from ringfence.errors import ManifestError
    from ringfence.readers import Reading
    from ringfence.semantics.dialects import Dialect


@click.command("assert")
@click.argument("file", metavar="FILE")
@inputs
@dialect
@form_of(
    *("text", "wide", "json", "junit", "sarif"),
    about="Text for people, text with what keeps groups apart, JSON, JUnit's XML or SARIF.",
)
def assert_(given: Input, dialect: Dialect, file: str, form: str) -> Code:
    """Do the policies achieve what the intents of FILE say?

    Each intent is proved for all pairs that it is about, or a connection is shown that breaks
    it, with the rules that decide about it. Names are those of can; ports are 8080, 8000-8010,
    53/UDP, a name or ICMP, and all traffic where none are given.

    \b
    apiVersion: ringfence.io/v1alpha1
    kind: Intents
    intents:
      - name: the API reaches its database
        allow: shop/api                     # every one of them
        to: shop/db
        ports: [5432]
      - deny: internet
        to: [shop/, payments/]
      - only: [shop/api, shop/checkout]     # nobody else reaches it
        to: shop/db
      - only: kube-system/coredns           # it reaches nobody else
        from: shop/web
      - isolated: [[acme-prod/, acme-dev/], globex/]

    only does not ask a pod to refuse its own node, which it cannot.
    Exit code 4 says that an intent is undecided, 1 that one is broken and none undecided.

    \b
    Examples:
      ringfence assert intents.yaml -f manifests/
      ringfence assert intents.yaml -o junit -f manifests/ > intents.xml
    """  # noqa: D301 - click's mark for lines that stay as they are
    if file == "-" and "-" in given.manifests.filenames:
        message = "standard input cannot hold both manifests and intents"
        raise InputError(message, "put one of them into a file")
    intents = _read(file)
    reading = given.read(dialect)
    aimed, errors = aim(intents, Names(reading.snapshot, reading.namespace))
    _refuse(errors)
    proof = Proof(engine_for(reading.snapshot, dialect), dialect)
    with output.patience("proving intents"):
        findings = tuple(proof.find(each, grounds=form in {"wide", "json"}) for each in aimed)
    output.answer(_rendered(findings, reading, form))
    return Code.INPUT if reading.partial else _code(findings)


def _read(file: str) -> tuple[Intent, ...]:
    """Read a file of intents; every error is said.

    Raises:
        InputError: there is one.
    """
    sources, unopened = open_sources([file])
    errors: list[ManifestError] = [*unopened]
    intents = tuple(intent for source in sources for intent in read_intents(source, errors))
    _refuse(tuple(errors))
    if not intents:
        message = f"{file}: no intents"
        raise InputError(message, "ringfence assert --help shows some")
    return intents


def _refuse(errors: tuple[ManifestError, ...]) -> None:
    """Say all errors but the last, and raise that."""
    for error in errors[:-1]:
        output.say_error(error)
    if errors:
        raise errors[-1]


def _code(findings: tuple[Finding, ...]) -> Code:
    standing = {each.standing for each in findings}
    if Standing.UNDECIDED in standing:
        return Code.UNDECIDED
    return Code.DENIED if Standing.BROKEN in standing else Code.OK


def _rendered(findings: tuple[Finding, ...], reading: Reading, form: str) -> bytes:
    if form == "json":
        from ringfence.report.json_intents import render_findings as render_json  # noqa: PLC0415 - slow to import

        return render_json(findings, reading.errors, reading.notes)
    if form == "junit":
        from ringfence.report.junit import render_junit  # noqa: PLC0415

        return render_junit(findings)
    if form == "sarif":
        from ringfence.report.sarif import render_sarif  # noqa: PLC0415

        return render_sarif(findings, __version__)
    from ringfence.report.intents import render_findings  # noqa: PLC0415

    color = output.has_color(sys.stdout)
    return render_findings(findings, wide=form == "wide", partial=reading.partial, color=color).encode()
