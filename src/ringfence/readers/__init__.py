"""API objects in, model out: YAML and JSON become one snapshot, with the place of every fact."""

from __future__ import annotations

from ringfence.readers.reading import Reading, read, read_listing
from ringfence.readers.release import VERIFIED, Release
from ringfence.readers.source import MAX_YAML_SIZE, Source

__all__ = ["MAX_YAML_SIZE", "VERIFIED", "Reading", "Release", "Source", "read", "read_listing"]
