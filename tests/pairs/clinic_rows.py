"""What each row of the clinic pairs promises for the hand-made clinic, for both destinations.

Fields that the migration adds have the same labels on either side; `Names` says how each calls its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from tests.pairs.clinic_company import CLINIC
from tests.pairs.comparing import Expected, Person, To


@dataclass(frozen=True)
class Names:
    """A destination's own words: modules by kind, standard fields by a word of ours."""

    modules: Mapping[str, str]
    fields: Mapping[str, str]

    def expected(self, kind: str, former: str, values: Mapping[str, Any]) -> Expected:
        """Keys in braces are words of ours, all others labels."""
        named = {self.fields[f"{kind}.{key[1:-1]}"] if key.startswith("{") else key: one for key, one in values.items()}
        return Expected(self.modules[kind], former, named)

    def to(self, kind: str, name: str, record_id: str) -> To:
        return To(self.modules[kind], CLINIC.former(name, record_id))


_ADDRESS = ("street", "city", "state", "code", "country")

ZOHO = Names(
    {
        "account": "Accounts", "contact": "Contacts", "deal": "Deals", "plan": "Treatment Plans",
        "result": "Lab Results", "policy": "Insurance Plans", "event": "Meetings", "task": "Tasks",
    },
    {
        "account.name": "Account Name", "account.phone": "Phone", "account.website": "Website",
        **{f"account.{part}": f"Billing {part.title()}" for part in _ADDRESS},
        "contact.first": "First Name", "contact.last": "Last Name", "contact.email": "Email",
        "contact.mobile": "Mobile", "contact.work": "Phone", "contact.job": "Title",
        "contact.account": "Account Name", "contact.title": "Name Title", "contact.owner": "Owner",
        **{f"contact.{part}": f"Mailing {'Zip' if part == 'code' else part.title()}" for part in _ADDRESS},
        "deal.name": "Deal Name", "deal.amount": "Amount", "deal.stage": "Stage", "deal.contact": "Contact Name",
        "deal.account": "Account Name", "deal.close": "Closing Date", "deal.owner": "Owner",
        "plan.name": "Treatment Plan Name", "result.name": "Lab Result Name", "policy.name": "Insurance Plan Name",
        "plan.owner": "Owner", "result.owner": "Owner",
    },
)  # fmt: skip

FRESHSALES = Names(
    {
        "account": "sales_accounts", "contact": "contacts", "deal": "deals", "plan": "cm_treatment_plan",
        "result": "cm_lab_result", "policy": "cm_insurance_plan",
    },
    {
        "account.name": "name", "account.phone": "phone", "account.website": "website",
        "contact.first": "first_name", "contact.last": "last_name", "contact.email": "email",
        "contact.mobile": "mobile_number", "contact.work": "work_number", "contact.job": "job_title",
        "contact.account": "sales_account", "contact.title": "Title", "contact.owner": "owner_id",
        **{
            f"{kind}.{part}": {"street": "address", "code": "zipcode"}.get(part, part)
            for kind in ("account", "contact") for part in _ADDRESS
        },
        "deal.name": "name", "deal.amount": "amount", "deal.stage": "deal_stage_id", "deal.contact": "contacts",
        "deal.account": "sales_account", "deal.close": "expected_close", "deal.owner": "owner_id",
        **{f"{kind}.name": "name" for kind in ("plan", "result", "policy")},
        **{f"{kind}.owner": "owner_id" for kind in ("plan", "result")},
    },
)  # fmt: skip

Row = Callable[[Names], list[Expected]]
_IRIS = Person("owner1@example.com")
CHANGED = datetime(2026, 3, 5, 19, 30, 7, tzinfo=UTC)


def patients(names: Names) -> list[Expected]:
    clinic = {
        "{name}": "Harbour Clinic", "Account Kind": "Clinic", "{phone}": "+61255500001",
        "{website}": "https://harbour.example.com", "Account Email": "desk@harbour.example.com",
        "{street}": "1 Quay Street", "{city}": "Eastwick", "{state}": "NSW", "{code}": "02117",
        "{country}": "Australia", "Source Created Time": datetime(2019, 3, 5, 19, 30, 7, tzinfo=UTC),
    }  # fmt: skip
    full = {
        "{first}": "Zoë", "{last}": "Ørsted-Quill", "{email}": "home@example.com", "Shared Email": None,
        "{mobile}": "+61491570156", "{work}": "+61255530002", "Home Phone": "(02) 5553 0001",
        "{street}": "3 Acacia Street\nUnit 4", "{city}": "Eastwick", "{state}": "NSW", "{code}": "02117",
        "{country}": "Australia", "{job}": "Teacher", "{account}": names.to("account", "clinics", "L1"),
        "Contact Type": "Patient", "Patient Status": "Active", "Do Not Contact": False, "Patient Number": "P1",
        "Account Number": "ACC-7", "{title}": "Ms", "Middle Name": "Anne", "Name Suffix": "Jr",
        "Preferred Name": "Zo", "Maiden Name": "Smith", "Date of Birth": date(1979, 2, 13),
        "Sex": "F-CANARYHEALTH", "Gender Identity": "woman-CANARYHEALTH", "Pronouns": "she/her",
        "Marital Status": "Married", "Language": "English", "Ethnicity": "r-CANARYHEALTH, e-CANARYHEALTH",
        "Birthplace": "b-CANARYHEALTH", "Emergency Contact": "Bo Quill", "Emergency Phone": "0491 570 999",
        "National ID": "s-CANARYHEALTH", "Health Card Number": "m-CANARYHEALTH-1", "Health Card Expiry": "2027-11",
        "Concession Number": "c-CANARYHEALTH", "Veteran Number": "v-CANARYHEALTH", "Email Consent": True,
        "SMS Consent": False, "Privacy Consent": True, "Known Allergies": "Latex CANARYHEALTH",
        "Medical Alerts": "Faints CANARYHEALTH", "Clinical Notes": "Line one CANARYHEALTH\nline two",
        "{owner}": _IRIS, "Referred By": names.to("contact", "referrers", "R1"),
        "Source Created Time": datetime(2020, 3, 5, 19, 30, 7, tzinfo=UTC), "Source Modified Time": CHANGED,
    }  # fmt: skip
    former = CLINIC.former
    return [
        names.expected("account", former("clinics", "L1"), clinic),
        names.expected("contact", former("patients", "P1"), full),
        names.expected("contact", former("patients", "P3"), {
            "{last}": "Dahl", "Patient Status": "Deceased", "Do Not Contact": True, "Date of Death": date(2024, 1, 20),
        }),
        names.expected("contact", former("patients", "P5"), {
            "{first}": None, "{last}": "Tellar", "Patient Status": "Archived", "Do Not Contact": True,
        }),
    ]  # fmt: skip


def sharing(names: Names) -> list[Expected]:
    """The child and the physician with the same address stay people of their own."""
    child = {"{first}": "Bo", "{last}": "Quill", "{email}": None, "Shared Email": "home@example.com"}
    physician = {"{last}": "OST", "{email}": None, "Shared Email": "home@example.com"}
    return [
        names.expected("contact", CLINIC.former("patients", "P2"), child),
        names.expected("contact", CLINIC.former("referrers", "R2"), physician),
    ]


def payers(names: Names) -> list[Expected]:
    patient = names.to("contact", "patients", "P1")
    account = {
        "{name}": "Harvest Health Fund", "Account Kind": "Payer", "Payer Code": "HHF", "{phone}": "+611300555001",
        "{street}": "PO Box 9", "{city}": "Coldbrook", "{state}": "SA", "{code}": "0847",
    }  # fmt: skip
    person = {
        "Insurance Carrier": "Harvest Health Fund", "Policy Number": "p1-CANARYHEALTH", "Group ID": "g1-CANARYHEALTH",
        "Second Carrier": "Tidewater Assurance", "Second Policy Number": "p2-CANARYHEALTH",
        "Second Group ID": "g2-CANARYHEALTH",
    }  # fmt: skip
    listed = {
        "{name}": "Tidewater Assurance", "Patient": patient, "Payer": names.to("account", "payers", "Y2"),
        "Plan Name": "Gold Extras", "Policy Number": "p3-CANARYHEALTH", "Group ID": "g3-CANARYHEALTH",
        "Subscriber": "Zoë CANARYHEALTH", "Relation": "Self", "Priority": "Tertiary",
        "Effective Date": date(2024, 2, 13), "Termination Date": date(2026, 2, 28),
    }  # fmt: skip

    def inline(number: int, payer: str, name: str, relation: str, priority: str) -> Expected:
        values = {
            "{name}": name, "Patient": patient, "Payer": names.to("account", "payers", payer),
            "Policy Number": f"p{number}-CANARYHEALTH", "Group ID": f"g{number}-CANARYHEALTH", "Relation": relation,
            "Priority": priority,
        }  # fmt: skip
        return names.expected("policy", CLINIC.former("patients", "P1", f"plan:{number}"), values)

    return [
        names.expected("account", CLINIC.former("payers", "Y1"), account),
        names.expected("contact", CLINIC.former("patients", "P1"), person),
        names.expected("policy", CLINIC.former("insurance_plans", "T1"), listed),
        inline(1, "Y1", "Harvest Health Fund", "Self", "Primary"),
        inline(2, "Y2", "Tidewater Assurance", "Spouse", "Secondary"),
    ]


def bills(names: Names, stages: tuple[str, str, str, str]) -> list[Expected]:
    """`stages` of a bill that is partly paid, denied, paid and open."""
    partly, denied, paid, unpaid = stages
    full = {
        "{name}": "INV-1 - Zoë Anne Ørsted-Quill", "{amount}": Decimal("210.75"), "{stage}": partly,
        "{contact}": names.to("contact", "patients", "P1"), "{account}": names.to("account", "clinics", "L1"),
        "{close}": date(2026, 2, 10), "Invoice Number": "INV-1", "Date of Service": date(2026, 2, 10),
        "Billing Status": "Partially Paid", "Amount Billed": Decimal("210.75"), "Adjustments": Decimal(-10),
        "Tax": Decimal("19.16"), "Amount Paid": Decimal("100.25"), "Amount Outstanding": Decimal("100.50"),
        "Payment Date": date(2026, 2, 20), "Payment History": "2026-02-15 · 120.5 · Card\n2026-02-20 · -20.25 · Card",
        "Denial Status": None, "Claim Number": "CLM-7", "Procedure Code": "9921-CANARYHEALTH",
        "Diagnosis Code": "M54-CANARYHEALTH", "Units": Decimal(2), "Billing Currency": "AUD",
        "Payer Account": names.to("account", "payers", "Y1"), "Payer Name": "Harvest Health Fund",
        "Second Payer": names.to("account", "payers", "Y2"), "Second Payer Name": "Tidewater Assurance",
        "Visit Number": "A1", "Billing Notes": "Call CANARYHEALTH", "Provider": "Dr Iris van Berg", "{owner}": _IRIS,
        "Source Created Time": datetime(2026, 2, 10, 14, tzinfo=UTC), "Source Modified Time": CHANGED,
    }  # fmt: skip
    refused = {
        "{stage}": denied, "Denial Status": "Denied", "Denial Reason": "Lapsed CANARYHEALTH", "Payer Account": None,
        "Payer Name": "Unknown Fund", "Provider": "Dr Lee Ost",
    }  # fmt: skip
    return [
        names.expected("deal", CLINIC.former("invoices", "I1"), full),
        names.expected("deal", CLINIC.former("invoices", "I2"), refused),
        names.expected("deal", CLINIC.former("invoices", "I3"), {"{stage}": paid, "Amount Outstanding": Decimal(0)}),
        names.expected("deal", CLINIC.former("invoices", "I4"), {"{stage}": unpaid, "Amount Paid": None}),
    ]


def treatment_plans(names: Names) -> list[Expected]:
    values = {
        "{name}": "Back care CANARYHEALTH", "Patient": names.to("contact", "patients", "P1"),
        "Diagnosis Code": "M54-CANARYHEALTH", "Diagnosis": "Back CANARYHEALTH",
        "Procedure Codes": "97110; 97140 CANARYHEALTH", "Start Date": date(2026, 2, 13),
        "End Date": date(2026, 5, 30), "Plan Status": "Active", "Sessions Planned": Decimal(8),
        "Sessions Used": Decimal(3), "Clinical Notes": "Weekly CANARYHEALTH.", "Visit Number": "A1",
        "Provider": "Dr Iris van Berg", "{owner}": _IRIS, "Source Modified Time": CHANGED,
    }  # fmt: skip
    return [names.expected("plan", CLINIC.former("treatment_plans", "TP1"), values)]


def referrers(names: Names) -> list[Expected]:
    practice = next(iter(_practices()))
    account = {
        "{name}": "Oak Medical", "Account Kind": "Referring practice", "Referral Territory": "North",
        "Specialty": "Dermatology", "{phone}": "+61355510001", "Fax": "(03) 5552 0001", "{street}": "10 Mill Road",
        "{city}": "Hexley", "{state}": "TAS", "{code}": "7004", "{country}": "Australia",
    }  # fmt: skip
    person = {
        "{first}": "Marta", "{last}": "QUILL", "Middle Name": "J", "{email}": "marta@oak.example.org",
        "{work}": "+61355510001", "Fax": "(03) 5552 0001", "{account}": names.to("account", "practices", practice),
        "Contact Type": "Referrer", "{title}": "Dr", "{job}": "Dermatology", "Provider Number": "123456BX",
        "Referral Territory": "North", "Clinical Notes": "Prefers fax.", "{street}": "10 Mill Road",
    }  # fmt: skip
    other = {"{last}": "OST", "{account}": names.to("account", "practices", practice)}
    return [
        names.expected("account", CLINIC.former("practices", practice), account),
        names.expected("contact", CLINIC.former("referrers", "R1"), person),
        names.expected("contact", CLINIC.former("referrers", "R2"), other),
    ]


def _practices() -> tuple[str, ...]:
    """The id of the one practice: from its name, capitals and blanks aside."""
    return ("practice-4fed239e19a6b9d6",)


def results(names: Names) -> list[Expected]:
    values = {
        "{name}": "Glucose CANARYHEALTH", "Patient": names.to("contact", "patients", "P1"),
        "Test Code": "1558-CANARYHEALTH", "Category": "Blood CANARYHEALTH", "Result Value": "7.1 CANARYHEALTH",
        "Unit": "mmol/L", "Reference Range": "3.9-5.5 CANARYHEALTH", "Abnormal Flag": "H-CANARYHEALTH",
        "Collected On": date(2026, 2, 10), "Collected At": datetime(2026, 2, 10, 13, 20, tzinfo=UTC),
        "Reported At": datetime(2026, 2, 11, 8, tzinfo=UTC), "Result Text": "Fasting CANARYHEALTH.",
        "Visit Number": "A1", "Provider": "Dr Iris van Berg", "{owner}": _IRIS,
    }  # fmt: skip
    return [names.expected("result", CLINIC.former("lab_results", "LR1"), values)]


def custom_fields(names: Names) -> list[Expected]:
    person = {"Shoe Size": Decimal(39), "Mobility Aid": "Cane CANARYHEALTH", "Preferred Room": "Window room"}
    return [
        names.expected("contact", CLINIC.former("patients", "P1"), person),
        names.expected("account", CLINIC.former("clinics", "L1"), {"Parking": "Behind the house"}),
        names.expected("deal", CLINIC.former("invoices", "I1"), {"Discount Card": "Gold"}),
    ]
