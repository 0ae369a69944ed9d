"""The files and data that a kubeconfig names: certificates, keys and tokens, looked at before they are used.

The libraries that use them do not say which of them it was that failed.
"""

from __future__ import annotations

import binascii
import os
import re
import ssl
from base64 import b64decode
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from ringfence.errors import InputError

if TYPE_CHECKING:
    from ringfence.edges.kubeconfig import Cluster, User

_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----[\x00-\x7f]*?-----END CERTIFICATE-----")
_KEY = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")


def check_authority(cluster: Cluster, place: str) -> None:
    """Refuse a certificate authority that cannot be used.

    Args:
        cluster: The cluster.
        place: Where it is written.

    Raises:
        InputError: it cannot be read, or is none; the field that names it is in the message.
    """
    data = cluster.certificate_auth_data
    field = f"{place}: certificate-authority{'-data' if data else f' {cluster.certificate_auth}'}"
    pem = _decoded(data, field) if data else _read(cluster.certificate_auth, field)
    if pem is None:
        return
    blocks = _CERTIFICATE.findall(pem)
    if not blocks:
        _refuse(field, "no certificate in PEM")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=b"\n".join(blocks).decode())
    except ssl.SSLError:
        _refuse(field, "its certificate is broken")


def check_credentials(user: User, place: str) -> None:
    """Refuse a certificate, a key or a token that cannot be used.

    Args:
        user: The user.
        place: Where it is written.

    Raises:
        InputError: one cannot be read, or is none; the field that names it is in the message.
    """
    _read(user.token_file, f"{place}: tokenFile {user.token_file}")
    for name, path, data, pattern, what in (
        ("client-certificate", user.client_cert, user.client_cert_data, _CERTIFICATE, "certificate"),
        ("client-key", user.client_key, user.client_key_data, _KEY, "private key"),
    ):
        field = f"{place}: {name}{'-data' if data else f' {path}'}"
        pem = _decoded(data, field) if data else _read(path, field)
        if pem is not None and not pattern.search(pem):
            _refuse(field, f"no {what} in PEM")


def _read(path: str | None, field: str) -> bytes | None:
    """Return what is in a file; None where none is named."""
    if not path:
        return None
    try:
        return Path(path).read_bytes()
    except OSError as error:
        _refuse(field, f"cannot be read: {os.strerror(error.errno or 0).lower()}")


def _decoded(data: str, field: str) -> bytes:
    try:
        return b64decode(data)
    except binascii.Error:
        _refuse(field, "not base64")


def _refuse(field: str, what: str) -> NoReturn:
    message = f"{field}: {what}"
    raise InputError(message, "correct the kubeconfig, or choose another --context")
