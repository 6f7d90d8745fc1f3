"""The standard modules of a fresh Zoho CRM org with their fields, as data in a small line notation.

A field line is `ApiName type[length] [!] [~] [>Module] [=picklist] [# Label]`: `!` is system-mandatory, `~` read-only
through the API. Without a label the API name with blanks is the label. Lengths and mandatory fields follow the Zoho
fact sheet sections 7 and 10.
"""

from dataclasses import dataclass

PICKLISTS: dict[str, tuple[str, ...]] = {
    "salutation": ("Mr.", "Mrs.", "Ms.", "Dr.", "Prof."),
    "lead_source": (
        "Advertisement", "Cold Call", "Employee Referral", "External Referral", "Online Store", "Partner",
        "Public Relations", "Sales Email Alias", "Seminar Partner", "Trade Show", "Web Download", "Web Research",
        "Chat",
    ),
    "lead_status": (
        "Attempted to Contact", "Contact in Future", "Contacted", "Junk Lead", "Lost Lead", "Not Contacted",
    ),
    "industry": (
        "Communications", "Consulting", "Education", "Financial Services", "Government/Military", "Manufacturing",
        "Real Estate", "Retail", "Service Provider", "Technology", "Utilities",
    ),
    "rating": ("Acquired", "Active", "Market Failed", "Project Cancelled", "Shut Down"),
    "account_type": ("Analyst", "Competitor", "Customer", "Distributor", "Investor", "Partner", "Prospect", "Supplier"),
    "ownership": ("Government", "Private", "Privately Held", "Public Company", "Subsidiary"),
    "deal_type": ("Existing Business", "New Business"),
    "task_status": ("Not Started", "Deferred", "In Progress", "Completed", "Waiting for input"),
    "priority": ("High", "Highest", "Low", "Lowest", "Normal"),
    "call_type": ("Outbound", "Inbound", "Missed"),
    "call_status": ("Scheduled", "Completed"),
    "call_purpose": ("Administrative", "Demo", "Desk", "Negotiation", "Project", "Prospecting"),
    "call_result": ("Interested", "Invalid Number", "No response/Busy", "Not interested", "Requested call back"),
    "product_category": ("Hardware", "Software", "CRM Applications"),
    "usage_unit": ("Box", "Carton", "Dozen", "Each", "Hours", "Piece", "Quantity", "Unit"),
    "quote_stage": ("Draft", "Negotiation", "Delivered", "On Hold", "Confirmed", "Closed Won", "Closed Lost"),
    "order_status": ("Created", "Approved", "Delivered", "Cancelled"),
    "invoice_status": ("Created", "Approved", "Delivered", "Cancelled", "Paid"),
    "campaign_type": ("Advertisement", "Conference", "Email", "Partners", "Telemarketing", "Trade Show", "Webinar"),
    "campaign_status": ("Active", "Inactive", "Complete", "Planning", "Cancelled"),
    "case_origin": ("Email", "Phone", "Web"),
    "case_status": ("New", "On Hold", "Escalated", "Closed"),
    "case_type": ("Feature Request", "Problem", "Question"),
    "solution_status": ("Draft", "Reviewed", "Duplicate"),
    "pricing_model": ("Differential", "Flat"),
}  # fmt: skip

# Name, probability and forecast type of the stages of a fresh org (Zoho fact sheet section 9).
STAGES: tuple[tuple[str, int, str], ...] = (
    ("Qualification", 10, "Open"),
    ("Needs Analysis", 20, "Open"),
    ("Value Proposition", 40, "Open"),
    ("Identify Decision Makers", 60, "Open"),
    ("Proposal/Price Quote", 75, "Open"),
    ("Negotiation/Review", 90, "Open"),
    ("Closed Won", 100, "Closed Won"),
    ("Closed Lost", 0, "Closed Lost"),
    ("Closed Lost to Competition", 0, "Closed Lost"),
)
STANDARD_PIPELINE = "Standard (Standard)"

SYSTEM_FIELDS = """
id bigint20 ~ # Record Id
Owner ownerlookup120
Created_By ownerlookup120 ~
Modified_By ownerlookup120 ~
Created_Time datetime ~
Modified_Time datetime ~
Last_Activity_Time datetime ~
Record_Status__s picklist120 ~ # Record Status
Locked__s boolean ~ # Locked
Tag text2000
"""


@dataclass(frozen=True, slots=True)
class StandardModule:
    """One standard module: its labels, display field, system duplicate-check field and field lines."""

    api_name: str
    singular: str
    name_field: str
    lines: str
    duplicate_field: str | None = None
    items_field: str | None = None


def _address(prefix: str) -> str:
    parts = (("Street", 250), ("City", 100), ("State", 100), ("Code", 30), ("Country", 100))
    return "\n".join(f"{prefix}_{part} text{size}" for part, size in parts)


_INVENTORY = """
Description textarea32000
Terms_and_Conditions textarea32000
Sub_Total currency16 ~
Discount currency16
Tax currency16
Adjustment currency16
Grand_Total currency16 ~
Currency picklist120
Exchange_Rate double16
"""

MODULES: tuple[StandardModule, ...] = (
    StandardModule("Leads", "Lead", "Full_Name", """
Salutation picklist120 =salutation
First_Name text40
Last_Name text80 !
Full_Name text80 ~
Company text200
Designation text100 # Title
Email email100
Secondary_Email email100
Phone phone30
Mobile phone30
Fax phone30
Website website255
Lead_Source picklist120 =lead_source
Lead_Status picklist120 =lead_status
Industry picklist120 =industry
Rating picklist120 =rating
No_of_Employees integer9 # No. of Employees
Annual_Revenue currency16
Street text250
City text100
State text100
Zip_Code text30
Country text100
Description textarea32000
Email_Opt_Out boolean
""", "Email"),
    StandardModule("Contacts", "Contact", "Full_Name", f"""
Salutation picklist120 =salutation
First_Name text40
Last_Name text80 !
Full_Name text80 ~
Account_Name lookup120 >Accounts
Vendor_Name lookup120 >Vendors
Reporting_To lookup120 >Contacts
Email email100
Secondary_Email email100
Phone phone30
Home_Phone phone30
Other_Phone phone30
Mobile phone30
Fax phone30
Assistant text50
Asst_Phone phone30
Title text100
Department text50
Date_of_Birth date
Lead_Source picklist120 =lead_source
{_address("Mailing")}
{_address("Other")}
Description textarea32000
Email_Opt_Out boolean
Skype_ID text50
""".replace("Mailing_Code", "Mailing_Zip").replace("Other_Code", "Other_Zip"), "Email"),
    StandardModule("Accounts", "Account", "Account_Name", f"""
Account_Name text200 !
Account_Number bigint18
Account_Site text80
Account_Type picklist120 =account_type
Industry picklist120 =industry
Ownership picklist120 =ownership
Rating picklist120 =rating
Parent_Account lookup120 >Accounts
Phone phone30
Fax phone30
Website website255
Ticker_Symbol text30
SIC_Code integer9
Employees integer9
Annual_Revenue currency16
{_address("Billing")}
{_address("Shipping")}
Description textarea32000
""", "Account_Name"),
    StandardModule("Deals", "Deal", "Deal_Name", """
Deal_Name text120 !
Account_Name lookup120 >Accounts
Contact_Name lookup120 >Contacts
Campaign_Source lookup120 >Campaigns
Stage picklist120 !
Pipeline picklist120
Amount currency16
Probability integer9
Expected_Revenue currency16 ~
Closing_Date date
Type picklist120 =deal_type
Next_Step text100
Lead_Source picklist120 =lead_source
Reason_For_Loss__s picklist120 # Reason For Loss
Description textarea32000
""", "Deal_Name"),
    StandardModule("Tasks", "Task", "Subject", """
Subject text300 !
Due_Date date
Who_Id lookup120 >Contacts # Contact Name
What_Id lookup120 >se_module # Related To
Status picklist120 =task_status
Priority picklist120 =priority
Closed_Time datetime ~
Send_Notification_Email boolean
Remind_At ALARM
Recurring_Activity RRULE
Description textarea32000
"""),
    StandardModule("Events", "Meeting", "Event_Title", """
Event_Title text255 ! # Title
Start_DateTime datetime ! # From
End_DateTime datetime ! # To
All_day boolean
Venue text255 # Location
Who_Id lookup120 >Contacts # Contact Name
What_Id lookup120 >se_module # Related To
Participants participants
Remind_At multireminder
Recurring_Activity RRULE
Description textarea32000
"""),
    StandardModule("Calls", "Call", "Subject", """
Subject text300 !
Call_Type picklist120 ! =call_type
Call_Start_Time datetime !
Call_Duration text120 !
Call_Duration_in_seconds integer9 ~
Outbound_Call_Status picklist120 =call_status
Call_Purpose picklist120 =call_purpose
Call_Result picklist120 =call_result
Call_Agenda textarea32000
Who_Id lookup120 >Contacts # Contact Name
What_Id lookup120 >se_module # Related To
Description textarea32000
"""),
    StandardModule("Notes", "Note", "Note_Title", """
Note_Title text120
Note_Content textarea65535
Parent_Id lookup120 >se_module
"""),
    StandardModule("Products", "Product", "Product_Name", """
Product_Name text200 !
Product_Code text40
Vendor_Name lookup120 >Vendors
Product_Active boolean
Manufacturer picklist120
Product_Category picklist120 =product_category
Sales_Start_Date date
Sales_End_Date date
Support_Start_Date date
Support_Expiry_Date date
Unit_Price currency16
Commission_Rate currency16
Tax multiselectpicklist2000
Usage_Unit picklist120 =usage_unit
Qty_Ordered double16
Qty_in_Stock double16 # Quantity in Stock
Qty_in_Demand double16 # Quantity in Demand
Reorder_Level double16
Handler userlookup120
Taxable boolean
Description textarea32000
""", "Product_Name"),
    StandardModule("Vendors", "Vendor", "Vendor_Name", """
Vendor_Name text120 !
Phone phone30
Email email100
Website website255
GL_Account picklist120
Category text120
Street text250
City text100
State text100
Zip_Code text30
Country text100
Description textarea32000
""", "Vendor_Name"),
    StandardModule("Price_Books", "Price Book", "Price_Book_Name", """
Price_Book_Name text120 !
Active boolean
Pricing_Model picklist120 =pricing_model
Pricing_Details pricing !
Description textarea32000
""", "Price_Book_Name"),
    StandardModule("Quotes", "Quote", "Subject", f"""
Subject text120 !
Quote_Number bigint18 ~
Quote_Stage picklist120 =quote_stage
Deal_Name lookup120 >Deals
Contact_Name lookup120 >Contacts
Account_Name lookup120 >Accounts
Valid_Till date
Carrier picklist120
Quoted_Items subform !
{_INVENTORY}
{_address("Billing")}
{_address("Shipping")}
""", "Subject", "Quoted_Items"),
    StandardModule("Sales_Orders", "Sales Order", "Subject", f"""
Subject text120 !
SO_Number bigint18 ~
Status picklist120 =order_status
Deal_Name lookup120 >Deals
Contact_Name lookup120 >Contacts
Account_Name lookup120 >Accounts
Quote_Name lookup120 >Quotes
Purchase_Order text100
Due_Date date
Carrier picklist120
Ordered_Items subform !
{_INVENTORY}
{_address("Billing")}
{_address("Shipping")}
""", "Subject", "Ordered_Items"),
    StandardModule("Purchase_Orders", "Purchase Order", "Subject", f"""
Subject text120 !
PO_Number text100
PO_Date date
Status picklist120 =order_status
Vendor_Name lookup120 ! >Vendors
Contact_Name lookup120 >Contacts
Due_Date date
Purchased_Items subform !
{_INVENTORY}
{_address("Billing")}
{_address("Shipping")}
""", "Subject", "Purchased_Items"),
    StandardModule("Invoices", "Invoice", "Subject", f"""
Subject text120 !
Invoice_Number bigint18 ~
Invoice_Date date
Due_Date date
Status picklist120 =invoice_status
Deal_Name__s lookup120 >Deals # Deal Name
Contact_Name lookup120 >Contacts
Account_Name lookup120 >Accounts
Sales_Order lookup120 >Sales_Orders
Purchase_Order text100
Invoiced_Items subform !
{_INVENTORY}
{_address("Billing")}
{_address("Shipping")}
""", "Subject", "Invoiced_Items"),
    StandardModule("Campaigns", "Campaign", "Campaign_Name", """
Campaign_Name text255 !
Type picklist120 =campaign_type
Status picklist120 =campaign_status
Start_Date date
End_Date date
Expected_Revenue currency16
Budgeted_Cost currency16
Actual_Cost currency16
Num_sent bigint18
Description textarea32000
""", "Campaign_Name"),
    StandardModule("Cases", "Case", "Subject", """
Subject text255 !
Case_Number bigint18 ~
Case_Origin picklist120 ! =case_origin
Status picklist120 ! =case_status
Type picklist120 =case_type
Priority picklist120 =priority
Account_Name lookup120 >Accounts
Deal_Name lookup120 >Deals
Related_To lookup120 >Contacts
Product_Name lookup120 >Products
Reported_By text50
Email email100
Phone phone30
Internal_Comments textarea2000
Description textarea32000
Solution textarea32000
""", "Subject"),
    StandardModule("Solutions", "Solution", "Solution_Title", """
Solution_Title text200 !
Solution_Number bigint18 ~
Status picklist120 =solution_status
Product_Name lookup120 >Products
Published boolean
Question textarea32000
Answer textarea32000
""", "Solution_Title"),
)  # fmt: skip

# Modules without upsert (Zoho fact sheet section 11) and those that take a photo (section 17).
NO_UPSERT = frozenset({"Tasks", "Events", "Calls", "Notes"})
PHOTO_MODULES = frozenset({"Leads", "Contacts", "Accounts", "Products", "Deals", "Vendors"})
BULK_WRITE_MODULES = frozenset({
    "Leads", "Accounts", "Contacts", "Deals", "Campaigns", "Cases", "Solutions", "Products", "Vendors",
    "Price_Books", "Tasks",
})  # fmt: skip
ACTIVITY_MODULES = frozenset({"Tasks", "Events", "Calls"})
# Who may stand behind What_Id (Zoho fact sheet section 16); custom modules are allowed as well.
RELATED_TO = frozenset({
    "Leads", "Accounts", "Deals", "Products", "Quotes", "Sales_Orders", "Purchase_Orders", "Invoices", "Campaigns",
    "Vendors", "Cases", "Solutions", "Price_Books", "Contacts",
})  # fmt: skip
