"""Where a fact came from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """A place in a manifest, or a live object.

    Attributes:
        source: Path as the user gave it; ``-`` is standard input; ``cluster:<context>`` for a
            live object.
        line: 1-based line of the construct's first character; 0 when there is none.
        column: 1-based column of the same; 0 when there is none.
        pointer: RFC 6901 JSON pointer inside the object, e.g. ``/spec/ingress/0/from/1``;
            empty for the object itself.
        object: ``Kind/namespace/name``, or ``Kind/name`` for a cluster-scoped object.
        rule: 0-based index of the rule within its direction, when the place lies in one.
        rule_name: The rule's own name, where the API has one.
        resource_version: Of a live object; empty for others.
        field_manager: Who last wrote the spec of a live object; empty when not known.
        template: The file of a chart that the object was rendered from, as ``helm template``
            names it above each; empty when nothing says so.
    """

    source: str
    line: int
    column: int
    pointer: str
    object: str
    rule: int | None = None
    rule_name: str | None = None
    resource_version: str = ""
    field_manager: str = ""
    template: str = ""

    def __str__(self) -> str:
        """Return ``file:line`` as compilers print it and what that was rendered from; of a live object its name."""
        if self.resource_version:
            return f"{self.object} in {self.source}"
        place = f"{self.source}:{self.line}" if self.line else self.source
        return f"{place} ({self.template})" if self.template else place

    @property
    def rule_words(self) -> str:
        """What a sentence calls the rule: ``rule 0``, ``rule 0 "no-metadata"``, or ``as a whole`` for no rule."""
        if self.rule is None:
            return "as a whole"
        return f'rule {self.rule} "{self.rule_name}"' if self.rule_name else f"rule {self.rule}"
