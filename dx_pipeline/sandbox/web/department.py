"""What the HTTP systems' descriptions have in common: one server, found again, started and stopped with the sandbox."""

from __future__ import annotations

from collections.abc import Callable

from dx_pipeline.sandbox.department import Site
from dx_pipeline.sandbox.web.process import WebServer


def web_of(site: Site) -> WebServer:
    """The one server of the sandbox's HTTP systems."""
    return WebServer(site.folder / "web")


def located_on_the_web(system: str) -> Callable[[Site, str], str]:
    """How a system is found again: the server is started unless it runs, and may have another port than before."""
    return lambda site, former: web_of(site).url(system)


def token_of(system: str) -> Callable[[Site], str]:
    """The token of a system."""
    return lambda site: web_of(site).token(system)


def stop_web(site: Site) -> bool:
    """Stop the server, for all HTTP systems; False if it was not running."""
    return web_of(site).stop()
