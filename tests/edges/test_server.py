"""One server is asked with the right credentials, and what it refuses is told in one line."""

from __future__ import annotations

import base64
import json
import socket
from contextlib import closing
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from ringfence import __version__
from ringfence.edges.kubeconfig import Wanted, find_access
from ringfence.edges.server import connect
from ringfence.errors import ClusterError, InputError, WorldError
from tests.api_server import TLS, ApiServer, serving, status
from tests.edges.clusters import access, kubeconfig
from tests.edges.test_credentials import printed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ringfence.edges.kubeconfig import Access


@pytest.fixture
def server() -> Iterator[ApiServer]:
    """A server over TLS."""
    with serving(ApiServer(), tls=True) as running:
        yield running


def headers(server: ApiServer, found: Access) -> list[tuple[str, str]]:
    """What the server is sent when it is asked once."""
    with connect(found) as connected:
        connected.check(connected.get("/apis"))
    return [(name.lower(), value) for name, value in server.requests[-1][1]]


def refusal(found: Access) -> tuple[str, str]:
    """Message and hint of the error that asking once ends in."""
    with pytest.raises(WorldError) as refused, connect(found) as connected:
        connected.check(connected.get("/apis"))
    return refused.value.message, refused.value.hint


@pytest.mark.parametrize(
    ("user", "sent"),
    [
        ({"token": "t"}, "Bearer t"),
        ({"username": "jane", "password": "secret"}, f"Basic {base64.b64encode(b'jane:secret').decode()}"),
        ({"tokenFile": "file.token"}, "Bearer from a file"),
        ({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "./login"}}, "Bearer printed"),
        ({}, None),
    ],
)
def test_each_kind_of_credentials_is_sent(server: ApiServer, tmp_path: Path, user: dict[str, Any], sent: str | None):
    """Over TLS, to a server that was recognized by its certificate."""
    (tmp_path / "file.token").write_text("from a file\n")
    (tmp_path / "login").write_text(f"#!/bin/sh\n{printed({'token': 'printed'})}\n")
    (tmp_path / "login").chmod(0o755)
    found = headers(server, access(tmp_path, server.url, user))

    assert dict(found).get("authorization") == sent
    assert ("user-agent", f"ringfence/{__version__}") in found
    assert ("accept-encoding", "gzip") in found


def test_credentials_are_never_sent_in_the_clear(tmp_path: Path):
    """Over plain HTTP anybody could read them; kubectl does not send them either."""
    with serving(ApiServer()) as plain:
        found = dict(headers(plain, access(tmp_path, plain.url, {"token": "t"})))

    assert "authorization" not in found


@pytest.mark.parametrize("data", [False, True])
def test_a_client_certificate_is_shown(server: ApiServer, tmp_path: Path, *, data: bool):
    """From files, or from the kubeconfig itself; a server that asks for one is then content."""
    user = {f"client-{name}": str(TLS / file) for name, file in (("certificate", "client.pem"), ("key", "client.key"))}
    if data:
        user = {f"{name}-data": base64.b64encode(open(path, "rb").read()).decode() for name, path in user.items()}  # noqa: PTH123, SIM115
    assert dict(headers(server, access(tmp_path, server.url, user)))


CERTIFICATE, KEY = str(TLS / "client.pem"), str(TLS / "client.key")
BROKEN = base64.b64encode(b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----").decode()


@pytest.mark.parametrize(
    ("user", "cluster", "words"),
    [
        ({}, {"certificate-authority": "no.pem"}, "cluster c: certificate-authority FOLDER/no.pem: cannot be read: no"),
        ({}, {"certificate-authority": KEY}, f"cluster c: certificate-authority {KEY}: no certificate in PEM"),
        (
            {},
            {"certificate-authority": None, "certificate-authority-data": "eA"},
            "cluster c: certificate-authority-data: not base64",
        ),
        (
            {},
            {"certificate-authority": None, "certificate-authority-data": BROKEN},
            "cluster c: certificate-authority-data: its certificate is broken",
        ),
        ({"tokenFile": "no.token"}, {}, "user u: tokenFile FOLDER/no.token: cannot be read: no such file or directory"),
        (
            {"client-certificate": "no.pem", "client-key": KEY},
            {},
            "user u: client-certificate FOLDER/no.pem: cannot be read: no such file or directory",
        ),
        (
            {"client-certificate": KEY, "client-key": KEY},
            {},
            f"user u: client-certificate {KEY}: no certificate in PEM",
        ),
        (
            {"client-certificate": CERTIFICATE, "client-key": CERTIFICATE},
            {},
            f"user u: client-key {CERTIFICATE}: no private key in PEM",
        ),
        (
            {"client-certificate": CERTIFICATE, "client-key": str(TLS / "server.key")},
            {},
            "user u: the client certificate and key cannot be used: ",
        ),
        ({}, {"proxy-url": "odd://x"}, "cluster c: proxy-url odd://x: "),
    ],
)
def test_what_cannot_be_used_is_named_by_file_and_field(
    tmp_path: Path, user: dict[str, Any], cluster: dict[str, Any], words: str
):
    """Before anybody is asked, on one line, and with a hint."""
    with pytest.raises(InputError) as refused:
        connect(access(tmp_path, "https://127.0.0.1:1", user, **cluster))

    assert refused.value.message.startswith(f"{tmp_path}/config: {words.replace('FOLDER', str(tmp_path))}")
    assert "\n" not in refused.value.message
    assert refused.value.hint


def test_whom_to_act_as_is_said_in_headers(server: ApiServer, tmp_path: Path):
    """User, groups, uid and everything else, as the API server reads them."""
    user = {"as": "jané", "as-groups": ["a", "b"], "as-uid": "7", "as-user-extra": {"example.com/why": ["x", "y"]}}
    found = headers(server, access(tmp_path, server.url, user))

    assert [(name, value) for name, value in found if name.startswith("impersonate")] == [
        ("impersonate-user", "jané".encode().decode("latin-1")),
        ("impersonate-group", "a"),
        ("impersonate-group", "b"),
        ("impersonate-uid", "7"),
        ("impersonate-extra-example.com%2fwhy", "x"),
        ("impersonate-extra-example.com%2fwhy", "y"),
    ]


def test_a_server_that_cannot_be_recognized_is_not_asked(server: ApiServer, tmp_path: Path):
    """Unless the user says that it does not matter, or by which name it is known."""
    unknown = {"certificate-authority": None}
    message, hint = refusal(access(tmp_path, server.url, None, **unknown))
    assert "certificate verify failed" in message.lower()
    assert hint == "correct certificate-authority or tls-server-name of the cluster in the kubeconfig"
    assert not server.requests
    assert refusal(access(tmp_path, server.url, None, **{"tls-server-name": "other.test"}))
    assert headers(server, access(tmp_path, server.url, None, **{"tls-server-name": "ringfence.test"}))
    assert headers(server, access(tmp_path, server.url, None, **{"insecure-skip-tls-verify": True}))


def test_a_busy_server_is_asked_again(tmp_path: Path):
    """When it says after how long; not for ever."""
    answers = iter([status(429, "busy"), status(503, "starting"), (200, b"{}")])
    with serving(ApiServer(answers={"/apis": lambda _: next(answers)})) as server:
        assert headers(server, access(tmp_path, server.url))
        assert len(server.requests) == 3
    with serving(ApiServer(answers={"/apis": lambda _: status(503, "down")})) as server:
        message, _ = refusal(access(tmp_path, server.url))
        assert len(server.requests) == 5
    assert message.endswith("does not answer as an API server: /apis: 503 Service Unavailable: down")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            status(500, "etcd\nis down"),
            "does not answer as an API server: /apis: 500 Internal Server Error: etcd is down",
        ),
        ((404, b"<html>"), "does not answer as an API server: /apis: 404 Not Found"),
        ((302, b"\xff"), "does not answer as an API server: /apis: 302 Found"),
    ],
)
def test_a_refusal_is_told_in_the_server_s_words(tmp_path: Path, answer: tuple[int, bytes], words: str):
    """On one line, with the context and the address."""
    with serving(ApiServer(answers={"/apis": lambda _: answer})) as server:
        message, hint = refusal(access(tmp_path, server.url))

    assert message == f"cluster:prod at {server.url} {words}"
    assert hint


@pytest.mark.parametrize(
    ("user", "hint"),
    [
        ({"token": "t"}, "log in again for another token"),
        ({"tokenFile": "file.token"}, "log in again for another token"),
        ({"client-certificate": CERTIFICATE, "client-key": KEY}, "renew the client certificate"),
        ({"username": "jane", "password": "secret"}, "correct the password"),
        ({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "./login"}}, "log in again with PATH"),
        ({}, "log in"),
    ],
)
def test_credentials_that_a_server_does_not_take_are_named(tmp_path: Path, user: dict[str, Any], hint: str):
    """Whose they are, in which file, and what to do about that kind: they may have expired."""
    (tmp_path / "file.token").write_text("old\n")
    (tmp_path / "login").write_text(f"#!/bin/sh\n{printed({'token': 'old'})}\n")
    (tmp_path / "login").chmod(0o755)
    with serving(ApiServer(answers={"/apis": lambda _: status(401, "Unauthorized")}), tls=True) as server:
        message, told = refusal(access(tmp_path, server.url, user))

    who = f"{tmp_path}/config: user u"
    assert message == f"cluster:prod at {server.url} does not know who asks, {who}: 401 Unauthorized: Unauthorized"
    assert told == f"{hint.replace('PATH', str(tmp_path / 'login'))}, or choose another --user or --context"


def test_a_server_that_says_nothing_is_given_up(tmp_path: Path):
    """After the time that the user gave it."""
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        path = str(kubeconfig(tmp_path / "config", url))
        message, hint = refusal(find_access(Wanted(kubeconfig=path, timeout_s=0.05), {}))

    assert message == f"cluster:prod at {url} does not answer in time"
    assert "--request-timeout" in hint


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1:1", "cannot be reached: connection refused"),
        ("http://no-such-host.invalid", "cannot be reached: "),
    ],
)
def test_a_server_that_is_not_there_is_unreachable(tmp_path: Path, url: str, words: str):
    """Whatever the reason."""
    with pytest.raises((ClusterError, InputError), match=words), connect(access(tmp_path, url)) as connected:
        connected.get("/apis")


def test_what_is_no_answer_at_all_is_told(tmp_path: Path):
    """Garbage in place of HTTP, and in place of JSON."""
    with serving(ApiServer(answers={"/apis": lambda _: (200, b"\xff{")})) as server:
        with pytest.raises(ClusterError, match="/apis: "), connect(access(tmp_path, server.url)) as connected:
            connected.decode(connected.get("/apis"), msgspec.json.Decoder(dict))
        wrong = access(tmp_path, server.url.replace("http:", "https:"), None, **{"insecure-skip-tls-verify": True})
        assert "cannot be reached" in refusal(wrong)[0]


def test_proxies_of_the_environment_lead_to_other_machines(
    server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Never to this one; one that the kubeconfig names is always taken."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    assert headers(server, access(tmp_path, server.url))
    assert "cannot be reached" in refusal(access(tmp_path, server.url, None, **{"proxy-url": "http://127.0.0.1:1"}))[0]
    assert json.loads((tmp_path / "config").read_text())["clusters"][0]["cluster"]["proxy-url"]
