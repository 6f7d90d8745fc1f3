"""Invented words of Indian business life: people, firms, places, wishes, sentences."""

FIRST = (
    "Aarav", "Meera", "Rohan", "Kavya", "Vikram", "Ananya", "Suresh", "Lakshmi", "Imran", "Farah", "Gurpreet",
    "Nandini", "Prakash", "Divya", "Arjun", "Shalini", "Joseph", "Asha", "Manoj", "Ritu", "Karthik", "Deepa",
    "Yusuf", "Pooja", "Harish", "Sneha", "Tarun", "Bhavna", "Naveen", "Ishita",
)  # fmt: skip
LAST = (
    "Sharma", "Iyer", "Reddy", "Nair", "Patel", "Singh", "Menon", "Gupta", "Pillai", "Das", "Khan", "Joshi",
    "Rao", "Fernandes", "Bose", "Kulkarni", "Chauhan", "Naidu", "Mehta", "Thakur", "Bhat", "Sethi", "Varma",
)  # fmt: skip
OTHER_SCRIPTS = (
    ("प्रिया", "शर्मा"), ("अमित", "कुमार"), ("सुनीता", "देवी"), ("கவிதா", "முருகன்"), ("செந்தில்", "குமார்"), ("மீனா", ""),
)  # fmt: skip
BRANDS = (
    "Sunrise", "Vasant", "Nilgiri", "Kaveri", "Sagar", "Himalaya", "Deccan", "Malabar", "Konark", "Aravalli",
    "Indus", "Ganga", "Mayura", "Chetak", "Utsav", "Pragati", "Swasti", "Tulsi", "Amrit", "Surya",
)  # fmt: skip
TRADES = (
    "Textiles", "Agro Foods", "Infotech", "Builders", "Pharma", "Motors", "Electricals", "Polymers", "Exports",
    "Logistics", "Interiors", "Steels", "Packaging", "Ceramics", "Solar", "Diagnostics", "Travels", "Academy",
)  # fmt: skip
FORMS = ("Pvt Ltd", "LLP", "& Sons", "Enterprises", "Industries")
INDUSTRIES = ("Manufacturing", "Real Estate", "Education", "Healthcare", "Retail", "IT Services", "Agriculture")
SIZES = ("1-10", "11-50", "51-200", "201-500", "501-1000")
CITIES = (
    ("Chennai", "Tamil Nadu", "600"), ("Mumbai", "Maharashtra", "400"), ("Pune", "Maharashtra", "411"),
    ("Bengaluru", "Karnataka", "560"), ("Hyderabad", "Telangana", "500"), ("Kochi", "Kerala", "682"),
    ("New Delhi", "Delhi", "110"), ("Jaipur", "Rajasthan", "302"), ("Coimbatore", "Tamil Nadu", "641"),
)  # fmt: skip
STREETS = ("Mount Road", "Gandhi Nagar", "Station Road", "Industrial Estate Phase II", "Temple Street", "MG Road")
TITLES = ("Proprietor", "Purchase Manager", "Director", "Accounts Head", "Partner", "Plant Manager")
LIFECYCLE = ("Prospect", "Qualified", "Customer", "Former Customer")
SOURCES = ("Website", "IndiaMART", "JustDial", "Facebook", "WhatsApp", "Walk-in", "IVR", "Reference")
LEAD_STATUS = ("New", "Contacted", "Interested", "Not Interested", "Qualified")
WISHES = (
    "2 BHK near metro", "CNC lathe, 3 units", "500 kg cotton yarn<br>delivery in two weeks",
    "Annual maintenance of DG set", "LED panels for school", "CRM training for 12 people",
)  # fmt: skip
TAGS = ("Hot", "VIP", "Diwali 2024", "Dealer", "GST Pending", "Site Visit", "Repeat Buyer", "Expo")
LANGUAGES = ("Tamil", "Hindi", "English", "Telugu", "Marathi")
TERMS = ("Advance", "30 days", "60 days", "Against delivery")
WON = ("Best price", "Relationship", "Fast delivery")
LOST = ("Price too high", "Chose competitor", "Budget not approved", "No response")
SUBJECTS = (
    "Product demo",
    "Follow-up on quotation",
    "Payment reminder",
    "Site visit",
    "Requirement call",
    "Sample sent",
)
SENTENCES = (
    "Customer wants the revised quotation by Friday.",
    "Asked for 5% discount; told him \"not below 3%\".",
    "Spoke in Tamil, prefers calls after 5 PM.\nShare brochure on e-mail.",
    "GST certificate pending.",
    "Will visit the showroom next week.",
)  # fmt: skip
TROUBLES = (
    "Invoice shows wrong GSTIN",
    "Machine stopped working",
    "Login not possible",
    "Delivery delayed",
    "Refund not received",
)
REPLIES = (
    "We are looking into it.", "Please share a photo of the serial plate.", "Engineer will visit tomorrow.",
    "Issue is solved, thank you.", "Kindly update me at the earliest.",
)  # fmt: skip
