"""Label selectors against the words of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringfence.algebra.selectors import EVERYTHING, Operator, Requirement, Selector

if TYPE_CHECKING:
    from random import Random

KEYS, VALUES = ("app", "tier"), ("a", "b", "")

labels = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES))
requirements = st.builds(
    lambda key, operator, values: Requirement(
        key, operator, tuple(sorted(values)) if operator in {Operator.IN, Operator.NOT_IN} else ()
    ),
    st.sampled_from(KEYS),
    st.sampled_from(Operator),
    st.sets(st.sampled_from(VALUES), min_size=1),
)


@pytest.mark.parametrize(
    ("operator", "values", "matching"),
    [
        (Operator.IN, ("a",), {"a"}),
        (Operator.IN, ("", "a"), {"a", ""}),
        (Operator.NOT_IN, ("a",), {"b", "", None}),
        (Operator.EXISTS, (), {"a", "b", ""}),
        (Operator.DOES_NOT_EXIST, (), {None}),
    ],
)
def test_operators_match_as_documented(operator: Operator, values: tuple[str, ...], matching: set[str | None]):
    """NotIn and DoesNotExist match where the key is absent; an empty value is a value."""
    requirement = Requirement("app", operator, values)
    found = {value for value in (*VALUES, None) if requirement.matches({} if value is None else {"app": value})}

    assert found == matching


@given(st.lists(requirements, max_size=3), labels)
def test_a_selector_matches_when_all_its_requirements_do(wanted: list[Requirement], found: dict[str, str]):
    """Requirements are ANDed, and a requirement is a set of values or absence that it admits."""
    admitted = {
        Operator.IN: lambda r: set(r.values),
        Operator.NOT_IN: lambda r: {*VALUES, None} - set(r.values),
        Operator.EXISTS: lambda _: set(VALUES),
        Operator.DOES_NOT_EXIST: lambda _: {None},
    }

    expected = all(found.get(r.key) in admitted[r.operator](r) for r in wanted)
    assert Selector.of(wanted).matches(found) is expected


@given(st.lists(requirements, max_size=4), st.randoms())
def test_equality_does_not_depend_on_how_a_selector_was_written(wanted: list[Requirement], random: Random):
    """Order and repetition vanish."""
    again = wanted * 2
    random.shuffle(again)

    assert Selector.of(again) == Selector.of(wanted)


@given(labels)
def test_match_labels_are_requirements_of_one_value(wanted: dict[str, str]):
    """Labels match themselves and whatever has more, and nothing that lacks one of them."""
    selector = Selector.labels(wanted)

    assert selector == Selector.of(Requirement(key, Operator.IN, (value,)) for key, value in wanted.items())
    assert selector.matches(wanted | {"more": "x"})
    assert not any(selector.matches({k: v for k, v in wanted.items() if k != key}) for key in wanted)


@given(labels)
def test_no_requirements_match_everything(found: dict[str, str]):
    """The empty selector selects all."""
    assert Selector.labels({}) == EVERYTHING
    assert EVERYTHING.matches(found)


@pytest.mark.parametrize(
    ("requirement", "text"),
    [
        (Requirement("app", Operator.IN, ("web",)), "app=web"),
        (Requirement("app", Operator.IN, ("api", "web")), "app in (api,web)"),
        (Requirement("app", Operator.NOT_IN, ("web",)), "app notin (web)"),
        (Requirement("app", Operator.EXISTS), "app"),
        (Requirement("app", Operator.DOES_NOT_EXIST), "!app"),
    ],
)
def test_requirements_are_spelled_as_kubectl_does(requirement: Requirement, text: str):
    """What is printed can be given to ``kubectl get -l``."""
    assert str(requirement) == text


def test_requirements_of_a_selector_are_joined_by_commas():
    """All of them, sorted by key; none is the empty text."""
    selector = Selector.of([Requirement("tier", Operator.EXISTS), Requirement("app", Operator.IN, ("web",))])

    assert str(selector) == "app=web,tier"
    assert str(EVERYTHING) == ""


@given(st.lists(requirements, max_size=4), labels)
def test_a_simplified_selector_matches_the_same_labels(wanted: list[Requirement], found: dict[str, str]):
    """And asks no more often."""
    selector = Selector.of(wanted)

    assert selector.simplified.matches(found) == selector.matches(found)
    assert len(selector.simplified.requirements) <= len(selector.requirements)


@pytest.mark.parametrize(
    ("written", "simplified"),
    [
        ([("In", "a", "b"), ("NotIn", "a")], "app=b"),
        ([("In", "a", "b"), ("In", "b"), ("Exists",)], "app=b"),
        ([("NotIn", "a"), ("NotIn", "b")], "app notin (a,b)"),
        ([("NotIn", "a"), ("DoesNotExist",)], "!app"),
        ([("NotIn", "a"), ("Exists",)], "app,app notin (a)"),
        ([("In", "a"), ("NotIn", "a")], "app=a,app notin (a)"),
    ],
)
def test_each_key_is_asked_once_where_one_way_says_it(written: list[tuple[str, ...]], simplified: str):
    """What nothing matches stays as somebody wrote it."""
    selector = Selector.of(Requirement("app", Operator(operator), tuple(values)) for operator, *values in written)

    assert str(selector.simplified) == simplified
