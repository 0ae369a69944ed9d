"""One API server, and how it is asked: credentials, TLS, patience, and what its refusals mean."""

from __future__ import annotations

import binascii
import ipaddress
import re
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeVar
from urllib.parse import quote, urlsplit

import httpx2
import msgspec
from lightkube import ConfigError
from lightkube.config.client_adapter import ConnectionParams
from lightkube.config.kubeconfig import SingleConfig
from lightkube.config.models import Context

from ringfence import __version__
from ringfence.edges.certificates import check_authority, check_credentials
from ringfence.edges.credentials import run_plugin
from ringfence.errors import ClusterError, InputError

if TYPE_CHECKING:
    from ringfence.edges.kubeconfig import Access, User

JSON = "application/json"
"""What is asked for, unless something else is."""

_CONNECT_S = 30.0
"""Seconds until a server that does not answer a connection is given up, as kubectl does."""

_TRIES = 5
"""How often a server that says when to come back is asked."""

_LONGEST_WAIT_S = 10.0
"""Seconds waited at most between two tries."""

_Shape = TypeVar("_Shape")


class _Status(msgspec.Struct):
    message: str = ""


_STATUS = msgspec.json.Decoder(_Status)
"""Built before there are threads, for msgspec crashes when two of them build it."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that was found, and a client for it; leaving it as a context closes the client.

    Attributes:
        access: The cluster, and who asks.
        client: Sends what is asked, with the credentials of whoever asks.
    """

    access: Access
    client: httpx2.Client

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.client.close()

    def get(self, path: str, parameters: dict[str, Any] | None = None, accept: str = JSON) -> httpx2.Response:
        """Ask once; again when the server is busy and says when.

        Raises:
            ClusterError: there is no answer.
        """
        name = self.access.cluster.server_name
        extensions = {"sni_hostname": name} if name else {}
        for _ in range(_TRIES):
            try:
                answer = self.client.get(path, params=parameters, headers={"Accept": accept}, extensions=extensions)
            except (httpx2.HTTPError, httpx2.InvalidURL, ConfigError, OSError, ValueError) as error:
                self.refuse(error)
            wait = _wait_s(answer)
            if wait is None:
                break
            time.sleep(wait)
        return answer

    def check(self, answer: httpx2.Response) -> None:
        """Refuse an answer that is none.

        Raises:
            ClusterError: the server refuses whoever asks, or has failed.
        """
        if answer.status_code == 200:
            return
        try:
            said = _STATUS.decode(answer.content).message
        except (msgspec.DecodeError, UnicodeDecodeError):
            said = ""
        told = f"{answer.status_code} {answer.reason_phrase}".strip() + (f": {_line(said)}" if said else "")
        if answer.status_code == 401:
            message = f"{self.place} does not know who asks, {self.access.user_place}: {told}"
            raise ClusterError(message, f"{_renewal(self.access.user)}, or choose another --user or --context")
        self.fail(f"{answer.url.path}: {told}")

    @property
    def place(self) -> str:
        """The cluster as messages name it."""
        return f"{self.access.source} at {self.access.cluster.server}"

    def fail(self, what: str) -> NoReturn:
        """Say that an answer is none."""
        message = f"{self.place} does not answer as an API server: {what}"
        raise ClusterError(message, "check the server, or choose another --context")

    def refuse(self, error: Exception) -> NoReturn:
        """Say why there is no answer."""
        if isinstance(error, httpx2.TimeoutException):
            message = f"{self.place} does not answer in time"
            raise ClusterError(message, "check the network, raise --request-timeout, or choose another --context")
        hint = "check that it runs and can be reached, or choose another --context"
        if "CERTIFICATE" in str(error).upper():
            hint = "correct certificate-authority or tls-server-name of the cluster in the kubeconfig"
        message = f"{self.place} cannot be reached: {words(error)}"
        raise ClusterError(message, hint) from error

    def decode(self, answer: httpx2.Response, decoder: msgspec.json.Decoder[_Shape]) -> _Shape:
        """Return what an answer holds.

        Raises:
            ClusterError: it is a refusal, or nothing of that shape.
        """
        self.check(answer)
        try:
            return decoder.decode(answer.content)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            self.fail(f"{answer.url.path}: {words(error)}")


def connect(access: Access) -> Server:
    """Return the server of a cluster, ready to be asked with the credentials of whoever asks.

    Raises:
        ClusterError: a program that should print credentials does not.
        InputError: a certificate or the proxy of the kubeconfig cannot be used.
    """
    user = access.user
    check_authority(access.cluster, access.cluster_place)
    check_credentials(user, access.user_place)
    if user.exec and access.is_secure:
        found = run_plugin(user.exec, access.cluster, access.user_place)
        user = msgspec.structs.replace(user, exec=None, token=found.token or None)
        if found.client_certificate_data:
            user.client_cert_data = _base64(found.client_certificate_data)
            user.client_key_data = _base64(found.client_key_data)
    config = SingleConfig(access.context, Context(cluster=access.context), access.cluster, user)
    local = _is_loopback(access.cluster.server)
    timeout = httpx2.Timeout(access.timeout_s, connect=min(access.timeout_s or _CONNECT_S, _CONNECT_S))
    wanted = ConnectionParams(timeout=timeout, trust_env=not local, proxy=access.cluster.proxy or None)
    try:
        settings = wanted.httpx_params(config)
        settings["verify"].verify_flags &= ~ssl.VERIFY_X509_STRICT  # certificates of many clusters are older than that
        if not access.is_secure:
            settings["auth"] = None
        return Server(access, httpx2.Client(**settings, headers=_headers(user)))
    except ssl.SSLError as error:
        printed = " that its exec plugin printed" if access.user.exec else ""
        message = f"{access.user_place}: the client certificate and key{printed} cannot be used: {words(error)}"
        raise InputError(message, "correct the kubeconfig, or choose another --user") from error
    except (OSError, ValueError, ImportError) as error:
        message = f"{access.cluster_place}: proxy-url {access.cluster.proxy}: {words(error)}"
        raise InputError(message, "correct the kubeconfig, or choose another --cluster") from error


def _renewal(user: User) -> str:
    """Return what to do about credentials that a server does not take."""
    if user.exec:
        return f"log in again with {user.exec.command}"
    if user.token or user.token_file:
        return "log in again for another token"
    if user.client_cert or user.client_cert_data:
        return "renew the client certificate"
    return "correct the password" if user.username else "log in"


def _base64(pem: str) -> str:
    return binascii.b2a_base64(pem.encode(), newline=False).decode()


def _is_loopback(server: str) -> bool:
    """Tell whether a server is this machine, which no proxy of the environment leads to."""
    host = urlsplit(server).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _headers(user: User) -> list[tuple[bytes, bytes]]:
    """Return what every request says of whoever asks."""
    headers = [("User-Agent", f"ringfence/{__version__}"), ("Accept-Encoding", "gzip")]
    if user.impersonate:
        headers.append(("Impersonate-User", user.impersonate))
        headers += [("Impersonate-Group", group) for group in user.impersonate_groups]
        headers += [("Impersonate-Uid", user.impersonate_uid)] if user.impersonate_uid else []
        for key, values in sorted(user.impersonate_extra.items()):
            headers += [(f"Impersonate-Extra-{quote(key, safe='')}", value) for value in values]
    return [(name.encode(), value.encode()) for name, value in headers]


def _wait_s(answer: httpx2.Response) -> float | None:
    """Return the seconds after which a busy server wants to be asked again; None when it does not."""
    if answer.status_code != 429 and answer.status_code < 500:
        return None
    after = answer.headers.get("Retry-After", "")
    return min(float(after), _LONGEST_WAIT_S) if after.isdecimal() else None


def words(error: Exception) -> str:
    """Return what an error says, on one line, without its number."""
    text = _line(re.sub(r"^\[Errno -?\d+\] ", "", str(error))) or type(error).__name__
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def _line(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text).strip()
