"""Users, clients, contacts, service locations, technicians and leads."""

from collections.abc import Iterator
from random import Random
from typing import Any

from connectors.servicetracker.sandbox.generator import words
from connectors.servicetracker.sandbox.generator.plan import DAYS, STAFF, Plan, money
from connectors.servicetracker.sandbox.schema_people import INDUSTRIES, PORTAL_PERMISSIONS, SECTORS, SKILLS

Row = dict[str, Any]
_MIX = 2_654_435_761
_DOMAINS = ("example.com", "example.org", "example.net")


def users(plan: Plan) -> Iterator[Row]:
    """Staff first, then portal users, who stand for a contact."""
    rng = plan.random("User")
    for place, (first, last, email, active, _) in enumerate(STAFF):
        row = plan.head("User", place, rng)
        del row["OwnerId"]
        profile = "System Administrator" if place == 0 else "Dispatcher" if place == 1 else "Standard User"
        row |= {"Username": f"{first}.{last}@servicetracker.example.com".lower(), "Email": email, "FirstName": first}
        row |= {"LastName": last, "Name": f"{first} {last}", "IsActive": int(active), "UserType": "Standard"}
        row |= {"Profile_Name__c": profile, "LastLoginDate": row["SystemModstamp"], "CreatedById": plan.id("User", 0)}
        if place == 0:
            row["Username"] = email
        yield row
    for number in range(plan.portal_users):
        row = plan.head("User", len(STAFF) + number, rng)
        del row["OwnerId"]
        contact = number * 13 % plan.counts["Contact"]
        first, last = _person(contact, plan.seed)
        granted = [one for one in PORTAL_PERMISSIONS if rng.random() < 0.6] or ["View Work Orders"]
        row |= {
            "Username": f"portal{number + 1}@example.org",
            "Email": _email(first, last, contact),
            "FirstName": first,
        }
        row |= {"LastName": last, "Name": f"{first} {last}", "IsActive": int(rng.random() < 0.9)}
        row |= {
            "UserType": "CspLitePortal",
            "ContactId": plan.id("Contact", contact),
            "Profile_Name__c": "Customer Portal",
        }
        row["Portal_Permissions__c"] = ";".join(granted)
        yield row


def company(place: int, salt: int) -> str:
    """A name that no other place below a million gets."""
    mixed = (place * 7_919 + salt) % 1_000_000
    rest, colour = divmod(mixed, 50)
    rest, trade = divmod(rest, 50)
    town, form = divmod(rest, 10)
    return f"{words.COLOURS[colour]} {words.TRADES[trade]} {words.TOWNS[town]} {words.FORMS[form]}"


_ACCOUNT_DIRT = {
    "same name": 0.01,
    "phone": 0.02,
    "email": 0.01,
    "script": 0.005,
    "blanks": 0.005,
    "sentinel": 0.003,
    "long": 0.0005,
    "lines": 0.003,
}


def accounts(plan: Plan) -> Iterator[Row]:
    rng = plan.random("Account")
    draw = rng.random
    salt = plan.seed % 1_000_000
    marks = plan.marks("Account", _ACCOUNT_DIRT)
    lost, merged = plan.deleted["Account"], plan.merged["Account"]
    for place in range(plan.counts["Account"]):
        row = plan.head("Account", place, rng)
        name = company(place, salt)
        row["Name"] = name
        row["Type"] = ("Customer", "Customer", "Customer", "Prospect", "Former")[int(draw() * 5)]
        row["Industry"] = INDUSTRIES[int(draw() * 8)] if draw() < 0.9 else None
        row["Phone"] = _phone(rng)
        row["Fax"] = _phone(rng) if draw() < 0.2 else None
        row["Website"] = f"https://www.{_DOMAINS[place % 3]}/{place + 1}" if draw() < 0.6 else None
        row["Email__c"] = f"office.{place + 1}@{_DOMAINS[place % 3]}"
        _address(row, "Billing", plan, place, rng)
        if draw() < 0.4:
            _address(row, "Shipping", plan, place + 7, rng)
        row["AccountNumber"] = f"CL-{place + 1:06d}"
        row["On_Stop__c"] = int(draw() < 0.04)
        row["Description"] = (
            f"Client since the {words.TERRITORIES[place % 6]} round was set up." if draw() < 0.3 else None
        )
        row["Customer_Since__c"] = plan.days[int(draw() * DAYS)]
        row["Credit_Limit__c"] = money(int(draw() * 50) * 100_000) if draw() < 0.7 else None
        row["Service_Tier__c"] = ("Bronze", "Silver", "Gold")[int(draw() * 3)]
        row["Sectors__c"] = ";".join(sorted({SECTORS[int(draw() * 5)], SECTORS[int(draw() * 5)]}))
        if place > 20 and draw() < 0.08:
            row["ParentId"] = plan.client_id(int(draw() * place))
        if place in marks:
            _spoil_account(row, marks[place], place, salt, rng)
        if place in lost or place in merged:
            row["IsDeleted"] = 1
            row["MasterRecordId"] = plan.id("Account", merged[place]) if place in merged else None
        yield row


def _spoil_account(row: Row, kind: str, place: int, salt: int, rng: Random) -> None:
    if kind == "same name":
        row["Name"] = company(max(0, place - 1), salt)
    elif kind == "phone":
        row["Phone"] = rng.choice(words.ODD_PHONES)
    elif kind == "email":
        row["Email__c"] = _odd_email(row["Email__c"], rng)
    elif kind == "script":
        row["Name"] = rng.choice(words.OTHER_COMPANIES)
    elif kind == "blanks":
        row["Name"] = f"  {row['Name']} "
    elif kind == "sentinel":
        row["Customer_Since__c"] = words.EPOCH_DAY
    elif kind == "long":
        row["Description"] = (words.LONG_SENTENCE * 400)[:32_000]
    elif kind == "lines":
        row["BillingStreet"] = f"Unit 4\r\n{row['BillingStreet']}\r\n(rear gate)"


_CONTACT_DIRT = {
    "orphan": 0.01,
    "family": 0.006,
    "twin": 0.004,
    "phone": 0.02,
    "email": 0.015,
    "script": 0.01,
    "blanks": 0.004,
    "sentinel": 0.003,
    "nameless": 0.01,
}


def contacts(plan: Plan) -> Iterator[Row]:
    """Contact `n` belongs to client `n` modulo the number of clients."""
    rng = plan.random("Contact")
    draw = rng.random
    clients = plan.counts["Account"]
    marks = plan.marks("Contact", _CONTACT_DIRT)
    lost, merged = plan.deleted["Contact"], plan.merged["Contact"]
    before: Row = {}
    for place in range(plan.counts["Contact"]):
        row = plan.head("Contact", place, rng)
        first, last = _person(place, plan.seed)
        row["FirstName"], row["LastName"] = first, last
        row["AccountId"] = plan.client_id(place % clients)
        row["Email"] = _email(first, last, place) if draw() < 0.93 else None
        row["Phone"] = _phone(rng) if draw() < 0.8 else None
        row["MobilePhone"] = _phone(rng) if draw() < 0.6 else None
        row["Title"] = words.TITLES[int(draw() * 7)]
        if draw() < 0.5:
            _address(row, "Mailing", plan, place % clients, rng)
        row["Is_Primary__c"] = int(place < clients)
        row["Birthdate"] = (
            f"{1950 + int(draw() * 50)}-{1 + int(draw() * 12):02d}-{1 + int(draw() * 28):02d}" if draw() < 0.2 else None
        )
        row["Description"] = "Prefers mornings." if draw() < 0.1 else None
        row["Preferred_Channel__c"] = ("Phone", "Email", "SMS")[int(draw() * 3)] if draw() < 0.8 else None
        if place in marks:
            _spoil_contact(row, marks[place], before, plan, rng)
        row["Name"] = f"{row['FirstName']} {row['LastName']}" if row["FirstName"] else row["LastName"]
        if place in lost or place in merged:
            row["IsDeleted"] = 1
            row["MasterRecordId"] = plan.id("Contact", merged[place]) if place in merged else None
        else:
            before = row
        yield row


def _spoil_contact(row: Row, kind: str, before: Row, plan: Plan, rng: Random) -> None:
    if kind == "orphan":
        row["AccountId"] = plan.lost_client_id(rng.randrange(1_000_000))
    elif kind in {"family", "twin"} and before.get("Email"):
        row["Email"], row["LastName"], row["AccountId"] = before["Email"], before["LastName"], before["AccountId"]
        if kind == "twin":
            row["FirstName"] = before["FirstName"]
    elif kind == "phone":
        row["Phone"] = rng.choice(words.ODD_PHONES)
    elif kind == "email":
        row["Email"] = _odd_email(row["Email"] or "nobody@example.com", rng)
    elif kind == "script":
        row["FirstName"], row["LastName"] = rng.choice(words.OTHER_SCRIPTS)
    elif kind == "blanks":
        row["LastName"] = f" {row['LastName']}  "
    elif kind == "sentinel":
        row["Birthdate"] = words.EPOCH_DAY
    elif kind == "nameless":
        row["FirstName"] = None


def sites(plan: Plan) -> Iterator[Row]:
    """Site `n` belongs to client `n`, so the first clients have one each."""
    rng = plan.random("Site__c")
    draw = rng.random
    marks = plan.marks("Site__c", {"lines": 0.01, "no place": 0.01, "script": 0.004})
    for place in range(plan.counts["Site__c"]):
        row = plan.head("Site__c", place, rng)
        town, (state, country, zone, latitude, longitude) = plan.town(place)
        row |= {"Name": f"{town} {('Depot', 'Plant', 'Office', 'Shop')[place % 4]} {place + 1}"}
        row |= {"Client__c": plan.client_id(place), "Street__c": _street(rng), "City__c": town, "State__c": state}
        row |= {"Postal_Code__c": f"{10_000 + place % 89_999}", "Country__c": country, "Time_Zone__c": zone}
        row["Latitude__c"] = _degrees(latitude + int(draw() * 900_000))
        row["Longitude__c"] = _degrees(longitude + int(draw() * 900_000))
        row["Access_Notes__c"] = f"Gate code {int(draw() * 9_000) + 1_000}" if draw() < 0.4 else None
        row["Parent_Site__c"] = plan.id("Site__c", int(draw() * place)) if place and draw() < 0.1 else None
        kind = marks.get(place)
        if kind == "lines":
            row["Access_Notes__c"] = "Ring twice.\r\nKey at reception\r\n\r\n  – ask for Noor 🔑"
        elif kind == "no place":
            row["Latitude__c"] = row["Longitude__c"] = "0.0"
        elif kind == "script":
            row["City__c"] = "القاهرة الجديدة"
        yield row


def technicians(plan: Plan) -> Iterator[Row]:
    """By turns related to a user, known by e-mail only, related again, and known by name only."""
    rng = plan.random("ServiceResource")
    staff = [place for place, one in enumerate(STAFF) if one[4]]
    for place in range(plan.technicians):
        row = plan.head("ServiceResource", place, rng)
        first, last = words.FIRST_NAMES[place * 5 % 64], words.LAST_NAMES[place * 7 % 64]
        row |= {"Name": f"{first} {last}", "Phone__c": _phone(rng), "IsActive": int(place % 9 != 8)}
        row |= {"ResourceType": "D" if place == 4 else "T", "Territory__c": words.TERRITORIES[place % 6]}
        row["Skills__c"] = ";".join(sorted(rng.sample(SKILLS, 2)))
        if place % 2 == 0:
            user = staff[place // 2 % len(staff)]
            row |= {"RelatedRecordId": plan.id("User", user), "Name": f"{STAFF[user][0]} {STAFF[user][1]}"}
            row["Email__c"] = STAFF[user][2] if place % 4 == 0 else None
        elif place % 4 == 1:
            row["Email__c"] = f"{first}.{last}@{_DOMAINS[place % 3]}".lower()
        yield row


def leads(plan: Plan) -> Iterator[Row]:
    rng = plan.random("Lead")
    draw = rng.random
    marks = plan.marks("Lead", {"email": 0.01, "phone": 0.02, "script": 0.01})
    for place in range(plan.counts["Lead"]):
        row = plan.head("Lead", place, rng)
        first, last = _person(place * 3 + 1, plan.seed)
        row |= {
            "FirstName": first,
            "LastName": last,
            "Company": company(900_000 + place % 90_000, plan.seed % 1_000_000),
        }
        row |= {"Email": f"lead.{place + 1}@{_DOMAINS[place % 3]}", "Phone": _phone(rng)}
        row["LeadSource"] = ("Web", "Phone Inquiry", "Partner Referral", "Trade Show", "Other")[int(draw() * 5)]
        row["Status"] = ("New", "Contacted", "Qualified", "Unqualified")[int(draw() * 4)]
        row["Description"] = "Asked for a maintenance quote." if draw() < 0.6 else None
        row["Lead_Score__c"] = f"{int(draw() * 100)}.0"
        row["IsConverted"] = int(row["Status"] == "Qualified" and draw() < 0.3)
        kind = marks.get(place)
        if kind == "email":
            row["Email"] = _odd_email(row["Email"], rng)
        elif kind == "phone":
            row["Phone"] = rng.choice(words.ODD_PHONES)
        elif kind == "script":
            row["FirstName"], row["LastName"] = rng.choice(words.OTHER_SCRIPTS)
        row["Name"] = f"{row['FirstName']} {row['LastName']}"
        yield row


def _person(place: int, salt: int) -> tuple[str, str]:
    """The name of the contact at a place, which its portal user shares."""
    mixed = (place * _MIX + salt * 97) & 0xFFFFFFFF
    return words.FIRST_NAMES[mixed >> 9 & 63], words.LAST_NAMES[mixed >> 19 & 63]


def _email(first: str, last: str, place: int) -> str:
    return f"{first}.{last}.{place + 1}@{_DOMAINS[place % 3]}".lower()


def _odd_email(email: str, rng: Random) -> str:
    name, _, domain = email.partition("@")
    odd = (
        f" {email} ",
        email.upper(),
        f"{name}@",
        f"{name} at {domain}",
        f"{name}@@{domain}",
        f"{name}@{domain};x@{domain}",
    )
    return rng.choice(odd)


def _phone(rng: Random) -> str:
    number = int(rng.random() * 80_000)
    return f"+1 {200 + number // 100} 555 01{number % 100:02d}"


def _street(rng: Random) -> str:
    return f"{1 + int(rng.random() * 400)} {words.STREETS[int(rng.random() * 8)]}"


def _address(row: Row, prefix: str, plan: Plan, number: int, rng: Random) -> None:
    town, (state, country, _, _, _) = plan.town(number)
    row[f"{prefix}Street"] = _street(rng)
    row[f"{prefix}City"] = town
    row[f"{prefix}State"] = state
    row[f"{prefix}PostalCode"] = f"{10_000 + number % 89_999}"
    row[f"{prefix}Country"] = country


def _degrees(micro: int) -> str:
    sign = "-" if micro < 0 else ""
    whole, rest = divmod(abs(micro), 1_000_000)
    return f"{sign}{whole}.{f'{rest:06d}'.rstrip('0') or '0'}"
