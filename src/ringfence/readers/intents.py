"""Files of intents: what policies are meant to achieve, with the place of every name.

::

    apiVersion: ringfence.io/v1alpha1
    kind: Intents
    intents:
      - name: the API reaches its database      # may be left out
        allow: shop/api
        to: shop/db
        ports: [5432]
      - deny: internet
        to: [shop/, payments/]
      - only: [shop/api, shop/checkout]
        to: shop/db
      - only: kube-system/coredns               # whom it reaches
        from: shop/web
      - isolated: [[acme-prod/, acme-dev/], globex/]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.analysis.intents import Aim, Intent, Term
from ringfence.errors import InputError
from ringfence.model.policy import Direction
from ringfence.readers.documents import read_manifests
from ringfence.readers.fields import Field
from ringfence.readers.manifest import Manifest
from ringfence.semantics.question import Question

if TYPE_CHECKING:
    from ringfence.errors import ManifestError
    from ringfence.readers.source import Source

KIND, API_VERSION = "Intents", "ringfence.io/v1alpha1"

_MEMBERS = ("name", *(aim.value for aim in Aim), "to", "from", "ports")


def read_intents(source: Source, errors: list[ManifestError]) -> tuple[Intent, ...]:
    """Read the intents of a source, in order.

    Args:
        source: What to read.
        errors: Where everything is added that is wrong with it; an intent with an error is left out.
    """
    found = []
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
            root.known(("apiVersion", "kind", "metadata", "intents"))
            items = root["intents"].items()
            if not items and not manifest.errors:
                root["intents"].error("there are none", "write a list of intents")
            found += [intent for item in items if (intent := _intent(item))]
        errors += manifest.errors
    return tuple(found)


def _intent(field: Field) -> Intent | None:
    """Return an intent, or None where something is wrong with it."""
    before = len(field.manifest.errors)
    field.known(_MEMBERS)
    aims = [aim for aim in Aim if field[aim.value].given]
    if len(aims) != 1:
        several = f"{' and '.join(aim.value for aim in aims)} in one intent" if aims else "says nothing"
        field.error(several, f"write one of {', '.join(aim.value for aim in Aim)}")
        return None
    (aim,) = aims
    name = field["name"].string()
    if aim is Aim.ISOLATED:
        groups = _groups(field)
        parts = Intent(aim, field.origin, groups, name=name)
    else:
        others, towards = _others(field, aim)
        parts = Intent(aim, field.origin, (_terms(field[aim.value]),), others, towards, _ports(field["ports"]), name)
    return parts if len(field.manifest.errors) == before else None


def _groups(field: Field) -> tuple[tuple[Term, ...], ...]:
    """Return the groups of ``isolated``: each item is a name or a list of names."""
    for member in ("to", "from", "ports"):
        if field[member].given:
            field[member].error("groups are isolated from each other, on all traffic", "leave it out")
    groups = field[Aim.ISOLATED.value]
    found = tuple(_terms(item) for item in groups.items())
    if len(found) < 2:
        groups.error("expected two groups or more", "name each group, or list its names in brackets")
    return found


def _others(field: Field, aim: Aim) -> tuple[tuple[Term, ...], Direction]:
    """Return the names of the other side, and which side it is."""
    given = [member for member in ("to", "from") if field[member].given]
    if len(given) != 1:
        field.error(f"{aim.value} needs to or from" if not given else "to and from in one intent", "write one of them")
        return (), Direction.INGRESS
    return _terms(field[given[0]]), Direction.INGRESS if given == ["to"] else Direction.EGRESS


def _terms(field: Field) -> tuple[Term, ...]:
    """Return one name, or a list of names that is not empty."""
    items = field.items() if isinstance(field.value, list) else [field]
    found = tuple(Term(item.string(), item.origin) for item in items)
    if not found or any(item.value in {None, ""} for item in items if isinstance(item.value, str | None)):
        field.error("names nobody", "write a name such as shop/web, or a list of names")
    return found


def _ports(field: Field) -> tuple[tuple[Term, Question], ...]:
    """Return each port as it is written, and what it means."""
    items = field.items() if isinstance(field.value, list) else [field] if field.given else []
    return tuple((Term(port_text(item), item.origin), read_port(item)) for item in items if item.given)


def port_text(field: Field) -> str:
    """Return a port as it is written."""
    return str(field.value) if type(field.value) is int else field.string()


def read_port(field: Field) -> Question:
    """Return a question with a port such as ``8080``, ``8000-8010``, ``53/UDP``, ``http`` or ``ICMP``, and no names."""
    text = port_text(field)
    port, slash, protocol = text.partition("/")
    if port.upper() == "ICMP" and not slash:
        port, protocol = "", port
    question = Question("", "")
    if slash and not protocol:
        field.error(f"port {text!r} names no protocol", "write a protocol behind the /, or no /")
    try:
        question = Question.of("", "", port, protocol)
    except InputError as error:
        field.error(error.message, error.hint)
    return question
