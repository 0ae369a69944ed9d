"""Sources in, objects out."""

from __future__ import annotations

from itertools import repeat
from typing import TYPE_CHECKING

import pytest

from ringfence.errors import ManifestError
from ringfence.model.origin import Origin
from ringfence.readers.documents import read_manifests
from ringfence.readers.source import Source

from .texts import manifests

if TYPE_CHECKING:
    from collections.abc import Iterator

POD = '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}'


def kinds(text: str | bytes, name: str = "a.yaml") -> list[tuple[str, str]]:
    """Kind and version of every object of a text that has nothing wrong with it."""
    found, errors = manifests(text, name)
    assert errors == []
    return [(each.kind, each.version) for each in found]


@pytest.mark.parametrize(
    "text",
    [
        POD,
        f"\n\n  {POD}",
        "apiVersion: v1\nkind: Pod\n",
        f"---\n{POD}",
        "{apiVersion: v1, kind: Pod}",
        "{ 'apiVersion': v1, 'kind': Pod}",
        f'{{"kind": "List", "apiVersion": "v1", "items": [{POD}]}}',
        f'{{"kind": "PodList", "apiVersion": "v1", "items": [{POD}]}}',
        '{"kind": "PodList", "apiVersion": "v1", "items": [{}]}',
        "kind: PodList\napiVersion: v1\nitems:\n- metadata: {}\n",
        f"kind: List\napiVersion: v1\nitems:\n- {POD}\n",
        f"kind: List\napiVersion: v1\nitems:\n- kind: List\n  items:\n  - {POD}\n",
        f'{{"kind": "List", "items": [{{"kind": "List", "items": [{POD}]}}]}}',
        f"[{POD}]",
        f"- {POD}",
    ],
)
def test_an_object_is_found_in_every_form(text: str):
    """YAML or JSON, alone or in a List."""
    assert kinds(text) == [("Pod", "v1")]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "---\n---\n",
        "# comment\n",
        "\n  \n\n",
        "kind: List\napiVersion: v1\n",
        "kind: PodList\napiVersion: v1\nitems: null\n",
        '{"kind": "List", "apiVersion": "v1", "items": null}',
        '{"kind": "List", "apiVersion": "v1"}',
    ],
)
def test_no_objects_are_no_error(text: str):
    """An empty document or List holds nothing."""
    assert kinds(text) == []


def test_the_name_says_what_is_json():
    """A file called ``.json`` is not read as YAML, whatever it begins with."""
    _, (error,) = manifests("apiVersion: v1\n", "a.json")

    assert error.message.startswith("not JSON")


def test_a_template_is_not_taken_for_json():
    """Though it begins with a brace."""
    _, (error,) = manifests("{{- if .Values.x }}\napiVersion: v1\n{{- end }}\n")

    assert error.hint == "render the chart first, as helm template does"


def test_a_list_kind_is_a_kind_like_any_other_without_items():
    """``IPAllowList`` may be anybody's kind."""
    assert kinds("kind: IPAllowList\napiVersion: example.com/v1\n") == [("IPAllowList", "example.com/v1")]


@pytest.mark.parametrize(
    ("text", "name", "origin"),
    [
        (f"kind: List\nitems:\n- {POD}\n", "a.yaml", Origin("a.yaml", 3, 40, "/metadata/name", "Pod")),
        (f'{{"kind": "List", "items": [\n{POD}]}}', "a.json", Origin("a.json", 2, 50, "/metadata/name", "Pod")),
    ],
)
def test_places_in_a_list_are_those_in_the_file(text: str, name: str, origin: Origin):
    """And pointers are those in the object."""
    (found,), _ = manifests(text, name)
    place = found.origin(("metadata", "name"))

    assert (place.source, place.line, place.pointer, place.object) == (name, origin.line, "/metadata/name", "Pod")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("---\n{kind: Pod, apiVersion: v1, spec: {}, items: []}", (2, 1)),
        ("kind: [a]\nitems: []\n", (1, 1)),
        ('{"spec": {}, "items": []}', (1, 1)),
        ('\n {"kind": "NetworkPolicy", "apiVersion": "networking.k8s.io/v1", "items": []}', (2, 2)),
    ],
)
def test_what_is_lost_beside_items_is_said(text: str, place: tuple[int, int]):
    """Kubectl, too, takes whatever has items for a list; without a word a policy would be gone."""
    found, (error,) = manifests(text)

    assert found == []
    assert (error.origin.line, error.origin.column) == place
    assert error.message == "not a list by its kind, yet it has items: nothing else of it is read"


def test_a_list_may_have_forgotten_its_kind():
    """Nothing is lost of it."""
    assert [(len(found), errors) for found, errors in map(manifests, (f'{{"items": [{POD}]}}', f"items: [{POD}]"))] == [
        (1, []),
        (1, []),
    ]


def test_a_byte_order_mark_is_no_part_of_the_text():
    """Editors on Windows write one."""
    text = b"\xef\xbb\xbfapiVersion: v1\nkind: Pod\n"
    (found,), _ = manifests(text)

    assert found.value == {"apiVersion": "v1", "kind": "Pod"}


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: v1\nkind: Pod\nname: ü\n",
        "\ufeffapiVersion: v1\nkind: Pod\n",
        '\ufeff{\n  "apiVersion": "v1",\n  "kind": "Pod"\n}\n',
        "{\n  apiVersion: v1,\n  kind: Pod\n}\n",
    ],
    ids=["letter", "mark", "json", "braces"],
)
def test_it_does_not_matter_where_a_text_is_cut(text: str):
    """Within a letter, the byte order mark or the beginning that shows whether it is JSON: chunks are bytes."""
    content, errors = text.encode(), list[ManifestError]()
    found = [
        [each.value for each in read_manifests(Source("a.yaml", [content[:at], content[at:]]), errors)]
        for at in range(len(content))
    ]

    assert errors == []
    assert found == [found[0]] * len(content)


def test_items_before_the_kind_of_their_list_are_told_so():
    """They are streamed, so what comes later is too late; a tool that sorts keys puts it there."""
    _, (error,) = manifests('{"apiVersion": "v1", "items": [{"metadata": {}}], "kind": "PodList"}', "a.json")

    assert error.message == "not a Kubernetes object: no kind"
    assert error.hint == "put the kind of the list before its items, or write kind in each"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (b"\x7fELF\0\0", "a.yaml: a binary file: it holds NUL bytes"),
        ("a: 1".encode("utf-16"), "a.yaml: encoded in UTF-16"),
        (b"a: 1\nb: \xff\n", "a.yaml:2: not UTF-8: byte 0xff"),
        (b"a: 1\nb: \xc3", "a.yaml:2: not UTF-8: byte 0xc3"),
        (b"just text", 'a.yaml:1: not a Kubernetes object: expected a mapping, found the string "just text"'),
        (b"5", "a.yaml:1: not a Kubernetes object: expected a mapping, found the number 5"),
        (b"foo: bar", "a.yaml:1: not a Kubernetes object: no kind"),
        (b"kind: Pod", "a.yaml:1: not a Kubernetes object: no apiVersion"),
        (b"kind: [a]\napiVersion: v1", "a.yaml:1: not a Kubernetes object: no kind, found a list"),
        (b"kind: ''\napiVersion: v1", 'a.yaml:1: not a Kubernetes object: no kind, found the string ""'),
        (b"kind: List\nitems: 5\napiVersion: v1", "a.yaml:2: items: expected a list, found the number 5"),
        (
            b'{"kind": "List", "items": [5]}',
            "a.yaml:1: not a Kubernetes object: expected a mapping, found the number 5",
        ),
    ],
)
def test_what_is_no_object_is_an_error(text: bytes, error: str):
    """One, with the place, and a hint."""
    found, errors = manifests(text)

    assert (found, [str(each) for each in errors]) == ([], [error])
    assert errors[0].hint


def test_a_key_given_twice_in_json_is_an_error():
    """Once, with both lines."""
    (found,), errors = manifests('{"apiVersion": "v1", "kind": "Pod",\n "a": 1,\n "a": 2}')

    assert [str(error) for error in errors] == [
        'a.yaml:3: key "a" is given twice, first at line 2; the last one counts'
    ]
    assert found.value["a"] == 2


def test_yaml_beyond_the_limit_is_refused():
    """Before it is parsed; the hint names what has no limit."""
    text = "a: " + "x" * 1_000

    assert manifests(text, size=len(text))[1][0].message.startswith("not a Kubernetes object")
    _, (error,) = manifests(text, size=len(text) - 1)
    assert error.message == "YAML of more than 1,002 bytes"
    assert "JSON" in error.hint
    assert "--max-file-size" in error.hint


def test_the_limit_counts_bytes():
    """Not letters."""
    _, (error,) = manifests("# " + "ü" * 10, size=20)

    assert error.message == "YAML of more than 20 bytes"


def test_nothing_is_read_beyond_the_limit():
    """A source may have no end."""
    errors: list[ManifestError] = []

    assert list(read_manifests(Source("-", repeat(b"# comment\n"), 5_000), errors)) == []
    assert [error.message for error in errors] == ["YAML of more than 5,000 bytes"]


def test_json_has_no_limit():
    """It is streamed."""
    assert len(manifests(f"[{POD}]", size=1)[0]) == 1


def test_a_source_that_fails_is_an_error():
    """What was read before still counts."""
    failure = ManifestError("cannot be read: input/output error", Origin("a", 0, 0, "", ""))

    def failing() -> Iterator[bytes]:
        yield f"[{POD},".encode()
        raise failure

    errors: list[ManifestError] = []

    assert len(list(read_manifests(Source("a", failing()), errors))) == 1
    assert errors == [failure]
