"""The lab from outside: its commands, its end, and what it leaves behind, for root and for an ordinary user."""

from __future__ import annotations

import json
import os
import re
import select
import shlex
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from ringfence.cli.lab import _running
from ringfence.cli.main import main
from ringfence.edges.netns import fork_isolated
from ringfence.edges.programs import find_program
from ringfence.errors import WorldError
from ringfence.lab.documents import DropEntry, Lab, LabProbe, LabVerification, lab_schema, plain
from tests.console import ROOT
from tests.kernel.command import User, user
from tests.lab.small import MANIFESTS
from tests.schemas import fits

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.kernel
SCHEMA = json.loads(lab_schema())
FLOOD = 1_500


@pytest.fixture(params=[False, True], ids=["as-myself", "as-nobody"])
def somebody(request: pytest.FixtureRequest) -> Iterator[User]:
    """Root, and somebody who is not; nothing of theirs may be left afterwards."""
    with user(ordinary=request.param) as found:
        (found.folder / "small.yaml").write_text(MANIFESTS)
        yield found
        sock = found.folder / "ringfence" / "default.sock"
        if sock.exists():
            os.kill(holder(found), signal.SIGKILL)


def up(somebody: User, *more: str) -> None:
    """Start the small lab."""
    done = somebody.run("lab", "up", "-f", f"{somebody.folder}/small.yaml", *more)
    assert (done.code, done.err) == (0, "")
    assert "lab default: 3 pods on 2 nodes" in done.out


def holder(somebody: User) -> int:
    """The process that is the lab."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(somebody.folder / "ringfence" / "default.sock"))
        process: int = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
        return process


def namespaces() -> set[str]:
    """Every network namespace that a process is in."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/ns/net"):
        try:
            found.add(str(path.readlink()))
        except OSError:  # it has ended meanwhile
            continue
    return found


def host() -> tuple[str, ...]:
    """What of this machine a lab could disturb: links, routes, rules, forwarding."""
    ip, nft = find_program("ip"), find_program("nft")
    commands = ([ip, "-o", "link"], [ip, "route", "show", "table", "all"], [ip, "netns"], [nft, "list", "ruleset"])
    texts = [subprocess.run(each, capture_output=True, text=True, check=False).stdout for each in commands]  # noqa: S603
    texts.append(Path("/proc/self/mounts").read_text())
    settings = ("ipv4/ip_forward", "ipv4/ping_group_range", "ipv6/conf/all/forwarding")
    return (*texts, *(Path("/proc/sys/net", each).read_text() for each in settings))


def test_a_lab_is_brought_up_asked_and_taken_down(somebody: User):
    """Every command, one after the other, as the README has them."""
    before = host()
    up(somebody)

    verified = somebody.run("lab", "verify", "--flows")
    denied = somebody.run("lab", "probe", "shop/web-0", "shop/db", "8125/UDP")
    allowed = somebody.run("lab", "probe", "shop/web", "shop/db", "5432")
    dropped = somebody.run("lab", "drops", "-o", "json")
    inside = somebody.run("lab", "exec", "shop/db", "--", "cat", "/proc/net/fib_trie")
    down = somebody.run("lab", "down")

    assert (verified.code, "0 differences between" in verified.out) == (0, True)
    assert re.search(r"0 flows go on although denied: of \d+ that the nodes track [1-9]\d* were judged", verified.out)
    assert denied.code == 1
    assert allowed.code == 0
    assert "arrived at 10.244.0.1" in allowed.out
    assert json.loads(dropped.out.splitlines()[-1])["reason"] == "isolated by shop/db and no rule matched"
    assert "10.244.0.1" in inside.out
    assert (down.code, down.out, down.err) == (0, "", "")
    assert list((somebody.folder / "ringfence").iterdir()) == []
    assert host() == before


def test_the_readme_s_lab_works_as_it_is_written(somebody: User, monkeypatch: pytest.MonkeyPatch):
    """Each line, in order, where the README lies."""
    monkeypatch.chdir(ROOT)
    lines = re.findall(r"^ringfence (lab [^#>\n]+)", (ROOT / "README.md").read_text(), re.MULTILINE)
    done = {line: somebody.run(*shlex.split(line)) for line in lines}

    assert {"lab up", "lab verify", "lab play", "lab down"} <= {" ".join(line.split()[:2]) for line in lines}
    assert {line: (each.code, each.err) for line, each in done.items() if each.code} == {}


def test_what_a_lab_says_to_programs_is_as_its_schema_says(somebody: User):
    """The summary, a verification with a difference, a probe and every drop; no key is missing and none is more."""
    built = somebody.run("lab", "up", "-f", f"{somebody.folder}/small.yaml", "-o", "json")
    rule = ["insert", "rule", "inet", "ringfence", "hook_forward", "accept"]
    somebody.run("lab", "exec", "node:node-1", "--", find_program("nft"), *rule)
    verified = somebody.run("lab", "verify", "--flows", "-o", "json")
    probed = somebody.run("lab", "probe", "10.244.0.1", "shop/web-0", "-o", "json")
    dropped = somebody.run("lab", "drops", "-o", "json")
    assert somebody.run("lab", "down").code == 0

    told = [(built.out, Lab), (verified.out, LabVerification), (probed.out, LabProbe)]
    for text, shape in (*told, *((line, DropEntry) for line in dropped.out.splitlines())):
        assert fits(json.loads(text), SCHEMA), text
        assert plain(msgspec.convert(json.loads(text), shape)) == json.loads(text)
    assert json.loads(verified.out)["differences"]
    assert [each["node"] for each in json.loads(verified.out)["flows"] if each["denied"]] == ["node-1"]
    assert dropped.out


def test_a_kernel_that_holds_something_else_is_found_out(somebody: User):
    """Somebody opens a node by hand: the difference is shown with its packet, and 1 says so."""
    up(somebody)
    rule = ["insert", "rule", "inet", "ringfence", "hook_forward", "accept"]
    for node in ("node-1", "node-2"):
        opened = somebody.run("lab", "exec", f"node:{node}", "--", find_program("nft"), *rule)
        assert (opened.code, opened.err) == (0, "")

    done = somebody.run("lab", "verify")
    document = json.loads(somebody.run("lab", "verify", "-o", "json").out)

    flows = somebody.run("lab", "flows")

    assert flows.code == 1
    assert "alarm: shop/web-0 -> shop/db UDP/8125: opened although denied: " in flows.out
    assert done.code == 1
    assert "shop/web-0 -> shop/db UDP/8125: engine denied, program denied, kernel allowed" in done.out
    assert "packet 10.244.0.2 -> 10.244.0.1" in done.out
    assert {each["kernel"] for each in document["differences"]} == {"reached"}
    assert somebody.run("lab", "down").code == 0


def test_a_lab_that_stays_holds_nothing_of_its_caller_open(somebody: User):
    """Whoever reads the output of ``lab up`` through a pipe comes to its end."""
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)  # noqa: FBT003 - its signature
    command = somebody.start(lambda: main(["lab", "up", "-f", f"{somebody.folder}/small.yaml"]), writing, writing)
    os.close(writing)

    with os.fdopen(reading, "rb") as stream:
        assert b"lab default: 3 pods" in stream.read()

    assert os.waitstatus_to_exitcode(os.waitpid(command, 0)[1]) == 0
    assert somebody.run("lab", "down").code == 0


def test_pods_may_be_ports_of_a_bridge(somebody: User):
    """For whoever may make namespaces; policies hold as they do where packets are routed."""
    manifests = f"{somebody.folder}/small.yaml"
    done = somebody.run("lab", "verify", "--bridged", "--nodes", "1", "-f", manifests, "-o", "json")

    found = json.loads(done.out)
    assert (done.code, found["differences"]) == (0, [])
    assert [node["wrong"] for node in found["nodes"]] == [[]]


def test_verifying_without_a_lab_makes_one_and_removes_it(somebody: User):
    """No socket, no process, no namespace is left."""
    done = somebody.run("lab", "verify", "-f", f"{somebody.folder}/small.yaml", "-o", "json")

    found = json.loads(done.out)
    assert (done.code, found["differences"]) == (0, [])
    assert found["tried"] == sum(each["tried"] for each in found["families"])
    assert not (somebody.folder / "ringfence").exists() or list((somebody.folder / "ringfence").iterdir()) == []


def test_the_death_of_the_holder_removes_everything(somebody: User):
    """However it comes; the next command says what was left and goes on."""
    up(somebody)
    process = holder(somebody)
    own = str(Path(f"/proc/{process}/ns/net").readlink())
    assert own in namespaces()

    os.kill(process, signal.SIGKILL)
    wait_until(lambda: own not in namespaces())

    again = somebody.run("lab", "up", "-f", f"{somebody.folder}/small.yaml")
    assert again.code == 0
    assert "removed what a lab that was killed had left" in again.err
    assert somebody.run("lab", "down").code == 0


def wait_until(condition) -> None:  # noqa: ANN001 - any condition
    """Wait until something is so."""
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_second_lab_of_one_name_is_refused_and_of_another_is_not(somebody: User):
    """Several may run side by side."""
    up(somebody)

    same = somebody.run("lab", "up", "-f", f"{somebody.folder}/small.yaml")
    other = somebody.run("lab", "up", "-f", f"{somebody.folder}/small.yaml", "--name", "second")

    assert (same.code, other.code) == (3, 0)
    assert "a lab named 'default' is already there" in same.err
    assert somebody.run("lab", "verify", "--name", "second").code == 0
    assert [somebody.run("lab", "down", "--name", name).code for name in ("default", "second")] == [0, 0]


def test_what_runs_in_a_lab_ends_with_it(somebody: User):
    """A command that was started there does not outlive it."""
    up(somebody)
    reading, writing = os.pipe()
    script = "echo running; exec sleep 1000"
    command = somebody.start(lambda: main(["lab", "exec", "shop/db", "--", "sh", "-c", script]), writing, 2)
    os.close(writing)
    assert os.read(reading, 100) == b"running\n"

    assert somebody.run("lab", "down").code == 0

    assert os.waitstatus_to_exitcode(os.waitpid(command, 0)[1]) == 128 + signal.SIGKILL
    assert os.read(reading, 100) == b""
    os.close(reading)


def test_drops_are_followed_as_they_come(somebody: User):
    """What is dropped while somebody listens is told at once, with the policy and its line."""
    up(somebody)
    somebody.run("lab", "probe", "shop/web-0", "shop/db", "5431")
    reading, writing = os.pipe()
    follower = somebody.start(lambda: main(["lab", "drops", "-f"]), writing, 2)
    os.close(writing)
    assert "TCP/5431" in os.read(reading, 4096).decode()

    somebody.run("lab", "probe", "shop/web-0", "shop/db", "5433")
    line = os.read(reading, 4096).decode()

    assert re.match(r"\d\d:\d\d:\d\d  node-\d  shop/web-0 -> shop/db TCP/5433: denied at ingress of shop/db: ", line)
    assert "small.yaml:34" in line
    os.kill(follower, signal.SIGINT)
    assert os.waitstatus_to_exitcode(os.waitpid(follower, 0)[1]) == 130
    os.close(reading)
    assert somebody.run("lab", "down").code == 0


def test_a_slow_reader_of_drops_is_told_of_all_of_them(somebody: User):
    """While nobody reads, more are dropped than a pipe holds; then each is told or counted, and the lab lives on."""
    up(somebody)
    reading, writing = os.pipe()
    follower = somebody.start(lambda: main(["lab", "drops", "-f", "-o", "json"]), writing, 2)
    os.close(writing)
    somebody.run("lab", "probe", "shop/web-0", "shop/db", "5433")
    with os.fdopen(reading) as stream:
        assert json.loads(stream.readline())["port"] == 5433

        flood = f"for i in $(seq {FLOOD}); do echo > /dev/udp/10.244.0.1/9; done"
        assert somebody.run("lab", "exec", "shop/web-0", "--", "bash", "-c", flood).code == 0
        told = 0
        while told < FLOOD:
            document = json.loads(stream.readline())
            told += document.get("missed", document.get("unread", 1))
            assert document.get("port", 9) == 9

        os.kill(follower, signal.SIGINT)
        assert os.waitstatus_to_exitcode(os.waitpid(follower, 0)[1]) == 130
        assert stream.read() == ""
    assert told == FLOOD
    assert somebody.run("lab", "down").code == 0


def test_a_demonstration_shows_and_explains(somebody: User):
    """The matrix, no differences, a refusal with its line, and the drop that names the same."""
    done = somebody.run("lab", "demo", "-f", f"{somebody.folder}/small.yaml")

    assert done.code == 0
    assert "shop/web" in done.out.splitlines()[3]
    assert "0 differences between engine, program and kernel" in done.out
    assert len(re.findall(r"small\.yaml:34", done.out)) >= 2


def test_an_interrupted_command_takes_its_lab_with_it(somebody: User):
    """Ctrl-C ends with 130, and the holder that had been started is no more."""
    reading, writing = os.pipe()
    (somebody.folder / "many.yaml").write_text(many())
    command = somebody.start(lambda: main(["lab", "verify", "--all", "-f", f"{somebody.folder}/many.yaml"]), 2, writing)
    os.close(writing)
    while b"connections tried" not in (said := os.read(reading, 4096)):
        assert said  # on a busy machine what comes before it takes long enough to be told, too

    os.kill(command, signal.SIGINT)

    assert os.waitstatus_to_exitcode(os.waitpid(command, 0)[1]) == 130
    with os.fdopen(reading, "rb") as stream:
        assert b"Traceback" not in stream.read()  # it ends when the last process that could write has ended


def test_a_bug_ends_the_lab_and_can_be_read_in_its_log(somebody: User):
    """The command that met it says where; the next lab is none the worse for it."""
    up(somebody)
    place = somebody.folder / "ringfence"

    def meet_it() -> int:
        try:
            _running("default").ask("probe", question={}, namespace="shop", color=False)
        except WorldError as error:
            print(error.hint, file=sys.stderr)  # noqa: T201
        return 0

    done = somebody.call(meet_it)

    assert f"see {place}/default.log for the reason" in done.err
    wait_until(lambda: "TypeError" in (place / "default.log").read_text())
    up(somebody)
    assert somebody.run("lab", "down").code == 0
    assert list(place.iterdir()) == []


def many() -> str:
    """Manifests that take some seconds to verify."""
    web = MANIFESTS.split("---")[0]
    return "\n---\n".join([*MANIFESTS.split("---"), *(web.replace("name: web", f"name: web{n}") for n in range(40))])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["shop/web-0", "10.96.0.1", "81"], "the Service shop/web has no such port"),
        (["shop/web-0", "127.0.0.1", "80"], "nobody in a lab can have the address 127.0.0.1"),
        (["10.96.0.1", "shop/db", "80"], "nobody in a lab can have the address 10.96.0.1"),
        (["shop/web-0", "192.0.2.0/24", "80"], "a probe needs one address"),
        (["shop/web-0", "shop/db", "80-90"], "a probe goes to one port"),
        (["shop/web-0", "shop/db", "nosuch"], "have no port or family in common"),
        (["shop/web-0", "shop/nobody", "80"], "nothing is named shop/nobody"),
    ],
)
def test_a_probe_that_cannot_be_is_refused(words: list[str], said: str):
    """With one message, and exit code 2."""
    with user(ordinary=False) as somebody:
        (somebody.folder / "small.yaml").write_text(MANIFESTS)
        done = somebody.run("lab", "probe", *words, "-f", f"{somebody.folder}/small.yaml")

    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_a_probe_through_a_service_says_whom_it_reached(somebody: User):
    """A pod behind it, and perhaps itself."""
    done = somebody.run("lab", "probe", "shop/web-0", "10.96.0.1", "80", "-f", f"{somebody.folder}/small.yaml")

    assert done.code == 0
    assert re.search(r"kernel   allowed  shop/web-0 -> shop/web-[01] TCP/8080 through shop/web: arrived at", done.out)


def test_without_nft_it_says_what_to_install(somebody: User):
    """Before anything is made."""

    def without() -> int:
        from ringfence.edges import programs

        programs._PACKAGES["nft"] = "nftables"
        programs.shutil.which = lambda name, **_: None if name == "nft" else f"/sbin/{name}"
        programs.find_program.cache_clear()
        return main(["lab", "verify", "-f", f"{somebody.folder}/small.yaml"])

    done = somebody.call(without)

    assert (done.code, done.out) == (3, "")
    assert "the program 'nft' is not installed" in done.err
    assert "install the package nftables" in done.err


def test_without_namespaces_it_says_which_setting_it_is():
    """In a world whose own limit of network namespaces is none."""
    with user(ordinary=True) as somebody:
        (somebody.folder / "small.yaml").write_text(MANIFESTS)

        def limited() -> int:
            Path("/proc/sys/user/max_net_namespaces").write_text("0")
            code = main(["lab", "verify", "-f", f"{somebody.folder}/small.yaml"])
            sys.stderr.flush()
            return code

        def call() -> int:
            keeper = fork_isolated(limited, refused=print, waited_for=True)
            return os.waitstatus_to_exitcode(os.waitpid(keeper, 0)[1])

        done = somebody.call(call)

    assert (done.code, done.out) == (3, "")
    assert "user.max_net_namespaces is 0" in done.err


def test_a_lab_remembers_that_its_input_was_partial():
    """Whoever asks later is told as well, or would trust what was misread."""
    with user(ordinary=False) as somebody:
        path = somebody.folder / "misspelled.yaml"
        path.write_text(MANIFESTS.replace("podSelector", "podSelektor", 1))
        built = somebody.run("lab", "up", "-f", f"{path}")
        verified = somebody.run("lab", "verify", "-o", "json")
        somebody.run("lab", "down")

    assert "unknown field" in built.err
    assert (built.code, verified.code) == (2, 2)
    assert json.loads(verified.out)["partial"] is True


def test_a_node_port_is_refused_rather_than_explained_wrongly():
    """Which client its pods see depends on the node that took the packet."""
    with user(ordinary=False) as somebody:
        path = somebody.folder / "node-port.yaml"
        path.write_text(
            "apiVersion: v1\nkind: Pod\nmetadata: {name: db, labels: {app: db}}\nspec: {containers: []}\n---\n"
            "apiVersion: v1\nkind: Service\nmetadata: {name: db}\n"
            "spec: {type: NodePort, selector: {app: db}, ports: [{port: 80, nodePort: 30080}]}\n---\n"
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: {podSelector: {}}\n"
        )
        done = somebody.run("lab", "probe", "8.8.8.8", "172.18.0.1", "30080", "-f", f"{path}")

    assert (done.code, done.out) == (2, "")
    assert "172.18.0.1 port 30080 is the NodePort of default/db" in done.err


def test_a_command_in_the_lab_ends_with_the_one_that_ran_it():
    """A pipeline that kills what it started leaves nothing behind: the last holder of the pipe has gone."""
    with user(ordinary=False) as somebody:
        (somebody.folder / "small.yaml").write_text(MANIFESTS)
        up(somebody)
        reading, writing = os.pipe()
        script = "echo started; exec sleep 1000"
        command = somebody.start(lambda: main(["lab", "exec", "shop/db", "--", "sh", "-c", script]), writing, 2)
        os.close(writing)
        assert os.read(reading, 100) == b"started\n"

        os.kill(command, signal.SIGTERM)
        os.waitpid(command, 0)

        assert select.select([reading], [], [], 10)[0] == [reading]
        assert os.read(reading, 100) == b""
        os.close(reading)
        somebody.run("lab", "down")


def test_without_pods_there_is_no_lab():
    """And the corrected command finds its name free."""
    with user(ordinary=False) as somebody:
        empty = somebody.folder / "policy.yaml"
        empty.write_text(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\nspec: {podSelector: {}}\n"
        )
        refused = somebody.run("lab", "up", "-f", f"{empty}")
        (somebody.folder / "small.yaml").write_text(MANIFESTS)
        up(somebody)
        somebody.run("lab", "down")

    assert (refused.code, refused.out) == (2, "")
    assert "a lab needs a pod" in refused.err


def test_a_command_to_run_comes_after_two_dashes():
    """So that none of its options is taken for the lab's."""
    with user(ordinary=False) as somebody:
        done = somebody.run("lab", "exec", "shop/db", "echo", "-n", "hi")

    assert (done.code, done.out) == (2, "")
    assert "expected -- before the command" in done.err


@pytest.mark.parametrize("command", [["verify"], ["drops"], ["probe", "a", "b"], ["exec", "a", "--", "true"]])
def test_without_a_lab_there_is_nobody_to_ask(command: list[str]):
    """And the hint says how to start one."""
    with user(ordinary=False) as somebody:
        done = somebody.run("lab", *command)

    assert done.code == 2
    assert "no lab named 'default' is running" in done.err
    assert "ringfence lab up -f PATH" in done.err


def test_taking_down_what_is_not_there_is_no_error():
    """It is down already."""
    with user(ordinary=False) as somebody:
        done = somebody.run("lab", "down")

    assert (done.code, done.out) == (0, "")
    assert "no lab named 'default' is running" in done.err
