"""How the program ends, whatever happens, and what it says then."""

from __future__ import annotations

import ast
import json
import os
import re
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
import yaml

import ringfence
from ringfence.cli.can import can
from ringfence.cli.codes import Code
from ringfence.cli.list import list_
from ringfence.cli.main import COMMANDS, main
from ringfence.cli.main import ringfence as program

if TYPE_CHECKING:
    from collections.abc import Iterator

BIN = Path(sys.executable).parent
PODS = """
apiVersion: v1
kind: Pod
metadata: {name: %s, namespace: x}
spec: {containers: [{name: a}]}
"""
POLICY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: x}
spec: {podSelector: {}}
"""
CLUSTER = "---".join([*(PODS % name for name in "ab"), POLICY])
EDGES = ("cluster", "credentials", "discovery", "files", "kubeconfig", "server", "snapshots")
"""Modules of edges whose messages a question may end in."""

QUESTION = b'{"client": "x/a", "server": "x/b", "port": 80}\n'


@pytest.fixture
def manifests(tmp_path: Path) -> Path:
    """A file with two pods and a policy that isolates both."""
    path = tmp_path / "cluster.yaml"
    path.write_text(CLUSTER)
    return path


def start(
    *command: str | Path,
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
    variables: dict[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program of this environment."""
    return subprocess.Popen(  # noqa: S603 - ours
        [BIN / command[0], *command[1:]],
        env={"PATH": os.environ["PATH"], "TERM": "xterm"} | (variables or {}),
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=stderr,
    )


def test_the_program_answers_under_its_name_and_as_a_module(manifests: Path):
    """Both ways give the same answer and the same exit code."""
    question = ("can", "x/a", "x/b", "80", "-f", manifests)
    ends = [start("ringfence", *question), start("python", "-m", "ringfence", *question)]
    said = [end.communicate() for end in ends]

    assert said[0] == said[1]
    assert said[0][0].startswith(b"denied  x/a -> x/b  TCP 80\n")
    assert [end.returncode for end in ends] == [Code.DENIED, Code.DENIED]


def test_kubectl_s_plugin_calls_itself_as_kubectl_does():
    """What users typed is what usage and hints say."""
    told = start("kubectl-ringfence", "--help").communicate()[0]
    assert told.startswith(b"Usage: kubectl ringfence [OPTIONS]")
    refused = start("kubectl-ringfence", "can").communicate()[1]
    assert refused.endswith(b"ringfence: hint: run kubectl ringfence can --help\n")
    refused = start("kubectl-ringfence", "lab", "verify", "--name", "nobody-s").communicate()[1]
    assert b"ringfence: hint: start one with `kubectl ringfence lab up --name nobody-s -f PATH`" in refused
    refused = start("kubectl-ringfence", "explain-api", "qqq").communicate()[1]
    assert refused.endswith(b"ringfence: hint: see `kubectl ringfence explain-api` for all of them\n")


def test_ctrl_c_ends_quietly(manifests: Path):
    """130, and no traceback; what was answered until then has arrived."""
    process = start("ringfence", "can", "--batch", "-", "-f", manifests)
    assert process.stdin
    assert process.stdout
    process.stdin.write(QUESTION)
    process.stdin.flush()
    assert process.stdout.readline().startswith(b'{"client":"x/a"')
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()

    assert process.returncode == Code.INTERRUPTED
    assert errors == b""


def test_what_takes_over_a_second_is_said_on_a_terminal():
    """Of what has ended by then nothing is said."""
    ours, terminal = os.openpty()
    process = start("ringfence", "list", "-f", "-", stderr=terminal, variables={"NO_COLOR": "1"})
    os.close(terminal)
    waiting, _, _ = select.select([ours], [], [], 60)
    said = os.read(ours, 1000) if waiting else b""
    answered, _ = process.communicate(CLUSTER.encode())

    assert said == b"ringfence: note: reading manifests ...\r\n"
    assert answered.startswith(b"CLIENT")


def test_a_reader_that_goes_away_ends_quietly(manifests: Path):
    """As in ``ringfence list | head``."""
    process = start("ringfence", "can", "--batch", "-", "-f", manifests)
    assert process.stdout
    process.stdout.close()
    process.stdout = None
    _, errors = process.communicate(QUESTION * 10)

    assert process.returncode == Code.NOBODY_READS
    assert errors == b""


def test_an_answer_that_cannot_be_written_is_the_world_s_fault(manifests: Path):
    """A full disk is no bug."""
    with Path("/dev/full").open("wb") as full:
        process = start("ringfence", "list", "-f", manifests, stdout=full.fileno())
        _, errors = process.communicate()

    assert process.returncode == Code.WORLD
    assert errors == b"ringfence: error: the answer cannot be written: no space left on device\n"


@pytest.mark.parametrize(
    ("closed", "code", "said"),
    [
        ("0<&-", Code.OK, b""),
        ("1>&-", Code.WORLD, b"ringfence: error: standard output is closed\nringfence: hint: leave it open"),
        ("2>&-", Code.OK, b""),
        ("0<&- 2>&-", Code.OK, b""),
    ],
)
def test_a_closed_stream_is_no_bug(manifests: Path, closed: str, code: Code, said: bytes):
    """Daemons and some schedulers start programs without them."""
    done = subprocess.run(  # noqa: S602 - ours
        f'"{BIN}/ringfence" list -f "{manifests}" {closed}', shell=True, capture_output=True, check=False
    )
    assert done.returncode == code
    assert done.stderr.startswith(said)
    assert said or (done.stdout.startswith(b"CLIENT ") and not done.stderr)


def test_manifests_from_a_closed_input_are_none(manifests: Path):
    """Nothing can be read, which is the input's fault."""
    done = subprocess.run(  # noqa: S602 - ours
        f'"{BIN}/ringfence" list -f - <&-', shell=True, capture_output=True, check=False
    )
    assert done.returncode == Code.INPUT
    assert done.stderr.startswith(b"ringfence: error: -: no pods, no workloads and no policies\n")


def test_a_bug_shows_its_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """70, and everything that is needed to report it."""
    monkeypatch.setitem(COMMANDS, "missing", ("missing", ""))

    assert main(["missing"]) == Code.BUG
    errors = capsys.readouterr().err
    assert "No module named 'ringfence.cli.missing'" in errors
    assert errors.endswith("ringfence: error: a bug in ringfence: please report it with the lines above\n")


@pytest.mark.parametrize(
    ("variables", "first"),
    [({}, b"\x1b[31mdenied\x1b[0m "), ({"NO_COLOR": "1"}, b"denied "), ({"TERM": "dumb"}, b"denied ")],
)
def test_colors_are_for_terminals_whose_user_does_not_mind(manifests: Path, variables: dict[str, str], first: bytes):
    """See https://no-color.org."""
    ours, theirs = os.openpty()
    process = start("ringfence", "can", "x/a", "x/b", "80", "-f", manifests, stdout=theirs, variables=variables)
    process.communicate()
    os.close(theirs)
    text = os.read(ours, 10_000)
    os.close(ours)

    assert text.startswith(first)


def test_work_that_lasts_says_so_on_a_terminal(manifests: Path):
    """Manifests that come slowly are waited for aloud; without a terminal nobody reads it."""
    ours, theirs = os.openpty()
    process = start("ringfence", "list", "-f", "-", stderr=theirs)
    told = os.read(ours, 10_000)
    process.communicate(manifests.read_bytes())
    os.close(theirs)
    os.close(ours)

    assert told == b"ringfence: \x1b[33mnote\x1b[0m: reading manifests ...\r\n"


NETWORK = {"asyncio", "email", "http", "httpx2", "lightkube", "socket", "ssl", "subprocess", "ringfence.edges.cluster"}
"""What only those need who ask a cluster or make a lab."""

FOR_PROGRAMS = {"msgspec", "ringfence.report.json", "ringfence.report.json_explanation"}
"""What only JSON needs."""

REST = {"ringfence.lab", "ringfence.dataplane", *NETWORK, *FOR_PROGRAMS}


@pytest.mark.parametrize(
    ("arguments", "needless"),
    [
        (["--help"], {"ringfence.readers", "ringfence.semantics", "ringfence.edges", "yaml", "json", *REST}),
        (["--version"], {"ringfence.readers", "ringfence.semantics", "ringfence.edges", "yaml", "json", *REST}),
        (["explain-api", "hairpin"], {"ringfence.readers", "ringfence.edges", "yaml", "json", *REST}),
        (["can", "x/a", "x/b", "80", "-f", "YAML"], REST),
        (["can", "x/a", "x/b", "80", "-f", "JSON"], {"yaml", *REST}),
        (["can", "x/a", "x/b", "80", "-f", "YAML", "-o", "json"], {*NETWORK, "ringfence.lab", "ringfence.dataplane"}),
        (["list", "-f", "YAML"], {"ringfence.semantics.answer", "ringfence.semantics.spec", *REST}),
        (["list", "-f", "JSON"], {"yaml", "ringfence.semantics.answer", "ringfence.semantics.spec", *REST}),
        (["lab", "down"], {"ringfence.semantics.answer", "ringfence.dataplane", *FOR_PROGRAMS}),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, list) else "",
)
def test_a_command_imports_nothing_that_it_does_not_need(
    tmp_path: Path, manifests: Path, arguments: list[str], needless: set[str]
):
    """Half of what a short command costs is imports."""
    objects = [each for each in yaml.safe_load_all(CLUSTER) if each]
    (tmp_path / "cluster.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    named = {"YAML": str(manifests), "JSON": str(tmp_path / "cluster.json")}
    lines = (
        "import sys",
        "from ringfence.cli.main import main",
        f"main({[named.get(each, each) for each in arguments]!r})",
        f"print('imported:', *sorted({needless!r} & set(sys.modules)), file=sys.stderr)",
    )
    _, told = start("python", "-c", "\n".join(lines)).communicate()
    assert told.splitlines()[-1] == b"imported:"


def test_messages_name_no_command_and_no_flag_that_does_not_exist():
    """A hint that leads nowhere is worse than none."""
    folder = Path(ringfence.__file__).parent
    modules = [p for name in ("semantics", "report", "model", "readers") for p in (folder / name).glob("*.py")]
    modules += [folder / "cli" / f"{name}.py" for name in ("main", "can", "list", "inputs", "manifests", "output")]
    text = "\n".join(
        spoken for path in [*modules, *(folder / "edges" / f"{name}.py" for name in EDGES)] for spoken in messages(path)
    )
    options = {opt for command in (program, can, list_) for param in command.params for opt in param.opts}

    assert set(re.findall(r"(?<![-\w])--[a-z][-a-z]+", text)) <= options | {"--help"}
    assert set(re.findall(r"\bringfence ([a-z]+) [-a-z]*[/-]", text)) <= set(COMMANDS)


def messages(path: Path) -> list[str]:
    """Every string of a module that is no docstring."""
    tree = ast.parse(path.read_text())
    bare = {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Expr)}
    return [
        each.value
        for each in ast.walk(tree)
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and id(each) not in bare
    ]


def every_command(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """A command, and those below it, with their names as a user writes them."""
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for below in command.list_commands(context):
            found = command.get_command(context, below)
            assert found
            yield from every_command(found, f"{name} {below}")


def test_help_shows_examples_as_a_user_would_write_them(capsys: pytest.CaptureFixture[str]):
    """One on each line, of every command."""
    for name, _ in every_command(program, "ringfence"):
        assert main([*name.split()[1:], "--help"]) == 0
        told = capsys.readouterr().out

        assert "\\b" not in told, name
        _, *examples = told.split("Examples:\n")
        for each in examples:
            assert each.startswith("    ringfence "), name
