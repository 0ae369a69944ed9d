"""The page: its data says what the engine says, it loads nothing, and a browser shows who decides."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from ringfence.algebra.addresses import render_addresses
from ringfence.algebra.intervals import EMPTY
from ringfence.algebra.traffic import render_traffic
from ringfence.analysis.matrix import matrix
from ringfence.edges.page import load_parts
from ringfence.model.policy import Direction
from ringfence.report.html import render_page
from ringfence.semantics.engine import Engine
from ringfence.semantics.summary import lines
from tests.parts import block, network_policy, pod, pods, rule, snapshot, tcp
from tests.worlds import snapshots

if TYPE_CHECKING:
    from pathlib import Path

    from ringfence.model.snapshot import Snapshot

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PARTS = load_parts()


def page(world: Snapshot, *remarks: str) -> str:
    """The page of a snapshot."""
    engine = Engine(world)
    return render_page(matrix(engine, lines(engine)), PARTS, remarks)


def data(text: str) -> dict[str, Any]:
    """What the script of a page reads."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found[1])


def expanded(runs: list[int]) -> set[int]:
    """The numbers of runs."""
    return {number for first, last in zip(runs[::2], runs[1::2], strict=True) for number in range(first, last + 1)}


@given(snapshots())
def test_every_pair_has_what_the_engine_allows(world: Snapshot):
    """Each pair of pods that do not share a node, looked up as the script does it."""
    engine, said = Engine(world), data(page(world))
    place = {name: number for number, (_, name, _, _) in enumerate(said["members"])}
    alive = [pod for pod in world.pods if not pod.terminal]
    for client in alive:
        for server in alive:
            if client == server or engine.share_node(client, server):
                continue
            families = {*world.families_of(client)} & {*world.families_of(server)} & {*world.families}
            told = {
                (each["verdict"], family, said["traffic"][each["traffic"]])
                for each in said["areas"]
                for family in each["families"]
                if place[str(client)] in expanded(each["clients"]) and place[str(server)] in expanded(each["servers"])
                if not each["near"]
            }
            allowed = {family: engine.allowed(client, server, family) for family in families}
            assert told == {
                (verdict, family.value, render_traffic(traffic))
                for family, both in allowed.items()
                for verdict, traffic in (("allowed", both.allowed), ("undecided", both.undecided))
                if traffic != EMPTY
            }


@given(snapshots())
def test_who_judges_a_pod_selects_it(world: Snapshot):
    """In the right direction, by name and place; of each rule it is told whom it names."""
    said = data(page(world))
    policies = {(policy.kind, policy.name): policy for policy in world.policies}
    by_name = {str(pod): pod for pod in world.pods}
    for namespace, name, kind, _ in said["members"]:
        for direction in Direction if namespace else ():
            judges = [said["judges"][number] for number in said["panels"][direction.value.lower()][kind]]
            for judge in judges:
                policy = policies[judge["kind"], judge["name"]]
                labels = by_name[name].labels
                assert policy.subject.pods.matches(labels)
                assert policy.subject.scope == namespace or not isinstance(policy.subject.scope, str)
                assert len({each["name"] for each in judge["rules"]}) <= len(policy.rules(direction))


def test_policies_that_mean_the_same_are_told_apart():
    """Both isolate and neither has a rule; each is told of its own pods."""
    closed = [network_policy(f"{name}/closed", ingress=()) for name in "xy"]
    said = data(page(snapshot(pod("x/a"), pod("y/a"), *closed)))

    told = [said["judges"][number]["name"] for panel in said["panels"]["ingress"] for number in panel]
    assert sorted(told) == ["x/closed", "y/closed"]


def test_what_a_name_holds_never_leaves_its_place():
    """A manifest cannot write into the page."""
    world = snapshot(pod("x/a", workload="Job/</script><script>alert(1)</script>"))
    text = page(world, "<!-- remark")

    assert text.count("<script") == len(re.findall(r"</script>", text)) == 2
    assert "<!--" not in text
    assert data(text)["remarks"] == ["<!-- remark"]


def test_a_page_loads_and_runs_nothing_else():
    """No address of another place is in it, and the policy in its head allows its own script alone."""
    text = page(snapshot(pod("x/a")))

    assert "default-src 'none'; style-src 'sha256-" in text
    assert "unsafe" not in text
    assert not re.search(r"https?://|\bsrc=|@import|url\(", text)
    assert page(snapshot(pod("x/a"))) == text


def test_addresses_are_members_that_no_block_cuts():
    """Each once, whatever lines say of them."""
    world = snapshot(pod("x/a"), network_policy("x/p", ingress=(rule(block("10.0.0.0/8"), traffic=tcp(80)),)))
    outside = [name for namespace, name, _, _ in data(page(world))["members"] if not namespace]

    assert outside == ["0.0.0.0/0 except 10.0.0.0/8", render_addresses(block("10.0.0.0/8").addresses)]


@pytest.mark.skipif(not BROWSER, reason="no Chromium is installed")
def test_a_browser_shows_who_decides_about_a_pair(tmp_path: Path):
    """The address of the page names the pair; the script unfolds, chooses and explains."""
    closed = network_policy("x/closed", "app=db", ingress=())
    opened = network_policy("x/opened", "app=db", ingress=(rule(pods("app=web", "x"), traffic=tcp(5432)),))
    world = snapshot(pod("x/web", "app=web"), pod("x/db", "app=db"), pod("y/web", "app=web"), closed, opened)

    allowed = shown(tmp_path, world, "client=x/web&server=x/db")
    assert "allowed TCP 5432" in allowed
    assert "No policy judges x/web: everything is allowed." in allowed
    assert "x/opened as a whole accepts TCP 5432 parts.yaml:1" in allowed
    assert "x/closed isolates, and no rule names x/web" in allowed

    denied = shown(tmp_path, world, "client=y/web&server=x/db")
    assert "denied" in denied
    assert "x/opened isolates, and no rule names y/web" in denied


def shown(folder: Path, world: Snapshot, pair: str) -> str:
    """What the reasons of a pair say in a browser, in words."""
    path = folder / "map.html"
    path.write_text(page(world))
    command = [str(BROWSER), "--headless", "--disable-gpu", f"--user-data-dir={folder / 'profile'}", "--dump-dom"]
    command += ["--no-sandbox"] if os.geteuid() == 0 else []
    done = subprocess.run(  # noqa: S603 - a browser that is installed, on a page of ours
        [*command, f"{path.as_uri()}#{pair}"], capture_output=True, text=True, check=True, timeout=120
    )
    found = re.search(r'<aside id="reasons".*?</aside>', done.stdout, re.DOTALL)
    assert found, done.stderr
    return " ".join(re.sub(r"<[^>]*>", " ", found[0]).replace("&gt;", ">").split())
