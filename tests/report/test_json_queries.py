"""Documents about many ends are as their published schemas say."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from ringfence.analysis.describing import describe
from ringfence.analysis.difference import accounts
from ringfence.analysis.exposure import expose
from ringfence.analysis.intents import Aim, Intent, Term, aim
from ringfence.analysis.proving import Proof
from ringfence.analysis.reach import reach, reasons
from ringfence.analysis.whom import CLIENT, Names
from ringfence.report import json as shapes
from ringfence.report.json_describing import render_description
from ringfence.report.json_exposure import render_exposure
from ringfence.report.json_intents import render_findings
from ringfence.report.json_reach import render_reach
from ringfence.report.junit import render_junit
from ringfence.report.sarif import render_sarif
from ringfence.semantics.dialects import KUBERNETES
from ringfence.semantics.engine import Engine
from tests.parts import block, network_policy, place, pod, pods, rule, service, snapshot, tcp
from tests.schemas import fits

if TYPE_CHECKING:
    from ringfence.analysis.proving import Finding

POLICY = network_policy("x/web", "app=web", ingress=(rule(pods("app=api"), block("10.0.0.0/8"), traffic=tcp(80)),))
WORLD = snapshot(
    pod("x/web", "app=web"),
    pod("x/api", "app=api"),
    POLICY,
    services=(service("x/web", "app=web", kind="NodePort"),),
)
ENGINE, NAMES = Engine(WORLD), Names(WORLD, "x")


def is_as_published(document: bytes, name: str) -> bool:
    """Whether a document is as its schema says."""
    schema = json.loads((Path(shapes.__file__).parent / "schema" / name).read_text())
    return fits(json.loads(document), schema)


def findings() -> tuple[Finding, ...]:
    """One that holds, one that is broken, and one of groups."""
    web, api = Term("x/web", place("web")), Term("x/api", place("api"))
    intents = [
        Intent(Aim.ALLOW, place("1"), ((web,),), (api,), name="a < b"),
        Intent(Aim.DENY, place("2"), ((web,),), (api,)),
        Intent(Aim.ISOLATED, place("3"), ((web,), (api,))),
    ]
    aimed, _ = aim(intents, NAMES)
    return tuple(Proof(ENGINE, KUBERNETES).find(each, grounds=True) for each in aimed)


def test_reach():
    """With what decides on either side."""
    client = NAMES.find(CLIENT, "x/api")
    document = render_reach(reasons(ENGINE, reach(ENGINE, client)), WORLD, (client, None))

    assert is_as_published(document, "reach.json")
    assert json.loads(document)["client"] == "x/api"


def test_exposure():
    """With a door that nobody gets through."""
    assert is_as_published(render_exposure(expose(ENGINE, NAMES, KUBERNETES), NAMES.directory), "exposure.json")


def test_a_description():
    """With what the policy changes."""
    found = describe(ENGINE, POLICY)
    told = accounts(found.without, ENGINE, found.change.shifts)
    document = render_description(found, told, NAMES.directory)

    assert is_as_published(document, "description.json")
    assert json.loads(document)["changed"]


def test_findings():
    """Each with its connection, where it does not hold."""
    document = render_findings(findings())

    assert is_as_published(document, "intents.json")
    assert [("counterexample" in each) for each in json.loads(document)["findings"]] == [False, True, True]


def test_junit_counts_what_is_broken_and_quotes_what_xml_obeys():
    """A name may hold anything."""
    text = render_junit(findings()).decode()

    assert '<testsuites tests="3" failures="2" errors="0">' in text
    assert 'name="a &lt; b: allow x/web to x/api"' in text


def test_sarif_has_a_result_for_each_intent_that_does_not_hold():
    """At the line of the intent, with the policies that decide."""
    (run,) = json.loads(render_sarif(findings(), "1.0"))["runs"]

    assert [each["ruleId"] for each in run["results"]] == ["deny", "isolated"]
    assert {each["level"] for each in run["results"]} == {"error"}
    assert run["tool"]["driver"]["version"] == "1.0"


def test_sarif_names_files_by_references_of_uris():
    """Whatever stands in a path, a reader of URIs finds the file, and no scheme, query or fragment."""
    finding = findings()[1]
    for source in ("k8s/a b#1?.yaml", "main:k8s/50%.yaml", "/home/ü.yaml", "k8s/web.yaml"):
        elsewhere = replace(finding, intent=replace(finding.intent, origin=replace(place("2"), source=source)))
        (run,) = json.loads(render_sarif((elsewhere,), "1.0"))["runs"]
        reference = urlsplit(run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])

        assert unquote(reference.path) == source
        assert (reference.scheme, reference.netloc, reference.query, reference.fragment) == ("",) * 4
        assert reference.path.isascii()
