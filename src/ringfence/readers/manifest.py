"""One object as it was written, with the places of its parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ringfence.errors import ManifestError
from ringfence.model.origin import Origin
from ringfence.readers.places import Path, Place, Places, pointer

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(eq=False)
class Manifest:
    """One object of a source.

    Attributes:
        source: Name of the source it stands in.
        value: Its members as decoded.
        place: Its first character.
        read_span: Returns the places of all its parts; called at most once, when needed.
        kind: Its kind; empty until it is known.
        version: Its ``apiVersion``; likewise.
        namespace: Its namespace; empty for a cluster-scoped object.
        name: Its name.
        template: The file of a chart that it was rendered from; empty when nothing says so.
        errors: What is wrong with it, in the order found; added by :meth:`report` alone.
    """

    source: str
    value: dict[str, Any]
    place: Place
    read_span: Callable[[], Places]
    kind: str = ""
    version: str = ""
    namespace: str = ""
    name: str = ""
    template: str = ""
    errors: list[ManifestError] = field(default_factory=list, init=False)
    _said: set[str] = field(default_factory=set, init=False, repr=False)

    @property
    def qualified_name(self) -> str:
        """``namespace/name``, or the name alone for a cluster-scoped object."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    def origin(self, path: Path = ()) -> Origin:
        """Return the place of one part; the object's own by default."""
        line, column = self._span.find(path) if path else self.place
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
        )

    def report(self, message: str, path: Path, hint: str, *, field: str = "", reason: str = "") -> None:
        """Add an error, on one line and once: two readers may look at one part."""
        message = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in message)
        if message not in self._said:
            self._said.add(message)
            self.errors.append(ManifestError(message, self.origin(path), hint, field=field, reason=reason))

    @cached_property
    def _span(self) -> Places:
        return self.read_span()


_RULES = {("spec", "ingress"), ("spec", "egress")}
