"""Kubeconfig files are found, merged and chosen from as kubectl does it."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from ringfence.edges.kubeconfig import IN_CLUSTER, Wanted, find_access
from ringfence.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

FIRST = """
kind: Config
current-context: one
clusters:
  - {name: c, cluster: {server: "https://first:6443", certificate-authority: ca.pem, tls-server-name: api}}
users:
  - {name: u, user: {client-certificate: u.pem, client-key: /keys/u.key, exec: {apiVersion: v1, command: ./login}}}
contexts:
  - {name: one, context: {cluster: c, user: u}}
  - {name: lost, context: {cluster: nowhere, user: u}}
  - {name: alone, context: {user: u}}
"""
SECOND = """
current-context: two
clusters:
  - {name: c, cluster: {server: "https://second:6443"}}
  - {name: d, cluster: {server: "https://third:6443"}}
users:
  - {name: v, user: {tokenFile: v.token, as: boss, as-groups: [ops], as-uid: "7", as-user-extra: {why: [test]}}}
contexts:
  - {name: one, context: {cluster: d, user: v}}
  - {name: two, context: {cluster: d, user: v, namespace: shop}}
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Two kubeconfigs in two folders."""
    paths = tmp_path / "a" / "config", tmp_path / "b" / "config"
    for path, text in zip(paths, (FIRST, SECOND), strict=True):
        path.parent.mkdir()
        path.write_text(text)
    return paths


def joined(*files: Path) -> dict[str, str]:
    """The environment that names these files."""
    return {"KUBECONFIG": os.pathsep.join(map(str, files))}


def test_of_several_files_the_first_that_has_a_name_wins(files: tuple[Path, Path], tmp_path: Path):
    """Entries are taken whole; a file that is not there is passed over, and so is an empty name."""
    found = find_access(Wanted(), joined(tmp_path / "missing", *files) | {"HOME": str(tmp_path)})

    assert (found.context, found.namespace, found.cluster.server) == ("one", "default", "https://first:6443")
    assert find_access(Wanted(context="two"), joined(*files)).cluster.server == "https://third:6443"
    assert find_access(Wanted(), joined(*reversed(files))).context == "two"
    assert find_access(Wanted(context="one"), joined(*reversed(files))).cluster.server == "https://third:6443"


def test_paths_are_relative_to_the_file_that_names_them(files: tuple[Path, Path], tmp_path: Path):
    """So a kubeconfig can be moved with its certificates; a command without a slash is looked up."""
    found = find_access(Wanted(), joined(*files))
    plugin = found.user.exec

    assert found.cluster.certificate_auth == str(tmp_path / "a" / "ca.pem")
    assert (found.user.client_cert, found.user.client_key) == (str(tmp_path / "a" / "u.pem"), "/keys/u.key")
    assert plugin
    assert plugin.command == str(tmp_path / "a" / "login")
    assert find_access(Wanted(context="two"), joined(*files)).user.token_file == str(tmp_path / "b" / "v.token")


def test_a_file_that_is_named_is_read_alone(files: tuple[Path, Path], tmp_path: Path):
    """``--kubeconfig`` goes before ``KUBECONFIG``, which goes before the one at home."""
    home = tmp_path / ".kube" / "config"
    home.parent.mkdir()
    home.write_text(SECOND)

    assert find_access(Wanted(), {"HOME": str(tmp_path)}).context == "two"
    assert find_access(Wanted(), joined(files[0]) | {"HOME": str(tmp_path)}).context == "one"
    assert find_access(Wanted(kubeconfig=str(files[1])), joined(files[0])).context == "two"


def test_flags_go_before_the_file(files: tuple[Path, Path]):
    """Cluster, user, token and who is impersonated can each be another."""
    environment = joined(*files)
    found = find_access(Wanted(cluster="d", user="v", token="t", timeout_s=5.0), environment)  # noqa: S106

    assert (found.context, found.cluster.server, found.timeout_s) == ("one", "https://third:6443", 5.0)
    assert (found.user.token, found.user.token_file, found.user.impersonate) == ("t", None, "boss")
    found = find_access(Wanted(context="two", impersonate="jane", groups=("a", "b")), environment)
    assert (found.user.impersonate, found.user.impersonate_groups) == ("jane", ["a", "b"])
    assert (found.user.impersonate_uid, found.user.impersonate_extra) == ("", {})
    found = find_access(Wanted(context="two"), environment)
    assert (found.user.impersonate_uid, found.user.impersonate_extra) == ("7", {"why": ["test"]})


@pytest.mark.parametrize(
    ("wanted", "message", "hint"),
    [
        (Wanted(context="on"), "--context: there is no context on in A, B", "try one"),
        (Wanted(cluster="zzz"), "--cluster: there is no cluster zzz in A, B", "try c or d"),
        (Wanted(user="zzz"), "--user: there is no user zzz in A, B", "try u or v"),
        (Wanted(context="lost"), "A: context lost: there is no cluster nowhere in A, B", "try c or d"),
        (Wanted(context="alone"), "A: context alone: no cluster", "try c or d"),
    ],
)
def test_what_is_named_must_be_there(files: tuple[Path, Path], wanted: Wanted, message: str, hint: str):
    """Who names it is said, and names that come near are offered, else those that there are."""
    with pytest.raises(InputError) as refused:
        find_access(wanted, joined(*files))

    for name, path in zip("AB", files, strict=True):
        message = re.sub(rf"\b{name}\b", str(path), message)
    assert (refused.value.message, refused.value.hint) == (message, hint)


def test_a_current_context_must_be_there(tmp_path: Path):
    """The file that makes it the current one is named."""
    path = tmp_path / "config"
    path.write_text("current-context: gone\nusers: [{name: u}]\n")
    with pytest.raises(InputError) as refused:
        find_access(Wanted(kubeconfig=str(path)), {})

    assert refused.value.message == f"{path}: current-context: there is no context gone in {path}"
    assert refused.value.hint == "name one with --context"


def test_files_of_kubeconfig_that_are_all_missing_are_named(tmp_path: Path):
    """Some may be missing, as for kubectl; without any it is worth knowing where was looked."""
    paths = [str(tmp_path / name) for name in "ab"]
    with pytest.raises(InputError) as refused:
        find_access(Wanted(), {"KUBECONFIG": os.pathsep.join(paths), "HOME": str(tmp_path)})

    assert refused.value.message == f"no manifests and no cluster: there is no kubeconfig at {', '.join(paths)}"


@pytest.mark.parametrize(
    ("cluster", "user", "words"),
    [
        ("{}", "{}", "cluster c: no server"),
        ('{server: "http://["}', "{}", 'cluster c: server: "http://[" is no address: write https://HOST:PORT'),
        ("{server: first}", "{}", 'cluster c: server: "first" is no address: write https://HOST:PORT'),
        (
            '{server: "https://a", certificate-authority: a, certificate-authority-data: a}',
            "{}",
            "cluster c: certificate-authority and certificate-authority-data are both given",
        ),
        (
            '{server: "https://a", certificate-authority: a, insecure-skip-tls-verify: true}',
            "{}",
            "cluster c: a certificate authority is given, and insecure-skip-tls-verify is true",
        ),
        ('{server: "https://a"}', "{client-certificate: a}", "user u: the client certificate has no client-key"),
        (
            '{server: "https://a"}',
            "{client-certificate: a, client-certificate-data: a, client-key: a}",
            "user u: client-certificate and client-certificate-data are both given",
        ),
        (
            '{server: "https://a"}',
            "{client-certificate: a, client-key: a, client-key-data: a}",
            "user u: client-key and client-key-data are both given",
        ),
        ('{server: "https://a"}', "{token: a, username: a}", "user u: both a token and a password are given"),
        (
            '{server: "https://a"}',
            "{auth-provider: {name: gcp}}",
            "user u: auth-provider is not supported; Kubernetes has exec plugins in place of it",
        ),
        (
            '{server: "https://a"}',
            "{as-groups: [a]}",
            "user u: groups, uid or extra are to be impersonated without a user",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(tmp_path: Path, cluster: str, user: str, words: str):
    """Kubectl refuses it too; to choose would be to guess."""
    path = tmp_path / "config"
    path.write_text(
        "current-context: p\ncontexts: [{name: p, context: {cluster: c, user: u}}]\n"
        f"clusters: [{{name: c, cluster: {cluster}}}]\nusers: [{{name: u, user: {user}}}]\n"
    )
    with pytest.raises(InputError) as refused:
        find_access(Wanted(kubeconfig=str(path)), {})

    assert refused.value.message == f"{path}: {words}"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no manifests and no cluster: there is no kubeconfig"),
        ("[]", "PATH: no kubeconfig"),
        ("kind: Pod", "PATH: no kubeconfig"),
        ("kind: Config\n  a: b", "PATH:2: not YAML: "),
        ("clusters: 1", "PATH: clusters: expected `array`, got `int`"),
        ("clusters: [{cluster: {server: a}}]", "PATH: clusters: expected `str`, got `null`"),
        ("users: [{name: u, user: {token: 1}}]", "PATH: users: expected `str | null`, got `int` - at `$.token`"),
        ("users: [{name: u}]", "PATH: no current-context"),
    ],
)
def test_a_file_that_is_no_kubeconfig_is_refused(tmp_path: Path, text: str, words: str):
    """With its name, and what is wrong."""
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(InputError) as refused:
        find_access(Wanted(), {"KUBECONFIG": str(path)})

    assert refused.value.message.startswith(words.replace("PATH", str(path)))
    assert refused.value.hint


def test_files_that_cannot_be_read_are_refused(tmp_path: Path):
    """A folder, bytes that are no text, and a file that is named and not there."""
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")
    for path, words in ((tmp_path, "is a directory"), (binary, "not UTF-8")):
        with pytest.raises(InputError, match=words):
            find_access(Wanted(), {"KUBECONFIG": str(path)})
    with pytest.raises(InputError, match="no such file or directory"):
        find_access(Wanted(kubeconfig=str(tmp_path / "none")), {})


@pytest.mark.parametrize(
    ("host", "server"), [("10.96.0.1", "https://10.96.0.1:443"), ("fd00::1", "https://[fd00::1]:443")]
)
def test_a_pod_asks_by_its_own_service_account(tmp_path: Path, host: str, server: str):
    """Where there is no kubeconfig, and only in a pod."""
    environment = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": "443", "HOME": str(tmp_path)}
    with pytest.raises(InputError, match="there is no kubeconfig"):
        find_access(Wanted(), environment, str(tmp_path))
    for name, text in (("token", "t"), ("ca.crt", "c"), ("namespace", "shop\n")):
        (tmp_path / name).write_text(text)
    found = find_access(Wanted(impersonate="jane"), environment, str(tmp_path))

    assert (found.context, found.namespace, found.cluster.server) == (IN_CLUSTER, "shop", server)
    assert found.cluster.certificate_auth == str(tmp_path / "ca.crt")
    assert (found.user.token_file, found.user.impersonate) == (str(tmp_path / "token"), "jane")
