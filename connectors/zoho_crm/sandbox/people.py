"""Users, roles and profiles of the org, and how they are shown inside records."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

from connectors.zoho_crm.sandbox.answers import Json
from connectors.zoho_crm.sandbox.store import Store

ORG_ZGID = "700012345"
ROLES = ("CEO", "Manager", "Dispatcher")
PROFILES = ("Administrator", "Standard")
_SEEDED = (
    ("Alex", "Admin", "admin@example.com", 0, 0, "active"),
    ("Dana", "Dispatch", "dispatch@example.com", 2, 1, "active"),
    *((f"Owner{n}", "Example", f"owner{n}@example.com", 1, 1, "active") for n in range(1, 7)),
    ("Iris", "Inactive", "inactive@example.com", 1, 1, "inactive"),
)


@dataclass(slots=True)
class User:
    """One user; `status` is active, inactive or deleted."""

    id: int
    first_name: str
    last_name: str
    email: str
    role: int
    profile: int
    status: str
    confirmed: bool
    zuid: str
    created: int

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


class People:
    """The users by id; the first one is the administrator who owns the token."""

    def __init__(self, store: Store, now: Callable[[], int]) -> None:
        self._store = store
        self._now = now
        self.users: dict[int, User] = {}
        self.roles: dict[int, str] = {}
        self.profiles: dict[int, str] = {}

    def load(self) -> None:
        self.users = {raw["id"]: User(**raw) for raw in self._store.documents("user")}
        named = self._store.document("people", "groups")
        if named is None:
            self._seed()
            return
        self.roles = {int(key): name for key, name in named["roles"].items()}
        self.profiles = {int(key): name for key, name in named["profiles"].items()}

    def _seed(self) -> None:
        with self._store.transaction():
            self.roles = {self._store.next_id(): name for name in ROLES}
            self.profiles = {self._store.next_id(): name for name in PROFILES}
            groups = {"roles": self.roles, "profiles": self.profiles}
            plain = {kind: {str(key): name for key, name in named.items()} for kind, named in groups.items()}
            self._store.save_document("people", "groups", plain)
            for first, last, email, role, profile, status in _SEEDED:
                self.add(first, last, email, list(self.roles)[role], list(self.profiles)[profile], status=status)

    def add(
        self,
        first: str,
        last: str,
        email: str,
        role: int,
        profile: int,
        *,
        status: str = "active",
        confirmed: bool = True,
    ) -> User:
        user_id = self._store.next_id()
        zuid = str(700_000_000 + user_id % 1_000_000)
        user = User(user_id, first, last, email, role, profile, status, confirmed, zuid, self._now())
        self.save(user)
        return user

    def save(self, user: User) -> None:
        self.users[user.id] = user
        self._store.save_document("user", user.id, asdict(user))

    @property
    def admin(self) -> User:
        return next(iter(sorted(self.users.values(), key=lambda user: user.id)))

    def active_count(self) -> int:
        return sum(user.status == "active" for user in self.users.values())

    def by_email(self, email: str) -> User | None:
        return next(
            (u for u in self.users.values() if u.email.lower() == email.lower() and u.status != "deleted"), None
        )

    def brief(self, user_id: int, *, email: bool = False) -> Json:
        """A user as it stands inside a record."""
        user = self.users.get(user_id)
        if user is None:
            return {"name": None, "id": str(user_id)}
        shown = {"name": user.full_name, "id": str(user.id)}
        return {**shown, "email": user.email} if email else shown
