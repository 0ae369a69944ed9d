"""Broken inputs: bytes that were manifests once, and objects whose parts were replaced.

The same seed and number make the same input. Every input is small, because many small
ones meet more than few large ones.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from ringfence.readers.yaml_spans import read_yaml

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]

TOKENS = (
    *(
        "---\n",
        "\n---\n",
        "\n...\n",
        "...",
        "--- ",
        "%YAML 1.1\n---\n",
        "%TAG ! tag:x,2000:\n---\n",
        "# Source: a/b.yaml\n",
    ),
    *("# Source: a/b.yaml\n", "&a ", "*a", "*b ", "<<: *a\n", "<<: {a: 1}\n", "<<: [*a, {b: 2}]\n", "'<<': 1\n"),
    *("!!binary ", "!!int ", "!!str ", "!!null ", "!!merge ", "!!set ", "!x ", "! "),
    *(
        "{",
        "}",
        "[",
        "]",
        ",",
        ": ",
        ":",
        "? ",
        "- ",
        "-",
        "|",
        "|2-\n",
        ">\n",
        '"',
        "'",
        "\\",
        "@",
        "`",
        "%",
        "#",
        "*",
    ),
    *('"\\ud800"', '"\\u0000"', "\\x", "\t", "\r", "\r\n", "\n", "\n\n", " ", "  ", "\0", "\x01", "\x7f", "\x85"),
    *("\u2028", "\u2029", "\ufeff", "\ufffe", "\U0001f600", "\u0301", "{{ .Values.x }}", "{{- if x }}\n"),
    *("null", "~", "true", "yes", "NO", "012", "0o14", "1:20", "1e3", "1e999", "-0", ".inf", ".nan", "NaN", "9" * 40),
    *(
        "0x1F",
        "1_000",
        "2001-01-01",
        "kind: List\n",
        "kind: PodList\n",
        "items:\n",
        '"items": [',
        "metadata: {name: a}\n",
    ),
    *("spec:\n", "[" * 120, "{a: " * 120, "- " * 120, '{"a":' * 120, "a" * 2000, "/" * 50),
)
"""What is put anywhere into a text."""

ENCODINGS = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "utf-8-sig", "cp1252")

STRINGS = (
    *("", " ", "a", "web", "http", "UDP", "TCP", "Ingress", "Egress", "In", "NotIn", "Exists", "Allow", "Deny", "Pass"),
    *("List", "PodList", "Pod", "NetworkPolicy", "networkPolicy", "CalicoNetworkPolicy", "ClusterNetworkPolicy"),
    *("v1", "apps/v1", "networking.k8s.io/v1", "policy.networking.k8s.io/v1alpha2", "x/y/z", "/"),
    *("10.0.0.0/8", "10.0.0.0/33", "10.0.0.1/8", "::/0", "::ffff:1.2.3.4/128", "0.0.0.0/0", "1.2.3.4"),
    *(
        "fe80::1%eth0",
        "01.2.3.4",
        "a" * 64,
        "a" * 300,
        "-a",
        "A",
        "a.b",
        "a/b",
        "a/b/c",
        "\n",
        "a\nb",
        "\x1b[31m",
        "\u2028",
        "\ud7ff",
    ),
    *("\U0001f600", "\xe9", "\u0663", "~", "#", "null", "true", "12", "None", "*", "*.example.com"),
    *("kubernetes.io/metadata.name", "statefulset.kubernetes.io/pod-name"),
)

SCALARS = (None, True, False, 0)

NUMBERS = (
    0,
    1,
    -1,
    2,
    53,
    80,
    65535,
    65536,
    2**31,
    2**63,
    2**64,
    -(2**63),
    10**30,
    0.5,
    1e300,
    float("inf"),
    80.0,
    1e21,
)

NAMES = (
    *("a", "spec", "items", "metadata", "kind", "from", "to", "ports", "fromm", "Spec", "", "<<", "a/b~c", "x\ny"),
    *("status", "0", "port"),
)


@dataclass(frozen=True)
class Input:
    """One broken input.

    Attributes:
        name: The name of its source; what ends in ``.json`` is read as JSON.
        chunks: Its bytes as they come in.
    """

    name: str
    chunks: tuple[bytes, ...]

    @property
    def content(self) -> bytes:
        """All its bytes."""
        return b"".join(self.chunks)


class Corpus:
    """Manifests that the project has, as texts and as objects written in JSON.

    Attributes:
        texts: One document or more each.
        objects: One object each.
    """

    def __init__(self) -> None:
        own = Path(__file__).with_name("objects.yaml").read_text()
        examples = sorted((ROOT / "examples").glob("*/manifests/*.yaml"))
        self.objects: list[str] = []
        self.texts = own.split("---\n")
        for text in (own, *(path.read_text() for path in examples)):
            self.objects += [json.dumps(value) for value, _ in read_yaml(text, "", []) if value]
        for path in examples:
            documents = path.read_text().split("---\n")
            self.texts += documents + ["---\n".join(documents[at : at + 3]) for at in range(0, len(documents), 3)]
        self.texts += self.objects + [json.dumps(json.loads(text), indent=2) for text in self.objects]


def make(seed: int, number: int, corpus: Corpus) -> Input:
    """Return one input; even numbers are bytes, odd ones are objects."""
    rng = Random(f"{seed}:{number}")
    return _bytes(rng, corpus) if number % 2 == 0 else _objects(rng, corpus)


def _bytes(rng: Random, corpus: Corpus) -> Input:
    """Break texts as texts."""
    parts = [rng.choice(corpus.texts) for _ in range(rng.choice((1, 1, 1, 2, 3)))]
    content = "\n---\n".join(parts).encode()
    for _ in range(rng.choice((1, 1, 2, 3, 5))):
        content = rng.choice(_BREAKS)(rng, content, corpus)
    name = "a.json" if rng.random() < 0.15 else "a.yaml"
    return Input(name, _chunks(rng, content))


def _chunks(rng: Random, content: bytes) -> tuple[bytes, ...]:
    """Cut bytes into pieces, as a pipe may."""
    cuts = sorted(rng.randrange(len(content) + 1) for _ in range(rng.choice((0, 0, 1, 4))))
    return tuple(content[start:end] for start, end in zip([0, *cuts], [*cuts, len(content)], strict=True))


def _flip(rng: Random, content: bytes, _corpus: Corpus) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 3)) if content else 0):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _replace(rng: Random, content: bytes, _corpus: Corpus) -> bytes:
    at = rng.randrange(len(content) + 1)
    return content[:at] + bytes(rng.choices(range(256), k=rng.choice((1, 2, 4)))) + content[at + rng.randrange(3) :]


def _insert(rng: Random, content: bytes, _corpus: Corpus) -> bytes:
    at = rng.randrange(len(content) + 1)
    return content[:at] + rng.choice(TOKENS).encode(errors="surrogatepass") + content[at:]


def _delete(rng: Random, content: bytes, _corpus: Corpus) -> bytes:
    start = rng.randrange(len(content) + 1)
    return content[:start] + content[start + rng.choice((1, 2, 10, 100)) :]


def _repeat(rng: Random, content: bytes, _corpus: Corpus) -> bytes:
    start = rng.randrange(len(content) + 1)
    end = start + rng.choice((1, 5, 50, 200))
    return content[:end] + content[start:end] * rng.choice((1, 1, 2, 9)) + content[end:]


def _truncate(rng: Random, content: bytes, _corpus: Corpus) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def _splice(rng: Random, content: bytes, corpus: Corpus) -> bytes:
    other = rng.choice(corpus.texts).encode()
    return content[: rng.randrange(len(content) + 1)] + other[rng.randrange(len(other) + 1) :]


def _encode(rng: Random, content: bytes, _corpus: Corpus) -> bytes:
    return content.decode(errors="replace").encode(rng.choice(ENCODINGS), errors="replace")


def _line(rng: Random, content: bytes, _corpus: Corpus) -> bytes:
    """Move, indent, drop or swap a line."""
    lines = content.split(b"\n")
    at = rng.randrange(len(lines))
    kind = rng.randrange(5)
    if kind == 0:
        lines[at] = b" " * rng.randrange(1, 4) + lines[at]
    elif kind == 1:
        lines[at] = lines[at].lstrip()
    elif kind == 2:
        lines.insert(rng.randrange(len(lines)), lines.pop(at))
    elif kind == 3:
        lines[at] = lines[at].partition(b":")[0] + b": " + rng.choice(TOKENS).encode(errors="surrogatepass")
    else:
        lines.insert(at, lines[at])
    return b"\n".join(lines)


def _ends_of_lines(rng: Random, content: bytes, _corpus: Corpus) -> bytes:
    return content.replace(b"\n", rng.choice((b"\r\n", b"\r", "\x85".encode(), "\u2028".encode())))


_BREAKS: tuple[Callable[[Random, bytes, Corpus], bytes], ...] = (
    *(_flip, _replace, _insert, _insert, _insert, _delete, _repeat, _truncate, _splice),
    *(_line, _line, _line, _ends_of_lines, _encode),
)


def _objects(rng: Random, corpus: Corpus) -> Input:
    """Replace parts of objects, and write them as YAML or JSON."""
    found = [json.loads(rng.choice(corpus.objects)) for _ in range(rng.choice((1, 1, 2)))]
    for each in found:
        for _ in range(rng.choice((0, 1, 1, 2, 4))):
            _mutate(rng, each)
    indent = rng.choice((None, None, 2))
    texts = [json.dumps(each, indent=indent, ensure_ascii=rng.random() < 0.5) for each in found]
    if len(found) > 1 and rng.random() < 0.3:
        kind = rng.choice(("List", "List", "PodList", "NetworkPolicyList", ""))
        texts = [json.dumps({"apiVersion": "v1", "kind": kind, "items": found})]
    name = rng.choice(("a.yaml", "a.json", "-"))
    # A comment makes JSON YAML: what the text begins with decides unless the name does.
    text = ("# YAML\n" if name == "a.yaml" else "") + rng.choice(("\n---\n", "\n--- \n")).join(texts)
    return Input(name, _chunks(rng, text.encode(errors="surrogatepass")))


def _mutate(rng: Random, root: dict[str, Any]) -> None:
    """Change one part of an object in place."""
    inner = _containers(root)
    holder = rng.choice(inner)
    step = rng.choice(list(holder) if isinstance(holder, dict) else range(len(holder))) if holder else None
    kind = rng.randrange(8)
    if step is None or kind == 0:
        _add(rng, holder, inner)
    elif kind == 1:
        del holder[step]
    elif kind == 2 and isinstance(holder, dict):
        holder[_misspelled(rng, step)] = holder.pop(step)
    elif kind == 3:
        part = rng.choice(inner)
        holder[step] = None if any(each is holder for each in _containers(part)) else part
    else:
        holder[step] = anything(rng)


def _containers(value: Any) -> list[Any]:
    """Return the mappings and lists in a value, itself first."""
    found = [value]
    for each in found:
        parts = each.values() if isinstance(each, dict) else each
        found += [part for part in parts if isinstance(part, dict | list)]
    return found


def _add(rng: Random, holder: Any, inner: list[Any]) -> None:
    if isinstance(holder, dict):
        holder[rng.choice(NAMES)] = anything(rng)
    else:
        holder.append(json.loads(json.dumps(rng.choice(inner))) if rng.random() < 0.3 else anything(rng))


def _misspelled(rng: Random, name: str) -> str:
    at = rng.randrange(len(name) + 1)
    without, more = name[:at] + name[at + 1 :], name[:at] + "x" + name[at:]
    return rng.choice((without, more, name.upper(), name.capitalize(), rng.choice(NAMES)))


def anything(rng: Random, depth: int = 0) -> Any:
    """Return a value of any type."""
    kind = rng.randrange(9 if depth < 3 else 6)
    if kind == 6:
        return [anything(rng, depth + 1) for _ in range(rng.randrange(3))]
    if kind > 6:
        return {rng.choice(NAMES): anything(rng, depth + 1) for _ in range(rng.randrange(3))}
    plain = (*SCALARS, rng.randrange(-5, 70_000))
    return rng.choice((STRINGS, STRINGS, NUMBERS, plain, plain, ({}, [], "", None))[kind])
