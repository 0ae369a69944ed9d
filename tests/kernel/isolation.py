"""Runs a function in namespaces of its own, so that tests touch nothing of the machine."""

from __future__ import annotations

import functools
import os
import re
import sys
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from ringfence.edges.netns import fork_isolated

if TYPE_CHECKING:
    from collections.abc import Callable


KERNEL = tuple(int(part) for part in re.findall(r"\d+", os.uname().release)[:2])
"""The version of the kernel that tests run on."""

can_own = pytest.mark.skipif(KERNEL < (6, 9), reason="a table ends with its owner before Linux 6.9, so none is made")
OWNS = [False, pytest.param(True, marks=can_own)]
"""Whether a table has an owner, where that can be."""


def isolated(function: Callable[..., None]) -> Callable[..., None]:
    """Run a test in a world of its own; it fails with the traceback that it had there."""

    @functools.wraps(function)
    def wrapped(*arguments: Any, **named: Any) -> None:
        failure = run_isolated(lambda: function(*arguments, **named))
        if failure:
            pytest.fail(failure, pytrace=False)

    return wrapped


def run_isolated(function: Callable[[], None]) -> str:
    """Run a function in a world of its own; return its traceback, or nothing when all is well."""
    reading, writing = os.pipe()

    def main() -> int:
        os.close(reading)
        try:
            function()
        except BaseException:  # noqa: BLE001 - whatever it is, the test that forked must hear of it
            os.write(writing, traceback.format_exc().encode()[-60_000:])
            return 1
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
        return 0

    refused = lambda error: os.write(writing, f"{error}: {error.hint}".encode())  # noqa: E731
    keeper = fork_isolated(main, refused=refused, waited_for=True)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        failure = stream.read().decode()
    _, status = os.waitpid(keeper, 0)
    return failure or (f"ended with status {status}" if status else "")
