"""Tables of people and organisations: locations, staff, payers, referring physicians, patients and their policies."""

import json
from collections.abc import Iterator
from datetime import timedelta
from random import Random

from connectors.clinic.generator import words
from connectors.clinic.generator.cast import LATEST, Cast, day, stamp

Row = dict[str, str]
_NO_EMAIL = 4
"""This member of staff has no e-mail address; the sixth has left."""


def locations(cast: Cast) -> Iterator[Row]:
    for place in range(cast.clinics):
        town, state, code = words.TOWNS[place % len(words.TOWNS)]
        number = "" if place < len(words.CLINICS) else f" {place // len(words.CLINICS) + 1}"
        yield {
            "Location ID": cast.clinic(place),
            "Location Name": f"{words.CLINICS[place % len(words.CLINICS)]} Clinic{number}",
            "Phone": f"(02) 5550 {place:04d}",
            "Address": f"{place + 1} {words.STREETS[place % len(words.STREETS)]} Street",
            "Suburb": town,
            "State": state,
            "Postcode": code,
            "Country": "Australia",
        }


def staff(cast: Cast) -> Iterator[Row]:
    """The first members carry the addresses of users that a destination's sandbox has."""
    for place in range(cast.providers):
        first, _, last = cast.names(place * 31 + 3)
        email = f"owner{place + 1}@example.com" if place < 4 else f"provider.{place + 1}@example.com"
        yield {
            "Provider ID": cast.provider(place),
            "Title": "Dr",
            "First Name": first,
            "Surname": last,
            "Email": "" if place == _NO_EMAIL else email,
            "Role": "Practitioner" if place % 5 else "Practice Manager",
            "Speciality": words.SPECIALTIES[place % len(words.SPECIALTIES)],
            "Provider No": f"{place + 1:07d}A",
            "Location ID": cast.clinic(place),
            "Active": "No" if place == 5 else "Yes",
        }


def payers(_: Cast) -> Iterator[Row]:
    for place, name in enumerate(words.PAYERS):
        town, state, code = words.TOWNS[(place + 2) % len(words.TOWNS)]
        yield {
            "Payer ID": f"PAY-{place + 1}",
            "Payer Name": name,
            "Payer Code": f"{name[:3].upper()}{place:02d}",
            "Phone": f"1300 555 {place:03d}",
            "Address": f"PO Box {100 + place}",
            "City": town,
            "State": state,
            "Postcode": code,
        }


def referrers(cast: Cast) -> Iterator[Row]:
    """Two physicians of a practice on average; some practices are spelt in two ways."""
    for place in range(cast.referrers):
        first, _, last = cast.names(place * 17 + 8)
        practice = place // 2
        name = (
            f"{words.FAMILY[practice % len(words.FAMILY)]} & {words.FAMILY[practice * 5 % len(words.FAMILY)]} Medical"
        )
        number = practice // len(words.FAMILY)
        town, state, code = words.TOWNS[practice % len(words.TOWNS)]
        name = f"{name} {number + 1}" if number else name
        yield {
            "Referrer ID": cast.referrer(place),
            "Doctor Name": f"{last.upper()}, {first}",
            "Practice": name.upper() if place % 7 == 5 else name,
            "Speciality": words.SPECIALTIES[place % len(words.SPECIALTIES)],
            "Phone": f"(03) 5551 {place % 10_000:04d}",
            "Fax": f"(03) 5552 {place % 10_000:04d}",
            "Email": f"referrer.{place + 1}@example.net" if place % 4 else "",
            "Provider No": f"{place:06d}BX",
            "Address": f"{practice + 10} {words.STREETS[practice % len(words.STREETS)]} Road",
            "City": town,
            "State": state,
            "Postcode": code,
            "Territory": words.TERRITORIES[practice % 2] if practice % 3 else "",
        }


def patients(cast: Cast) -> Iterator[Row]:
    """With deceased, archived and merged people, one-word names, shared addresses, repeated rows and odd phones."""
    for place in range(cast.scale):
        rng = cast.random("patient", place)
        row = _patient(cast, place, rng)
        _insure(cast, row, place, rng)
        _customise(row, place, rng)
        _spoil(row, place, rng)
        yield row
        if place % 211 == 100:
            yield row  # the export repeats a patient now and then


def _patient(cast: Cast, place: int, rng: Random) -> Row:
    first, middle, last = cast.names(place)
    home = cast.head(place)
    town, state, code = words.TOWNS[home % len(words.TOWNS)]
    born = LATEST - timedelta(days=300 + rng.randrange(30_000))
    made = cast.moment(rng, 2_500)
    return {
        "Patient ID": cast.patient(place),
        "Title": ("Mr", "Ms", "Mx", "Dr", "")[place % 5],
        "First Name": first,
        "Middle Name": middle,
        "Surname": last,
        "Preferred Name": first[:3] if place % 12 == 0 else "",
        "Date of Birth": day(born),
        "Date of Death": day(LATEST - timedelta(days=rng.randrange(290))) if place % 61 == 40 else "",
        "Sex": ("F", "M", "X")[place % 11 % 3],
        "Marital Status": ("Single", "Married", "")[place % 3],
        "Language": "English" if place % 8 else "Vietnamese",
        "Address 1": f"{home % 190 + 1} {words.STREETS[home % len(words.STREETS)]} Street",
        "Suburb": town,
        "State": state,
        "Postcode": code,
        "Country": "Australia",
        "Home Phone": f"(02) 5553 {home % 10_000:04d}",
        "Mobile": f"0491 57{place % 10_000 // 1000} {place % 1000:03d}",
        "Email": cast.email(place),
        "Emergency Contact": f"{words.GIVEN[place % len(words.GIVEN)]} {last}" if place % 2 else "",
        "Emergency Phone": f"0491 57{place % 10} 999" if place % 2 else "",
        "Referring Doctor": cast.referrer(place) if place % 4 == 0 else "",
        "Primary Provider": cast.provider(place),
        "Location ID": cast.clinic(place),
        "Medicare No": f"2{place:09d}",
        "Status": "Inactive" if place % 23 == 5 else "Active",
        "Archived": "Yes" if place % 67 == 30 else "No",
        "Merged Into": "",
        "Email Consent": ("Yes", "No", "")[place % 7 % 3],
        "SMS Consent": ("Yes", "No", "")[place % 5 % 3],
        "Created": stamp(made),
        "Modified": stamp(made + timedelta(days=rng.randrange(300))),
    }


def _insure(cast: Cast, row: Row, place: int, rng: Random) -> None:
    """Flattened policies; the payer stands there by name."""
    for number, word in enumerate(("Primary", "Secondary"), 1):
        covered = place % 5 != 4 if number == 1 else place % 6 == 2
        payer = words.PAYERS[(place + number) % len(words.PAYERS)]
        row[f"{word} Insurance"] = payer if covered else ""
        row[f"{word} Policy No"] = f"{cast.seed % 97:02d}{place:08d}{number}" if covered else ""
        row[f"{word} Group No"] = f"G-{rng.randrange(900) + 100}" if covered and place % 3 else ""
        row[f"{word} Relation"] = ("Self", "Spouse", "Child")[rng.randrange(3)] if covered else ""


def _customise(row: Row, place: int, rng: Random) -> None:
    """Fields of this clinic alone: a column, numbered columns, and a cell with JSON in it."""
    row["Allergies"] = words.ALLERGIES[rng.randrange(len(words.ALLERGIES))]
    row["Custom 1"] = ("Window", "Ground floor", "")[place % 3]
    row["UDF_02"] = str(rng.randrange(10)) if place % 2 else ""
    detail = {"Smoker": "Yes" if place % 9 == 0 else "No", "Recall Date": f"2026-{place % 12 + 1:02d}-15"}
    row["Custom Fields"] = json.dumps(detail) if place % 4 else ""


def _spoil(row: Row, place: int, rng: Random) -> None:
    if place % 71 == 33:
        row["First Name"], row["Surname"] = "ONLYNAME", words.MONONYMS[place % len(words.MONONYMS)]
    if place % 89 == 50:
        row["Merged Into"] = f"P{place:07d}"
    if place % 31 == 11:
        row["Mobile"] = rng.choice(("call mother", "0491 570 006 / 0491 570 156", "+61 491 570 006", "4915700"))
    if place % 97 == 60:
        row["Email"] = rng.choice(("none", "someone@", "A.B@EXAMPLE.COM "))
    if place % 43 == 21:
        row["Address 1"] = f"Unit {place % 9}\n{row['Address 1']}"


def policies(cast: Cast) -> Iterator[Row]:
    """Plans beyond those in the patients' file, with their terms."""
    for place in range(0, cast.scale, 8):
        rng = cast.random("policy", place)
        begun = cast.moment(rng, 1_500)
        yield {
            "Policy ID": f"PL{place + 1:07d}",
            "Patient ID": cast.patient(place),
            "Payer ID": cast.payer(place),
            "Plan": words.PLANS[place // 8 % len(words.PLANS)],
            "Policy No": f"T{place:08d}",
            "Group No": f"G-{place % 900}",
            "Subscriber": " ".join(filter(None, cast.names(place))),
            "Relation": "Self",
            "Priority": "Tertiary" if place % 16 else "Primary",
            "Effective Date": day(begun),
            "Termination Date": day(begun + timedelta(days=365)) if place % 3 == 0 else "",
        }


def custom_values(cast: Cast) -> Iterator[Row]:
    """The sheet of field names and values that some products keep beside the patients."""
    for place in range(0, cast.scale, 6):
        yield {"Patient ID": cast.patient(place), "Field Name": "Preferred Room", "Value": f"Room {place % 4 + 1}"}
        if place % 12 == 0:
            yield {"Patient ID": cast.patient(place), "Field Name": "Interpreter Needed", "Value": "Yes"}
