"""Sources in, a reading out."""

from __future__ import annotations

import gc

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ringfence.errors import ManifestError
from ringfence.model.origin import Origin
from ringfence.readers import Source, read

from .texts import POD, POLICY, reading, source


def test_a_sound_input_is_not_partial():
    """Nothing is wrong with it, nothing was passed over."""
    found = read([source(POD), source(POLICY, "b.yaml")])

    assert (found.errors, found.notes, found.partial) == ((), (), False)


def test_an_error_makes_a_reading_partial():
    """And what could be read is there."""
    found = read([source(POD), source("a: b: c", "b.yaml"), source(POLICY, "c.yaml")])

    assert found.partial
    assert [error.origin.source for error in found.errors] == ["b.yaml"]
    assert (len(found.snapshot.pods), len(found.snapshot.policies)) == (1, 1)


def test_errors_met_while_opening_come_first():
    """So that one list tells everything."""
    missing = ManifestError("cannot be read", Origin("z.yaml", 0, 0, "", ""))
    found = read([source(POD), source("a: b: c", "b.yaml"), source(POLICY, "c.yaml")], errors=[missing])

    assert found.errors[0] is missing
    assert len(found.errors) == 2


def test_an_error_alone_is_enough():
    """Where nothing was read, nothing is missed."""
    missing = ManifestError("cannot be read", Origin("z.yaml", 0, 0, "", ""))

    assert read([], errors=[missing]).errors == (missing,)


def test_yaml_and_json_give_the_same_snapshot():
    """Up to places."""
    json = b'{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "x", "labels": {"app": "a"}}}'
    yaml = b"apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: x, labels: {app: a}}\n"
    pods = [read([Source(name, [text])]).snapshot.pods[0] for name, text in (("a.json", json), ("a.yaml", yaml))]

    assert [(str(pod), pod.labels) for pod in pods] == [("x/a", {"app": "a"})] * 2


@pytest.mark.parametrize("enabled", [True, False])
def test_the_cycle_collector_is_left_as_it_was(enabled: bool):  # noqa: FBT001
    """It is only paused, even when reading fails."""

    def failing():  # noqa: ANN202
        yield b"a: 1"
        raise MemoryError

    was = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        with pytest.raises(MemoryError):
            read([Source("a.yaml", failing())])
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if was else gc.disable)()


MARKS = "{ } [ ] : , - # & * ! | > ' \" % @ ` ~ << --- ... \\ items List from ports ipBlock cidr 10.0.0.0/8 &a *a !!int"
NUMBERS = ["9" * 20, "9" * 5_000, "0x" + "f" * 5_000, "0" * 5_000, "1e999", ".nan"]
OTHERS = ["\t", "\n", "\n---\n", " ", "\\ud800", "\x00", "\xff", "\u2028", "\ufeff"]
PIECES = [*POD.split(), *POLICY.split(), *MARKS.split(), *NUMBERS, *OTHERS]


@given(pieces=st.lists(st.sampled_from(PIECES), max_size=30), name=st.sampled_from(["a.yaml", "a.json"]))
@example(pieces=["kind: Pod\napiVersion: v1\nmetadata: {name: ", "9" * 5_000, "}"], name="a.yaml")
@example(pieces=["kind: Pod\napiVersion: v1\nmetadata: {name: ", "0x" + "f" * 5_000, "}"], name="a.yaml")
@example(pieces=['[{"kind": "Pod", "apiVersion": "v1", "x": ', "9" * 5_000, "}]"], name="a.json")
@example(pieces=['[{"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "\\ud800"}}]'], name="a.json")
def test_whatever_the_text_reading_ends_in_words(pieces: list[str], name: str):
    """Errors have words that can be printed; no other exception leaves the reader."""
    found = read([source(POD, "b.yaml"), Source(name, [piece.encode("latin-1", "replace") for piece in pieces])])

    assert [str(pod) for pod in found.snapshot.pods][:1]
    assert all((str(error) + error.hint).encode() for error in found.errors)
    assert all(str(pod).encode() for pod in found.snapshot.pods)


def test_what_a_terminal_would_obey_is_escaped():
    """Names come from anywhere; an error or a note is one line."""
    found = reading('{"kind": "\\u001b[2J", "apiVersion": "x/v1"}', '{"kind": "Pod", "apiVersion": "v\\n1"}')

    assert found.notes == ("\\x1b[2J of x/v1 is not known and was passed over: a.yaml:1",)
    assert 'Pod of apiVersion "v\\n1" is not read' in [error.message for error in found.errors]
