"""The published JSON Schemas, held against values: as much of the language as they use."""

from __future__ import annotations

from typing import Any

_TYPES = {"array": list, "boolean": bool, "integer": int, "null": type(None), "object": dict, "string": str}
_WORDS = {"$schema", "$defs", "title", "description", "default"}
"""What says nothing of a value."""


def fits(value: Any, schema: dict[str, Any]) -> bool:
    """Tell whether a value is as a whole schema says; a keyword that is not known here is an error."""
    return _fits(value, schema, schema["$defs"])


def _fits(value: Any, schema: dict[str, Any], shared: dict[str, Any]) -> bool:
    properties = schema.get("properties", {})
    members = value if type(value) is dict else {}
    items = value if type(value) is list else []
    others = [part for name, part in members.items() if name not in properties]
    checks = {
        "$ref": lambda ref: _fits(value, shared[ref.rpartition("/")[2]], shared),
        "anyOf": lambda several: any(_fits(value, each, shared) for each in several),
        "enum": lambda choices: value in choices,
        "type": lambda name: type(value) is _TYPES[name],
        "items": lambda each: all(_fits(item, each, shared) for item in items),
        "required": lambda names: type(value) is not dict or members.keys() >= {*names},
        "properties": lambda parts: all(_fits(members[name], parts[name], shared) for name in members.keys() & parts),
        "additionalProperties": lambda each: all(each and _fits(part, each, shared) for part in others),
    }
    return all(checks[keyword](said) for keyword, said in schema.items() if keyword not in _WORDS)
