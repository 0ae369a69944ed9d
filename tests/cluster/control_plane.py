"""A Kubernetes control plane on loopback: etcd and an API server, for as long as tests need it.

Nothing is shared with another cluster of this machine: the ports are free ones, the
token is random, and everything that is written lies in a temporary folder. Both programs
end with the test run, however it ends.
"""

from __future__ import annotations

import json
import secrets
import socket
import subprocess
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.cluster.client import Client, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STARTING = 120.0
"""Seconds until both programs have to be ready: 6 on an idle machine of two cores."""

ENDING = 20.0
"""Seconds that a program has to end in before it is killed."""

_PAUSE = 0.05
"""Seconds between two questions whether a program is ready."""


@dataclass(frozen=True)
class ControlPlane:
    """A control plane that is ready.

    Attributes:
        port: The API server's, on 127.0.0.1.
        token: What a client authenticates with; it may do everything.
        certificates: The file with the server's certificate.
        programs: The folder with the programs, ``kubectl`` among them.
        kubeconfig: The file that tells kubectl all this.
    """

    port: int
    token: str
    certificates: Path
    programs: Path
    kubeconfig: Path

    def client(self) -> Client:
        """Return a client with a connection of its own."""
        return Client(self.port, self.token, self.certificates)


@contextmanager
def control_plane(programs: Path, folder: Path) -> Iterator[ControlPlane]:
    """Start a control plane, wait until it is ready, and end it.

    Args:
        programs: The folder with the programs.
        folder: An empty folder for keys, data and logs.
    """
    etcd_port, peer_port, port = _free_ports(3)
    token = secrets.token_hex(16)
    tokens = folder / "tokens"
    tokens.touch(mode=0o600)
    tokens.write_text(f"{token},tests,tests,system:masters\n")
    plane = ControlPlane(port, token, folder / "apiserver.crt", programs, folder / "kubeconfig")
    _write_kubeconfig(plane)
    store, peer = f"http://127.0.0.1:{etcd_port}", f"http://127.0.0.1:{peer_port}"
    with ExitStack() as stack:
        etcd = [
            "etcd",
            f"--data-dir={folder / 'etcd'}",
            "--unsafe-no-fsync",  # what is stored need not outlive the machine
            f"--listen-client-urls={store}",
            f"--advertise-client-urls={store}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
        ]
        api_server = [
            "kube-apiserver",
            f"--etcd-servers={store}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={port}",
            f"--cert-dir={folder}",  # where it makes a certificate and a key for itself
            f"--token-auth-file={tokens}",
            "--anonymous-auth=false",
            "--authorization-mode=RBAC",  # whoever has the token may do everything, whom they act as may not
            "--service-account-issuer=https://127.0.0.1",
            f"--service-account-key-file={folder / 'apiserver.key'}",
            f"--service-account-signing-key-file={folder / 'apiserver.key'}",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--endpoint-reconciler-type=none",  # a loopback address is no endpoint
        ]
        running = [stack.enter_context(_running(programs, folder, each)) for each in (etcd, api_server)]
        _wait(plane, running, folder)
        yield plane


def _write_kubeconfig(plane: ControlPlane) -> None:
    cluster = {"server": f"https://127.0.0.1:{plane.port}", "certificate-authority": str(plane.certificates)}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "tests", "cluster": cluster}],
        "users": [{"name": "tests", "user": {"token": plane.token}}],
        "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "tests"}}],
        "current-context": "tests",
    }
    plane.kubeconfig.touch(mode=0o600)
    plane.kubeconfig.write_text(json.dumps(config))


@contextmanager
def _running(programs: Path, folder: Path, command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program with its output in a log, and end it."""
    name = command[0]
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - a program that was built here
            # Dies with the test run, even when that is killed.
            ["setpriv", "--pdeathsig", "KILL", str(programs / name), *command[1:]],  # noqa: S607 - wherever it is
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(ENDING)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(plane: ControlPlane, running: list[subprocess.Popen[bytes]], folder: Path) -> None:
    """Ask the API server until it is ready and has its namespace ``default``.

    Raises:
        RuntimeError: A program has ended, or time is up; the message holds the end of its log.
    """
    deadline = time.monotonic() + STARTING
    while time.monotonic() < deadline and all(process.poll() is None for process in running):
        if plane.certificates.exists() and _is_ready(plane):
            return
        time.sleep(_PAUSE)
    logs = [f"{path.name}:\n{path.read_text(errors='replace')[-2000:]}" for path in sorted(folder.glob("*.log"))]
    message = "the control plane did not become ready\n" + "\n".join(logs)
    raise RuntimeError(message)


def _is_ready(plane: ControlPlane) -> bool:
    try:
        with plane.client() as client:
            return all(client.ask("GET", path)[0] == 200 for path in ("/readyz", "/api/v1/namespaces/default"))
    except UnreachableError:
        return False


def _free_ports(number: int) -> list[int]:
    """Return free ports, all different because all are held until all are found."""
    with ExitStack() as stack:
        found = [stack.enter_context(socket.socket()) for _ in range(number)]
        for each in found:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in found]
