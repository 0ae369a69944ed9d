"""What must hold of every input, however broken.

Reading ends with a snapshot and no traceback. Whatever is in the input is in the snapshot,
or an error stands where it is written, or a note names its kind, or its kind decides
nothing. Every message is one line, at a place that the text has. What is wrong with a
policy never opens it. Questions about what was read are answered.

What is in the input is told by other means than those under test: by libyaml's tree and
the standard library's JSON.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import yaml

from ringfence.algebra.traffic import ALL
from ringfence.errors import InputError
from ringfence.model.policy import Anyone, Direction
from ringfence.readers import Source, read
from ringfence.readers.kinds import is_irrelevant
from ringfence.report.columns import render_columns
from ringfence.report.json import render_answer as render_json
from ringfence.report.table import tabulate
from ringfence.report.text import render_answer
from ringfence.semantics.answer import Respondent
from ringfence.semantics.engine import Engine
from ringfence.semantics.question import Question
from ringfence.semantics.summary import lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ringfence.model.policy import Policy
    from ringfence.readers import Reading
    from tests.fuzz.inputs import Input

STRINGS = frozenset({"tag:yaml.org,2002:str", "tag:yaml.org,2002:timestamp"})
"""What libyaml takes for dates and numbers to the base of 60 are strings to kubectl."""

NUMBERS = frozenset(f"tag:yaml.org,2002:{each}" for each in ("bool", "float", "int"))
"""What is no string to anybody."""

BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""What ends a line in YAML."""

JSON = re.compile(r'\s*(\[|\{\s*["}])')
"""How JSON begins; what else begins with a brace is YAML."""

MARKER = re.compile(r"(?:\A|(?<=[\r\n]))---")
"""Where kubectl parts documents; other ends of lines than these part none to it."""

JSON_BETWEEN = re.compile(r"(?:[ \t\r\n]|---(?=\s|\Z))*")
"""What parts two values of JSON."""

DEEP = 200
"""Brackets and dashes of a text that libyaml's tree is not asked for."""


class BrokenError(AssertionError):
    """A property that does not hold."""


def check(given: Input, *, asking: bool) -> None:
    """See that everything holds of one input.

    Args:
        given: It.
        asking: Whether questions are asked of the snapshot as well, which takes longer.

    Raises:
        BrokenError: something does not hold.
    """
    reading = read([Source(given.name, given.chunks)])
    text = given.content.decode(errors="replace")
    if all(line.startswith("#") for line in BREAK.split(text) if line.strip()):
        return  # nothing but remarks
    _check_messages(reading, len(BREAK.findall(text)) + 1)
    found = objects_in(given.name, text)
    if found is None:
        if not _says_something(reading):
            raise BrokenError("what cannot be decoded is no error")  # noqa: EM101, TRY003
    else:
        names = _names(reading)
        for each in found:
            check_accounted(each, reading, names)
        check_policies(found, reading)
    if asking:
        _ask(reading)


def _check_messages(reading: Reading, last_line: int) -> None:
    for error in reading.errors:
        origin = error.origin
        for words in (error.message, error.hint, *reading.notes):
            _require(words.isprintable(), f"not one printable line: {words!r}")
        _require(bool(error.message), "an error without words")
        _require(0 <= origin.line <= last_line, f"line {origin.line} of {last_line}: {error}")
        _require(bool(origin.line) == bool(origin.column), f"half a place: {origin}")
        if origin.line == 0:
            _require(not origin.pointer, f"a part without a place: {origin!r}")


def _says_something(reading: Reading) -> bool:
    snapshot = reading.snapshot
    return bool(reading.errors or reading.notes or snapshot.pods or snapshot.policies or _names(reading))


@dataclass(frozen=True)
class Seen:
    """One value that should be an object.

    Attributes:
        value: It; None where a merge key or a tag makes libyaml's tree say less than we know.
        first: The line of the source that its document begins at.
        last: The line that the next begins at.
    """

    value: Any
    first: int
    last: int


def objects_in(name: str, text: str) -> list[Seen] | None:
    """Return what is in a text, or None when that cannot be told."""
    text = text.removeprefix("\ufeff")
    if JSON.match(text) or name.endswith(".json"):
        try:
            return [each for value in _json(text) for each in _flat(value, 1, 1 << 60)]
        except (ValueError, RecursionError):
            return None
    if sum(map(text.count, "[{-")) > DEEP:
        return None
    try:
        nodes = [node for node in yaml.compose_all(text, Loader=yaml.CSafeLoader) if node is not None]
        values = [_value(node, set()) for node in nodes]
    except (yaml.YAMLError, RecursionError):
        return None
    except _Unclear:
        return []
    markers = [len(BREAK.findall(text, 0, found.start())) + 1 for found in MARKER.finditer(text)]
    places = [_place(node.start_mark.line + 1, markers) for node in nodes]
    return [each for value, place in zip(values, places, strict=True) for each in _flat(value, *place) if value != ""]


def _json(text: str) -> Iterator[Any]:
    """Yield the values of a text, parted by space or the markers of YAML."""
    at, decoder = 0, json.JSONDecoder()
    while (at := JSON_BETWEEN.match(text, at).end()) < len(text):
        value, at = decoder.raw_decode(text, at)
        yield value


def _place(line: int, markers: list[int]) -> tuple[int, int]:
    """Return the lines of the document that a line is in, by the markers that kubectl parts documents by."""
    at = bisect_right(markers, line)
    return markers[at - 1] if at else 1, markers[at] if at < len(markers) else 1 << 60


class _Unclear(Exception):  # noqa: N818 - it is no error
    """The tree does not say what the text means."""


def _value(node: yaml.Node, within: set[int]) -> Any:
    """Return what a tree means; of a scalar that is no string, only that it is none, or null."""
    if id(node) in within:
        raise _Unclear
    if isinstance(node, yaml.ScalarNode):
        if node.tag in STRINGS or ":" in node.value:
            return node.value
        if node.tag in NUMBERS:
            return 0
        if node.tag == "tag:yaml.org,2002:null":
            return ""
        raise _Unclear
    inner = within | {id(node)}
    if isinstance(node, yaml.SequenceNode):
        return [_value(each, inner) for each in node.value]
    found = {}
    for key, value in node.value:
        name = _value(key, inner)
        if not isinstance(name, str) or name == "<<":
            raise _Unclear
        found[name] = _value(value, inner)
    return found


def _flat(value: Any, first: int, last: int) -> Iterator[Seen]:
    """Yield an object, or in place of a List its items."""
    items = value if isinstance(value, list) else value.get("items") if isinstance(value, dict) else None
    if isinstance(items, list):
        for each in items:
            if isinstance(value, dict) and isinstance(each, dict) and "kind" not in each and "apiVersion" not in each:
                continue  # what it is depends on the order of keys; the readers' own tests say how
            yield from _flat(each, first, last)
        kind = value.get("kind") if isinstance(value, dict) else "List"
        others = value.keys() - {"apiVersion", "items", "kind", "metadata"} if kind in (None, "") else set()
        if others or not str(kind or "List").endswith("List"):
            yield Seen(None, first, last)  # nothing but the items is read of it
    elif not (isinstance(value, dict) and str(value.get("kind")).endswith("List")):
        yield Seen(value, first, last)


def _names(reading: Reading) -> set[tuple[str, str]]:
    """Return kind and name of everything that was read."""
    snapshot = reading.snapshot
    found = {(policy.kind, policy.name) for policy in snapshot.policies}
    found |= {("Pod", f"{pod.namespace}/{pod.name}") for pod in snapshot.pods}
    found |= {("Service", f"{each.namespace}/{each.name}") for each in snapshot.services}
    found |= {(each.kind, f"{each.namespace}/{each.name}") for each in snapshot.workloads}
    found |= {("Namespace", name) for name in snapshot.namespaces}
    return found | {("Node", name) for name in snapshot.nodes}


SHOWN = frozenset(
    {
        *("AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy", "CronJob", "DaemonSet"),
        *("Deployment", "Job", "Namespace", "NetworkPolicy", "Node", "Pod", "ReplicaSet", "ReplicationController"),
        *("Service", "StatefulSet"),
    }
)
"""Kinds whose objects a snapshot shows by name."""


def check_accounted(seen: Seen, reading: Reading, names: set[tuple[str, str]]) -> None:
    """See that one value was not passed over in silence."""
    if any(seen.first <= each.origin.line <= seen.last or _is_whole(each.message) for each in reading.errors):
        return
    value = seen.value
    _require(isinstance(value, dict), f"no object, and no error: {value!r}")
    kind, version, metadata = value.get("kind"), value.get("apiVersion"), value.get("metadata")
    _require(isinstance(kind, str) and isinstance(version, str), f"no kind or version, and no error: {value!r}")
    if is_irrelevant(kind, version):
        return
    if any(f"{kind} of {version}" in note for note in reading.notes):
        return
    if kind not in SHOWN:
        return
    _require(isinstance(metadata, dict), f"no metadata, and no error: {value!r}")
    name, namespace = metadata.get("name") or metadata.get("generateName"), metadata.get("namespace") or "default"
    owned = bool(metadata.get("ownerReferences"))  # an owner that was read stands for it
    read_as = {read for shown, read in names if shown == kind or shown.startswith(f"{kind}.")}
    _require(owned or bool(read_as & {name, f"{namespace}/{name}"}), f"passed over: {kind} {namespace}/{name}")


def _is_whole(message: str) -> bool:
    """Tell whether an error is about a source as a whole, which is then not read."""
    return message.startswith(("not UTF-8", "encoded in", "a binary file", "YAML of more"))


def check_policies(found: list[Seen], reading: Reading) -> None:
    """See that no error opened a policy."""
    values: dict[str, list[Any]] = {}
    for each in found:
        value = each.value
        if isinstance(value, dict) and value.get("kind") == "NetworkPolicy" and isinstance(value.get("metadata"), dict):
            metadata = value["metadata"]
            values.setdefault(f"{metadata.get('namespace') or 'default'}/{metadata.get('name')}", []).append(value)
    for policy in reading.snapshot.policies:
        if policy.kind == "NetworkPolicy" and len(values.get(policy.name, [])) == 1:
            (value,) = values[policy.name]
            _check_policy(policy, value.get("spec"), reading)


def _check_policy(policy: Policy, spec: Any, reading: Reading) -> None:
    label = f"NetworkPolicy/{policy.name}"
    pointers = [error.origin.pointer for error in reading.errors if error.origin.object == label]
    outside = [each for each in pointers if not re.match(r"/spec/(ingress|egress)/\d+", each)]
    outside = [each for each in outside if each != "/metadata/namespace"]  # a namespace that nobody mentions
    if any(each for each in outside):
        _require(policy.isolates == frozenset(Direction), f"{label}: an error outside its rules leaves it open")
    for direction in Direction:
        written = spec.get(direction.value.lower()) if isinstance(spec, dict) else None
        rules = policy.rules(direction)
        given = written if isinstance(written, list) else []
        _require(len(rules) <= len(given), f"{label}: more rules than were written")
        for rule in rules:
            if any(each for each in outside):
                _require(rule.peers == (), f"{label}: a rule matches somebody, and who it is for is not known")
            members = {} if rule.origin.rule is None else given[rule.origin.rule] or {}
            if not isinstance(members, dict):
                _require(rule.peers == (), f"{label}: a rule that is none matches somebody")
                continue
            peers, ports = members.get("from" if direction is Direction.INGRESS else "to"), members.get("ports")
            if any(isinstance(peer, Anyone) for peer in rule.peers):
                _require(peers in (None, [], ""), f"{label}: a rule of {peers!r} opens to everyone")
            if rule.peers and rule.traffic == ALL:
                _require(ports in (None, [], ""), f"{label}: a rule of {ports!r} opens every port")


def _ask(reading: Reading) -> None:
    """Answer questions as the commands do."""
    snapshot = reading.snapshot
    render_columns(tabulate(lines(Engine(snapshot)), snapshot, partial=reading.partial))
    respondent = Respondent(snapshot, "default")
    ends = [f"{pod.namespace}/{pod.name}" for pod in snapshot.pods[:2]] + ["10.0.0.0/8", "2001:db8::1"]
    for client, server in pairwise([*ends, ends[0]]):
        for port, protocol in (("", ""), ("8080", "TCP"), ("http", "")):
            try:
                answer = respondent.answer(Question.of(client, server, port, protocol, None))
            except InputError as error:
                _require(str(error).isprintable(), f"not one printable line: {error}")
                continue
            json.loads(render_json(answer, reading.errors))
            text = render_answer(answer, partial=reading.partial, color=False)
            _require(all(line.isprintable() for line in text.splitlines()), f"not to be printed: {text!r}")


def _require(holds: bool, message: str) -> None:  # noqa: FBT001 - as assert takes it
    if not holds:
        raise BrokenError(message)
