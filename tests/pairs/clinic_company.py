"""A small clinic made by hand: one record of every kind in tables as a product would export them, and a few papers."""

import csv
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

CANARY = "CANARYHEALTH"
"""Stands inside every value that is health data; nothing that people without the engagement's key read may show it."""
CONSENT = b"%PDF-1.4\n" + b"consent \xe2\x9c\x93\n" * 400
CARD = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8
LEASE = b"%PDF-1.4\nlease of the rooms\n"
_PATIENTS = [
    {
        "Patient ID": "P1",
        "Account Number": "ACC-7",
        "Title": "Ms",
        "First Name": "Zoë",
        "Middle Name": "Anne",
        "Surname": "Ørsted-Quill",
        "Suffix": "Jr",
        "Preferred Name": "Zo",
        "Maiden": "Smith",
        "Date of Birth": "13/02/1979",
        "Sex": "F-CANARYHEALTH",
        "Gender Identity": "woman-CANARYHEALTH",
        "Pronouns": "she/her",
        "Race": "r-CANARYHEALTH",
        "Ethnicity": "e-CANARYHEALTH",
        "Birthplace": "b-CANARYHEALTH",
        "Marital Status": "Married",
        "Language": "English",
        "Occupation": "Teacher",
        "Address 1": "3 Acacia Street",
        "Address 2": "Unit 4",
        "Suburb": "Eastwick",
        "State": "NSW",
        "Postcode": "02117",
        "Country": "Australia",
        "Home Phone": "(02) 5553 0001",
        "Work Phone": "+61 2 5553 0002",
        "Mobile": "+61 491 570 156",
        "Email": "home@example.com",
        "Emergency Contact": "Bo Quill",
        "Emergency Phone": "0491 570 999",
        "Referring Doctor": "R1",
        "Primary Provider": "D1",
        "Location ID": "L1",
        "SSN": "s-CANARYHEALTH",
        "Medicare No": "m-CANARYHEALTH",
        "Medicare Line No": "1",
        "Medicare Expiry": "2027-11",
        "Pension No": "c-CANARYHEALTH",
        "DVA No": "v-CANARYHEALTH",
        "Primary Insurance": "Harvest Health Fund",
        "Primary Policy No": "p1-CANARYHEALTH",
        "Primary Group No": "g1-CANARYHEALTH",
        "Primary Relation": "Self",
        "Secondary Insurance": "Tidewater Assurance",
        "Secondary Policy No": "p2-CANARYHEALTH",
        "Secondary Group No": "g2-CANARYHEALTH",
        "Secondary Relation": "Spouse",
        "Status": "Active",
        "Archived": "No",
        "Email Consent": "Yes",
        "SMS Consent": "No",
        "Privacy Consent": "Yes",
        "Allergies": "Latex CANARYHEALTH",
        "Alerts": "Faints CANARYHEALTH",
        "Notes": "Line one CANARYHEALTH\nline two",
        "Created": "2020-03-05T19:30:07Z",
        "Modified": "2026-03-05T19:30:07Z",
        "Shoe Size": "39",
        "Mobility Aid": "Cane CANARYHEALTH",
    },
    {
        "Patient ID": "P2",
        "First Name": "Bo",
        "Surname": "Quill",
        "Date of Birth": "01/02/2015",
        "Email": "home@example.com",
        "Primary Provider": "D3",
        "Location ID": "L1",
        "Status": "Active",
        "Archived": "No",
        "Shoe Size": "36",
        "Mobility Aid": "None CANARYHEALTH",
    },
    {
        "Patient ID": "P3",
        "First Name": "Cy",
        "Surname": "Dahl",
        "Date of Birth": "14/03/1940",
        "Date of Death": "20/01/2024",
        "Status": "Active",
        "Archived": "No",
        "Shoe Size": "41",
        "Mobility Aid": "None CANARYHEALTH",
    },
    {
        "Patient ID": "P4",
        "First Name": "Zoe",
        "Surname": "Quill",
        "Status": "Active",
        "Archived": "No",
        "Merged Into": "P1",
    },
    {
        "Patient ID": "P5",
        "First Name": "ONLYNAME",
        "Surname": "Tellar",
        "Date of Birth": "25/12/1990",
        "Status": "Inactive",
        "Archived": "Yes",
        "Shoe Size": "38",
    },
]
_VISITS = [
    {
        "Appointment ID": "A1",
        "Patient ID": "P1",
        "Provider ID": "D1",
        "Location ID": "L1",
        "Payer": "Y1",
        "Appointment Type": "Long Consultation",
        "Reason": "Knee CANARYHEALTH",
        "Code": "X1-CANARYHEALTH",
        "ICD-10": "M54-CANARYHEALTH",
        "Diagnosis Description": "Back CANARYHEALTH",
        "Start": "2026-02-10T13:15:00Z",
        "Duration (min)": "45",
        "Status": "Completed",
        "Total Cost": "140.50",
        "Base Encounter Cost": "120.00",
        "Payer Coverage": "100.25",
        "Notes": "Bring scans CANARYHEALTH.",
        "Created": "2026-01-05T19:30:07Z",
        "Modified": "2026-03-05T19:30:07Z",
    },
    {
        "Appointment ID": "A2",
        "Patient ID": "P1",
        "Provider ID": "D3",
        "Location ID": "L1",
        "Appointment Type": "Check-in",
        "Start": "2026-02-11T09:00:00Z",
        "Duration (min)": "5",
        "Status": "Booked",
        "Created": "2026-01-05T19:30:07Z",
    },
    {
        "Appointment ID": "A3",
        "Patient ID": "P4",
        "Provider ID": "D1",
        "Location ID": "L1",
        "Appointment Type": "Recall call",
        "Start": "2026-02-12T09:00:00Z",
        "Status": "Cancelled",
        "Cancellation Reason": "Unwell",
    },
    {
        "Appointment ID": "A4",
        "Patient ID": "P9",
        "Provider ID": "D1",
        "Location ID": "L1",
        "Appointment Type": "Lost visit",
        "Start": "2026-02-12T09:00:00Z",
        "Duration (min)": "30",
        "Status": "Completed",
    },
]


def _table(rows: list[dict[str, str]]) -> str:
    """CSV of rows that leave blanks out; headings in the order in which they first occur."""
    body = io.StringIO()
    writer = csv.DictWriter(body, list(dict.fromkeys(name for row in rows for name in row)), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return body.getvalue()


TABLES: Mapping[str, str] = {
    "Locations.csv": """\
Location ID,Location Name,Phone,Email,Website,Address,Suburb,State,Postcode,Country,Parking,Created
L1,Harbour Clinic,+61 2 5550 0001,desk@harbour.example.com,harbour.example.com,1 Quay Street,Eastwick,NSW,02117,\
Australia,Behind the house,2019-03-05T19:30:07Z
""",
    "Providers.csv": """\
Provider ID,Title,First Name,Surname,Email,Role,Speciality,Active
D1,Dr,Iris,van Berg,owner1@example.com,Practitioner,Podiatry,Yes
D2,Dr,Lee,Ost,,Practitioner,Cardiology,Yes
D3,Dr,Nia,Gone,gone@example.com,Practitioner,Cardiology,No
""",
    "Payers.csv": """\
Payer ID,Payer Name,Payer Code,Phone,Address,City,State,Postcode,Country
Y1,Harvest Health Fund,HHF,+61 1300 555 001,PO Box 9,Coldbrook,SA,0847,Australia
Y2,Tidewater Assurance,TWA,,,,,,
""",
    "Referring Physicians.csv": """\
Referrer ID,Title,Doctor Name,Practice,Speciality,Phone,Fax,Email,Provider No,Address,City,State,Postcode,Country,\
Territory,Notes
R1,Dr,"QUILL, Marta J",Oak Medical,Dermatology,+61 3 5551 0001,(03) 5552 0001,marta@oak.example.org,123456BX,\
10 Mill Road,Hexley,TAS,7004,Australia,North,Prefers fax.
R2,Dr,"OST, Kim",OAK  MEDICAL,Cardiology,,,home@example.com,,,,,,,,
""",
    "Patients.csv": _table(_PATIENTS),
    "Patient Custom Fields.csv": """\
Patient ID,Field Name,Value
P1,Preferred Room,Window room
P2,Preferred Room,Quiet room
""",
    "Insurance Policies.csv": """\
Policy ID,Patient ID,Payer ID,Plan,Policy No,Group No,Subscriber,Relation,Priority,Effective Date,Termination Date
T1,P1,Y2,Gold Extras,p3-CANARYHEALTH,g3-CANARYHEALTH,Zoë CANARYHEALTH,Self,Tertiary,13/02/2024,28/02/2026
""",
    "Appointments.csv": _table(_VISITS),
    "Invoices.csv": """\
Invoice ID,Invoice No,Date of Service,Patient ID,Appointment ID,Provider ID,Location ID,Item Code,Diagnosis Code,Units,\
Fee,GST,Adjustments,Payer,Secondary Payer,Claim No,Status,Denial Reason,Currency,Notes,Created,Modified,Discount Card
I1,INV-1,10/02/2026,P1,A1,D1,L1,9921-CANARYHEALTH,M54-CANARYHEALTH,2,210.75,19.16,-10.00,Harvest Health Fund,Y2,CLM-7,\
Partially Paid,,AUD,Call CANARYHEALTH,2026-02-10T14:00:00Z,2026-03-05T19:30:07Z,Gold
I2,INV-2,11/02/2026,P2,,D2,L1,,,1,80.00,,,Unknown Fund,,CLM-8,Denied,Lapsed CANARYHEALTH,,,,,Silver
I3,INV-3,12/02/2026,P3,,D1,L1,,,1,50.00,,,,,,Paid,,,,,,Gold
I4,INV-4,13/02/2026,P1,,D1,L1,,,1,9.99,,,,,,Unpaid,,,,,,Gold
""",
    "Payments.csv": """\
Payment ID,Invoice ID,Payment Date,Amount,Method,Reference
PM1,I1,15/02/2026,120.50,Card,R-1
PM2,I1,20/02/2026,-20.25,Card,R-2
PM3,I3,20/02/2026,50.00,Cash,R-3
PM4,I9,21/02/2026,7.00,Cash,R-4
""",
    "Treatment Plans.csv": """\
Plan ID,Patient ID,Provider ID,Appointment ID,Plan Name,Diagnosis Code,Diagnosis,Procedures,Start Date,End Date,Status,\
Sessions Planned,Sessions Used,Notes,Created,Modified
TP1,P1,D1,A1,Back care CANARYHEALTH,M54-CANARYHEALTH,Back CANARYHEALTH,97110; 97140 CANARYHEALTH,13/02/2026,30/05/2026,\
Active,8,3,Weekly CANARYHEALTH.,2026-02-10T14:00:00Z,2026-03-05T19:30:07Z
""",
    "Lab Results.csv": """\
Result ID,Patient ID,Provider ID,Appointment ID,Test Name,LOINC,Category,Result,Unit,Reference Range,Abnormal Flag,\
Collected,Reported,Report Text
LR1,P1,D1,A1,Glucose CANARYHEALTH,1558-CANARYHEALTH,Blood CANARYHEALTH,7.1 CANARYHEALTH,mmol/L,3.9-5.5 CANARYHEALTH,\
H-CANARYHEALTH,2026-02-10T13:20:00Z,2026-02-11T08:00:00Z,Fasting CANARYHEALTH.
LR2,P1,D1,,,,,,,,,2026-02-12T10:00:00Z,2026-02-13T08:00:00Z,"No growth CANARYHEALTH.
Repeat if it stays."
""",
    "Documents.csv": """\
Document ID,Patient ID,Object,Record ID,File Name,Category,Mime Type,Path
F1,P1,,,consent.pdf,Consent CANARYHEALTH,application/pdf,documents/P1/consent.pdf
F2,,Location,L1,lease.pdf,Contract,application/pdf,documents/rooms/lease.pdf
F3,P2,,,lost.pdf,Letter,application/pdf,documents/P2/lost.pdf
""",
    "Workflow Rules.csv": """\
Rule ID,Rule Name,Object,Trigger,Condition,Action,Active
W1,Reminder two days before,Appointment,Time based,Start is in 48 hours,Send a text message,Yes
W2,Chase,Invoice,Status change,Unpaid after 30 days,Send an email,No
""",
    "Report Definitions.csv": """\
Report ID,Report Name,Description,Based On
RP1,No-show rate,Missed appointments by provider,appointments
""",
    "Schedule Templates.csv": """\
Template ID,Provider ID,Weekday,From,To,Slot (min)
ST1,D1,Monday,08:00,16:30,15
""",
}
PAPERS: Mapping[str, bytes] = {
    "documents/P1/consent.pdf": CONSENT,
    "documents/P1_2026-02-10_insurance-card.png": CARD,
    "documents/rooms/lease.pdf": LEASE,
    "documents/unsorted/Zoe Quill.pdf": b"%PDF-1.4\nwho is it\n",
}


@dataclass(frozen=True)
class Clinic:
    """The files, and the ids that their records carry at a destination."""

    tables: Mapping[str, str]
    papers: Mapping[str, bytes]

    def former(self, name: str, record_id: str, part: str = "") -> str:
        return f"clinic:{name}:{record_id}{f':{part}' if part else ''}"

    def bundle(self) -> bytes:
        """The tables and papers as one ZIP."""
        body = io.BytesIO()
        with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as bundle:
            for path, content in {**self.tables, **self.papers}.items():
                bundle.writestr(path, content)
        return body.getvalue()


CLINIC = Clinic(TABLES, PAPERS)
