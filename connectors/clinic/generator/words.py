"""Invented words of a group of clinics: people, places, reasons and tests; none names anybody or anything real."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


GIVEN = _words(
    """
    Abel Adira Aled Amara Anselm Ayo Beatrix Bohdan Calla Cosmo Dagny Davit Delphine Eamon Eluned Emeka Fenna Fidel
    Freya Gideon Halima Hollis Idris Imogen Ines Isidro Jarek Jocasta Kamal Kerensa Lachlan Leocadia Linnet Luned
    Magnus Maite Nerys Nilay Oonagh Osian Paloma Perrin Quentin Ramona Rhys Sabine Soren Tamsin Tierney Ulla Vasco
    Winifred Xanthe Ysolde Zeb
    """
)
FAMILY = _words(
    """
    Abara Ainsworth Balfour Barzani Beckett Calder Carrick Dacosta Delacroix Eriksen Fairbairn Fonseca Garrick
    Halloran Haverford Inskip Jankowski Kettering Kowalczyk Lachance Lovell Marchetti Mbeki Nakagawa Northcott
    O'Dowd Okafor Penhallow Pryce Quintero Ravensworth Rosewall Sandhurst Szabo Tamayo Thackeray Umarov Vandermeer
    Villanueva Wetherby Wyndham Yamada Zielinski
    """
)
MONONYMS = _words("Sudarmo Tellar Madhavi Ngozi Birna")
ODD_NAMES = (
    ("José", "Muñoz-Ibáñez"),
    ("Łucja", "Święch"),
    ("李", "小龍"),
    ("Anne Marie", "van der Berg"),
    ("D'Arcy", "St. John"),
)
STREETS = _words(
    "Acacia Banksia Cedar Dunmore Elgin Fernleigh Grove Hawthorn Jetty Kingfisher Lakeview Mill Orchard Quay"
)
TOWNS = (
    ("Eastwick", "NSW", "2117"), ("Marrowgate", "VIC", "3052"), ("Pelican Flat", "QLD", "4017"),
    ("Coldbrook", "SA", "0847"), ("Tallow Bay", "WA", "6019"), ("Hexley", "TAS", "7004"),
)  # fmt: skip
CLINICS = ("Harbour", "Hillside", "Riverside", "Northgate", "Parkview", "Seabright", "Old Mill", "Station Street")
PAYERS = (
    "Southern Cross Mutual", "Harvest Health Fund", "Blue Gum Insurance", "Tidewater Assurance", "Union Care",
    "Public Scheme", "Veterans Cover", "Meridian Life",
)  # fmt: skip
PLANS = ("Basic", "Bronze Plus", "Silver Hospital", "Gold Extras")
SPECIALTIES = ("General Practice", "Physiotherapy", "Podiatry", "Psychology", "Dermatology", "Cardiology")
TERRITORIES = ("North", "South")
VISITS = (
    ("Initial Consultation", 45), ("Standard Consultation", 30), ("Long Consultation", 60), ("Procedure", 40),
    ("Check-in", 5), ("Recall call", 5), ("Script follow-up", 0),
)  # fmt: skip
REASONS = ("Knee pain", "Annual review", "Skin check", "Back pain", "Medication review", "Vaccination", "Headache")
STATES = ("Completed", "Completed", "Completed", "Arrived", "Booked", "Cancelled", "DNA")
CANCELLED = ("Unwell", "Work", "Double booking", "Transport")
DIAGNOSES = (
    ("M54.5", "Low back pain"), ("I10", "Essential hypertension"), ("E11.9", "Type 2 diabetes mellitus"),
    ("J45.909", "Asthma"), ("F41.1", "Generalised anxiety disorder"), ("L40.0", "Psoriasis vulgaris"),
)  # fmt: skip
PROCEDURES = ("97110", "99213", "99214", "97140", "90834", "11721")
TESTS = (
    ("Haemoglobin", "718-7", "g/L", "130-170", 90, 180), ("Glucose fasting", "1558-6", "mmol/L", "3.9-5.5", 3, 14),
    ("Cholesterol", "2093-3", "mmol/L", "<5.5", 2, 9), ("TSH", "3016-3", "mIU/L", "0.4-4.0", 0, 12),
    ("Creatinine", "2160-0", "umol/L", "60-110", 40, 300),
)  # fmt: skip
DENIALS = ("Not covered", "Prior approval missing", "Duplicate claim", "Coverage lapsed")
METHODS = ("Card", "Cash", "Transfer", "Insurer")
ALLERGIES = ("", "", "", "Penicillin", "Latex", "Peanuts", "Pollen", "None known")
CATEGORIES = ("Consent form", "Imaging referral", "Insurance card", "Letter", "Pathology report")
RULES = (
    ("Reminder two days before", "Appointment", "Time based", "Start is in 48 hours", "Send a text message"),
    ("Recall after six months", "Patient", "Time based", "No visit for 180 days", "Create a recall task"),
    ("Overdue invoice", "Invoice", "Status change", "Unpaid after 30 days", "Send an email to the patient"),
    ("Check insurance", "Appointment", "Created", "Patient has a policy", "Verify the policy with the payer"),
    ("Plan tasks", "Treatment Plan", "Created", "Sessions planned is above 1", "Create a task per session"),
)  # fmt: skip
REPORTS = (
    ("Patient volume", "New patients a month by location", "patients"),
    ("No-show rate", "Missed appointments by provider", "appointments"),
    ("Revenue per provider", "Billed and paid amounts by provider and month", "invoices"),
)  # fmt: skip
