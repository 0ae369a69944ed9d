"""Programs that print credentials are run as kubectl runs them."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from ringfence.edges.credentials import run_plugin
from ringfence.edges.kubeconfig import Cluster, Plugin
from ringfence.errors import ClusterError
from tests.api_server import TLS

if TYPE_CHECKING:
    from pathlib import Path

PLACE = "/home/jane/config: user jane"
V1 = "client.authentication.k8s.io/v1"
CLUSTER = Cluster(
    server="https://api",
    certificate_auth=str(TLS / "ca.pem"),
    server_name="api",
    extensions=[{"name": "client.authentication.k8s.io/exec", "extension": {"audience": "us"}}],
)


def plugin(folder: Path, script: str, version: str = V1, **more: Any) -> Plugin:
    """A plugin that is a shell script."""
    path = folder / "login"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return msgspec.convert({"apiVersion": version, "command": str(path), **more}, Plugin)


def printed(status: dict[str, str], version: str = V1) -> str:
    """A script that prints credentials."""
    return f"echo '{json.dumps({'apiVersion': version, 'kind': 'ExecCredential', 'status': status})}'"


@pytest.mark.parametrize("version", [V1, f"{V1}beta1"])
def test_what_a_program_prints_is_taken(tmp_path: Path, version: str):
    """A token, or a certificate with its key, in both versions that kubectl speaks."""
    token = run_plugin(plugin(tmp_path, printed({"token": "t"}, version), version), CLUSTER, PLACE)
    pair = {"clientCertificateData": "c", "clientKeyData": "k"}
    certificate = run_plugin(plugin(tmp_path, printed(pair, version), version), CLUSTER, PLACE)

    assert (token.token, token.client_key_data) == ("t", "")
    assert (certificate.client_certificate_data, certificate.client_key_data) == ("c", "k")


def test_a_program_is_told_what_it_wants_to_know(tmp_path: Path):
    """Arguments, variables, and the cluster where it asks for it; it has no terminal to ask questions on."""
    more = {"args": ["a"], "env": [{"name": "WHO", "value": "jane"}], "provideClusterInfo": True}
    asked = plugin(
        tmp_path, f'echo "$1 $WHO $KUBERNETES_EXEC_INFO" > {tmp_path}/told\n{printed({"token": "t"})}', **more
    )
    run_plugin(asked, CLUSTER, PLACE)
    first, who, info = (tmp_path / "told").read_text().split(" ", 2)
    told = json.loads(info)

    assert (first, who) == ("a", "jane")
    assert (told["apiVersion"], told["kind"], told["spec"]["interactive"]) == (V1, "ExecCredential", False)
    assert told["spec"]["cluster"].pop("certificate-authority-data")
    assert told["spec"]["cluster"] == {"server": "https://api", "tls-server-name": "api", "config": {"audience": "us"}}
    asked.provide_cluster_info = False
    run_plugin(asked, CLUSTER, PLACE)
    assert "cluster" not in json.loads((tmp_path / "told").read_text().split(" ", 2)[2])["spec"]


@pytest.mark.parametrize(
    ("script", "more", "words"),
    [
        ("exit 7", {}, "failed with exit code 7"),
        ("kill -9 $$", {}, "failed with signal 9"),
        ('echo \'{"kind": "Pod", "apiVersion": "v1", "status": {}}\'', {}, "printed a Pod, no ExecCredential"),
        ("echo hello", {}, "printed no ExecCredential"),
        (printed({}), {}, "printed neither a token nor a certificate with its key"),
        (printed({"clientCertificateData": "c"}), {}, "printed neither a token nor a certificate with its key"),
        (printed({"token": "t"}, f"{V1}beta1"), {}, f"printed {V1}beta1, not {V1}"),
        (printed({"token": "t"}), {"version": f"{V1}alpha1"}, f"speaks {V1}alpha1, which is not supported"),
        (printed({"token": "t"}), {"interactiveMode": "Always"}, "standard input is no terminal"),
    ],
)
def test_a_program_that_gives_no_credentials_is_said(tmp_path: Path, script: str, more: dict[str, str], words: str):
    """What it did, and what to do."""
    with pytest.raises(ClusterError) as refused:
        run_plugin(plugin(tmp_path, script, **more), CLUSTER, PLACE)

    assert refused.value.message.startswith(f"{PLACE}: the exec plugin {tmp_path}/login ")
    assert words in refused.value.message
    assert "\n" not in refused.value.message
    assert refused.value.hint


@pytest.mark.parametrize("text", ["no program", "#!/no/such/interpreter\n"])
def test_a_program_that_cannot_be_run_is_said(tmp_path: Path, text: str):
    """A file that may be executed need not be a program."""
    wrong = plugin(tmp_path, "")
    (tmp_path / "login").write_text(text)
    with pytest.raises(ClusterError, match=r"cannot be run: (exec format error|no such file or directory)") as refused:
        run_plugin(wrong, CLUSTER, PLACE)

    assert refused.value.hint == "correct its command, args and env in the kubeconfig"


def test_a_program_that_is_not_there_is_named_with_its_hint():
    """Whoever wrote the kubeconfig knew where to get it."""
    hint = "install it:\n\n  brew install login"
    absent = msgspec.convert({"apiVersion": V1, "command": "no-such-login", "installHint": hint}, Plugin)
    with pytest.raises(ClusterError, match=f"^{PLACE}: the exec plugin no-such-login is not installed$") as refused:
        run_plugin(absent, CLUSTER, PLACE)

    assert refused.value.hint == "install it: brew install login"
    assert "KUBERNETES_EXEC_INFO" not in os.environ
