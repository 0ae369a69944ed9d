"""``list``: who reaches whom, on what."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

import click

from ringfence.cli import output
from ringfence.cli.codes import Code
from ringfence.cli.dialect import dialect
from ringfence.cli.engines import engine_for
from ringfence.cli.forms import form as form_of
from ringfence.cli.forms import note_unsaid, refuse_beside_netpol_analyzer, render_table
from ringfence.cli.inputs import Input, inputs
from ringfence.errors import InputError
from ringfence.semantics.summary import lines

if TYPE_CHECKING:
    from ringfence.model.snapshot import Snapshot
    from ringfence.readers import Reading
    from ringfence.semantics.dialects import Dialect
    from ringfence.semantics.engine import Engine
    from ringfence.semantics.summary import Line
    from ringfence.semantics.unknown import Unknown
    from ringfence.semantics.verdict import Undefined

    _RestsOn = tuple[tuple[Undefined, ...], tuple[Unknown, ...]]
    """What the API leaves open, and what is not known."""


@click.command("list")
@inputs
@dialect
@form_of(
    *("text", "json", "csv", "md", "dot", "svg", "html"),
    about="Columns for people, JSON, comma-separated values, a Markdown table, a graph for Graphviz, a drawing of at"
    " most 200 workloads, or a page with a matrix.",
)
@click.option(
    "--netpol-analyzer",
    "as_netpol_analyzer",
    is_flag=True,
    help="Exactly the lines that netpol-analyzer's list prints.",
)
@click.option("-A", "--all-namespaces", is_flag=True, help="Rows of every namespace, also where -n is given.")
def list_(given: Input, dialect: Dialect, form: str, *, as_netpol_analyzer: bool, all_namespaces: bool) -> Code:
    """Who reaches whom, on what: the whole map, workload by workload.

    What is in no row is denied; a pod always reaches itself. shop/* is every pod of a
    namespace, * every pod; large sets are named by labels where that is shorter, exactly
    as they are now. Addresses stand for whoever there is no pod. With -n, the rows that
    begin or end in one namespace.

    \b
    Examples:
      ringfence list
      ringfence list -f manifests/
      ringfence list -n payments -o md -f manifests/
      ringfence list -o html -f manifests/ > map.html
      helm template . | ringfence list -f -
    """  # noqa: D301 - click's mark for lines that stay as they are
    if as_netpol_analyzer:
        refuse_beside_netpol_analyzer(form)
    reading = given.read(dialect)
    namespace = None if all_namespaces else given.manifests.namespace
    _check(namespace, reading.snapshot)
    if as_netpol_analyzer:
        text = _as_netpol_analyzer(reading.snapshot, dialect, namespace)
    else:
        engine = engine_for(reading.snapshot, dialect, flips=True)
        with output.patience("judging all pairs"):
            found, rests_on = lines(engine, namespace), (engine.rests_on(namespace), engine.unknown(namespace))
        with output.patience("writing the map"):
            text = _rendered(engine, found, rests_on, reading, form)
    output.answer(text)
    return Code.INPUT if reading.partial else Code.OK


def _check(namespace: str | None, snapshot: Snapshot) -> None:
    """Refuse a namespace that nobody has, whose map would be empty; it may be there where they could not be listed."""
    known = {*snapshot.namespaces, *(pod.namespace for pod in snapshot.pods)}
    if namespace and namespace not in known and not snapshot.may_lack("namespaces"):
        message = f"there is no namespace {namespace}"
        near = get_close_matches(namespace, sorted(known), 1)
        raise InputError(message, f"try {near[0]}" if near else "")


def _rendered(engine: Engine, found: tuple[Line, ...], rests_on: _RestsOn, reading: Reading, form: str) -> bytes:
    undefined, unknown = rests_on
    if form == "json":
        from ringfence.report.json import render_reachability  # noqa: PLC0415 - slow to import

        return render_reachability(found, reading.snapshot, reading.errors, reading.notes, undefined, unknown)
    from ringfence.report.table import open_remark, tabulate, unknown_remark  # noqa: PLC0415

    remarks = (*open_remark(undefined), *unknown_remark(unknown))
    if form in {"dot", "svg", "html"}:
        told = tabulate((), reading.snapshot, partial=reading.partial, remarks=remarks).remarks
        return _drawn(engine, found, told, form).encode()
    return render_table(tabulate(found, reading.snapshot, partial=reading.partial, remarks=remarks), form)


def _drawn(engine: Engine, found: tuple[Line, ...], remarks: tuple[str, ...], form: str) -> str:
    from ringfence.analysis.graph import graph  # noqa: PLC0415
    from ringfence.analysis.matrix import matrix  # noqa: PLC0415
    from ringfence.edges.page import load_parts  # noqa: PLC0415
    from ringfence.report.dot import render_dot  # noqa: PLC0415
    from ringfence.report.html import render_page  # noqa: PLC0415
    from ringfence.report.svg import render_svg  # noqa: PLC0415

    everybody = matrix(engine, found)
    if form == "html":
        return render_page(everybody, load_parts(), remarks)
    return (render_dot if form == "dot" else render_svg)(graph(everybody))


def _as_netpol_analyzer(snapshot: Snapshot, dialect: Dialect, namespace: str | None) -> bytes:
    """Return the map in that tool's words, and say on standard error what it has no words for."""
    from ringfence.report import netpol_analyzer  # noqa: PLC0415

    snapshot = netpol_analyzer.with_controller(snapshot)
    engine = engine_for(snapshot, dialect, flips=True)
    with output.patience("judging all pairs"):
        found = lines(engine, namespace)
    note_unsaid(sum(not netpol_analyzer.says(line) for line in found), "list", "in no line here")
    return netpol_analyzer.render_connections(netpol_analyzer.connections(found, snapshot)).encode()
