"""Settings of one installation, read from the environment (prefix ``DX_``).

A connection to a source is a *name* in the contract; its URL is a secret and comes from the
environment variable ``DX_CONNECTION_<NAME>`` or, for the sandbox, from ``DX_HOME/connections.env``
(file mode 0600).
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from dx_pipeline.alert_settings import AlertSettings
from dx_pipeline.errors import SettingsError

PROJECT_ROOT = Path(__file__).resolve().parent.parent
TALLIES_FROM_ROWS = 200_000


class Settings(AlertSettings):
    """All settings; every field has a default that works on a fresh machine."""

    model_config = SettingsConfigDict(env_prefix="DX_", extra="ignore")

    home: Path = Field(
        default=PROJECT_ROOT / ".dx",
        description="Where this installation keeps its servers, landing zone, keys and Dagster state.",
    )
    warehouse_url: SecretStr | None = Field(
        default=None,
        description="URL of a PostgreSQL >= 16 to use instead of the embedded one.",
    )
    extra_projects: Annotated[tuple[Path, ...], NoDecode] = Field(
        default=(),
        description="Further project folders (assets/, expectations/, warehouse_sql/), separated by ':'.",
    )
    batch_rows: int = Field(default=16_384, ge=1_024, le=1_048_576, description="Rows per Arrow batch.")
    judge_memory: str = Field(default="320MB", description="Memory cap of the judge's DuckDB.")
    judge_threads: int = Field(default=2, ge=1, description="Threads of the judge's DuckDB.")
    spark_master: str | None = Field(
        default=None, description="Cluster that cleans the datasets of DX_SPARK_DATASETS, e.g. spark://host:7077."
    )
    spark_datasets: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Datasets whose batches are cleaned on Spark, separated by ','; `*` for all."
    )
    spark_min_rows: int = Field(
        default=200_000, ge=1, description="Smaller batches are cleaned here: a session costs more than cleaning them."
    )
    spark_patience_seconds: float = Field(
        default=60, ge=1, description="How long Spark may give no executor before the batch is held."
    )
    tallies_from_rows: int = Field(
        default=TALLIES_FROM_ROWS,
        ge=1,
        description="Marts keep their counts once their datasets have brought so many rows.",
    )
    provinces: Path | None = Field(
        default=None,
        description="Folder of several provinces served by one Dagster: a folder for each, named by its code.",
    )
    provinces_here: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Codes of the provinces that this host serves, separated by ','; by default all."
    )
    code_location: str = Field(
        default="dx", pattern=r"^[a-z][a-z0-9_]{0,30}$", description="Name of this host among several, for Dagster."
    )
    lock_timeout_seconds: int = Field(
        default=600, ge=0, description="How long a run waits for another run of the same dataset."
    )
    lineage: str = Field(
        default="file",
        pattern=r"^(file|off|https?://\S+)$",
        description="Where OpenLineage events go: `file` (DX_HOME/lineage), the URL of a receiver, or `off`.",
    )
    lineage_api_key: SecretStr | None = Field(
        default=None, description="Key the receiver of OpenLineage events asks for."
    )
    source_connect_seconds: int = Field(
        default=15, ge=2, description="How long a source may take to let us in; each attempt."
    )
    source_silence_seconds: int = Field(
        default=300, ge=2, description="How long an open source may give no row and no answer before it is left alone."
    )
    whole_reread_cron: str = Field(
        default="0 1 * * 0",
        description="When the incremental datasets are read whole to find deleted rows: a cron line, Vietnam time.",
    )
    retention_landing_days: int = Field(
        default=90, ge=0, description="Days that landed rows are kept; 0 is for good, as with all the following."
    )
    retention_quarantine_days: int = Field(
        default=90, ge=0, description="Days that the raw record of a mended or vanished quarantined row is kept."
    )
    retention_restricted_days: int = Field(
        default=1_825, ge=0, description="Days that pseudonyms are kept after the row was last loaded (or closed)."
    )
    retention_audit_days: int = Field(default=730, ge=0, description="Days that the record of reads is kept.")
    retention_work_days: int = Field(default=2, ge=0, description="Days that left-over work folders are kept.")
    open_data_k: int = Field(default=5, ge=3, description="Smallest count that open data may show.")
    export_token: SecretStr | None = Field(
        default=None, description="Token that the receiver of exported aggregates asks for."
    )
    sandbox_dossiers: int = Field(default=60_000, ge=100, description="Dossiers in the sandbox province.")
    sandbox_seed: int = Field(default=1982, description="Seed of the sandbox province.")

    @field_validator("extra_projects", mode="before")
    @classmethod
    def _split_paths(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(Path(part) for part in value.split(os.pathsep) if part)
        return value

    @field_validator("spark_datasets", "provinces_here", mode="before")
    @classmethod
    def _split_names(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("home", mode="after")
    @classmethod
    def _absolute_home(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @property
    def landing_root(self) -> Path:
        return self.home / "landing"

    @property
    def work_root(self) -> Path:
        return self.home / "work"

    @property
    def keys_path(self) -> Path:
        return self.home / "keys" / "pseudonym.json"

    @property
    def dagster_home(self) -> Path:
        """``DAGSTER_HOME`` if the operator set it, else a folder under ``DX_HOME``."""
        return Path(os.environ.get("DAGSTER_HOME") or self.home / "dagster")

    @property
    def connections_path(self) -> Path:
        return self.home / "connections.env"

    @property
    def project_roots(self) -> tuple[Path, ...]:
        """The project itself and every extra project folder, absolute, without repeats."""
        roots: list[Path] = []
        for root in (PROJECT_ROOT, *self.extra_projects):
            absolute = root.expanduser().resolve()
            if absolute not in roots:
                roots.append(absolute)
        return tuple(roots)

    def connection_url(self, name: str) -> str:
        """URL of the named source connection.

        The URL of an API carries the connection's name and, from ``DX_CONNECTION_<NAME>_TOKEN``, its token
        in the place of user and password; it is a secret like every other.

        Raises:
            SettingsError: neither the environment nor ``connections.env`` knows it.
        """
        variable = f"DX_CONNECTION_{name.upper()}"
        url = self._secret(variable)
        if url and url.lower().startswith(("http://", "https://")):
            return _with_token(url, name.upper(), self._secret(f"{variable}_TOKEN"))
        if not url:
            raise SettingsError(
                f"connection {name}: no URL is set",
                next_step=f"set the environment variable {variable}, e.g. "
                "postgresql://reader:password@host:5432/database, or run `dx sandbox build` to try the province",
            )
        return url

    def _secret(self, variable: str) -> str | None:
        value = os.environ.get(variable)
        if not value and self.connections_path.exists():
            value = dotenv_values(self.connections_path).get(variable)
        return value


def _with_token(url: str, name: str, token: str | None) -> str:
    scheme, _, rest = url.partition("://")
    if "@" in rest.split("/", 1)[0]:
        raise SettingsError(
            f"connection {name}: the URL holds a user or a token",
            next_step=f"write DX_CONNECTION_{name} without it and put the token into DX_CONNECTION_{name}_TOKEN",
        )
    return f"{scheme}://{quote(name, safe='')}:{quote((token or '').strip(), safe='')}@{rest}"


def write_private_file(path: Path, text: str) -> None:
    """Write a file that only its owner may read (mode 0600), replacing it in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    os.replace(temporary, path)


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process, read once.

    Raises:
        SettingsError: a ``DX_`` variable has a value that cannot be used; the message names it.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "DX_" + str(first["loc"][0]).upper() if first["loc"] else "DX_*"
        raise SettingsError(f"setting {name}: {first['msg']}", next_step="correct it or unset it") from None
