"""Words that generated businesses are made of; people are invented, addresses use reserved domains."""

FIRST = (
    "Amelia", "Oliver", "Charlotte", "Noah", "Isla", "Leo", "Matilda", "Jack", "Zoë", "Thuy", "Priya", "Marco", "Aroha",
    "Siobhán", "Giulia", "Ahmed", "Mei", "Tane", "Ines", "Hamish",
)  # fmt: skip
LAST = (
    "Nguyen", "O’Brien", "Smith", "Papadopoulos", "Wilson", "Singh", "Van der Berg", "Taylor", "D'Souza", "Müller",
    "Kelly", "Chen", "Robinson", "Ferrari", "McAllister", "Haddad", "Tanaka", "Walker", "Costa", "Brown",
)  # fmt: skip
STREETS = ("Wattle", "Banksia", "King", "Victoria", "Station", "Beach", "Jacaranda", "Church", "Railway", "Ocean")
KINDS = ("Street", "St", "Road", "Rd", "Avenue", "Parade", "Crescent")
SUBURBS = (
    ("Newtown", "NSW", "2042"), ("St Kilda", "VIC", "3182"), ("Fremantle", "WA", "6160"), ("Glenelg", "SA", "5045"),
    ("New Farm", "QLD", "4005"), ("Parramatta", "N.S.W.", "2150"),
    ("Darwin City", "NT", "0800"), ("Hobart", "TAS", "7000"),
    ("Braddon", "ACT", "2612"), ("Geelong", "vic", "3220"),
)  # fmt: skip
BUSINESSES = (
    "Harbour Vet Clinic",
    "Banksia Strata",
    "Koala Childcare",
    "Southern Cross Cafe",
    "Redgum Property",
    "Coral Dental",
)
SERVICES = (
    ("End of lease clean", "Fixed", "320.00", 240), ("Window cleaning", "Hourly", "65.00", 90),
    ("Mobile vet visit", "Fixed", "145.00", 45), ("Carpet steam clean", "Per attribute", "38.50", 60),
    ("Dog grooming", "Fixed", "89.90", 75), ("Lawn mowing", "Hourly", "55.00", 60),
    ("Car detailing", "Fixed", "249.00", 180), ("Gutter clearing", "Fixed", "180.00", 120),
)  # fmt: skip
STATUSES = (
    "Quoted", "To Do", "To Visit", "In Progress", "Awaiting Update", "Completed", "Completed", "Completed", "Invoiced",
    "Cancelled",
)  # fmt: skip
OWN_STATUS = "Awaiting Strata Approval"
"""A status that this tenant made up; no map knows it."""
METHODS = ("Credit Card", "Cash", "EFT", "Direct Debit", "EFTPOS")
PETS = ("Dog", "Cat", "Bird", "Rabbit", "Reptile")
TAGS = ("Urgent", "Key pickup", "After hours", "New customer", "Photo needed")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
REASONS = ("Too expensive", "Chose another company", "No longer needed", "")
