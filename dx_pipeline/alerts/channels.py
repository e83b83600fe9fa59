"""Where alerts go: a log file, mail, a webhook. One interface; what a channel says goes wrong holds no secret."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import smtplib
import ssl
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime, make_msgid
from pathlib import Path
from threading import Thread
from time import monotonic, time
from typing import Final, Protocol
from urllib.parse import urlsplit

import urllib3

from dx_pipeline import __version__
from dx_pipeline.alert_settings import AlertSettings
from dx_pipeline.alerts.message import Message
from dx_pipeline.errors import ChannelError, DxError, SettingsError
from dx_pipeline.loopback import is_this_machine
from dx_pipeline.settings import Settings

LOG_FILE: Final = Path("alerts") / "alerts.ndjson"
_ANSWERS: Final = 2
_HEADER_VALUE = re.compile(r"[\x21-\x7e]+", re.ASCII)


@dataclass(frozen=True)
class Outcome:
    """Whether a channel took a message, and what is wrong with it (None: nothing)."""

    taken: bool
    trouble: str | None


class Notifier(Protocol):
    """A channel."""

    name: str

    def send(self, message: Message) -> str | None:
        """Give the message to the channel. Returns what is wrong although it took it.

        Raises:
            ChannelError: it did not take it.
            SettingsError: it cannot be used as it is set.
        """


class LogNotifier:
    """One line of JSON per alert in ``DX_HOME/alerts/alerts.ndjson``, for log collectors."""

    name = "log"

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, message: Message) -> str | None:
        lines = message.document["alerts"] or [{"event": "test", "text": message.subject}]
        text = "".join(
            json.dumps({"at": datetime.now().astimezone().isoformat(), **line}, ensure_ascii=False, default=str) + "\n"
            for line in lines
        )
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "a", encoding="utf-8") as stream:
                stream.write(text)
        except OSError as error:
            raise ChannelError(f"{self._path} cannot be written: {error.strerror}") from None
        return None


class SmtpNotifier:
    """A mail in plain text to all of ``DX_ALERT_TO``."""

    name = "smtp"

    def __init__(self, settings: AlertSettings) -> None:
        self._settings = settings

    def send(self, message: Message) -> str | None:
        settings = self._settings
        if settings.alert_from is None or not settings.alert_to:
            raise SettingsError("mail needs an address to come from and one to go to", next_step=_NEEDED)
        password = settings.alert_secret("smtp_password")
        if settings.alert_smtp_user and settings.alert_smtp_security == "none":
            raise SettingsError(
                "a password is not sent to a mail server without encryption",
                next_step="set DX_ALERT_SMTP_SECURITY to starttls or tls, or unset DX_ALERT_SMTP_USER",
            )
        try:
            with self._connect() as server:
                if settings.alert_smtp_user:
                    _log_in(server, settings.alert_smtp_user, password or "")
                refused = server.send_message(self._mail(message), settings.alert_from, list(settings.alert_to))
        except smtplib.SMTPRecipientsRefused as error:
            raise ChannelError(f"the mail server refuses every address ({_codes(error.recipients)})") from None
        except smtplib.SMTPResponseException as error:  # its words may repeat what was sent, so only its number
            raise ChannelError(f"the mail server answers {error.smtp_code} ({type(error).__name__})") from None
        except smtplib.SMTPNotSupportedError:
            raise ChannelError("the mail server does not offer what is set: STARTTLS or a login") from None
        except (smtplib.SMTPException, ssl.SSLError, OSError) as error:
            raise ChannelError(f"the mail server gives no service: {_reason(error)}") from None
        # Who was not refused has the mail; sending it again would bring it to them at every check.
        return f"the mail server refuses {len(refused)} of the addresses ({_codes(refused)})" if refused else None

    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        host, port, limit = str(settings.alert_smtp_host), settings.alert_smtp_port, settings.alert_timeout_seconds
        if settings.alert_smtp_security == "none":
            return smtplib.SMTP(host, port, timeout=limit)
        try:
            trusted = ssl.create_default_context(cafile=settings.alert_smtp_ca_file)
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(f"DX_ALERT_SMTP_CA_FILE cannot be used: {_reason(error)}") from None
        if settings.alert_smtp_security == "tls":
            return smtplib.SMTP_SSL(host, port, timeout=limit, context=trusted)
        server = smtplib.SMTP(host, port, timeout=limit)
        try:
            server.starttls(context=trusted)
        except BaseException:
            server.close()
            raise
        return server

    def _mail(self, message: Message) -> EmailMessage:
        settings = self._settings
        mail = EmailMessage(policy=SMTP_POLICY)  # refuses a header with a line break
        mail["Subject"] = message.subject
        mail["From"] = settings.alert_from
        mail["To"] = ", ".join(settings.alert_to)
        mail["Date"] = format_datetime(datetime.now().astimezone())
        mail["Message-ID"] = make_msgid(idstring=message.key[:32], domain=str(settings.alert_from).rpartition("@")[2])
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text)
        return mail


class WebhookNotifier:
    """A POST of JSON, with a bearer token or an HMAC signature where set. Redirects are not followed."""

    name = "webhook"

    def __init__(self, settings: AlertSettings) -> None:
        self._settings = settings

    def send(self, message: Message) -> str | None:
        url = self._url()
        body = json.dumps(message.document, ensure_ascii=False, default=str).encode("utf-8")
        pool = urllib3.PoolManager(
            retries=False, timeout=urllib3.Timeout(total=self._settings.alert_timeout_seconds), num_pools=1
        )
        try:
            answer = pool.request(
                "POST", url, body=body, headers=self._headers(body, message.key), redirect=False, preload_content=False
            )
            status = answer.status
            answer.close()  # what it says is not read
        except urllib3.exceptions.HTTPError as error:
            raise ChannelError(f"the webhook gives no answer: {type(error).__name__}") from None
        finally:
            pool.clear()
        if not 200 <= status < 300:
            raise ChannelError(f"the webhook answers HTTP {status}")
        return None

    def _url(self) -> str:
        url = self._settings.alert_webhook_url.get_secret_value() if self._settings.alert_webhook_url else ""
        wrong = SettingsError(
            "DX_ALERT_WEBHOOK_URL is no URL of a webhook",
            next_step="write it as https://host/path without user and password; http:// only to this machine",
        )
        try:
            parts = urlsplit(url)
            host = parts.hostname
        except ValueError:
            raise wrong from None
        if not host or parts.username is not None or parts.scheme not in ("https", "http"):
            raise wrong
        if parts.scheme == "http" and not is_this_machine(host):
            raise wrong
        return url

    def _headers(self, body: bytes, key: str) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": f"dx-pipeline/{__version__}",
            "X-Dx-Delivery": key,
        }
        token = self._settings.alert_secret("webhook_token")
        if token is not None:
            if _HEADER_VALUE.fullmatch(token) is None:
                raise SettingsError("DX_ALERT_WEBHOOK_TOKEN holds a character that no token has")
            headers["Authorization"] = f"Bearer {token}"
        secret = self._settings.alert_secret("webhook_secret")
        if secret is not None:
            at = str(int(time()))
            signed = hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
            headers |= {"X-Dx-Timestamp": at, "X-Dx-Signature": f"sha256={signed}"}
        return headers


_NEEDED = "set DX_ALERT_FROM and DX_ALERT_TO"


def notifiers(settings: Settings) -> list[Notifier]:
    """The channels that are set."""
    found: list[Notifier] = []
    if settings.alert_log == "file":
        found.append(LogNotifier(settings.home / LOG_FILE))
    if settings.alert_smtp_host:
        found.append(SmtpNotifier(settings))
    if settings.alert_webhook_url is not None and settings.alert_webhook_url.get_secret_value():
        found.append(WebhookNotifier(settings))
    return found


def send_within_limit(messages: Sequence[tuple[Notifier, Message]], settings: AlertSettings) -> dict[str, Outcome]:
    """Send each message by its channel, all at once; outcome by name of the channel.

    Never longer than twice ``DX_ALERT_TIMEOUT_SECONDS``, which bounds each answer of a channel: one that is still busy
    then counts as failed and is left behind.
    """
    seconds = _ANSWERS * settings.alert_timeout_seconds
    outcomes: dict[str, Outcome] = {}
    threads = [
        (notifier.name, Thread(target=_send, args=(notifier, message, outcomes), daemon=True))
        for notifier, message in messages
    ]
    end = monotonic() + seconds
    for _, thread in threads:
        thread.start()
    for _, thread in threads:
        thread.join(max(0.0, end - monotonic()))
    done = dict(outcomes)
    late = Outcome(False, f"no answer within {seconds:g} s")
    return {name: done.get(name, late) for name, _ in threads}


def _send(notifier: Notifier, message: Message, outcomes: dict[str, Outcome]) -> None:
    try:
        outcomes[notifier.name] = Outcome(True, notifier.send(message))
    except DxError as error:
        told = error.what if not error.next_step else f"{error.what}; {error.next_step}"
        outcomes[notifier.name] = Outcome(False, told)
    except Exception as error:  # a channel may not stop a run, whatever it does
        outcomes[notifier.name] = Outcome(False, type(error).__name__)


def _log_in(server: smtplib.SMTP, user: str, password: str) -> None:
    """As ``SMTP.login``, which knows ASCII only; accents go by PLAIN in UTF-8 (RFC 4616)."""
    if user.isascii() and password.isascii():
        server.login(user, password)
        return
    server.ehlo_or_helo_if_needed()
    if "PLAIN" not in server.esmtp_features.get("auth", "").upper().split():
        raise smtplib.SMTPNotSupportedError
    code, _ = server.docmd("AUTH", "PLAIN " + b64encode(f"\0{user}\0{password}".encode()).decode())
    if code not in (235, 503):  # 503: already logged in
        raise smtplib.SMTPAuthenticationError(code, b"")


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, smtplib.SMTPServerDisconnected | TimeoutError):
        return "no answer in time, or it hung up"
    told = error.strerror if isinstance(error, OSError) else None
    return told or type(error).__name__


def _codes(refused: dict[str, tuple[int, bytes]]) -> str:
    return ", ".join(sorted({str(code) for code, _ in refused.values()}))
