"""A live cluster, a snapshot and manifests are read alike."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ringfence.cli.codes import Code
from ringfence.cli.inputs import read_duration
from ringfence.cli.main import main
from tests.api_server import ApiServer, serving
from tests.edges.clusters import kubeconfig
from tests.edges.test_cluster import PODS
from tests.live import CLUSTER, an_object

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUESTION = ("can", "p0", "y/", "443/UDP")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    """A cluster that the kubeconfig of the environment leads to."""
    with serving(ApiServer([*PODS, *CLUSTER])) as running:
        monkeypatch.setenv("KUBECONFIG", str(kubeconfig(tmp_path / "config", running.url)))
        yield running


def test_a_live_cluster_answers(server: ApiServer, capsys: pytest.CaptureFixture[str]):
    """Names without a namespace are in that of the context; a reason names its object."""
    assert main(["can", "y/", "web", "81"]) == Code.DENIED
    printed, said = capsys.readouterr()

    assert printed.splitlines()[0].startswith("denied  y/ -> x/web  TCP 81")
    assert "NetworkPolicy/x/web in cluster:prod (resourceVersion 4711, by kubectl-client-side-apply)" in printed
    assert said == ""


def test_json_says_which_version_and_by_whom(server: ApiServer, capsys: pytest.CaptureFixture[str]):
    """As manifests say file and line."""
    main(["can", "y/", "web", "81", "-o", "json"])
    (origin,) = json.loads(capsys.readouterr().out)["ingress"]["origins"]

    assert (origin["source"], origin["line"], origin["column"]) == ("cluster:prod", 0, 0)
    assert (origin["resource_version"], origin["field_manager"]) == ("4711", "kubectl-client-side-apply")


def test_a_snapshot_is_taken_once_and_answers_alike(
    server: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """The second time the server is not asked, and the user hears how old the answer is."""
    file = str(tmp_path / "cluster.jsonl.gz")
    assert main(["list", "--snapshot", file]) == Code.OK
    first = capsys.readouterr()
    asked = len(server.requests)
    assert main(["list", "--snapshot", file]) == Code.OK
    second = capsys.readouterr()

    assert len(server.requests) == asked
    assert first.out == second.out
    assert first.err == ""
    assert second.err.startswith(f"ringfence: note: {file}: a snapshot of cluster:prod, taken 20")


def test_what_is_missing_stays_missing_in_a_snapshot(
    server: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """Partial stays partial."""
    server.forbidden.add("/api/v1/nodes")
    file = str(tmp_path / "cluster.jsonl.gz")
    for _ in range(2):
        assert main(["list", "--snapshot", file]) == Code.INPUT
        assert "cluster:prod: nodes cannot be listed (forbidden)" in capsys.readouterr().err


def test_a_namespace_narrows_what_is_shown(server: ApiServer, capsys: pytest.CaptureFixture[str]):
    """As everywhere; ``-A`` takes it back, as for kubectl."""
    main(["list"])
    everything = capsys.readouterr().out
    main(["list", "-n", "y", "-A"])
    assert capsys.readouterr().out == everything
    main(["list", "-n", "y"])
    assert capsys.readouterr().out != everything


def test_a_namespace_of_which_nothing_was_read_may_be_there(server: ApiServer, capsys: pytest.CaptureFixture[str]):
    """Where Namespaces may not be listed, nobody can say that there is none of a name."""
    assert main(["list", "-n", "empty"]) == Code.INPUT
    assert "there is no namespace empty" in capsys.readouterr().err
    server.forbidden.add("/api/v1/namespaces")
    assert main(["list", "-n", "empty"]) == Code.INPUT
    found = capsys.readouterr()
    assert "namespaces cannot be listed (forbidden)" in found.err
    assert "there is no namespace" not in found.err
    assert "part of the input was not read or is in error" in found.out


def test_manifests_win(server: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """With ``-f`` no cluster is asked."""
    file = tmp_path / "all.json"
    file.write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": [*PODS, *CLUSTER]}))
    assert main(["list", "-f", str(file)]) == Code.OK
    assert capsys.readouterr().err == ""
    assert main(["list", "-f", str(file), "-n", "x"]) == Code.OK
    assert not server.requests


OF_A_CLUSTER = [
    ("--context", "prod"),
    ("--kubeconfig", "config"),
    ("--cluster", "c"),
    ("--user", "u"),
    ("--token", "t"),
    ("--as", "jane"),
    ("--as-group", "a"),
    ("--request-timeout", "5s"),
]


@pytest.mark.parametrize("option", OF_A_CLUSTER)
def test_manifests_are_not_taken_for_the_cluster_that_was_named(
    option: tuple[str, str], server: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """An option that has no effect is refused, whatever is in the manifests."""
    assert main(["can", "x/p0", "x/p1", "-f", str(tmp_path / "absent"), *option]) == Code.INPUT
    printed, said = capsys.readouterr()

    assert (printed, server.requests) == ("", [])
    assert f"error: {option[0]} says how to read a cluster, and with -f none is read" in said
    assert f"hint: leave out -f, or {option[0]}" in said


@pytest.mark.parametrize("option", OF_A_CLUSTER)
def test_a_snapshot_is_not_taken_for_another_cluster_or_user(
    option: tuple[str, str], server: ApiServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """One that is to be taken needs such options; one that is there shows what was seen then."""
    file = str(tmp_path / "cluster.jsonl.gz")
    assert main(["list", "--snapshot", file, "--context", "prod"]) == Code.OK
    server.requests.clear()
    capsys.readouterr()
    assert main(["list", "--snapshot", file, *option]) == Code.INPUT
    printed, said = capsys.readouterr()

    assert (printed, server.requests) == ("", [])
    assert f"error: {option[0]} says how to read a cluster, and with --snapshot {file}, which is there, none" in said
    assert f"hint: leave out {option[0]}, or keep the cluster in a new file" in said


def test_all_options_without_effect_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Nobody has to find them one by one."""
    main(["list", "-f", str(tmp_path), "--context", "prod", "--as", "jane"])

    assert "error: --context and --as say how to read a cluster" in capsys.readouterr().err


@pytest.mark.parametrize("command", [("can", "x/p0", "x/p1"), ("list",)])
def test_documents_say_what_was_left_out(command: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Whoever reads standard output alone learns that the answer rests on less than what was given."""
    policy = {"podSelector": {}, "policyTypes": ["ingress"]}
    refused = an_object("networking.k8s.io/v1", "NetworkPolicy", "typo", "x", spec=policy)
    unknown = an_object("example.com/v1", "Widget", "w", "x")
    file = tmp_path / "all.json"
    file.write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": [*PODS, refused, unknown]}))
    options = ("-f", str(file), "-o", "json", "--assume-rejected", "--kube-version", "1.30")
    assert main([*command, *options]) == Code.OK
    printed, said = capsys.readouterr()
    notes = json.loads(printed)["notes"]

    assert [f"ringfence: note: {note}" for note in notes] == said.splitlines()
    for word in ("Kubernetes 1.30", "typo", "Widget of example.com/v1"):
        assert any(word in note for note in notes)


def test_nothing_of_a_cluster_was_rejected(server: ApiServer, capsys: pytest.CaptureFixture[str]):
    """An option for manifests has no effect, and whoever gave it hears it."""
    main(["list", "--assume-rejected"])
    assert "note: what a cluster holds was not rejected" in capsys.readouterr().err


def test_a_cluster_has_its_own_release(server: ApiServer, capsys: pytest.CaptureFixture[str]):
    """What another would refuse does not matter for what is there."""
    main(["list", "--kube-version", "1.30"])

    assert "note: a cluster holds what its own release took, so --kube-version has no effect" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", None), ("0s", None), ("7", 7.0), ("1.5s", 1.5), ("250ms", 0.25), ("1m30s", 90), ("2h", 7200)],
)
def test_times_are_those_of_kubectl(text: str, seconds: float | None):
    """Go's durations; a number alone is of seconds, and zero is for ever."""
    assert read_duration(text) == seconds


def test_flags_of_kubectl_reach_the_server(server: ApiServer, tmp_path: Path):
    """Whoever asks asks as somebody else."""
    main(["list", "--as", "jane", "--as-group", "a", "--as-group", "b", "--request-timeout", "1m"])
    sent = [pair for pair in server.requests[-1][1] if pair[0].lower().startswith("impersonate")]

    assert [value for _, value in sent] == ["jane", "a", "b"]


@pytest.mark.parametrize("text", ["", "s", "-1s", "5 s", "1d", "1.5", "٣s"])
def test_a_time_that_is_none_is_refused(server: ApiServer, text: str, capsys: pytest.CaptureFixture[str]):
    """A number with a unit, or of seconds."""
    assert main(["list", "--request-timeout", text]) == Code.INPUT
    assert "expected a time such as 5s, 2m or 1h" in capsys.readouterr().err


def test_questions_about_manifests_need_no_client(tmp_path: Path):
    """Neither its modules, which are slow to import, nor that it is installed."""
    file = tmp_path / "all.json"
    file.write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": [*PODS, *CLUSTER]}))
    lines = (
        "import sys",
        "sys.modules.update(lightkube=None, httpx2=None)",
        "from ringfence.cli.main import main",
        f"print(main(['can', 'x/p0', 'x/p1', '-f', {str(file)!r}]), main(['list']))",
    )
    done = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-c", "\n".join(lines)],
        capture_output=True,
        text=True,
        check=True,
        env={"HOME": str(tmp_path)},
    )
    assert done.stdout.endswith(f"{Code.OK:d} {Code.WORLD:d}\n")
    assert "no manifests, and the client for a live cluster is not installed: httpx2 is missing" in done.stderr
    assert "hint: install ringfence[cluster], or give manifests with -f" in done.stderr
