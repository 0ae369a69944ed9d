"""``lab``: a cluster of network namespaces on this machine, and real packets between its pods."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ringfence.cli import output
from ringfence.cli.codes import Code
from ringfence.cli.manifests import Manifests, manifests
from ringfence.cli.play import read_script
from ringfence.errors import InputError, WorldError
from ringfence.lab.control import Channel, Client, ControlSocket, end_process
from ringfence.lab.topology import NODES, lay_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


EXAMPLE = Path("examples/shop/manifests")
"""What a demonstration shows when nothing else is given."""

_FIRST_S, _EVERY_S = 1.0, 5.0
"""When people are told how far it is: not of work that is over before they wonder, and then seldom."""

DEFAULT_NAME = "default"
"""The lab that is meant where none is named."""

_named = click.option("--name", default=DEFAULT_NAME, show_default=True, help="Which lab, where there are several.")
_nodes = click.option("--nodes", type=click.IntRange(1, 250), default=NODES, show_default=True, help="Nodes, at least.")
_bridged = click.option("--bridged", is_flag=True, help="Pods are ports of a bridge on their node.")
_namespace = click.option("-n", "--namespace", default="default", help="Namespace of names that have none.")
_form = click.option(
    "-o", "--output", "form", type=click.Choice(["text", "json"]), default="text", help="Text for people, or JSON."
)


@click.group()
def lab() -> None:
    """Build a cluster out of network namespaces and see what a real kernel does.

    Every pod of the manifests becomes a network namespace, every policy nftables rules.
    Nothing of this machine's own network is touched, no root is needed where the kernel
    lets users make namespaces, and nothing is left behind.

    \b
    Examples:
      ringfence lab demo -f manifests/
      ringfence lab up -f manifests/
      ringfence lab probe shop/web shop/db 5432
      ringfence lab exec shop/web-0 -- ip route
      ringfence lab verify
      ringfence lab play rollout.yaml -f manifests/
      ringfence lab drops -f
      ringfence lab flows -f -o json >> flows.jsonl
      ringfence lab down
    """  # noqa: D301 - click's mark for lines that stay as they are


@lab.command()
@manifests
@_nodes
@_bridged
@_named
@click.option("--foreground", is_flag=True, help="Stay, and take the lab down on Ctrl-C.")
@_form
def up(manifests: Manifests, nodes: int, name: str, form: str, *, bridged: bool, foreground: bool) -> Code:
    """Build a lab from manifests and leave it running."""
    control = ControlSocket(name)
    if sock := _connect(control):
        sock.close()
        message = f"a lab named {name!r} is already there"
        raise WorldError(message, f"run `ringfence lab down{_flag(name)}`, or choose another --name")
    with _started(manifests, nodes, bridged=bridged, control=control, stays=not foreground) as client:
        code = _print(client.wait(), form)
        if foreground:
            client.outlast()
    return code


@lab.command()
@manifests
@_nodes
@_bridged
@_named
@click.option("--all", "every", is_flag=True, help="Try every pair of ends, however many there are.")
@click.option("--flows", is_flag=True, help="Judge also what the nodes track and let through unjudged.")
@_form
def verify(  # noqa: PLR0913 - click hands over every option
    manifests: Manifests, nodes: int, name: str, form: str, *, bridged: bool, every: bool, flows: bool
) -> Code:
    """Compare engine, simulated program and kernel, connection by connection.

    With -f a lab is made for the purpose and taken down again; without, the running one is
    asked. A difference ends with exit code 1 and shows the packet, or the flow that goes on
    although policies deny it.
    """
    with _lab(manifests, nodes, name, bridged=bridged) as client:
        return _print(client.ask("verify", every=every, flows=flows), form)


@lab.command()
@manifests
@_nodes
@_named
def demo(manifests: Manifests, nodes: int, name: str) -> Code:
    """Show who reaches whom in a real kernel, that all agree, and why one connection is denied."""
    if not manifests.filenames and not _is_running(name):
        if not EXAMPLE.is_dir():
            message = f"no lab is running, and there is no {EXAMPLE} here"
            raise InputError(message, "give files or directories with -f")
        manifests = Manifests((str(EXAMPLE),), namespace=manifests.namespace)
    with _lab(manifests, nodes, name) as client:
        return _print(client.ask("demo", color=output.has_color(sys.stdout)), "text")


@lab.command()
@click.argument("client")
@click.argument("server")
@click.argument("port", metavar="[PORT[/PROTO]]", required=False)
@manifests
@_nodes
@_named
@click.option("--family", type=click.Choice(["4", "6"]), help="Use IPv4 or IPv6 alone.")
@_form
def probe(  # noqa: PLR0913, PLR0917 - click hands over every option
    manifests: Manifests,
    client: str,
    server: str,
    port: str | None,
    nodes: int,
    name: str,
    family: str | None,
    form: str,
) -> Code:
    """Send real packets from CLIENT to SERVER, and say what happened to them and why.

    Names are those of `ringfence can`. A Service is reached at its address. Without a port,
    whatever is worth trying is tried. Denied ends with exit code 1.
    """
    from ringfence.cli.can import read_question  # noqa: PLC0415 - slow to import, and others ask nothing

    asked = read_question(client, server, port or "", family)
    question = {
        "client": asked.client,
        "server": asked.server,
        "port": _port_text(asked.port),
        "protocol": asked.protocol.value if asked.protocol else None,
        "family": asked.family.value if asked.family else None,
    }
    color = form == "text" and output.has_color(sys.stdout)
    with _lab(manifests, nodes, name) as lab_client:
        words = lab_client.ask("probe", question=question, namespace=manifests.namespace or "default", color=color)
        return _print(words, form)


@lab.command()
@click.argument("file", metavar="FILE")
@manifests
@_nodes
@_named
@_form
def play(manifests: Manifests, file: str, nodes: int, name: str, form: str) -> Code:
    """Carry out the steps of FILE, one after the other: policies change while packets go on.

    Each change is sent to every node as one transaction, and what the nodes hold is proved
    afterwards. A flood sends without a pause until it is stopped: what arrived though policies
    denied it has leaked, what did not though they allowed it is lost, in any family, over UDP
    by one connection and over TCP by a new one for each packet. A running lab stays changed.

    \b
    apiVersion: ringfence.io/v1alpha1
    kind: Play
    steps:
      - flood: orders
        from: shop/web-0
        to: svc:shop/api
        port: 8080
      - apply: [tighten.yaml]         # policies and namespaces
      - deny: shop/web                # or allow, or probe, which only tells
        to: shop/db
        port: 5432
      - relabel: shop/web
        labels: {app: shop, tier: null}
      - delete: netpol/shop/default-deny
      - expect: orders                # at most so many
        leaked: 0
        lost: 0
      - stop: orders

    A step that goes otherwise ends with exit code 1.
    """  # noqa: D301 - click's mark for lines that stay as they are
    asked = read_script(file, manifests.namespace or "default")
    with _lab(manifests, nodes, name) as client:
        return _print(client.ask("play", **asked), form)


@lab.command()
@_named
@click.option("-f", "--follow", is_flag=True, help="Go on with what is dropped from now on.")
@_form
def drops(name: str, form: str, *, follow: bool) -> Code:
    """Show dropped packets: between which pods, by which policy and rule, in which file and line.

    One that was dropped although policies allow it is an alarm, and ends with exit code 1.
    """
    return _follow(name, "drops", form, follow=follow)


@lab.command()
@_named
@click.option("-f", "--follow", is_flag=True, help="Go on with what is opened, ends or is dropped from now on.")
@_form
def flows(name: str, form: str, *, follow: bool) -> Code:
    """Show flows: what was let through, what has ended and what was dropped, and by which policies and rules.

    With -o json each is a line that `ringfence preview` reads. A node that did otherwise
    than the policies say is an alarm, and ends with exit code 1. Policies with the annotation
    ringfence.io/audit: "true" are not enforced; what they would do otherwise is told.
    """
    return _follow(name, "flows", form, follow=follow)


def _follow(name: str, what: str, form: str, *, follow: bool) -> Code:
    """Print what a lab tells until that was all; 1 if any of it was an alarm, however it ends."""
    client, code = _running(name), Code.OK
    turned: Counter[str] = Counter()
    try:
        for message in client.follow(what, follow=follow):
            if "told" not in message:
                return code
            words = message["told"]
            if not words["good"]:
                code = Code.DENIED
            if found := words["document"].get("audit"):
                turned[found["verdict"]] += 1
            output.answer((words["text"] if form == "text" else json.dumps(words["document"]) + "\n").encode())
    except KeyboardInterrupt:
        if code is Code.OK:
            raise
        return code
    finally:
        _say_turned(turned)
    ended = "the lab has ended"
    raise WorldError(ended)


def _say_turned(turned: Counter[str]) -> None:
    """Say how much of what was told the policies in audit would treat otherwise; nothing where that is none."""
    if turned:
        said = " and ".join(f"{count:,} would be {verdict}" for verdict, count in sorted(turned.items()))
        output.say("note", f"with the policies in audit {said}")


class _Exec(click.Command):
    """A command that runs another, whose options are never taken for its own."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Insist on ``--``, as kubectl does; asking for help needs none."""
        if "--" not in args and not {"--help", "-h"} & set(args):
            message = "expected -- before the command to run"
            raise InputError(message, f"write {ctx.command_path} POD -- COMMAND")
        return super().parse_args(ctx, args)


@lab.command("exec", cls=_Exec)
@click.argument("pod")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND...")
@_namespace
@_named
def exec_(pod: str, command: tuple[str, ...], namespace: str, name: str) -> int:
    """Run a command where POD is: a pod, `node:NAME` or `outside`."""
    from ringfence.edges.netns import run_inside  # noqa: PLC0415 - ctypes is slow to import
    from ringfence.lab.holder import KINDS  # noqa: PLC0415

    client = _running(name)
    kinds = client.ask("enter", whom=pod, namespace=namespace)
    opened = zip(client.take_descriptors(), (KINDS[kind] for kind in kinds), strict=True)
    return run_inside(tuple(opened), command)


@lab.command()
@_named
def down(name: str) -> Code:
    """Take a lab down; whatever ran in it ends."""
    control = ControlSocket(name)
    sock = _connect(control)
    if sock:
        end_process(sock)
        control.remove()
    elif not control.leftovers:
        output.say("note", f"no lab named {name!r} is running")
    return Code.OK


@contextmanager
def _lab(manifests: Manifests, nodes: int, name: str, *, bridged: bool = False) -> Iterator[Client]:
    """Give a lab to ask: a new one with -f, else the running one."""
    if not manifests.filenames:
        yield _running(name)
        return
    with _started(manifests, nodes, bridged=bridged, control=None, stays=False) as client:
        for note in client.wait()["notes"]:
            output.say("note", note)
        yield client


@contextmanager
def _started(
    manifests: Manifests, nodes: int, *, bridged: bool, control: ControlSocket | None, stays: bool
) -> Iterator[Client]:
    from ringfence.lab.holder import start  # noqa: PLC0415 - slow to import

    reading = manifests.read()
    if not reading.snapshot.pods:
        message = "a lab needs a pod, and no pods or workloads were read"
        raise InputError(message, "give the manifests of the workloads too")
    topology = lay_out(reading.snapshot, nodes, bridged=bridged)
    running = start(topology, control, stays=stays, partial=reading.partial, progress=_progress())
    try:
        yield running.client
    finally:
        running.close()


def _running(name: str) -> Client:
    control = ControlSocket(name)
    sock = _connect(control)
    if sock is None:
        message = f"no lab named {name!r} is running"
        hint = f"start one with `ringfence lab up{_flag(name)} -f PATH`, or give -f PATH here"
        raise InputError(message, hint)
    return Client(Channel(sock), _progress(), str(control.log))


def _flag(name: str) -> str:
    """Return how a command names this lab."""
    return "" if name == DEFAULT_NAME else f" --name {name}"


def _is_running(name: str) -> bool:
    sock = _connect(ControlSocket(name))
    if sock:
        sock.close()
    return sock is not None


def _connect(control: ControlSocket) -> Any:
    sock = control.connect()
    if control.leftovers:
        output.say("note", f"removed what a lab that was killed had left at {control.path}")
    return sock


def _print(words: dict[str, Any], form: str) -> Code:
    """Print an answer and return the exit code that it deserves."""
    partial = words["partial"]
    for note in words["notes"]:
        output.say("note", note)
    document = words["document"] | ({"partial": True} if partial else {})
    text = words["text"] + ("part of the input was not read or is in error\n" if partial else "")
    output.answer((text if form == "text" else json.dumps(document, indent=2) + "\n").encode())
    if partial:
        return Code.INPUT
    return Code.OK if words["good"] else Code.DENIED


def _port_text(port: tuple[int, int] | str | None) -> str | None:
    return f"{port[0]}-{port[1]}" if isinstance(port, tuple) else port


def _progress() -> Callable[[str], None]:
    """Return what tells people how far it is, once the work takes long enough to wonder."""
    due = time.monotonic() + _FIRST_S

    def tell(text: str) -> None:
        nonlocal due
        if time.monotonic() > due:
            output.say("note", text)
            due = time.monotonic() + _EVERY_S

    return tell
