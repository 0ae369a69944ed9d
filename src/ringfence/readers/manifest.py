"""One object as it was written, with the places of its parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ringfence.errors import ManifestError
from ringfence.model.origin import Origin
from ringfence.readers.places import Path, Place, Places, dotted, pointer

if TYPE_CHECKING:
    from ringfence.readers.refusals import Refusal


@dataclass(eq=False)
class Manifest:
    """One object of a source.

    Attributes:
        source: Name of the source it stands in.
        value: Its members as decoded.
        place: Its first character.
        span: The places of all its parts.
        kind: Its kind; empty until it is known.
        version: Its ``apiVersion``; likewise.
        namespace: Its namespace; empty for a cluster-scoped object.
        name: Its name.
        template: The file of a chart that it was rendered from; empty when nothing says so.
        resource_version: Of a live object; empty for others.
        field_manager: Who last wrote the spec of a live object; empty when not known.
        errors: What is wrong with it, in the order found; added by :meth:`report` alone.
        wrong: The paths of everything that is wrong, in the same order.
        notes: What is right but not as it looks, one line each.
    """

    source: str
    value: dict[str, Any]
    place: Place
    span: Places
    kind: str = ""
    version: str = ""
    namespace: str = ""
    name: str = ""
    template: str = ""
    resource_version: str = ""
    field_manager: str = ""
    errors: list[ManifestError] = field(default_factory=list, init=False)
    wrong: list[Path] = field(default_factory=list, init=False)
    notes: list[str] = field(default_factory=list, init=False)
    _said: set[tuple[str, Path]] = field(default_factory=set, init=False, repr=False)
    _undecoded: list[Path] = field(default_factory=list, init=False, repr=False)
    _disputed: list[ManifestError] = field(default_factory=list, init=False, repr=False)

    @property
    def qualified_name(self) -> str:
        """``namespace/name``, or the name alone for a cluster-scoped object."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    def origin(self, path: Path = ()) -> Origin:
        """Return the place of one part; the object's own by default."""
        line, column = self.span.find(path) if path else self.place
        # Both policy APIs keep their rules in spec.ingress and spec.egress.
        rule = path[2] if len(path) > 2 and path[:2] in _RULES else None
        label = f"{self.kind}/{self.qualified_name}" if self.name else self.kind
        return Origin(
            source=self.source,
            line=line,
            column=column,
            pointer=pointer(path),
            object=label,
            rule=rule if isinstance(rule, int) else None,
            template=self.template,
            resource_version=self.resource_version,
            field_manager=self.field_manager,
        )

    @property
    def refused(self) -> bool:
        """Whether no API server would take it."""
        return any(error.field for error in self.errors if error not in self._disputed)

    def dispute(self) -> None:
        """Say of the last error that some servers, those of another channel of the API, take what it is about."""
        self._disputed.append(self.errors[-1])

    def report(self, message: str, path: Path, hint: str, *, field: str = "", reason: str = "") -> None:
        """Add an error, once: two readers may look at one part.

        Args:
            message: What is wrong.
            path: Where.
            hint: What to do.
            field: What the API server names when it refuses this; empty when it does not.
            reason: Its reason; empty when it cannot even decode the part.
        """
        self.wrong.append(path)
        if field and not reason:
            self._undecoded.append(path)
        if (message, path) not in self._said:
            self._said.add((message, path))
            self.errors.append(ManifestError(message, self.origin(path), hint, field=field, reason=reason))

    def refuse(self, refusal: Refusal, path: Path, hint: str = "", at: str = "") -> None:
        """Add an error in the API server's words.

        A server does not validate what it cannot decode, and neither is anything said here of
        what may be wrong only because a part in it or beside it could not be decoded.

        Args:
            refusal: What the server says.
            path: Where.
            hint: Our remark.
            at: The path that the server names; ``path`` by default.
        """
        if any(_explains(lost, path) for lost in self._undecoded):
            self.wrong.append(path)
        else:
            field = at or dotted(path)
            self.report(f"{field}: {refusal.message}", path, hint, field=field, reason=refusal.reason)


def _explains(lost: Path, path: Path) -> bool:
    """Tell whether what is wrong at a path may be so for what could not be decoded at another.

    That is within the part or, of a mapping, beside it; the items of a list have nothing to
    do with each other.
    """
    return lost[: len(path)] == path or (lost[:-1] == path[:-1] and isinstance(path[-1], str))


_RULES = {("spec", "ingress"), ("spec", "egress")}
