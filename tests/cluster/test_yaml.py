"""What kubectl sends and what ringfence reads are the same, however awkward the file."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from ringfence.readers.documents import read_manifests
from ringfence.readers.source import Source
from tests.cluster.kubectl import sent

if TYPE_CHECKING:
    from ringfence.errors import ManifestError
    from tests.cluster.control_plane import ControlPlane

pytestmark = pytest.mark.cluster

FILES = sorted(Path(__file__).parent.joinpath("yaml").iterdir())

REFUSED_BY_US = {
    "byte-order-mark-of-utf-16": "kubectl takes UTF-16; we want UTF-8",
    "dots-and-text": "kubectl passes over what follows the end of a document",
    "json-with-a-comma": "kubectl reads as YAML what is no JSON; we say what is wrong with it",
    "json-with-a-comment": "kubectl reads as YAML what is no JSON; we say what is wrong with it",
    "json-key-twice": "kubectl takes the last of two",
    "key-infinity": "kubectl names the member .inf",
    "key-not-a-number": "kubectl names the member .nan",
    "key-twice": "kubectl takes the last of two",
    "key-twice-by-meaning": "kubectl takes one of two",
    "key-twice-by-text": "kubectl takes one of two",
    "key-twice-in-flow": "kubectl takes the last of two",
    "latin-1": "kubectl replaces what is no UTF-8",
    "two-documents-parted-by-dots": "kubectl passes over what follows the end of a document",
}
"""Files that kubectl takes and that are errors to us, with what kubectl does."""

TAKEN_BY_US = {"list-at-the-top": "kubectl wants kind: List around a list; we read its items"}
"""Files that kubectl refuses and that we read, with the reason."""

PIECES = (
    "0 00 1 7 8 9 12 60 + - . .. _ e E 0x 0X 0b 0o 0O x o b f A T Z : :3 -0 1e /24 2001-12-14 y n yes no on off true "
    "False null ~ .inf .nan inf nan 9223372036854775807 18446744073709551615 99999999999999999999"
)
"""What the scalars are made of."""


def read(path: Path) -> tuple[list[Any], list[ManifestError]]:
    """What ringfence reads."""
    errors: list[ManifestError] = []
    return [each.value for each in read_manifests(Source(path.name, [path.read_bytes()]), errors)], errors


def exact(value: Any) -> Any:
    """A value in which types can be told apart; what is beyond Go's integers is a float to kubectl."""
    if isinstance(value, dict):
        return {name: exact(each) for name, each in value.items()}
    if isinstance(value, list):
        return [exact(each) for each in value]
    is_large = type(value) is int and not -(2**63) < value < 2**63
    return repr(float(value) if is_large else value)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_is_read_as_kubectl_reads_it(plane: ControlPlane, path: Path):
    """Its objects are the same, value by value; what kubectl refuses is an error, and nothing else is."""
    objects, complaint = sent(plane, path)
    found, errors = read(path)

    assert bool(errors) == (path.stem in REFUSED_BY_US or (bool(complaint) and path.stem not in TAKEN_BY_US))
    assert bool(complaint) == ((bool(errors) and path.stem not in REFUSED_BY_US) or path.stem in TAKEN_BY_US)
    if not errors and not complaint:
        assert exact(found) == exact(objects)


def test_every_plain_scalar_means_what_it_means_to_kubectl(plane: ControlPlane, tmp_path: Path):
    """Thousands of texts that are nearly numbers, words or times: as values and as keys."""
    path, texts = tmp_path / "scalars.yaml", scalars(20_000)
    head = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: x}\nspec:\n"
    path.write_text(head + "".join(f"- {text}\n- {text}: {text}\n" for text in texts))

    (found,), errors = read(path)
    objects, complaint = sent(plane, path)

    assert [*errors, complaint] == [""]
    (wanted,) = objects
    assert len(found["spec"]) == 2 * len(texts) > 20_000
    assert [pair for pair in zip(found["spec"], wanted["spec"], strict=True) if exact(pair[0]) != exact(pair[1])] == []


def scalars(count: int) -> list[str]:
    """Texts that are scalars of YAML, and keys that JSON can write."""
    random, pieces = Random(1), PIECES.split()  # noqa: S311 - not a secret
    texts = dict.fromkeys("".join(random.choices(pieces, k=random.randint(1, 4))) for _ in range(count))
    return [text for text in texts if _is_scalar(text) and _is_key(text)]


def _is_scalar(text: str) -> bool:
    try:
        items = yaml.compose(f"- {text}\n- {text}: {text}\n").value
    except yaml.YAMLError:
        return False
    return [type(each) for each in items] == [yaml.ScalarNode, yaml.MappingNode] and len(items[1].value) == 1


def _is_key(text: str) -> bool:
    """Tell whether kubectl can write it as a key: not null, no infinity, no integer beyond 64 bits."""
    is_large = re.fullmatch(r"[+-]?(?:0[xXbBoO]?)?[0-9a-fA-F_]{19,}", text)
    return not is_large and not re.fullmatch(r"~|null|[-+]?\.(inf|nan)", text)
