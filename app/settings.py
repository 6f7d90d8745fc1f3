"""Typed settings from the environment (prefix TRANSHIP_), the master keys and the clock that follow from them.

Secrets are never defaulted outside development: a production process without them refuses to start and says which
variable is missing.
"""

import base64
import binascii
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, TypeAdapter, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "TRANSHIP_"
MASTER_KEY_BYTES = 32
MASTER_KEY_FILE = "master.key"
DEFAULT_KEY_ID = "k1"
KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
MIB = 1024 * 1024

Clock = Callable[[], datetime]


class SettingsError(Exception):
    """The settings cannot be used; the text names each variable and what to set, never a value."""


class Environment(StrEnum):
    """Where the process runs; decides whether secrets may be made up."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class MasterKeys:
    """The keys that seal data keys: `current` seals, all of them open. Key ids are public, key bytes are not shown."""

    current: str
    keys: Mapping[str, bytes] = field(repr=False)


class Settings(BaseSettings):
    """Everything an installation may choose. Read once at start; durations are seconds, sizes bytes."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="ignore", frozen=True, hide_input_in_errors=True, env_ignore_empty=True
    )

    environment: Environment = Environment.DEVELOPMENT
    database_url: SecretStr | None = None
    redis_url: SecretStr | None = None
    master_key: SecretStr | None = None
    master_keys: SecretStr | None = None
    data_dir: Path = Path(".data")
    clock: datetime | timedelta | None = None
    log_level: LogLevel = LogLevel.INFO
    lease_seconds: Annotated[float, Field(ge=1, le=300)] = 6.0
    call_timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 30.0
    flush_rows: Annotated[int, Field(ge=1, le=100_000)] = 2000
    flush_seconds: Annotated[float, Field(gt=0, le=60)] = 1.0
    worker_concurrency: Annotated[int, Field(ge=1, le=1000)] = 10
    read_apart_bytes: Annotated[int, Field(ge=0)] = 32 * 1024 * 1024
    worker_niceness: Annotated[int, Field(ge=0, le=19)] = 10
    public_base_url: Annotated[str, Field(pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$")] = "http://127.0.0.1:8000"
    allow_private_targets: bool = False
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    max_body_bytes: Annotated[int, Field(ge=1024, le=1024 * MIB)] = 10 * MIB
    request_seconds: Annotated[float, Field(gt=0, le=3600)] = 120.0
    retention_days: Annotated[int, Field(ge=1, le=3650)] = 30
    opinion_url: Annotated[str, Field(pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$")] | None = None
    opinion_key: SecretStr | None = None
    opinion_model: Annotated[str, Field(min_length=1, max_length=200)] = "default"
    opinion_seconds: Annotated[float, Field(gt=0, le=60)] = 10.0

    @field_validator("database_url")
    @classmethod
    def _check_database_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        scheme, _, rest = value.get_secret_value().partition("://")
        if scheme not in ("postgresql+asyncpg", "postgresql", "postgres") or not rest:
            raise ValueError("must look like postgresql+asyncpg://user:password@host:5432/database")
        return SecretStr(f"postgresql+asyncpg://{rest}")

    @field_validator("redis_url")
    @classmethod
    def _check_redis_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.match(r"(rediss?|unix)://.", value.get_secret_value()):
            raise ValueError("must look like redis://:password@host:6379/0")
        return value

    @field_validator("clock", mode="before")
    @classmethod
    def _parse_clock(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        kind = timedelta if re.match(r"[+-]?P", value) else datetime
        try:
            return TypeAdapter(kind).validate_python(value)
        except ValidationError as wrong:
            raise ValueError("must be an ISO 8601 instant with offset, or a duration such as P3D or -PT1H") from wrong

    @field_validator("clock")
    @classmethod
    def _check_clock(cls, value: datetime | timedelta | None) -> datetime | timedelta | None:
        if isinstance(value, datetime) and value.tzinfo is None:
            raise ValueError("an instant needs its offset, for example 2026-11-21T10:00:00Z")
        return value

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _check_secrets(self) -> Self:
        if self.master_key is not None and self.master_keys is not None:
            raise ValueError(f"set one of {PREFIX}MASTER_KEY and {PREFIX}MASTER_KEYS, not both")
        self._given_keys()
        if self.environment is Environment.PRODUCTION:
            given = {
                "DATABASE_URL": self.database_url,
                "REDIS_URL": self.redis_url,
                "MASTER_KEYS": self.master_keys or self.master_key,
            }
            missing = [PREFIX + name for name, value in given.items() if value is None]
            if missing:
                raise ValueError(f"production has no default secrets and no embedded servers; set {', '.join(missing)}")
            if "*" in self.cors_origins:
                raise ValueError(f"{PREFIX}CORS_ORIGINS=* lets every site act for a signed-in user; list the origins")
        return self

    def _given_keys(self) -> MasterKeys | None:
        if self.master_keys is not None:
            return parse_master_keys(self.master_keys.get_secret_value())
        if self.master_key is not None:
            return parse_master_keys(f"{DEFAULT_KEY_ID}:{self.master_key.get_secret_value()}")
        return None

    def load_master_keys(self) -> MasterKeys:
        """The configured keys; in development without any, one key made on first use in `data_dir/master.key` (0600).

        Raises SettingsError when that file cannot be used.
        """
        return self._given_keys() or _development_key(self.data_dir)

    def make_clock(self, real: Clock | None = None) -> Clock:
        """The clock of this process, always in UTC.

        `clock` as an instant: it starts there when this is called and runs on. As a duration: real time moved by it,
        so that several processes agree. Unset: real time.
        """
        now = real or _utc_now
        if self.clock is None:
            return now
        shift = self.clock if isinstance(self.clock, timedelta) else self.clock - now()
        return lambda: (now() + shift).astimezone(UTC)


def load_settings(**overrides: object) -> Settings:
    """Reads the environment; `overrides` win over it. Raises SettingsError with one line per wrong variable."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as wrong:
        lines = [_explain(error["loc"], error["msg"]) for error in wrong.errors(include_input=False)]
        raise SettingsError("\n".join(lines)) from None


def environment(settings: Settings) -> dict[str, str]:
    """The settings as the environment of a child process; only what was chosen."""
    found = {}
    for name in sorted(settings.model_fields_set | {"data_dir"}):
        value = getattr(settings, name)
        if value is not None:
            found[PREFIX + name.upper()] = _text(value)
    return found


def _text(value: object) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Path):
        return str(value.absolute())
    if isinstance(value, timedelta):
        return f"{'-' if value < timedelta(0) else ''}PT{abs(value.total_seconds()):.6f}S"
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def parse_master_keys(text: str) -> MasterKeys:
    """Reads `id:base64,id:base64`; the first is current.

    Raises ValueError, without the key in its text, for a bad id, a key that is not 32 bytes of base64, a key without
    randomness, or an id named twice.
    """
    keys: dict[str, bytes] = {}
    for number, part in enumerate(text.split(","), start=1):
        key_id, colon, encoded = part.strip().partition(":")
        if not colon or not KEY_ID.fullmatch(key_id):
            raise ValueError(f"master key {number}: its id must be 1 to 32 letters, digits, - or _ before a colon")
        if key_id in keys:
            raise ValueError(f"master key id {key_id} stands twice")
        keys[key_id] = _decode_key(key_id, encoded)
    return MasterKeys(current=next(iter(keys)), keys=keys)


def _decode_key(key_id: str, encoded: str) -> bytes:
    try:
        key = base64.b64decode(encoded.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"master key {key_id} is not base64") from None
    if len(key) != MASTER_KEY_BYTES:
        raise ValueError(f"master key {key_id} has {len(key)} bytes; make one of 32 with: openssl rand -base64 32")
    if len(set(key)) < 8:  # chance never gives 32 bytes that few distinct values
        raise ValueError(f"master key {key_id} is not random; make one with: openssl rand -base64 32")
    return key


def _development_key(data_dir: Path) -> MasterKeys:
    path = data_dir / MASTER_KEY_FILE
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _write_new_key(path)
        return parse_master_keys(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as wrong:
        raise SettingsError(f"The development key {path} cannot be used: {wrong}") from wrong


def _write_new_key(path: Path) -> None:
    """Two processes starting together agree: a link to the first finished file wins, the other reads it."""
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    encoded = base64.b64encode(secrets.token_bytes(MASTER_KEY_BYTES)).decode()
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as handle:
        handle.write(f"{DEFAULT_KEY_ID}:{encoded}\n")
    try:
        path.hardlink_to(fresh)
    except FileExistsError:
        return
    finally:
        fresh.unlink()


def _explain(location: tuple[int | str, ...], message: str) -> str:
    """`TRANSHIP_NAME: what is wrong`, also for rules over several variables, which name theirs themselves."""
    text = message.removeprefix("Value error, ")
    return f"{PREFIX}{str(location[0]).upper()}: {text}" if location else text


def _utc_now() -> datetime:
    return datetime.now(UTC)
