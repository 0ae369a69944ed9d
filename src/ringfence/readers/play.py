"""Plays: what happens in a lab step by step, with the place of every step.

::

    apiVersion: ringfence.io/v1alpha1
    kind: Play
    steps:
      - flood: orders             # packets without a pause, under a name
        from: shop/web
        to: svc:shop/api
        port: 8080
      - apply: [tighten.yaml]     # policies and namespaces, from the folder of the play
      - deny: shop/web            # sends packets: none may arrive
        to: shop/db
        port: 5432
      - relabel: shop/web
        labels: {app: shop, tier: null}
      - allow: shop/web           # or: probe, which only tells
        to: shop/api
      - expect: orders            # of what was allowed, so many lost; of what was denied, so many leaked
        lost: 0
      - stop: orders
      - delete: netpol/shop/db
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringfence.algebra.traffic import Protocol
from ringfence.readers.documents import read_manifests
from ringfence.readers.fields import Field
from ringfence.readers.intents import API_VERSION, port_text, read_port
from ringfence.readers.manifest import Manifest
from ringfence.semantics.question import Question

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ringfence.errors import ManifestError
    from ringfence.model.origin import Origin
    from ringfence.readers.source import Source

KIND = "Play"


@dataclass(frozen=True, slots=True)
class Apply:
    """Policies and namespaces are applied, those of the same names in the place of what there is.

    Attributes:
        files: Their files, from the folder of the play.
    """

    files: tuple[str, ...]

    def __str__(self) -> str:
        """Return it in a few words."""
        return f"apply {', '.join(self.files)}"


@dataclass(frozen=True, slots=True)
class Delete:
    """A policy is deleted: ``netpol/shop/db``."""

    policy: str

    def __str__(self) -> str:
        """Return it in a few words."""
        return f"delete {self.policy}"


@dataclass(frozen=True, slots=True)
class Relabel:
    """Pods get other labels.

    Attributes:
        pods: A pod or a workload.
        labels: The labels that are set; None for one that is taken away.
    """

    pods: str
    labels: Mapping[str, str | None]

    def __str__(self) -> str:
        """Return it in a few words."""
        labels = ", ".join(f"{name}-" if value is None else f"{name}={value}" for name, value in self.labels.items())
        return f"relabel {self.pods} {labels}"


@dataclass(frozen=True, slots=True)
class Pour:
    """A flood begins.

    Attributes:
        flood: Its name.
        question: Who sends to whom, on one port of TCP or UDP.
        words: The same, as it is written.
    """

    flood: str
    question: Question
    words: str

    def __str__(self) -> str:
        """Return it in a few words."""
        return f"flood {self.flood}: {self.words}"


@dataclass(frozen=True, slots=True)
class Stop:
    """A flood ends."""

    flood: str

    def __str__(self) -> str:
        """Return it in a few words."""
        return f"stop {self.flood}"


@dataclass(frozen=True, slots=True)
class Send:
    """Packets are sent, one for each connection that is meant.

    Attributes:
        question: Which connections.
        words: The same, as it is written.
        arrives: Whether each must arrive; None where that is only told.
    """

    question: Question
    words: str
    arrives: bool | None = None

    def __str__(self) -> str:
        """Return it in a few words."""
        return f"{ {True: 'allow', False: 'deny', None: 'probe'}[self.arrives] } {self.words}"


@dataclass(frozen=True, slots=True)
class Expect:
    """No more packets of a flood have gone the wrong way.

    Attributes:
        flood: Its name.
        leaked: How many may have arrived that policies deny; None for any number.
        lost: How many may be missing that policies allow; likewise.
    """

    flood: str
    leaked: int | None
    lost: int | None

    def __str__(self) -> str:
        """Return it in a few words."""
        limits = (("leaked", self.leaked), ("lost", self.lost))
        return f"expect {self.flood}: at most " + ", ".join(
            f"{most:,} {name}" for name, most in limits if most is not None
        )


Act = Apply | Delete | Relabel | Pour | Stop | Send | Expect


@dataclass(frozen=True, slots=True)
class Step:
    """One act, and where it is written."""

    act: Act
    origin: Origin


def read_play(source: Source, errors: list[ManifestError]) -> tuple[Step, ...]:
    """Read the steps of a source, in order.

    Args:
        source: What to read.
        errors: Where everything is added that is wrong with it; a step with an error is left out.
    """
    found: list[Step] = []
    for manifest in read_manifests(source, errors):
        if not isinstance(manifest, Manifest):
            continue
        root = Field(manifest)
        if (manifest.kind, manifest.version) != (KIND, API_VERSION):
            manifest.report(
                f"expected {API_VERSION} {KIND}, found {manifest.version} {manifest.kind}",
                (),
                f"begin the file with apiVersion: {API_VERSION} and kind: {KIND}",
            )
        else:
            root.known(("apiVersion", "kind", "metadata", "steps"))
            items = root["steps"].items()
            if not items and not manifest.errors:
                root["steps"].error("there are none", "write a list of steps")
            found += [step for item in items if (step := _step(item))]
        errors += manifest.errors
    return tuple(found)


def _step(field: Field) -> Step | None:
    """Return a step, or None where something is wrong with it."""
    before = len(field.manifest.errors)
    acts = [name for name in _ACTS if name in field.mapping()]
    if len(acts) != 1:
        if len(field.manifest.errors) == before:
            several = f"{' and '.join(acts)} in one step" if acts else "does nothing"
            field.error(several, f"write one of {', '.join(_ACTS)}")
        return None
    (name,) = acts
    members, read = _ACTS[name]
    field.known((name, *members))
    act = read(field)
    return Step(act, field.origin) if len(field.manifest.errors) == before else None


def _apply(field: Field) -> Act:
    named = field["apply"]
    items = named.items() if isinstance(named.value, list) else [named]
    files = tuple(_text(item) for item in items)
    if not files:
        named.error("names no file", "write a file, or a list of files")
    return Apply(files)


def _relabel(field: Field) -> Act:
    labels = field["labels"].mapping()
    if not labels:
        field["labels"].error("expected labels", "write labels: {app: web}, null for one that is taken away")
    read = {name: None if value is None else field["labels"][name].string() for name, value in labels.items()}
    return Relabel(_text(field["relabel"]), read)


def _pour(field: Field) -> Act:
    question, words = _connection(field, "from")
    if not isinstance(question.port, tuple | str) or question.protocol not in {Protocol.TCP, Protocol.UDP}:
        field["port"].error("a flood needs a port of TCP or UDP", "write one, such as 8080 or 53/UDP")
    return Pour(_text(field["flood"]), question, words)


def _send(name: str, *, arrives: bool | None) -> Callable[[Field], Act]:
    def read(field: Field) -> Act:
        question, words = _connection(field, name)
        return Send(question, words, arrives)

    return read


def _expect(field: Field) -> Act:
    limits = [field[name] for name in ("leaked", "lost")]
    if not any(limit.given for limit in limits):
        field.error("expects nothing", "write leaked: 0, lost: 0, or both")
    found = [limit.integer() for limit in limits]
    for limit, most in zip(limits, found, strict=True):
        if most is not None and most < 0:
            limit.error("expected a number of packets", "write 0 or more")
    return Expect(_text(field["expect"]), *found)


def _connection(field: Field, client: str) -> tuple[Question, str]:
    """Return the question whether a client reaches ``to`` on ``port``, and its words."""
    ends = _text(field[client]), _text(field["to"])
    port = field["port"]
    words = f"{ends[0]} -> {ends[1]}" + (f" {port_text(port)}" if port.given else "")
    asked = read_port(port) if port.given else Question("", "")
    return Question(*ends, asked.port, asked.protocol), words


def _text(field: Field) -> str:
    """Return a text that must be there."""
    text = field.string()
    if not text and field.value in {None, ""}:
        field.error("is missing", "write a name")
    return text


_ACTS: dict[str, tuple[tuple[str, ...], Callable[[Field], Act]]] = {
    "apply": ((), _apply),
    "delete": ((), lambda field: Delete(_text(field["delete"]))),
    "relabel": (("labels",), _relabel),
    "flood": (("from", "to", "port"), _pour),
    "stop": ((), lambda field: Stop(_text(field["stop"]))),
    "probe": (("to", "port"), _send("probe", arrives=None)),
    "allow": (("to", "port"), _send("allow", arrives=True)),
    "deny": (("to", "port"), _send("deny", arrives=False)),
    "expect": (("leaked", "lost"), _expect),
}
"""Each act by the member that names it: its other members, and how it is read."""
