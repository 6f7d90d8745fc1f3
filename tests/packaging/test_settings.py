"""Settings: production refuses to make up secrets, wrong values are named without being shown."""

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.settings import Environment, Settings, SettingsError, load_settings, parse_master_keys

KEY = base64.b64encode(bytes(range(32))).decode()
KEY_WITHOUT_COLON = bytes(range(16)).hex()  # would pass for an id
OTHER = base64.b64encode(bytes(range(100, 132))).decode()
GIVEN = {
    "TRANSHIP_ENVIRONMENT": "production",
    "TRANSHIP_DATABASE_URL": "postgresql+asyncpg://u:secret@db/x",
    "TRANSHIP_REDIS_URL": "redis://:secret@cache/0",
    "TRANSHIP_MASTER_KEYS": f"k2:{OTHER},k1:{KEY}",
}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith("TRANSHIP_"):
            monkeypatch.delenv(name)


def give(monkeypatch: pytest.MonkeyPatch, **changes: str) -> None:
    for name, value in (GIVEN | {f"TRANSHIP_{name.upper()}": value for name, value in changes.items()}).items():
        monkeypatch.setenv(name, value)


class TestProduction:
    def test_starts_with_everything_given(self, monkeypatch: pytest.MonkeyPatch) -> None:
        give(monkeypatch)
        settings = load_settings()
        assert settings.environment is Environment.PRODUCTION
        assert settings.load_master_keys().current == "k2"
        assert settings.load_master_keys().keys["k1"] == bytes(range(32))

    @pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL", "MASTER_KEYS"])
    def test_refuses_to_start_without_a_secret(
        self, monkeypatch: pytest.MonkeyPatch, name: str, tmp_path: Path
    ) -> None:
        give(monkeypatch, data_dir=str(tmp_path / "data"))
        monkeypatch.delenv(f"TRANSHIP_{name}")
        with pytest.raises(SettingsError, match=f"no default secrets.*set TRANSHIP_{name}$"):
            load_settings()
        assert not (tmp_path / "data").exists()

    def test_an_empty_variable_is_no_secret(self, monkeypatch: pytest.MonkeyPatch) -> None:
        give(monkeypatch, master_keys="")
        with pytest.raises(SettingsError, match="TRANSHIP_MASTER_KEYS"):
            load_settings()

    def test_refuses_every_origin(self, monkeypatch: pytest.MonkeyPatch) -> None:
        give(monkeypatch, cors_origins="https://a.example,*")
        with pytest.raises(SettingsError, match="CORS_ORIGINS"):
            load_settings()


class TestKeys:
    def test_development_makes_one_key_and_keeps_it(self, tmp_path: Path) -> None:
        settings = load_settings(data_dir=tmp_path / "data")
        made = settings.load_master_keys()
        assert len(made.keys[made.current]) == 32
        assert stat.S_IMODE((tmp_path / "data" / "master.key").stat().st_mode) == 0o600
        assert settings.load_master_keys() == made
        assert [path.name for path in (tmp_path / "data").iterdir()] == ["master.key"]

    def test_processes_starting_together_agree(self, tmp_path: Path) -> None:
        settings = load_settings(data_dir=tmp_path)
        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(lambda _: settings.load_master_keys(), range(8)))
        assert all(each == made[0] for each in made)

    def test_a_spoilt_development_key_is_reported(self, tmp_path: Path) -> None:
        (tmp_path / "master.key").write_text("k1:short")
        with pytest.raises(SettingsError, match=r"master\.key cannot be used"):
            load_settings(data_dir=tmp_path).load_master_keys()

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("", "its id"),
            (KEY, "its id"),
            (KEY_WITHOUT_COLON, "before a colon"),
            (f"no spaces:{KEY}", "its id"),
            (f"k1:{KEY},k1:{OTHER}", "stands twice"),
            ("k1:not-base64!", "not base64"),
            ("k1:" + base64.b64encode(b"x" * 31).decode(), "31 bytes"),
            ("k1:" + base64.b64encode(bytes(32)).decode(), "not random"),
            (f"k1:{KEY},", "master key 2"),
        ],
    )
    def test_unusable_keys(self, text: str, reason: str) -> None:
        with pytest.raises(ValueError, match=reason) as refused:
            parse_master_keys(text)
        assert KEY not in str(refused.value)
        assert KEY_WITHOUT_COLON not in str(refused.value)

    def test_one_key_alone_has_a_name(self) -> None:
        assert load_settings(master_key=KEY).load_master_keys().current == "k1"

    def test_one_way_to_give_keys(self) -> None:
        with pytest.raises(SettingsError, match="not both"):
            load_settings(master_key=KEY, master_keys=f"k1:{KEY}")

    def test_url_safe_base64_is_read_too(self) -> None:
        key = bytes(range(224, 256))
        assert parse_master_keys("a:" + base64.urlsafe_b64encode(key).decode()).keys["a"] == key


class TestValues:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("LEASE_SECONDS", "0"),
            ("FLUSH_ROWS", "many"),
            ("MAX_BODY_BYTES", "-1"),
            ("LOG_LEVEL", "loud"),
            ("DATABASE_URL", "mysql://topsecret@db/x"),
            ("REDIS_URL", "topsecret"),
            ("PUBLIC_BASE_URL", "ftp://topsecret"),
            ("CLOCK", "topsecret"),
            ("CLOCK", "2026-11-21T10:00:00"),
            ("ENVIRONMENT", "topsecret"),
            ("MASTER_KEY", "topsecret"),
        ],
    )
    def test_a_wrong_value_is_named_and_not_shown(self, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
        monkeypatch.setenv(f"TRANSHIP_{name}", value)
        with pytest.raises(SettingsError) as refused:
            load_settings()
        assert name in str(refused.value) or "master key" in str(refused.value)
        assert "topsecret" not in str(refused.value)

    def test_secrets_are_not_shown(self, monkeypatch: pytest.MonkeyPatch) -> None:
        give(monkeypatch)
        shown = repr(load_settings()) + str(load_settings().model_dump()) + repr(load_settings().load_master_keys())
        assert "secret" not in shown.replace("SecretStr", "")
        assert KEY not in shown
        assert str(bytes(range(32))) not in shown

    @pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
    def test_the_driver_is_ours_to_name(self, scheme: str) -> None:
        url = load_settings(database_url=f"{scheme}://u:p@h/d").database_url
        assert url is not None
        assert url.get_secret_value() == "postgresql+asyncpg://u:p@h/d"

    def test_origins_are_a_list(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TRANSHIP_CORS_ORIGINS", "https://a.example, https://b.example,")
        assert load_settings().cors_origins == ("https://a.example", "https://b.example")

    def test_defaults(self) -> None:
        settings = load_settings()
        assert (settings.lease_seconds, settings.call_timeout_seconds) == (6, 30)
        assert (settings.flush_rows, settings.flush_seconds) == (2000, 1)
        assert settings.allow_private_targets is False


class TestClock:
    REAL = datetime(2026, 11, 21, 12, tzinfo=UTC)

    def settings(self, clock: str | None) -> Settings:
        return load_settings(clock=clock)

    def test_real_time_unless_set(self) -> None:
        assert self.settings(None).make_clock(lambda: self.REAL)() == self.REAL

    def test_an_instant_starts_there_and_runs_on(self) -> None:
        moments = iter([self.REAL, self.REAL, self.REAL + timedelta(seconds=5)])
        now = self.settings("2030-01-01T01:00:00+01:00").make_clock(lambda: next(moments))
        assert now() == datetime(2030, 1, 1, tzinfo=UTC)
        assert now() == datetime(2030, 1, 1, 0, 0, 5, tzinfo=UTC)

    @pytest.mark.parametrize(("text", "hours"), [("P3DT3H", 75), ("-PT1H", -1), ("+PT2H", 2)])
    def test_a_duration_moves_every_process_alike(self, text: str, hours: int) -> None:
        assert self.settings(text).make_clock(lambda: self.REAL)() == self.REAL + timedelta(hours=hours)
