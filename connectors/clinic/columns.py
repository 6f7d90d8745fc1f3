"""Shorthand in which the catalogue writes down columns, and columns that several tables share."""

from app.domain.schema import FieldType
from connectors.exportkit.catalogue import TableField

T = FieldType


def col(
    name: str,
    headings: str = "",
    kind: FieldType = T.TEXT,
    *,
    to: str = "",
    on: str = "",
    health: bool = False,
    label: str = "",
) -> TableField:
    """A column; `headings` are separated by commas, `to` is the object it points to, `health` marks what is guarded."""
    return TableField(
        name=name,
        label=label or name.removesuffix("_id").replace("_", " ").capitalize(),
        type=T.LOOKUP if to else kind,
        headings=tuple(one.strip() for one in headings.split(",") if one.strip()),
        references=to,
        match_on=on,
        sensitive=health,
    )


def address(prefix: str = "") -> tuple[TableField, ...]:
    """Street lines, town, state, code and country."""
    return (
        col("address", f"address 1, address line 1, address1, street, street address, {prefix} address"),
        col("address2", "address 2, address line 2, address line 3, address 3, unit"),
        col("city", "town, suburb, locality, city suburb, town/city"),
        col("state", "province, region, county/state, state/province, state_headquartered"),
        col("postal_code", "postcode, post code, zip, zipcode, zip code"),
        col("country", "country code, country name"),
    )


PATIENT = (
    "patient, patient id, patientid, patient_id, pid, patient no, patient number, mrn, chart no, chart number, "
    "file no, "
    "file number, client id, client, internal id, medical record number, ur number"
)
PROVIDER = (
    "provider, provider id, providerid, practitioner, practitioner id, doctor, doctor id, clinician, clinician id, "
    "therapist, staff id, staff, seen by, treating provider, attending, physician, user"
)
CLINIC = (
    "clinic, clinic id, location, location id, business, business id, site, site id, organization, organisation, "
    "branch, facility"
)
PAYER = (
    "payer, payer id, payer name, insurer, insurance, insurance carrier, carrier, fund, health fund, insurance company"
)
APPOINTMENT = "appointment, appointment id, appointmentid, visit, visit id, encounter, encounter id, booking id"
BY_NAME = "name,first_name+last_name,last_name"
CREATED = "created, created at, created on, created date, date created, date entered, entered on"
MODIFIED = "modified, updated, updated at, modified at, last modified, modified on, last updated, date modified"

PERSON = (
    # An export that repeats the person in every row instead of giving a key.
    col("patient_name", "patient name, client name, patient full name", health=True),
    col("patient_first", "first name, given name, patient first name, patient given name", health=True),
    col("patient_last", "surname, last name, family name, patient surname, patient last name", health=True),
    col(
        "patient_dob",
        "dob, date of birth, birth date, birthdate, patient dob, patient date of birth",
        T.DATE,
        health=True,
    ),
    col("patient_medicare", "medicare no, medicare number, medicare", health=True),
)
"""Columns by which a row can name its patient where it has no patient id."""


def patient(required: bool = True) -> tuple[TableField, ...]:
    """The patient of a row: by id, or by the columns that repeat the person."""
    key = col("patient_id", PATIENT, to="patients", health=False, label="Patient")
    return (key, *PERSON) if required else (key,)


STAMPS = (col("created_at", CREATED, T.DATETIME), col("updated_at", MODIFIED, T.DATETIME))
