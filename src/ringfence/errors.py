"""Every error that is raised on purpose.

::

    RingfenceError                 has .hint: one imperative sentence, or ""
    ├── InputError        exit 2   the user's files or flags
    │   ├── ManifestError          cannot be read; carries an Origin
    │   └── UnsupportedError       cannot be represented at all; carries an Origin
    └── WorldError        exit 3   the machine or the cluster refused
        ├── ClusterError           an API server that cannot be asked
        └── NftablesError          carries nft's own words and the transaction
            └── OutdatedError      the rules are not what was thought: somebody else has changed them

A bug is none of these: it escapes with a traceback, exit 70.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringfence.model.origin import Origin


class RingfenceError(Exception):
    """An error with a message for people: lower case, no full stop.

    Attributes:
        message: What was found and what was expected.
        hint: One imperative sentence that says what to do, or empty.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def one_line(text: str) -> str:
    """Return a text with what cannot be printed escaped: a manifest may hold anything, a terminal obeys some of it."""
    return text if text.isprintable() else "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


class InputError(RingfenceError):
    """The user's files, names or flags; exit 2. Its message and hint are one line each."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(one_line(message), one_line(hint))


class ManifestError(InputError):
    """Something in a manifest that cannot be read.

    Attributes:
        origin: Its place; line 0 when the place is a whole file.
        field: The path of the part as the API server writes it, e.g. ``spec.policyTypes[0]``;
            empty when the error is not of one part.
        reason: The reason of the API server's refusal, e.g. ``FieldValueInvalid``; empty when
            the server would not refuse it, or would not even decode it.
    """

    def __init__(self, message: str, origin: Origin, hint: str = "", *, field: str = "", reason: str = "") -> None:
        super().__init__(message, hint)
        self.origin = origin
        self.field = field
        self.reason = reason

    def __str__(self) -> str:
        """Return the place, then the message."""
        return f"{self.origin}: {self.message}"


class UnsupportedError(ManifestError):
    """Something valid that ringfence cannot represent."""


class WorldError(RingfenceError):
    """The machine or the cluster refused; exit 3."""


class ClusterError(WorldError):
    """An API server that cannot be reached, refuses whoever asks, or does not answer as one."""


class NftablesError(WorldError):
    """A transaction that the kernel or ``nft`` refused.

    Attributes:
        transaction: The text that was refused.
        name: The chain, set or map that was refused; empty when it was none of them, or is not known.
        number: The kernel's error number; 0 where ``nft`` spoke.
    """

    def __init__(self, message: str, transaction: str, hint: str = "", *, name: str = "", number: int = 0) -> None:
        super().__init__(message, hint)
        self.transaction = transaction
        self.name = name
        self.number = number


class OutdatedError(NftablesError):
    """A transaction that rested on what is no longer so, or of which nobody knows what came of it."""
