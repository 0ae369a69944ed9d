"""A client of the API server: one connection that is kept, JSON out, JSON in."""

from __future__ import annotations

import json
import ssl
from http.client import HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 60.0
"""How long an answer may take."""


class UnreachableError(Exception):
    """The server did not answer, or not in HTTP."""


class Client:
    """Asks the API server over one connection.

    Args:
        port: The server's, on 127.0.0.1.
        token: The bearer token.
        certificates: The file of the certificates that the server may show.
    """

    def __init__(self, port: int, token: str, certificates: Path) -> None:
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._connection = HTTPSConnection(
            "127.0.0.1", port, timeout=SECONDS, context=ssl.create_default_context(cafile=str(certificates))
        )

    def __enter__(self) -> Self:
        """Return itself; the connection is opened by the first question."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self._connection.close()

    def ask(
        self, method: str, path: str, body: bytes | None = None, content: str = "application/json"
    ) -> tuple[int, Any]:
        """Return the status and the answer: decoded when it is JSON, else its text.

        Raises:
            UnreachableError: No answer came.
        """
        try:
            self._connection.request(method, path, body, self._headers | {"Content-Type": content})
            response = self._connection.getresponse()
            text = response.read()
        except (OSError, HTTPException) as error:
            self._connection.close()
            raise UnreachableError(str(error)) from error
        is_json = response.headers.get("Content-Type", "").startswith("application/json")
        return response.status, json.loads(text) if is_json else text.decode()
