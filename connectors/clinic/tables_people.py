"""Organisations and people as clinic products export them; headings as seen in public products (fact sheet 4.2)."""

from app.domain.schema import FieldType as T
from connectors.clinic.columns import BY_NAME, CLINIC, PATIENT, PAYER, PROVIDER, STAMPS, address, col
from connectors.exportkit.catalogue import TableField, TableObject

CLINICS = TableObject(
    name="clinics",
    label="Clinic",
    files=("locations", "location", "clinics", "businesses", "business", "sites", "branches", "practices",
        "organizations",
           "organisations", "facilities"),
    required=False,
    fields=(
        col("id", "location id, clinic id, business id, site id, organization id, branch id, facility id", T.ID),
        col("name", "location name, clinic name, business name, site name, organization name, branch, location, "
            "clinic"),
        col("phone", "telephone, phone number, contact phone", T.PHONE),
        col("email", "email address, e-mail", T.EMAIL),
        col("website", "web site, url, web", T.URL),
        *address("clinic"),
        *STAMPS,
    ),
)  # fmt: skip

PROVIDERS = TableObject(
    name="providers",
    label="Provider",
    files=("practitioners", "practitioner", "staff", "doctors", "clinicians", "users", "therapists", "team",
        "employees"),
    required=False,
    fields=(
        col("id", "provider id, practitioner id, staff id, user id, doctor id, clinician id", T.ID),
        col("title", "prefix, salutation, user title"),
        col("first_name", "first, given name, forename, user first name"),
        col("last_name", "last, surname, family name, user surname"),
        col("name", "full name, display name, provider name, practitioner name, doctor, staff name"),
        col("email", "email address, e-mail, user email, login", T.EMAIL),
        col("phone", "mobile, telephone, phone number", T.PHONE),
        col("role", "position, job title, type, user type"),
        col("specialty", "speciality, speciality name, discipline, profession"),
        col("provider_no", "provider number, npi, npi number, registration no, license no, licence no"),
        col("active", "is active, enabled, status active", T.BOOLEAN),
        col("clinic_id", CLINIC, to="clinics", on="name"),
    ),
)  # fmt: skip

PAYERS = TableObject(
    name="payers",
    label="Payer",
    files=("insurers", "insurance companies", "insurance carriers", "carriers", "health funds", "funds",
        "insurance payers"),
    required=False,
    fields=(
        col("id", "payer id, insurer id, carrier id, fund id, insurance id", T.ID),
        col("name", "payer name, insurer name, insurer, carrier, carrier name, fund name, insurance company, "
            "insurance name"),
        col("payer_code", "payer code, code, carrier code, fund code"),
        col("phone", "telephone, phone number", T.PHONE),
        col("email", "email address, e-mail", T.EMAIL),
        *address("payer"),
    ),
)  # fmt: skip

REFERRERS = TableObject(
    name="referrers",
    label="Referring physician",
    files=("referring physicians", "referring doctors", "referring providers", "referral sources", "contacts",
        "specialists"),
    required=False,
    fields=(
        col("id", "referrer id, referring doctor id, contact id, referral source id, doctor id", T.ID),
        col("title", "prefix, salutation"),
        col("first_name", "first, given name"),
        col("last_name", "last, surname, family name"),
        col("name", "doctor name, full name, referrer name, referring doctor, physician, contact name"),
        col("practice", "practice name, company, company name, organisation, organization, clinic name, business name"),
        col("specialty", "speciality, discipline, occupation"),
        col("phone", "telephone, phone number, work phone", T.PHONE),
        col("fax", "fax number", T.PHONE),
        col("email", "email address, e-mail", T.EMAIL),
        col("provider_no", "provider number, npi, npi number"),
        col("territory", "region name, sales territory, catchment, referral area"),
        *address("practice"),
        col("notes", "note, comments"),
        *STAMPS,
    ),
)  # fmt: skip


def _insurance(number: int, words: str) -> tuple[TableField, ...]:
    """One flattened policy; `words` are what products call the first, second and third."""
    names = [one.strip() for one in words.split(",")]

    def spelt(*forms: str) -> str:
        return ", ".join(form.format(word) for word in names for form in forms)

    prefix, label = f"insurance{number}", f"Insurance {number}"
    return (
        col(
            f"{prefix}_payer_id",
            spelt("{} insurance", "{} payer", "{} insurer", "{} carrier", "{} insurance carrier",
                "{} insurance company",
                  "{} fund", "payer {}", "insurance {}", "insurer {}", "{} insurance name"),
            to="payers", on="name,payer_code", label=f"{label} payer",
        ),
        col(
            f"{prefix}_policy",
            spelt("{} policy no", "{} policy number", "{} policy", "{} member id", "{} member no", "{} insurance id",
                  "{} insurance policy", "policy no {}", "policy {}", "member no {}", "policy number {}",
                  "{} subscriber id"),
            health=True, label=f"{label} policy",
        ),
        col(
            f"{prefix}_group",
            spelt("{} group no", "{} group number", "{} group", "{} group id", "group no {}", "group {}",
                "group number {}"),
            health=True, label=f"{label} group",
        ),
        col(f"{prefix}_relation", spelt("{} relation", "{} relationship", "relation {}", "relationship {}"),
            label=f"{label} relation"),
    )  # fmt: skip


PATIENTS = TableObject(
    name="patients",
    label="Patient",
    files=("patient", "patient list", "patient data", "patient demographics", "demographics", "clients", "client list"),
    or_key=("last_name", "first_name", "birth_date"),
    fields=(
        col("id", PATIENT.replace("patient,", "", 1).replace("client,", ""), T.ID, label="Patient id"),
        col("account_no", "account number, external id, patient code, chart", label="Account number"),
        col("title", "prefix, salutation, name prefix"),
        col("first_name", "first, given name, given names, forename, firstname, patient first name"),
        col("middle_name", "middle, middle names, middle initial, second name"),
        col("last_name", "last, surname, family name, lastname, patient surname, patient last name"),
        col("name", "patient name, full name, patient, client name, client, name"),
        col("suffix", "name suffix"),
        col("preferred_name", "preferred first name, known as, nickname, goes by"),
        col("maiden_name", "maiden, previous surname, birth name"),
        col("birth_date", "dob, date of birth, birthdate, birth date, birthday, d.o.b.", T.DATE, health=True),
        col("death_date", "date of death, deathdate, deceased date, dod", T.DATE, health=True),
        col("deceased", "is deceased, dead", T.BOOLEAN, health=True),
        col("sex", "gender, sex at birth, legal sex", health=True),
        col("gender_identity", "gender identity, identity", health=True),
        col("pronouns"),
        col("ethnicity", "ethnic group, atsi, indigenous status", health=True),
        col("race", health=True),
        col("birthplace", "birth place, place of birth, country of birth", health=True),
        col("marital_status", "marital, civil status"),
        col("language", "preferred language, spoken language"),
        col("occupation", "job, employer occupation"),
        *address("home"),
        col("home_phone", "phone home, home telephone, telephone, phone, phone 1, home", T.PHONE),
        col("work_phone", "phone work, business phone, phone 2, work", T.PHONE),
        col("mobile_phone", "mobile, cell, cell phone, mobile number, phone mobile, phone cell, cellphone", T.PHONE),
        col("email", "email address, e-mail, e mail, primary email, patient email", T.EMAIL),
        col("emergency_contact", "emergency contact name, next of kin, nok, nok name, emergency"),
        col("emergency_phone", "emergency contact phone, emergency contact number, nok phone, next of kin phone",
            T.PHONE),
        col("referrer_id", "referring doctor, referred by, referrer, referring physician, referral source, "
            "referring doctor id",
            to="referrers", on=BY_NAME),
        col("provider_id", f"primary provider, usual provider, usual doctor, primary practitioner, regular doctor, "
            f"{PROVIDER}",
            to="providers", on=f"email,{BY_NAME}"),
        col("clinic_id", f"usual location, home clinic, {CLINIC}", to="clinics", on="name"),
        col("national_id", "ssn, social security number, social security, national id, tax file number", health=True),
        col("drivers_licence", "drivers, driver licence, drivers license, driver's license", health=True),
        col("passport", "passport no, passport number", health=True),
        col("medicare_no", "medicare, medicare number, medicare card", health=True),
        col("medicare_line", "medicare line no, medicare reference number, irn", health=True),
        col("medicare_expiry", "medicare expiry date", health=True),
        col("pension_no", "pension number, concession no, concession card", health=True),
        col("dva_no", "dva number, dva card number, veteran no", health=True),
        *_insurance(1, "primary, 1, insurance 1, payer 1, first"),
        *_insurance(2, "secondary, 2, insurance 2, payer 2, second"),
        *_insurance(3, "tertiary, 3, insurance 3, payer 3, third"),
        col("status", "patient status, active, is active, record status"),
        col("archived", "is archived, archived at, inactive date", label="Archived"),
        col("merged_into", "merged into, merged to, merged with, surviving patient, master patient id, merge target"),
        col("email_consent", "accepts email, email marketing, accepted email marketing, consent email, "
            "email opt in", T.BOOLEAN),
        col("sms_consent", "accepts sms, sms marketing, accepted sms marketing, consent sms, text consent, "
            "sms opt in", T.BOOLEAN),
        col("privacy_consent", "accepted privacy policy, privacy policy, hipaa consent, privacy signed", T.BOOLEAN),
        col("allergies", "allergy, known allergies, allergies/alerts", T.TEXTAREA, health=True),
        col("alerts", "medical alerts, medical alert, warnings, appointment notes", T.TEXTAREA, health=True),
        col("notes", "note, comments, patient notes, memo", T.TEXTAREA, health=True),
        *STAMPS,
    ),
)  # fmt: skip

INSURANCE_PLANS = TableObject(
    name="insurance_plans",
    label="Insurance plan",
    files=("insurance policies", "policies", "patient insurance", "insurance", "patient insurances", "coverage",
        "coverages",
           "payer transitions", "insurance data"),
    or_key=("patient_id", "payer_id", "policy_no", "effective"),
    required=False,
    fields=(
        col("id", "policy id, insurance policy id, coverage id, plan id", T.ID),
        col("patient_id", PATIENT, to="patients", label="Patient"),
        col("payer_id", PAYER, to="payers", on="name,payer_code"),
        col("second_payer_id", "secondary payer", to="payers", on="name,payer_code", label="Second payer"),
        col("plan", "plan name, product, cover, level of cover"),
        col("policy_no", "policy number, policy, member no, member number, member id, memberid, subscriber no",
            health=True),
        col("group_no", "group number, group, group id", health=True),
        col("subscriber", "subscriber name, policy holder, policyholder, insured, ownername, owner name", health=True),
        col("relation", "relationship, relation to subscriber, subscriber relation, ownership"),
        col("priority", "order, rank, sequence, insurance order, coverage type"),
        col("effective", "effective date, start, start date, from, start_year, valid from, begins", T.DATE),
        col("termination", "termination date, end, end date, to, end_year, valid to, expires, expiry", T.DATE),
    ),
)  # fmt: skip

CUSTOM_VALUES = TableObject(
    name="custom_values",
    label="Custom field values",
    files=("patient custom fields", "custom fields", "custom field values", "patient fields",
        "user defined fields", "udf",
           "additional fields", "patient attributes"),
    or_key=("patient_id", "field"),
    required=False,
    fields=(
        col("id", "row id, value id", T.ID),
        col("patient_id", PATIENT, to="patients", label="Patient"),
        col("field", "field name, custom field, attribute, key, name, question, label"),
        col("value", "field value, answer, response, text", health=True),
    ),
)  # fmt: skip
