"""What ``list`` says beside the map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.extremes import a_class_of_each_pod, write
from ringfence.cli.codes import Code
from ringfence.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_policy_that_names_thousands_of_pods_one_by_one_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """The map is right all the same."""
    file = tmp_path / "cluster.json"
    write(file, a_class_of_each_pod(10_000))

    assert main(["list", "-f", str(file)]) == Code.OK
    found = capsys.readouterr()
    assert found.out.splitlines()[1].split() == ["shop/*", "shop/*", "all", "traffic"]
    assert "name 10,000 values of the label statefulset.kubernetes.io/pod-name: NetworkPolicy shop/by-name" in found.err
