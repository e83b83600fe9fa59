"""Settings of alerts (``DX_ALERT_...``): where they go, when something is worth one."""

from __future__ import annotations

import re
import socket
import unicodedata
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from dx_pipeline.errors import SettingsError

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII)


class AlertSettings(BaseSettings):
    """Part of ``Settings``. A secret is given itself or as the name of a file that holds it."""

    model_config = SettingsConfigDict(env_prefix="DX_", extra="ignore")

    alert_log: Literal["file", "off"] = Field(
        default="file", description="`file`: each alert is a line of DX_HOME/alerts/alerts.ndjson; `off`."
    )
    alert_label: str = Field(
        default_factory=lambda: socket.gethostname()[:60],
        max_length=60,
        description="Name of this installation in alerts.",
    )
    alert_smtp_host: str | None = Field(default=None, description="Mail server; none: no mail.")
    alert_smtp_port: int = Field(default=587, ge=1, le=65_535, description="Port of the mail server.")
    alert_smtp_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="How the connection to the mail server is protected."
    )
    alert_smtp_ca_file: Path | None = Field(default=None, description="Certificates of an authority of one's own.")
    alert_smtp_user: str | None = Field(default=None, description="Account at the mail server, if it asks for one.")
    alert_smtp_password: SecretStr | None = Field(default=None, description="Its password.")
    alert_smtp_password_file: Path | None = Field(default=None, description="File with its password.")
    alert_from: str | None = Field(default=None, description="Address that mails come from.")
    alert_to: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Addresses that mails go to, separated by commas."
    )
    alert_webhook_url: SecretStr | None = Field(default=None, description="URL that alerts are posted to as JSON.")
    alert_webhook_token: SecretStr | None = Field(default=None, description="Bearer token of the webhook.")
    alert_webhook_token_file: Path | None = Field(default=None, description="File with the bearer token.")
    alert_webhook_secret: SecretStr | None = Field(
        default=None, description="Key with which each post is signed (HMAC-SHA256)."
    )
    alert_webhook_secret_file: Path | None = Field(default=None, description="File with the key.")
    alert_timeout_seconds: float = Field(
        default=5, ge=0.5, le=30, description="How long a channel may take for one message; all are tried at once."
    )
    alert_reminder_hours: float = Field(
        default=24, gt=0, description="Hours after which an alert that lasts is told again."
    )
    alert_stale_grace_hours: float = Field(
        default=0, ge=0, description="Hours that data may be older than its contract promises before it is an alert."
    )
    alert_rejected_share: float = Field(
        default=0.05, gt=0, le=1, description="Share of rejected rows above which the quality of a dataset is an alert."
    )
    alert_unfinished_hours: float = Field(
        default=6, gt=0, description="Hours after which a batch that never ended counts as a failed run."
    )

    @field_validator("alert_to", mode="before")
    @classmethod
    def _split_addresses(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("alert_to", "alert_from", mode="after")
    @classmethod
    def _plain_addresses(cls, value: object) -> object:
        for address in (value,) if isinstance(value, str) else value if isinstance(value, tuple) else ():
            if _ADDRESS.fullmatch(str(address)) is None:
                raise ValueError("is not a plain mail address such as van-hanh@tinh.example")
        return value

    @field_validator("alert_label", "alert_smtp_host", "alert_smtp_user", mode="after")
    @classmethod
    def _one_line(cls, value: str | None) -> str | None:
        if value is not None and any(unicodedata.category(letter) in ("Cc", "Cf", "Zl", "Zp") for letter in value):
            raise ValueError("holds a line break or another character that cannot be seen")
        return value

    def alert_secret(self, name: Literal["smtp_password", "webhook_token", "webhook_secret"]) -> str | None:
        """A secret from its setting, else from its file; None if neither is set.

        Raises:
            SettingsError: the file cannot be read or is empty.
        """
        given: SecretStr | None = getattr(self, f"alert_{name}")
        if given is not None and given.get_secret_value():
            return given.get_secret_value()
        path: Path | None = getattr(self, f"alert_{name}_file")
        if path is None:
            return None
        setting = f"DX_ALERT_{name.upper()}_FILE"
        try:
            found = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise SettingsError(f"{setting}: {path} cannot be read: {reason}", next_step="mend or unset it") from None
        if not found:
            raise SettingsError(f"{setting}: {path} is empty", next_step="write the secret into it or unset it")
        return found
