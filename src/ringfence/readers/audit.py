"""The mark of a policy that is in audit.

No API knows it: Kubernetes leaves annotations to whoever reads them, and other enforcers
enforce a policy that bears it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.readers.fields import Field, describe

if TYPE_CHECKING:
    from ringfence.readers.manifest import Manifest

AUDIT = "ringfence.io/audit"
"""The annotation."""

ANNOTATIONS = (AUDIT,)
"""The annotations that are read."""

_PATH = ("metadata", "annotations", AUDIT)

_MEANING = {"true": True, "false": False}


def read_audit(manifest: Manifest) -> bool:
    """Tell whether a policy is in audit.

    INVARIANT: only the one text keeps a policy from being enforced. Any other is an error, and
    says nothing of what the policy means: this is read when that is settled.

    Args:
        manifest: The policy, its metadata checked: of what is no text that was told.
    """
    mark = Field(manifest, _PATH)
    metadata = manifest.value.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    if mark.path in manifest.wrong or not isinstance(annotations, dict) or AUDIT not in annotations:
        return False
    written = annotations[AUDIT] or ""  # to a server null is the empty text
    if written not in _MEANING:
        said = f'expected "true" or "false", found {describe(written)}, so the policy is enforced'
        mark.error(said, 'write "true" to have it judged and told, and not enforced')
    return _MEANING.get(written, False)
