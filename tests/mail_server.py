"""A real mail server on 127.0.0.1 for tests (aiosmtpd): it keeps what it was sent."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword


@dataclass
class MailServer:
    """A running server. ``refused``: addresses it takes no mail for; ``refuses_data``: what it answers to a mail."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    was_encrypted: list[bool] = field(default_factory=list)
    refused: tuple[str, ...] = ()
    refuses_data: str | None = None

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if address in self.refused:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.refuses_data is not None:
            return self.refuses_data
        mail = message_from_bytes(envelope.content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.recipients.append(list(envelope.rcpt_tos))
        self.was_encrypted.append(session.ssl is not None)
        return "250 Message accepted"


@contextmanager
def mail_server(
    *, context: ssl.SSLContext | None = None, account: tuple[str, str] | None = None
) -> Iterator[MailServer]:
    """A server for the time of a ``with`` block; with a ``context`` it wants STARTTLS, with an ``account`` a login."""
    made = MailServer()

    def authenticate(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        wanted = account is not None and LoginPassword(account[0].encode(), account[1].encode())
        return AuthResult(success=data == wanted, handled=False)

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        made.port = probe.getsockname()[1]
    controller = Controller(
        made,
        hostname="127.0.0.1",
        port=made.port,
        tls_context=context,
        require_starttls=context is not None,
        authenticator=authenticate,
        auth_required=account is not None,
        auth_require_tls=context is not None,
    )
    controller.start()
    try:
        yield made
    finally:
        controller.stop()


@contextmanager
def silent_server() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(16)
        yield listening.getsockname()[1]
