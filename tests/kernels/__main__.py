"""Run the tests of the data plane on other kernels than this machine's, and with other versions of nft.

``python -m tests.kernels`` boots Debian's kernels one after the other in a virtual machine
that sees this machine's files, and runs there what is about the layout of the tables, their
changes, and floods while they change. Without KVM every instruction is emulated, which takes
some twenty times as long. ``python -m tests.kernels 6.1 --pytest '-k epoch'`` runs a part of it.
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.kernels.debian import Release

RELEASES = {"6.1": Release("bookworm"), "6.12": Release("trixie")}
"""The kernels, by the version that their names begin with, and whose nft each is tried with."""

GOLDEN = "tests/dataplane/netlink"
"""What nft 1.0.6, that of bookworm, makes of our text; later versions number registers otherwise."""

TESTS = (
    "tests/dataplane/test_kernel.py",
    "tests/dataplane/test_raw.py",
    "tests/kernel/test_epoch.py",
    "tests/kernel/test_guard.py",
    "tests/kernel/test_node.py",
    "tests/kernel/test_faults.py",
    "tests/kernel/test_under_flood.py",
)

BIN = Path(sys.executable).parent
PROJECT = Path(__file__).parents[2]
_TRIAL_S = 90
"""A kernel that has not booted by then never will: KVM may be there and not work."""


def machine(kernel: Path, command: str, *, kvm: bool) -> list[str]:
    """Return the command that boots a kernel in front of this machine's files and runs another there.

    What is written there is written here; its console must be a terminal, and ``script`` is one.
    """
    options = ["--verbose", "--force-9p", "--rw", "--memory", "3G", "--cpus", str(os.cpu_count() or 1)]
    options += [] if kvm else ["--disable-kvm"]
    boot = [str(BIN / "vng"), *options, "--run", str(kernel), "--", command]
    return ["script", "--quiet", "--return", "--command", shlex.join(boot), "/dev/null"]


def run(kernel: Path, command: str, *, kvm: bool, timeout: float | None = None) -> int:
    """Boot a kernel and return the exit code of a command there; 1 when it takes longer than it may, or never ran.

    The code comes by a file: a console has no room for it.
    """
    environment = os.environ | {"PATH": f"{BIN}:{os.environ['PATH']}:/usr/sbin:/sbin"}
    with tempfile.TemporaryDirectory(dir=kernel.parent) as folder:
        told = Path(folder, "code")
        booting = machine(kernel, f"({command}); echo $? > {shlex.quote(str(told))}", kvm=kvm)
        with subprocess.Popen(booting, env=environment, start_new_session=True) as process:  # noqa: S603
            try:
                process.wait(timeout)
            except subprocess.TimeoutExpired:
                for each in children(process.pid):
                    os.kill(each, signal.SIGTERM)
        return int(told.read_text()) if told.exists() else 1


def children(process: int) -> list[int]:
    """Return a process and all that it has started, the last first: ``script`` starts a session of its own."""
    below = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [*(each for child in below for each in children(int(child))), process]


def has_kvm(kernel: Path) -> bool:
    """Tell whether a kernel boots under KVM here."""
    return os.access("/dev/kvm", os.W_OK) and run(kernel, "true", kvm=True, timeout=_TRIAL_S) == 0


def main() -> int:
    """Test on each kernel that is asked for; the exit code is 1 when any of them fails."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("kernels", nargs="*", metavar="KERNEL", help=f"of {', '.join(RELEASES)}; all of them")
    parser.add_argument("--pytest", default="", help="what to say to pytest besides, as in '-k epoch'")
    options = parser.parse_args()
    results = {}
    for version in options.kernels or RELEASES:
        release = RELEASES[version]
        kernel = release.kernel()
        kvm = has_kvm(kernel)
        print(f"{kernel.name}: {'with KVM' if kvm else 'emulated'}", flush=True)
        words = [
            str(BIN / "pytest"),
            "--color=no",
            "-p",
            "no:cacheprovider",
            "-q",
            *shlex.split(options.pytest),
            *TESTS,
        ]
        inside = f"cd {shlex.quote(str(PROJECT))} && PATH={release.nft()}:$PATH {shlex.join(words)}"
        results[kernel.name] = run(kernel, inside, kvm=kvm)
    for name, code in results.items():
        print(f"{name}: {'passed' if code == 0 else 'failed'}")
    return int(any(results.values()))


if __name__ == "__main__":
    sys.exit(main())
