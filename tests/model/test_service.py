"""Small facts about Services and routes."""

from __future__ import annotations

from ringfence.model.service import Route, Service
from tests.parts import place


def test_services_and_routes_are_written_with_their_namespace():
    """``namespace/name``, and of a route its kind too."""
    assert str(Service("x", "db", "ClusterIP", None, (), place())) == "x/db"
    assert str(Route("Ingress", "x", "web", (), (), place())) == "Ingress x/web"
