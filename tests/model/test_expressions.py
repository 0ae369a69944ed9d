"""Sets of pods in words: exact, short, and always the same."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.model.cluster import Namespace, Pod
from ringfence.model.naming import Directory, read_selector
from tests.parts import pod, snapshot

if TYPE_CHECKING:
    from ringfence.model.snapshot import Snapshot

TIERS, TENANTS = ("api", "db", "web"), ("blue", "red")


def cluster(*pods: Pod, **tenants: str) -> Snapshot:
    """A snapshot whose namespaces have a label for their tenant."""
    found = snapshot(*pods)
    labelled = {
        name: Namespace(name, {**namespace.labels, **({"tenant": tenants[name]} if name in tenants else {})})
        for name, namespace in found.namespaces.items()
    }
    return replace(found, namespaces=labelled)


def split(text: str) -> list[str]:
    """Terms, split at commas that no parentheses hold."""
    found, depth = [""], 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if character == "," and not depth:
            found.append("")
        else:
            found[-1] += character
    # Two labels of one term are joined by a comma without a space.
    terms: list[str] = []
    for part in found:
        if terms and not part.startswith(" "):
            terms[-1] += f",{part}"
        else:
            terms.append(part.strip())
    return terms


def meant(text: str, world: Snapshot) -> set[str]:
    """Expand an expression by what its words say, pod by pod."""
    return {str(each) for each in world.pods if any(_is_in(each, term, world) for term in split(text))}


def _is_in(each: Pod, term: str, world: Snapshot) -> bool:  # noqa: PLR0911 - one for each form
    if " except " in term:
        whole, _, left_out = term.partition(" except ")
        return _is_in(each, whole, world) and str(each) not in meant(left_out.strip("()"), world)
    tenants = world.namespaces[each.namespace].labels
    match re.split(r" in (?=(?:all )?namespaces)|:", term):
        case [labels, where] if found := re.fullmatch(r"namespaces \((.*)\)", where):
            return read_selector(labels).matches(each.labels) and each.namespace in found[1].split(", ")
        case [labels, where] if where.startswith("namespaces with "):
            found = read_selector(where.removeprefix("namespaces with ")).matches(tenants)
            return found and read_selector(labels).matches(each.labels)
        case [where, labels] if labels != "all namespaces":
            return each.namespace == where and read_selector(labels).matches(each.labels)
        case [labels, _]:
            return read_selector(labels).matches(each.labels)
    if term.startswith("namespaces with "):
        return read_selector(term.removeprefix("namespaces with ")).matches(tenants)
    return term in {"*", f"{each.namespace}/*", str(each)}


SHOPS = cluster(
    *(pod(f"{name}/{tier}-{n}", f"tier={tier},n={n}") for name in "abcdef" for tier in TIERS for n in range(4)),
    **dict.fromkeys("abcd", "red"),
    e="blue",
)


def chosen(names: str) -> list[Pod]:
    """The pods whose name matches."""
    return [each for each in SHOPS.pods if re.fullmatch(names, str(each))]


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (r"a/(api|db)-.", "a:tier in (api, db)"),
        (r"a/.*|b/(api|db)-.", "a/*, b:tier in (api, db)"),
        (r"./db-.", "tier=db in all namespaces"),
        (r"./.*-1", "n=1 in all namespaces"),
        (r"./db-1", "n=1,tier=db in all namespaces"),
        (r"[af]/db-.", "tier=db in namespaces (a, f)"),
        (r"[a-d]/(db|web)-.", "tier in (db, web) in namespaces with tenant=red"),
        (r"[a-d]/.*", "namespaces with tenant=red"),
        (r"[a-c]/.*|[ef]/db-1", "a/*, b/*, c/*, e/db-1, f/db-1"),
        (r"[a-ce]/.*|f/db-1", "a/*, b/*, c/*, e/*, f/db-1"),
        (r"[a-d]/.*|f/db-1", "namespaces with tenant=red, f/db-1"),
        (r"[a-f]/(api|web)-.", "* except tier=db in all namespaces"),
        (r"[abf]/.*", "a/*, b/*, f/*"),
        (r"[b-f]/.*", "* except a/*"),
        (r"a/(?!api-1|db-0).*|b/.*", "a/* except (a/api-1, a/db-0), b/*"),
        (r"[af]/(?!db-0).*", "a/* except a/db-0, f/* except f/db-0"),
    ],
)
def test_a_set_is_said_in_the_fewest_words(names: str, text: str):
    """Labels, namespaces and what is left out, whichever is shorter."""
    pods = chosen(names)
    said = Directory(SHOPS).render(pods)

    assert meant(said, SHOPS) == {str(each) for each in pods}
    assert said == text


def test_a_few_names_are_written_out():
    """A reader knows three names better than a label."""
    assert Directory(SHOPS).render(chosen("a/(api-[01]|db-0)")) == "a/api-0, a/api-1, a/db-0"


def test_everybody_but_for_some_is_said_where_it_is_shorter_by_one():
    """Six names of two pods of each of three namespaces, against the names of the four others."""
    world = cluster(*(pod(f"{name}/p{number}") for name in "abc" for number in range(3)), pod("d/p0"))

    said = Directory(world).render([each for each in world.pods if each.name != "p0"])

    assert said == "* except (a/p0, b/p0, c/p0, d/p0)"


def test_labels_of_namespaces_are_said_where_they_are_shorter_by_one():
    """Four words and the label of the pods, against six names."""
    pods = [
        pod(f"{name}/db-{number}", "tier=db")
        for name, count in zip("abcde", (2, 2, 1, 1, 1), strict=True)
        for number in range(count)
    ]
    others = [pod(f"{name}/web-{number}", f"tier=web,n={name}") for name in "abcde" for number in range(4)]
    world = cluster(*pods, *others, a="red", b="red", c="blue", d="blue", e="green")

    said = Directory(world).render(pods[:-1])

    assert said == "tier=db in namespaces with tenant in (blue, red)"


@st.composite
def worlds(draw: st.DrawFn) -> tuple[Snapshot, list[Pod]]:
    """Pods with few labels in few namespaces, and some of them."""
    pods = [
        pod(f"{name}/p{number}", labels)
        for name in "abcde"
        for number, labels in enumerate(
            draw(
                st.lists(st.sampled_from(("", "tier=web", "tier=db", "tier=db,n=1", "tier=web,n=1", "n=2")), max_size=6)
            )
        )
    ]
    tenants = {name: draw(st.sampled_from(TENANTS)) for name in "abcd"}
    world = cluster(*pods, **tenants)
    whole = draw(st.sets(st.sampled_from("abcde")))
    one = draw(st.sampled_from(({}, {"tier": "db"}, {"tier": "web", "n": "1"}, {"n": "1"})))
    odd = draw(st.lists(st.sampled_from(world.pods), max_size=4)) if pods else []
    return world, [
        each
        for each in world.pods
        if (each.namespace in whole or (one and one.items() <= each.labels.items())) != (each in odd)
    ]


@given(worlds())
def test_an_expression_means_the_set_and_nobody_else(found: tuple[Snapshot, list[Pod]]):
    """Expanded word by word; the order of the pods makes no difference."""
    world, pods = found
    directory = Directory(world)
    said = directory.render(pods)

    assert meant(said, world) == {str(each) for each in pods}
    assert directory.render([*reversed(pods)]) == said
