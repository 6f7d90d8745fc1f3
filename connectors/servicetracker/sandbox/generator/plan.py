"""How many records of each object there are, who belongs to whom, and where the dirt lies: all from seed and scale.

Relations are arithmetic on record numbers, so any object can be generated as a stream without knowing the others.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from random import Random
from typing import Any

from connectors.servicetracker.sandbox.generator.words import REGIONS, TOWNS
from connectors.servicetracker.sandbox.ids import IdMaker
from connectors.servicetracker.sandbox.schema import OBJECTS

DAYS = 1_826
STAFF = (
    # First name, last name, e-mail, active, weight as an owner; the first user is the one the API works as.
    ("Integration", "User", "integration@example.net", True, 0),
    ("Dana", "Dispatch", "dispatch@example.com", True, 10),
    ("Owen", "One", "owner1@example.com", True, 20),
    ("Olga", "Two", "owner2@example.com", True, 20),
    ("Otto", "Three", "owner3@example.com", True, 20),
    ("Opal", "Four", "owner4@example.com", True, 15),
    ("Pat", "Unmatched", "pat.unmatched@example.org", True, 4),
    ("Robin", "Unmatched", "robin.unmatched@example.org", True, 3),
    ("Kim", "Unmatched", "kim.unmatched@example.net", True, 2),
    ("Ines", "Inactive", "inactive@example.com", False, 3),
    ("Olga", "Twice", "OWNER2@Example.com", True, 3),
)
# Records per 10,000 of scale.
SHARES = {
    "Account": 800,
    "Contact": 1_400,
    "Site__c": 600,
    "ServiceContract": 400,
    "Product2": 300,
    "Asset": 900,
    "WorkOrder": 1_800,
    "ProductConsumed": 1_200,
    "Task": 1_200,
    "Event": 400,
    "ServiceAppointment": 300,
    "Note": 200,
    "Attachment": 90,
    "ContentDocument": 50,
    "DigitalSignature": 50,
    "Invoice__c": 400,
    "Lead": 100,
    "Renewal_Rule__c": 50,
}
_FEWEST = {"Attachment": 12, "ContentDocument": 4, "DigitalSignature": 4, "Note": 4, "Lead": 3}
PORTAL_SHARE = 100
AUTOMATION_RULES = 10
_MIX = 2_654_435_761


class Plan:
    """Everything the streams share. `today` is the last day of the generated history."""

    def __init__(self, seed: int, scale: int, today: date) -> None:
        self.seed = seed
        self.scale = scale
        self.today = today
        self.counts = {name: max(_FEWEST.get(name, 1), scale * share // 10_000) for name, share in SHARES.items()}
        self.portal_users = max(1, scale * PORTAL_SHARE // 10_000)
        self.technicians = 10 + min(20, scale // 500)
        self.counts["ServiceResource"] = self.technicians
        self.make = {name: IdMaker(one.prefix) for name, one in OBJECTS.items()}
        first = today - timedelta(days=DAYS - 1)
        self.days = [(first + timedelta(days=number)).isoformat() for number in range(DAYS)]
        self.times = [f"T{minute // 60:02d}:{minute % 60:02d}:00.000Z" for minute in range(360, 1_260)]
        self._salt = self.random("links").randrange(1 << 32)
        self.owners = [self.id("User", number) for number, one in enumerate(STAFF) for _ in range(one[4])]
        self.deleted: dict[str, frozenset[int]] = {}
        self.merged: dict[str, Mapping[int, int]] = {}
        self._redirect: dict[str, dict[int, int]] = {}
        for name in ("Account", "Contact"):
            self._choose_lost(name)

    def random(self, purpose: str) -> Random:
        """A stream of its own for each purpose, so that one object's rows do not depend on another's."""
        return Random(f"{self.seed}:{purpose}")  # noqa: S311  # reproducible data, no secrets

    def id(self, name: str, place: int) -> str:
        """The id of the record at a place counted from 0."""
        return self.make[name](place + 1)

    def head(self, name: str, place: int, rng: Random) -> dict[str, Any]:
        """Id and system fields of a record, modified on or after the day it was created."""
        draw = rng.random
        born = int(draw() * DAYS)
        created = self.days[born] + self.times[int(draw() * 900)]
        later = born + 1 + int(draw() * draw() * 400)
        changed = created if later >= DAYS or draw() < 0.3 else self.days[later] + self.times[int(draw() * 900)]
        owner = self.owners[int(draw() * len(self.owners))]
        return {
            "Id": self.make[name](place + 1),
            "OwnerId": owner,
            "CreatedDate": created,
            "CreatedById": owner,
            "LastModifiedDate": changed,
            "SystemModstamp": changed,
            "IsDeleted": 0,
        }

    def marks(self, name: str, kinds: Mapping[str, float]) -> dict[int, str]:
        """Which records of an object carry which kind of dirt: each kind on its share of them, on one at least.

        No record has two kinds; where an object is tiny, half of it stays clean and kinds are left out.
        """
        count = self.counts[name]
        wanted = [kind for kind, share in kinds.items() for _ in range(max(1, round(count * share)))]
        places = self.random(f"dirt:{name}").sample(range(count), min(len(wanted), count // 2))
        # The kinds take turns where not all fit.
        wanted = wanted if len(places) == len(wanted) else (list(kinds) * len(places))[: len(places)]
        return dict(zip(places, wanted, strict=True))

    def standing(self, name: str, place: int) -> int:
        """The place itself, or that of a living record where it was deleted or merged away."""
        return self._redirect[name].get(place, place)

    def town(self, number: int) -> tuple[str, tuple[str, str, str, int, int]]:
        return TOWNS[number % len(TOWNS)], REGIONS[number % len(REGIONS)]

    def client_id(self, place: int) -> str:
        return self.make["Account"](self.standing("Account", place % self.counts["Account"]) + 1)

    def lost_client_id(self, turn: int) -> str:
        """For orphans: by turns a client that was deleted and one that never existed."""
        if turn % 2 and self.deleted["Account"]:
            return self.id("Account", min(self.deleted["Account"]))
        return self.id("Account", 50_000_000 + turn)

    def contact_id(self, client: int, turn: int) -> str | None:
        """A living contact of the client at a place; None for clients without one."""
        count, clients = self.counts["Contact"], self.counts["Account"]
        place = client + clients * turn
        if place >= count:
            place = client
        return None if place >= count else self.make["Contact"](self.standing("Contact", place) + 1)

    def site_id(self, client: int) -> str | None:
        return self.make["Site__c"](client + 1) if client < self.counts["Site__c"] else None

    def asset_id(self, client: int) -> str | None:
        return self.make["Asset"](client + 1) if client < self.counts["Asset"] else None

    def contract_id(self, client: int) -> str | None:
        """Every second client has a contract."""
        return (
            None
            if client % 2 or client // 2 >= self.counts["ServiceContract"]
            else self.id("ServiceContract", client // 2)
        )

    def work_client(self, work: int) -> int:
        """The client of a work order: few clients have many."""
        chance = ((work * _MIX + self._salt) & 0xFFFFFFFF) / 4_294_967_296
        return int(self.counts["Account"] * chance * chance)

    def _choose_lost(self, name: str) -> None:
        """About 0.5 % deleted and 0.3 % merged away; the winners of merges are alive."""
        count = self.counts[name]
        rng = self.random(f"lost:{name}")
        dead, losers = max(1, count // 200), max(1, count * 3 // 1_000)
        if count < 6:
            dead = losers = 0
        chosen = rng.sample(range(count), dead + losers)
        lost = set(chosen)

        def neighbour(place: int) -> int:
            while place in lost:
                place = (place + 1) % count
            return place

        self.deleted[name] = frozenset(chosen[:dead])
        self.merged[name] = {loser: neighbour(loser) for loser in chosen[dead:]}
        self._redirect[name] = {place: neighbour(place) for place in chosen}


def money(cents: int) -> str:
    """Cents as the decimal text that is stored."""
    whole, rest = divmod(cents, 100)
    return f"{whole}.{rest:02d}" if rest % 10 else f"{whole}.{rest // 10}"
