"""The map in words, in every format that people read."""

from __future__ import annotations

import csv
import io

from ringfence.algebra.addresses import Family
from ringfence.report.columns import WIDEST, render_columns
from ringfence.report.csv import render_csv
from ringfence.report.markdown import render_markdown
from ringfence.report.table import Table, tabulate
from ringfence.semantics.engine import Engine
from ringfence.semantics.summary import lines
from tests.parts import block, network_policy, pod, pods, rule, snapshot
from tests.report.test_text import WORLD

TABLE = Table(("client", "server"), (("x/*", "y/a, y/b"), ("10.0.0.0/8", "x/a")), ("first", "second"))


def test_a_map_says_who_reaches_whom_and_what_it_is_of():
    """Verdicts and families have columns only where they differ."""
    table = tabulate(lines(Engine(WORLD), "other"), WORLD)

    assert table.head == ("client", "server", "traffic")
    assert table.rows[0] == ("other/x", "10.0.0.0/8", "TCP 80")
    assert table.remarks[0] == "4 workloads in 2 namespaces, 2 policies; what is in no row is denied"
    assert table.remarks[1].startswith("assuming that IPv4 is the only family, for the input shows none")
    assert table.remarks[2].startswith("assuming that pods without an address are taken to lie outside")


def test_verdicts_and_families_get_columns_where_they_differ():
    """A pod whose range is cut by a block is undecided."""
    cut = network_policy("x/p", "app=a", ingress=(rule(block("10.0.0.0/25")),))
    ranges = {"pod_ranges": block("10.0.0.0/24").addresses, "families": tuple(Family)}
    world = snapshot(pod("x/a", "app=a"), pod("x/b"), cut, **ranges)
    table = tabulate(lines(Engine(world)), world)

    assert table.head == ("client", "server", "traffic", "verdict", "family")
    assert ("x/*", "x/a", "all traffic", "undecided", "IPv4") in table.rows
    assert ("x/*", "x/b", "all traffic", "allowed", "IPv4 IPv6") in table.rows
    assert table.remarks == ("2 workloads in 1 namespace, 1 policy; what is in no row is denied", *table.remarks[1:])


def test_a_pod_is_named_among_its_own_clients_only_where_another_like_it_would_be():
    """What a row says stays true when the workload gets a second pod."""
    closed, opened = network_policy("x/in", ingress=()), network_policy("x/a", "app=a", ingress=(rule(pods("", "x")),))
    world = snapshot(*(pod(f"x/{name}", f"app={name}") for name in "abcd"), closed, opened)
    assert ("x/*", "x/a", "all traffic") in tabulate(lines(Engine(world)), world).rows

    others = network_policy("x/a", "app=a", ingress=(rule(*(pods(f"app={name}", "x") for name in "bcd")),))
    world = snapshot(*(pod(f"x/{name}", f"app={name}") for name in "abcd"), closed, others)
    assert ("x/b, x/c, x/d", "x/a", "all traffic") in tabulate(lines(Engine(world)), world).rows


def test_columns_are_aligned_under_upper_case_heads():
    """Two or more spaces between columns, none at the end of a line."""
    assert render_columns(TABLE) == ("CLIENT       SERVER\nx/*          y/a, y/b\n10.0.0.0/8   x/a\n\nfirst\nsecond\n")
    assert render_columns(Table(("client",), (), ("first",))) == "first\n"


def test_a_long_set_goes_on_below():
    """Columns stay narrow, however many names a cell has, and no name is broken."""
    names = [f"namespace/workload-{number:02}" for number in range(7)]
    text = render_columns(Table(("client", "server"), ((", ".join(names), "x/a"),), ()))

    assert max(map(len, text.splitlines())) <= WIDEST + len("   x/a")
    assert text.split("\n\n")[0].replace("x/a", "").split()[2:] == [*(f"{name}," for name in names[:-1]), names[-1]]


def test_a_set_that_is_too_long_for_its_row_is_told_below():
    """Once, however many rows have it; CSV holds it in each."""
    crowd = ", ".join(f"namespace/workload-{number:02}" for number in range(12))
    table = Table(("client", "server"), ((crowd, "x/*"), ("x/*", crowd)), ("a remark",))

    text = render_columns(table)
    assert text.startswith("CLIENT   SERVER\nset 1    x/*\nx/*      set 1\n\nset 1:\n  namespace/workload-00, ")
    assert " ".join(text.partition("set 1:\n")[2].partition("\n\n")[0].split()) == crowd
    assert text.endswith("\n\na remark\n")
    assert render_markdown(table).splitlines()[2:] == [
        "| set 1 | x/\\* |",
        "| x/\\* | set 1 |",
        "",
        f"- set 1: {crowd}",
        "",
        "A remark.",
    ]
    assert render_csv(table).count("namespace/workload-11") == 2


def test_csv_is_read_back_as_it_was():
    """Cells with commas are quoted."""
    assert list(csv.reader(io.StringIO(render_csv(TABLE)))) == [list(TABLE.head), *map(list, TABLE.rows)]
    assert render_csv(TABLE).splitlines()[1] == 'x/*,"y/a, y/b"'


def test_markdown_shows_stars_as_stars():
    """A table, then the remarks as sentences."""
    assert render_markdown(TABLE) == (
        "| Client | Server |\n| --- | --- |\n| x/\\* | y/a, y/b |\n| 10.0.0.0/8 | x/a |\n\nFirst.\nSecond.\n"
    )


def test_names_never_speak_to_the_terminal():
    """What cannot be printed is escaped, for people; files for programs hold it as it is."""
    table = Table(("client",), (("x/\x1b[2J",),), ("\r",))

    assert render_columns(table) == "CLIENT\nx/\\x1b[2J\n\n\\r\n"
    assert render_markdown(table) == "| Client |\n| --- |\n| x/\\x1b[2J |\n\n\\r.\n"
