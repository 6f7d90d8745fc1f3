"""Invented words the generator builds names, places and sentences from."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_NAMES = _words(
    """
    Ada Alba Amir Anouk Arlo Bea Bram Carys Cato Dalia Dario Edda Elio Esme Farah Felix Gaia Goran Hana Hugo Ida
    Ilan Iris Jonas Juno Kaya Kian Lena Leo Lina Luca Mara Marek Mina Milo Nadia Nico Noor Odin Olive Orla Otis
    Petra Pia Quinn Rafael Ravi Rhea Rosa Rune Sage Samir Selma Tavi Thea Tomas Uma Vera Viggo Wanda Willa Yara
    Yusuf Zora
    """
)
LAST_NAMES = _words(
    """
    Abernath Aldwin Ambrose Ashcombe Baxley Bellwood Birchall Blakemore Brandt Calloway Carrow Castell Colborne
    Dahl Dunmore Eastlake Ellery Everhart Fairweather Farrow Finch Galloway Garland Greaves Hallam Harrowby
    Hartwell Hollis Ingram Jessop Kelso Kerrigan Kingsley Langford Larkin Lindqvist Lockwood Marlowe Mercer
    Merriman Norcross Oakden Ortega Paxton Pembroke Quillan Radley Ravenscroft Redfern Rourke Sandoval Selwyn
    Sorensen Stroud Tansley Thorne Underhill Vance Verity Wainwright Westbrook Winslow Yardley Zeller
    """
)
COLOURS = _words(
    """
    Amber Ash Azure Birch Blue Bright Bronze Cedar Clear Cobalt Copper Coral Crimson Crystal Eastern Ebony Ember
    Fern First Golden Granite Green Grey Harbour Hazel Heron High Iron Ivory Jade Juniper Lark Linden Lunar Maple
    Meadow Northern Oak Onyx Pine Prime Quartz River Rowan Sable Silver Slate Southern Summit Willow
    """
)
TRADES = _words(
    """
    Bakery Brewing Cafe Care Catering Chemicals Clinic Cold-Store College Components Dairy Dental Distribution
    Dyeworks Estates Fabrics Farms Foods Foundry Freight Furniture Gallery Garages Glass Hotels Housing
    Instruments Joinery Kitchens Laundry Leisure Logistics Metals Mills Motors Optics Packaging Papers Pharma
    Plastics Press Printing Properties Schools Shipping Storage Textiles Theatre Timber Tools
    """
)
FORMS = ("Ltd", "Inc", "LLC", "Group", "Holdings", "Partners", "Co", "Trust", "GmbH", "SARL")
TOWNS = _words(
    """
    Aldercross Ashmere Barrowfield Beckhaven Brackenford Castlebrook Coldwater Cranleigh Dunhollow Eastmarsh
    Eldergate Fallowmere Fernhill Foxbridge Gildersand Glenmoor Greywick Hartsend Hollowbay Ironbridge Kestrelby
    Kingsferry Larkspur Longreach Marlpit Mossdale Northgate Oakhampton Pinecrest Queensholm Ravensport Redcliffe
    Saltmarsh Silverton Stonebeck Thornbury Umberleigh Westwater Willowby Wynmouth
    """
)
# State, country, time zone, latitude and longitude in micro-degrees, for the town at the same place modulo eight.
REGIONS = (
    ("CA", "United States", "America/Los_Angeles", 36_700_000, -119_400_000),
    ("TX", "United States", "America/Chicago", 31_900_000, -99_900_000),
    ("NY", "United States", "America/New_York", 42_900_000, -75_500_000),
    ("Kent", "United Kingdom", "Europe/London", 51_200_000, 700_000),
    ("Cork", "Ireland", "Europe/Dublin", 51_900_000, -8_400_000),
    ("Bayern", "Germany", "Europe/Berlin", 48_900_000, 11_400_000),
    ("NSW", "Australia", "Australia/Sydney", -32_000_000, 147_000_000),
    ("ON", "Canada", "America/Toronto", 44_300_000, -78_300_000),
)
STREETS = (
    "Mill Lane",
    "Station Road",
    "High Street",
    "Canal Walk",
    "Orchard Way",
    "Depot Avenue",
    "Quay Street",
    "Park Row",
)
TITLES = ("Facilities Manager", "Site Supervisor", "Office Manager", "Maintenance Lead", "Owner", "Buyer", "Caretaker")
DEVICES = (
    "Boiler",
    "Chiller",
    "Air Handler",
    "Lift",
    "Pump",
    "Fire Panel",
    "Generator",
    "Heat Exchanger",
    "Compressor",
)
MAKERS = ("Arvento", "Brelstad", "Corwyn", "Deltra", "Enquist", "Fontavel")
PARTS = (
    "Filter",
    "Seal Kit",
    "Thermostat",
    "Bearing",
    "Valve",
    "Relay",
    "Belt",
    "Sensor",
    "Gasket",
    "Fan Motor",
    "Fuse",
)
FINDINGS = (
    "Unit inspected and cleaned",
    "Pressure below range, topped up",
    "Noise from bearing, greased",
    "Customer reports short cycling",
    "Filter replaced, airflow restored",
    "Leak at flange, gasket ordered",
    "Sensor drift corrected",
    "No fault found after test run",
)
ACTIONS = ("Inspected", "Repaired", "Replaced part", "Adjusted", "Cleaned", "Tested", "Ordered part", "Advised client")
TERRITORIES = ("North", "South", "East", "West", "Coast", "Metro")
LATER_STATUSES = ("Awaiting Parts", "in progress ", "Closed - Paid", "CANCELLED", "Ready to invoice")
ODD_PHONES = (
    "555 0100 x3",
    "n/a",
    "+44 (0)20 7946 0018",
    "00353 1 555 0142",
    "(555)0100/0101",
    "call reception",
    "5550100",
    "+1-202-555-0143;ext=12",
    " 555.0177 ",
)
OTHER_SCRIPTS = (
    ("伟", "李"),
    ("さくら", "山本"),
    ("민준", "김"),
    ("ليلى", "الحسن"),
    ("נועה", "לוי"),
    ("Олена", "Ковальчук"),
    ("Zoë 🔧", "O’Neill-Ångström"),
    ("José María", "Ñúñez"),
)
OTHER_COMPANIES = (
    "東京設備サービス",
    "شركة النخيل للصيانة",
    "Café Ægir ☕",
    "חברת מעליות הצפון",
    "Строймонтаж",
    "Łódź Chłodnictwo",
)
PATHLIKE_NAMES = (
    "../../reports/final.pdf",
    "C:\\photos\\boiler room.jpg",
    "before/after: unit 4?.png",
    "отчёт №5.pdf",
    "写真 1.png",
    "تقرير الصيانة.pdf",
    "📷 meter.jpg",
    "invoice..pdf ",
)
CLOCK_CHANGES = (
    "2025-03-30T00:59:59.000Z",
    "2025-03-30T01:00:00.000Z",
    "2025-10-26T00:30:00.000Z",
    "2025-10-26T01:30:00.000Z",
    "2025-03-09T07:30:00.000Z",
    "2025-11-02T05:30:00.000Z",
    "2024-02-29T23:59:59.000Z",
    "2025-10-04T16:00:00.000Z",
)
EPOCH_DAY = "1900-01-01"
EPOCH_MOMENT = "1900-01-01T00:00:00.000Z"
LONG_SENTENCE = "The unit was taken out of service, opened, cleaned, measured and put back; readings are listed below. "
NOTE_HTML = (
    "<p>Gate code <b>changed</b>, ask <i>reception</i>.</p><ul><li>Parking: rear</li><li>Dog &amp; loud</li></ul>",
    '<div style="color:red">Do not call before 9:00<br/>&nbsp;</div>',
    "<script>alert('x')</script><p>Pasted from a mail: &lt;none&gt;</p>",
)
EMOJI_TEXT = "Great job by the team 👍🏽 – heating back on 🔥 (client sent 🎂)"
