"""A small OctopusPro account written by hand, as the vendor's support would hand it over: one record of every kind."""

from collections.abc import Mapping

from tests.pairs.company import Company
from tests.pairs.uploading import csv_file

ZONE = "Australia/Sydney"
CUSTOMERS = (
    "Customer ID|Title|First Name*|Last Name*|First Name2|Last Name2|First Name3|Last Name3|Email|Email2|Email3|Mobile"
    "|Mobile2|Phone|Phone3|Unit|Street Number|Street Name|Suburb|State|Postcode|Country|Date Joined|Customer Type"
    "|Business Name|Customer Portal|Password|Notes|Created|Modified|Pet Types|Loyalty Member|Visits Allowed|Next Review"
    "|Pet Health History|Consent Signature"
)
BOOKINGS = (
    "Booking ID|Booking Number|Customer|Field Workers|Title|Status|Start|End|Service Address|Billing Model|Subtotal|GST"
    "|Total|Labels|Notes|Created|Modified|Job Photos|Intake Tags|Odometer|Completion Signature"
)
PHOTOS = "https://photos.example.com/1/before.jpg\nhttps://photos.example.com/1/after.jpg"
SIGNATURE = "data:image/png;base64,iVBORw0KGgoSIGNATURE"


class OctopusCompany(Company):
    """Ids of an export's records, by a word for each."""

    def former(self, word: str, part: str = "") -> str:
        name, record_id = self.ids[word].split("/")
        return f"octopuspro:{name}:{record_id}{f':{part}' if part else ''}"


def octopus_company() -> OctopusCompany:
    """The ids of what `octopus_files` holds."""
    company = OctopusCompany()
    company.ids = {
        "customer": "customers/1001",
        "single": "customers/1002",
        "no first": "customers/1003",
        "fixed": "services/S1",
        "hourly": "services/S2",
        "booking": "bookings/B1",
        "named booking": "bookings/B2",
        "cancelled": "bookings/B3",
        "own status": "bookings/B4",
        "line": "booking_services/bk-1|1",
        "second line": "booking_services/bk-1|2",
        "visit": "booking_visits/bk-1|1",
        "change": "booking_status_history/bk-1|2",
        "paid": "invoices/I1",
        "partial": "invoices/I2",
        "unpaid": "invoices/I3",
        "void": "invoices/I4",
        "invoice line": "invoice_items/inv-1|1",
        "void line": "invoice_items/inv-4|1",
        "payment": "payments/P1",
        "part payment": "payments/P2",
        "refund": "payments/P3",
        "void payment": "payments/P4",
        "missing payment": "payments/P5",
        "accepted": "quotes/Q1",
        "rejected": "quotes/Q2",
        "expired": "quotes/Q3",
        "sent": "quotes/Q4",
        "quote line": "quote_items/qu-2|1",
    }
    return company


def octopus_files() -> Mapping[str, bytes]:
    """The export's files by name."""
    return {
        "Customers-Harbour-20241101.csv": csv_file(CUSTOMERS, _customers()),
        "bookings.csv": csv_file(BOOKINGS, _bookings()),
        "booking_services.csv": csv_file(
            "Booking|Line|Service|Description|Quantity|Unit Price|Line Total|Service Address",
            [
                ("BK-1", "1", "Window cleaning", "Front windows", "2", "65.00", "130.00", "Level 2"),
                ("BK-1", "2", "S1", "End of lease", "1.5", "$320.00", "480.00", ""),
            ],
        ),
        "booking_visits.csv": csv_file(
            "Booking|Visit|Start|End|Field Worker|Notes",
            [("BK-1", "1", "31/10/2024 8:30 AM", "31/10/2024 10:00 AM", "Iris Berg", "Ring twice")],
        ),
        "booking_status_history.csv": csv_file(
            "Booking|Change|Status|Changed|Changed By",
            [
                ("BK-1", "1", "To Do", "28/10/2024 11:15 PM", "iris@example.com"),
                ("BK-1", "2", "Completed", "31/10/2024 12:05 AM", "FW-2"),
            ],
        ),
        "field_workers.csv": csv_file(
            "Field Worker ID|Name|Email|Mobile|Role|Pay Rate|Commission|Status|GPS Tracking",
            [
                (
                    "FW-1",
                    "Iris Berg",
                    "owner1@example.com",
                    "0412 000 001",
                    "Team Leader",
                    "48.50",
                    "10%",
                    "Active",
                    "On",
                ),
                ("FW-2", "Bo Ray", "", "0412 000 002", "Field Worker", "35.00", "0%", "Archived", "Off"),
            ],
        ),
        "services.csv": csv_file(
            "Service ID|Service Name|Description|Price Type|Price|Price Rule|Duration|Service Area|Active",
            [
                ("S1", "End of lease clean", "Whole flat.", "Fixed", "320.00", "", "240", "Inner West", "Yes"),
                ("S2", "Window cleaning", "", "Hourly", "65.00", "Minimum two hours", "90", "", "No"),
            ],
        ),
        **_money(),
        "custom_fields.csv": csv_file(
            "Applies To|Field Name|Field Type|Options|Required",
            [
                ("Customer", "Pet Types", "Multi Select", "Dog|Cat|Bird, tame", "No"),
                ("Customer", "Loyalty Member", "Checkbox", "", "No"),
                ("Customer", "Visits Allowed", "Number", "", "No"),
                ("Customer", "Next Review", "Date", "", "No"),
                ("Customer", "Pet Health History", "Text Area", "", "No"),
                ("Customer", "Consent Signature", "Signature", "", "No"),
                ("Booking", "Job Photos", "Images", "", "No"),
                ("Booking", "Intake Tags", "Multi Select", "Urgent|Key pickup|After hours", "No"),
                ("Booking", "Odometer", "Number", "", "No"),
                ("Booking", "Completion Signature", "Signature", "", "No"),
            ],
        ),
        "automation_rules.csv": csv_file(
            "Rule ID|Rule Name|Trigger|Condition|Action|Active",
            [("R1", "Reminder", "24 h before visit", "", "Send SMS reminder", "Yes")],
        ),
    }


def _customers() -> list[tuple[str, ...]]:
    address = ("3", "12-14", "Löwen Street", "Newtown", "NSW", "2042", "Australia")
    times = ("13/10/2024 9:05 AM", "31/10/2024 6:00 PM")
    return [
        (
            *("1001", "Dr", "Zoë", "O’Brien", "Thuy", "Nguyen", "Sam", "", " ZOE@Example.com ", "thuy@example.com"),
            *("sam@example.net", "0412 345 678", "0498 765 432", "(02) 9555 1234", "(03) 9555 7777", *address),
            *("31/12/2019", "Business", "Harbour Vet Clinic", "Yes", "hunter2-never", 'Gate "B",\nring twice', *times),
            *("Dog; Bird, tame", "Yes", "12", "25/03/2025", "No allergies.", SIGNATURE),
        ),
        (
            *("1002", "Ms", "Priya", "Singh", "", "", "", "", "priya@example.com", "priya.work@example.com"),
            *("priya.old@example.com", "+61 412 345 679", "", "", "(03) 9555 8888", "", "7", "Beach Rd", "St Kilda"),
            *("VIC", "3182", "", "14/02/2021", "Personal", "", "No", "", "", *times, "Dog, Cat", "No", "", "", "", ""),
        ),
        (
            *(
                "1003",
                "",
                "",
                "",
                "",
                "",
                "",
                "",
                "",
                "",
                "",
                "call the office",
                "",
                "",
                "",
                "",
                "",
                "",
                "",
                "",
                "",
                "",
            ),
            *("15/05/2022", "Business", "Redgum Property", "No", "", "", *times, "", "", "", "", "", ""),
        ),
    ]


def _bookings() -> list[tuple[str, ...]]:
    times = ("20/10/2024 9:00 AM", "31/10/2024 5:00 PM")
    return [
        (
            *("B1", "BK-1", "1001", "Iris Berg; Bo Ray", "Front windows", "Completed", "31/10/2024 8:30 AM"),
            *("31/10/2024 10:00 AM", "Level 2, 5 King St, Newtown", "Commission", "$610.00", "$61.00", "$671.00"),
            *("VIP; Repeat", "Ring on arrival", *times, PHOTOS, "Urgent, After hours", "120500", SIGNATURE),
        ),
        (
            *("B2", "BK-2", "redgum  PROPERTY", "FW-2", "", "In Progress", "30/10/2024 1:00 PM", "30/10/2024 2:00 PM"),
            *("", "Booking Fee", "100.00", "10.00", "110.00", "", "", *times, "", "", "", ""),
        ),
        (
            *("B3", "BK-3", "Nobody we know", "", "Lawn", "Cancelled", "30/10/2024 1:00 PM", "", "", "Booking Fee", ""),
            *("", "55.00", "", "", *times, "", "", "", ""),
        ),
        (
            *("B4", "BK-4", "1002", "Iris Berg", "Gutters", "Awaiting Strata", "30/10/2024 1:00 PM", "", "", "", ""),
            *("", "180.00", "", "", *times, "", "", "", ""),
        ),
    ]


def _money() -> dict[str, bytes]:
    invoices = (
        "Invoice ID|Invoice Number|Booking|Customer|Issue Date|Due Date|Status|Subtotal|GST|Total|Amount Paid"
        "|Amount Due"
    )
    day, due = "31/10/2024", "14/11/2024"
    return {
        "invoices.csv": csv_file(
            invoices,
            [
                ("I1", "INV-1", "BK-1", "1001", day, due, "Closed", "610.00", "61.00", "671.00", "671.00", "0.00"),
                ("I2", "INV-2", "BK-2", "1003", day, due, "Open", "100.00", "10.00", "110.00", "50.00", "60.00"),
                ("I3", "INV-3", "BK-4", "1002", day, due, "Overdue", "100.00", "10.00", "110.00", "0.00", "110.00"),
                ("I4", "INV-4", "BK-3", "1001", day, due, "Void", "50.00", "5.00", "60.00", "0.00", "60.00"),
            ],
        ),
        "invoice_items.csv": csv_file(
            "Invoice|Line|Service|Description|Quantity|Unit Price|Line Total",
            [
                ("INV-1", "1", "End of lease clean", "Whole flat", "2", "305.00", "610.00"),
                ("INV-4", "1", "S1", "Never done", "1", "50.00", "50.00"),
            ],
        ),
        "payments.csv": csv_file(
            "Payment ID|Invoice|Customer|Payment Date|Amount|Method|Status|Reference|Refund|Notes",
            [
                ("P1", "INV-1", "1001", "25/11/2024", "$671.00", "EFT", "Completed", "TX-77", "No", "Thanks"),
                ("P2", "INV-2", "1003", "25/11/2024", "50.00", "Cash", "Completed", "", "No", ""),
                ("P3", "INV-1", "1001", "26/11/2024", "-15.50", "EFT", "Refunded", "TX-78", "Yes", ""),
                ("P4", "INV-4", "1001", "26/11/2024", "60.00", "EFT", "Completed", "", "No", ""),
                ("P5", "INV-99", "1001", "26/11/2024", "77.00", "EFT", "Completed", "", "No", ""),
            ],
        ),
        "quotes.csv": csv_file(
            "Quote ID|Quote Number|Customer|Title|Issue Date|Valid Until|Status|Reason|Total",
            [
                ("Q1", "QU-1", "1001", "Carpets", day, "30/11/2024", "Accepted", "", "231.00"),
                ("Q2", "QU-2", "1002", "Gutters", day, "30/11/2024", "Rejected", "Too expensive", "198.00"),
                ("Q3", "QU-3", "1002", "", day, "30/11/2024", "Expired", "", "99.00"),
                ("Q4", "QU-4", "1001", "Lawn", day, "30/11/2024", "Sent", "", "55.00"),
            ],
        ),
        "quote_items.csv": csv_file(
            "Quote|Line|Service|Description|Quantity|Unit Price|Line Total",
            [("QU-2", "1", "", "Gutters and downpipes", "1", "198.00", "198.00")],
        ),
    }
