"""ringfence writes, proves, enforces and explains Kubernetes network policies.

One exact semantics answers questions, compiles into nftables and is compared with the
kernel. ``ARCHITECTURE.md`` shows the layers; ``semantics/spec.py`` is the definition.
"""

__version__ = "0.1.0"
