"""Companies, contacts and leads; any other table can ask what a place is called."""

from collections.abc import Iterator
from random import Random

from connectors.rsoft.generator import words
from connectors.rsoft.generator.plan import Plan, amount, day, mobile, moment, phone, stamp
from connectors.rsoft.generator.settings import USERS

COMPANY_HEADINGS = [
    "Company Id", "Company Name", "Industry", "Company Size", "Website", "Phone", "Email", "GST Number", "Address",
    "City", "State", "Pincode", "Country", "Owner", "Tags", "Created On", "Modified On", "Annual Turnover",
]  # fmt: skip
CONTACT_HEADINGS = [
    "Contact Id", "Salutation", "First Name", "Last Name", "Company Id", "Company Name", "Designation", "Mobile",
    "Alternate Mobile", "WhatsApp Number", "Email", "Address", "City", "State", "Pincode", "Country",
    "Lifecycle Stage", "Owner", "Tags", "Remarks", "Created On", "Modified On", "Preferred Language",
    "Date of Visit", "Budget", "Referred By", "Loan Required", "Old Dealer Code",
]  # fmt: skip
LEAD_HEADINGS = [
    "Lead Id", "Enquiry Id", "Name", "Company", "Mobile", "Email", "City", "State", "Lead Source", "Requirement",
    "Lead Status", "Lead Score", "Next Follow-up Date", "Remarks", "Assigned To", "Converted Contact Id",
    "Converted On", "Tags", "Created On", "Modified On",
]  # fmt: skip
_SAME_FIRM, _SAME_NAME = 41, 29
_SAME_PERSON, _FAMILY = 37, 53
_DOMAINS = ("example.com", "example.org", "example.net")


def company_id(place: int) -> str:
    return f"COM-{place + 1:06d}"


def contact_id(place: int) -> str:
    return f"CON-{place + 1:06d}"


def lead_id(place: int) -> str:
    return f"LEA-{place + 1:06d}"


def copied(place: int, every: int) -> bool:
    """Whether this row repeats the one before it."""
    return place > 0 and place % every == 0


def company_name(place: int) -> str:
    """The name as a person typed it; some firms were entered twice, some differ in case and blanks only."""
    if copied(place, _SAME_FIRM):
        return company_name(place - 1)
    if copied(place, _SAME_NAME):
        return "  ".join(company_name(place - 1).upper().split())
    brands, trades, forms = len(words.BRANDS), len(words.TRADES), len(words.FORMS)
    brand = (place * 7 + place // brands) % brands
    rest, trade = divmod(place // brands, trades)
    number = "" if rest < forms else f" {rest // forms + 1}"
    return f"{words.BRANDS[brand]} {words.TRADES[trade]}{number} {words.FORMS[rest % forms]}"


def company_site(place: int) -> str:
    if copied(place, _SAME_FIRM):
        return company_site(place - 1)
    return f"firm{place + 1}.{_DOMAINS[place % 3]}"


def person(plan: Plan, table: str, place: int) -> tuple[str, str]:
    """First and last name; some people have one name, some are written in Devanagari or Tamil."""
    rng = plan.random(f"{table}-name", place)
    if place % 17 == 5:
        return words.OTHER_SCRIPTS[place // 17 % len(words.OTHER_SCRIPTS)]
    first, last = rng.choice(words.FIRST), rng.choice(words.LAST)
    if rng.random() < 0.8:  # an initial, as in the south; without it names repeat often
        first = f"{chr(65 + rng.randrange(26))}. {first}"
    return (first, "") if place % 11 == 3 else (first, last)


def contact_person(plan: Plan, place: int) -> tuple[str, str]:
    return person(plan, "contact", place - 1 if copied(place, _SAME_PERSON) else place)


def contact_name(plan: Plan, place: int) -> str:
    return " ".join(part for part in contact_person(plan, place) if part)


def contact_email(place: int) -> str:
    if place % 13 == 7:
        return ""
    if copied(place, _SAME_PERSON) or copied(place, _FAMILY):
        return contact_email(place - 1)
    return f"contact{place + 1}@{_DOMAINS[place % 3]}"


def owner(rng: Random, *, by_mail: bool) -> str:
    """An owner by name or e-mail; now and then somebody whom the list of users does not have."""
    if rng.random() < 0.01:
        return "Old Partner"
    _, name, email, *_ = rng.choice(USERS)
    return email if by_mail else name


def tags(rng: Random) -> str:
    chosen = rng.sample(words.TAGS, rng.choice((0, 0, 1, 1, 2)))
    if chosen and rng.random() < 0.2:
        chosen.append(chosen[0].lower())
    return ", ".join(chosen)


def _place_of(rng: Random) -> list[str]:
    """Address, city, state, pincode, country; some addresses are incomplete."""
    city, state, pin = rng.choice(words.CITIES)
    street = f"{rng.randrange(1, 200)}, {rng.choice(words.STREETS)}"
    pincode = f"{pin}{rng.randrange(1, 100):03d}"
    return [street, city, state, "" if rng.random() < 0.05 else pincode, "India"]


def companies(plan: Plan) -> Iterator[list[str]]:
    for place in range(plan.counts["companies"]):
        rng = plan.random("companies", place)
        site = company_site(place)
        made = moment(rng)
        landline = f"044-{rng.randrange(22_000_000, 28_999_999)}"
        turnover = amount(rng, rng.randrange(1, 400) * 1_000_000)
        gst = f"{rng.randrange(1, 38):02d}AAAAA{rng.randrange(1000, 10_000)}A1Z{rng.randrange(10)}"
        yield [
            *(company_id(place), company_name(place), rng.choice(words.INDUSTRIES), rng.choice(words.SIZES)),
            *(f"www.{site}", landline if place % 3 else phone(rng, mobile(rng)), f"info@{site}", gst),
            *(*_place_of(rng), owner(rng, by_mail=False), tags(rng), stamp(made), stamp(made), turnover),
        ]


def contacts(plan: Plan) -> Iterator[list[str]]:
    firms = plan.counts["companies"]
    for place in range(plan.counts["contacts"]):
        rng = plan.random("contacts", place)
        first, last = contact_person(plan, place)
        firm = rng.randrange(firms)
        number = phone(rng, mobile(rng))
        if place % 9 == 4:
            number = f"{number} / {phone(rng, mobile(rng))}"
        made = moment(rng)
        remark = rng.choice(words.SENTENCES) if rng.random() < 0.5 else ""
        visit = moment(rng)
        yield [
            *(contact_id(place), rng.choice(("Mr.", "Ms.", "Dr.", "")), first, last),
            *(company_id(firm) if place % 4 else "", company_name(firm) if place % 10 else ""),
            *(rng.choice(words.TITLES), number, phone(rng, mobile(rng)) if place % 5 == 0 else ""),
            *(phone(rng, mobile(rng)) if place % 6 == 0 else "", contact_email(place), *_place_of(rng)),
            *(rng.choice(words.LIFECYCLE), owner(rng, by_mail=False), tags(rng), remark, stamp(made), stamp(made)),
            *(rng.choice(words.LANGUAGES), day(visit), amount(rng, rng.randrange(5, 200) * 50_000)),
            *(rng.choice(words.FIRST) if place % 3 == 0 else "", rng.choice(("Yes", "No")), ""),
        ]


def leads(plan: Plan) -> Iterator[list[str]]:
    people = plan.counts["contacts"]
    for place in range(plan.counts["leads"]):
        rng = plan.random("leads", place)
        source = rng.choice(words.SOURCES)
        made, converted = moment(rng), place % 6 == 2
        contact = place % people
        first, last = contact_person(plan, contact) if converted else person(plan, "lead", place)
        email = contact_email(contact) if converted else f"lead{place + 1}@{_DOMAINS[place % 3]}"
        city, state, _ = rng.choice(words.CITIES)
        yield [
            *(lead_id(place), f"ENQ/{made:%y}/{place + 1:05d}", " ".join(part for part in (first, last) if part)),
            *(f"{rng.choice(words.BRANDS)} Traders" if place % 3 else "", phone(rng, mobile(rng)), email, city, state),
            *(source, rng.choice(words.WISHES), "Qualified" if converted else rng.choice(words.LEAD_STATUS[:4])),
            *(str(rng.randrange(0, 101)), day(moment(rng, 600)), rng.choice(words.SENTENCES) if place % 2 else ""),
            *(owner(rng, by_mail=True), contact_id(contact) if converted else "", stamp(made) if converted else ""),
            *(tags(rng), stamp(made), stamp(made)),
        ]
