"""The account that servers run under, and what it can reach.

PostgreSQL refuses to run as root. Root therefore hands the servers to an account that already exists; none is created,
no folder's permissions are loosened, and what that account cannot reach is placed elsewhere (see `shelter`).
"""

import os
import pwd
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from app.embedded.errors import EmbeddedServersError

CANDIDATES = ("postgres", "nobody")
SHELTERS = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108 - only the parent; what is made below has a random name or an owner check


@dataclass(frozen=True, slots=True)
class Account:
    """Who runs the servers: an account to drop to, or ourselves when `uid` and `gid` are None."""

    name: str
    uid: int | None = None
    gid: int | None = None

    @property
    def is_dropped(self) -> bool:
        return self.uid is not None

    def run(self, *command: object) -> subprocess.CompletedProcess[bytes]:
        """Runs a short command under this account with captured output; its exit code is the caller's to judge.

        Raises EmbeddedServersError when we are root but may not become the account (some containers).
        """
        arguments = [str(part) for part in command]
        if self.uid is None:
            return subprocess.run(arguments, cwd="/", capture_output=True, check=False)
        try:
            return subprocess.run(
                arguments, cwd="/", capture_output=True, check=False, user=self.uid, group=self.gid, extra_groups=[]
            )
        except PermissionError as refused:
            raise EmbeddedServersError(
                f"This process is root but may not become {self.name}: {refused}. "
                "Start as an ordinary user, or set TRANSHIP_DATABASE_URL and TRANSHIP_REDIS_URL."
            ) from refused

    def can_enter(self, folder: Path) -> bool:
        """Whether the account can reach what is in `folder`; asked of the system, since ACLs and mounts count too."""
        if self.uid is None:
            return os.access(folder, os.X_OK)
        return self.run("/bin/sh", "-c", 'test -x "$1"', "sh", folder).returncode == 0

    def make_own(self, folder: Path) -> None:
        """Creates `folder` for this account alone; one that exists is taken over."""
        folder.mkdir(mode=0o700, exist_ok=True)
        if self.uid is not None and self.gid is not None:
            os.chown(folder, self.uid, self.gid)
        folder.chmod(0o700)


def server_account() -> Account:
    """The account for the servers: ourselves, or for root the first of CANDIDATES that exists.

    Raises EmbeddedServersError when root has no account to hand over to.
    """
    if os.geteuid() != 0:
        return Account(name="self")
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise EmbeddedServersError(
        f"PostgreSQL does not run as root and none of the accounts {', '.join(CANDIDATES)} exists. "
        "Start as an ordinary user, or set TRANSHIP_DATABASE_URL and TRANSHIP_REDIS_URL."
    )


def shelter() -> Path:
    """Our folder outside of everybody's home, readable by all and writable by us alone.

    Used by root only. Raises EmbeddedServersError when no place for it is writable, or when somebody else made it:
    what lies there is executed and trusted.
    """
    for parent in SHELTERS:
        folder = parent / "tranship"
        try:
            folder.mkdir(mode=0o755, exist_ok=True)
        except OSError:
            continue
        found = folder.lstat()
        if found.st_uid != os.geteuid() or found.st_mode & 0o022 or folder.is_symlink():
            raise EmbeddedServersError(f"{folder} belongs to somebody else or is writable by others; remove it.")
        folder.chmod(0o755)
        return folder
    raise EmbeddedServersError(f"None of {', '.join(map(str, SHELTERS))} is writable.")


def new_shelter(prefix: str) -> Path:
    """A fresh folder inside our shelter that others can traverse but not list."""
    folder = Path(tempfile.mkdtemp(prefix=f"{prefix}-", dir=shelter()))
    folder.chmod(0o711)
    return folder
