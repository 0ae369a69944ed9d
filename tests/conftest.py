"""How much is tried: HYPOTHESIS_PROFILE chooses the number of examples of every law."""

from __future__ import annotations

import os
import signal

from hypothesis import HealthCheck, Phase, settings

SLOW_WORLDS = (HealthCheck.too_slow, HealthCheck.data_too_large)
"""Dense worlds take long to draw; that says nothing about the law under test."""

settings.register_profile(
    "default", max_examples=50, deadline=None, derandomize=True, suppress_health_check=SLOW_WORLDS
)
settings.register_profile("ci", settings.get_profile("default"), max_examples=100)
settings.register_profile("wide", settings.get_profile("default"), max_examples=20_000, derandomize=False)
settings.register_profile("mutants", settings.get_profile("default"), phases=(Phase.explicit, Phase.generate))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

# Whoever runs the tests may have a cluster, which is none of their business.
for variable in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST"):
    os.environ.pop(variable, None)

# A shell makes what it starts in the background deaf to Ctrl-C, and so would be what the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
# And whoever starts them with nohup makes them deaf to the end of those that they belong to.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
