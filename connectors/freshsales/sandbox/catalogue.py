"""What a fresh account holds: standard fields, saved views and selector rows (Freshsales fact sheet sections 3-7, 12).

A standard field is written `name|Label|type|extra`, where extra is a list of: `req` required, `ro` read-only,
`hid` not in the form, `uniq` unique, `sel=<selector>` a choice of that selector, `in=<choices>` fixed choices.
"""

from types import MappingProxyType

SUBSCRIPTION = "0:Unsubscribed,1:Subscribed,2:Not subscribed,3:Reported as spam,4:Bounced"
_SHORT_SUBSCRIPTION = "0:Unsubscribed,1:Subscribed,2:Not subscribed"
_EMPLOYEES = "1:1-10,11:11-50,51:51-200,201:201-500,501:501-1000,1001:1001-5000,5001:5001-10000,10001:10000+"

CONTACT = """
first_name|First name|text
last_name|Last name|text
sales_accounts|Accounts|group_field
emails|Emails|group_field|uniq
mobile_number|Mobile|text
work_number|Work|text
phone_numbers|Phones|group_field|hid
external_id|External ID|text|hid uniq
owner_id|Sales owner|dropdown|sel=users
subscription_status|Subscription status|dropdown|in=subscription
subscription_types|Subscription types|multi_select_dropdown
unsubscription_reason|Unsubscribe reason|text|hid
other_unsubscription_reason|Other unsubscribe reasons|text|hid
whatsapp_subscription_status|WhatsApp subscription status|dropdown|in=short_subscription
sms_subscription_status|SMS subscription status|dropdown|in=short_subscription
lifecycle_stage_id|Lifecycle stage|dropdown|sel=lifecycle_stages
contact_status_id|Status|dropdown|sel=contact_statuses
lost_reason_id|Lost reason|dropdown|sel=lost_reasons
first_campaign|Original campaign|text
first_medium|Original medium|text
first_source|Original source|text
last_campaign|Created through campaign|text
last_medium|Created from medium|text
last_source|Created from source|text
latest_campaign|Most recent campaign|text
latest_medium|Most recent medium|text
latest_source|Most recent source|text
work_email|Work email|text|hid
tags|Tags|auto_complete|hid
job_title|Job title|text|hid
time_zone|Time zone|text|hid
locale|Locale|text|hid
address|Address|textarea|hid
city|City|text|hid
state|State|text|hid
zipcode|Zipcode|text|hid
country|Country|text|hid
facebook|Facebook|text|hid
twitter|Twitter|text|hid
linkedin|LinkedIn|text|hid
keyword|Keyword|text|hid
medium|Medium|text|hid
territory_id|Territory|dropdown|hid sel=territories
lead_source_id|Source|dropdown|hid sel=lead_sources
campaign_id|Campaign|dropdown|hid sel=campaigns
customer_fit|Customer fit|number|ro
lead_score|Score|number|ro
last_contacted|Last contacted time|date_time_split|ro
recent_note|Recent note|textarea|ro
creater_id|Created by|dropdown|ro sel=users
updater_id|Updated by|dropdown|ro sel=users
created_at|Created at|date_time_split|ro
updated_at|Updated at|date_time_split|ro
"""

SALES_ACCOUNT = """
name|Name|text|req uniq
phone|Phone|text
website|Website|text
parent_sales_account_id|Parent account|auto_complete
number_of_employees|Number of employees|dropdown|in=employees
annual_revenue|Annual revenue|number
industry_type_id|Industry type|dropdown|sel=industry_types
business_type_id|Business type|dropdown|sel=business_types
owner_id|Sales owner|dropdown|sel=users
territory_id|Territory|dropdown|hid sel=territories
address|Address|textarea|hid
city|City|text|hid
state|State|text|hid
zipcode|Zipcode|text|hid
country|Country|text|hid
facebook|Facebook|text|hid
twitter|Twitter|text|hid
linkedin|LinkedIn|text|hid
tags|Tags|auto_complete|hid
last_contacted|Last contacted time|date_time_split|ro
creater_id|Created by|dropdown|ro sel=users
updater_id|Updated by|dropdown|ro sel=users
created_at|Created at|date_time_split|ro
updated_at|Updated at|date_time_split|ro
"""

DEAL = """
name|Name|text|req
amount|Deal value|number|req
sales_account_id|Account name|auto_complete
contacts|Related contacts|auto_complete
currency_id|Currency|dropdown|sel=currencies
deal_pipeline_id|Deal pipeline|dropdown|sel=deal_pipelines
deal_stage_id|Deal stage|dropdown|sel=deal_stages
deal_reason_id|Lost reason|dropdown|sel=deal_reasons
deal_type_id|Type|dropdown|sel=deal_types
deal_payment_status_id|Payment status|dropdown|sel=deal_payment_statuses
deal_product_id|Product|dropdown|hid sel=deal_products
owner_id|Sales owner|dropdown|sel=users
territory_id|Territory|dropdown|hid sel=territories
lead_source_id|Source|dropdown|sel=lead_sources
campaign_id|Campaign|dropdown|sel=campaigns
expected_close|Expected close date|date
closed_date|Closed date|date
probability|Probability (%)|number
forecast_category|Forecast category|dropdown|in=forecast
tags|Tags|auto_complete|hid
age|Age (in days)|number|ro
expected_deal_value|Expected deal value|number|ro
base_currency_amount|Deal value in Base Currency|number|ro
stage_updated_time|Deal stage updated at|date_time_split|ro
creater_id|Created by|dropdown|ro sel=users
updater_id|Updated by|dropdown|ro sel=users
created_at|Created at|date_time_split|ro
updated_at|Updated at|date_time_split|ro
"""

LEAD = """
first_name|First name|text
last_name|Last name|text|req
emails|Emails|group_field
mobile_number|Mobile|text
work_number|Work|text
owner_id|Sales owner|dropdown|sel=users
lead_stage_id|Lead stage|dropdown|sel=lead_stages
lead_reason_id|Unqualified reason|dropdown|sel=lead_reasons
lead_source_id|Source|dropdown|sel=lead_sources
campaign_id|Campaign|dropdown|sel=campaigns
territory_id|Territory|dropdown|sel=territories
lead_quality|Lead quality|text|ro
company|Company|group_field
deal|Deal|group_field
has_authority|Has authority|checkbox
do_not_disturb|Do not disturb|checkbox
department|Department|text
job_title|Job title|text
time_zone|Time zone|text
address|Address|textarea
city|City|text
state|State|text
zipcode|Zipcode|text
country|Country|text
facebook|Facebook|text
twitter|Twitter|text
linkedin|LinkedIn|text
keyword|Keyword|text
medium|Medium|text
tags|Tags|auto_complete
created_at|Created at|date_time_split|ro
updated_at|Updated at|date_time_split|ro
"""

SALES_ACTIVITY = """
title|Title|text|req
sales_activity_type_id|Activity type|dropdown|req
start_date|Start date|date_time_split|req
end_date|End date|date_time_split|req
sales_activity_outcome_id|Outcome|dropdown|sel=sales_activity_outcomes
notes|Notes|textarea
location|Location|text
owner_id|Sales owner|dropdown|sel=users
targetable_id|Related to|auto_complete|req
targetable_type|Related to type|text|req
"""

PRODUCT = """
name|Name|text|req
category|Category|text
description|Description|textarea
product_code|Product code|text
sku_number|SKU number|text
parent_product|Parent product|auto_complete
is_active|Active|checkbox
owner_id|Owner|dropdown|sel=users
territory_id|Territory|dropdown|sel=territories
valid_till|Valid till|date
pricing_type|Pricing type|dropdown|in=pricing
"""

CUSTOM_MODULE = """
name|Name|text|req
owner_id|Owner|dropdown|sel=users
creator_id|Created by|dropdown|ro sel=users
created_at|Created at|date_time_split|ro
updater_id|Updated by|dropdown|ro sel=users
updated_at|Updated at|date_time_split|ro
"""

FIXED_CHOICES = MappingProxyType({
    "subscription": SUBSCRIPTION,
    "short_subscription": _SHORT_SUBSCRIPTION,
    "employees": _EMPLOYEES,
    "forecast": "1:Committed,2:Best-case",
    "pricing": "0:None,1:One-time,2:Subscription",
})  # fmt: skip

# section 3, 4 and 5; ids differ per account, so the names are the key
VIEWS = MappingProxyType({
    "contact": (
        "My Contacts", "My Territory Contacts", "New Contacts", "All Contacts", "Recently Modified",
        "Recently Imported", "Never Contacted", "Needs Follow-up", "Active", "Inactive", "Recycle Bin",
        "Bounced contacts", "Untouched 5-star contacts", "Slipping away",
    ),
    "sales_account": ("My Accounts", "All Accounts", "My Territory Accounts", "Recently Imported", "Recycle Bin"),
    "deal": (
        "Open Deals", "My Deals", "My Territory Deals", "Recent Deals", "Recently Imported", "Lost Deals", "Won Deals",
        "Hot Deals", "Cold Deals", "Closing this week", "This month's sales", "Recycle Bin",
    ),
    "lead": ("My Leads", "All Leads", "New Leads", "Recycle Bin"),
})  # fmt: skip

# Rows of the plain selectors; section 12 names the keys, sections 3, 5 and 7 the values that recordings show.
PLAIN_SELECTORS = MappingProxyType({
    "territories": ("North", "South"),
    "deal_types": ("New Business", "Existing Business"),
    "deal_reasons": ("Price", "Feature", "Competition", "Timing"),
    "deal_payment_statuses": ("Online", "Cheque", "Cash", "Other"),
    "deal_products": ("Sample product",),
    "lead_sources": ("Organic Search", "Paid Search", "Web", "Email", "Referral", "Import"),
    "campaigns": ("Spring", "Autumn"),
    "business_types": (
        "Analyst", "Competitor", "Customer", "Integrator", "Investor", "Partner", "Press", "Prospect", "Reseller",
        "Other",
    ),
    "lost_reasons": ("Junk Lead", "Not able to reach", "Not interested", "Budget", "Lost to competitor"),
    "designations": ("Account manager", "Solution engineer"),
    "lead_stages": ("New", "Contacted", "Interested", "Qualified", "Unqualified"),
    "lead_reasons": ("Not a fit", "Not responsive"),
})  # fmt: skip

INDUSTRIES = 68  # section 12

# name, probability, forecast type: the newer account of section 12
DEAL_STAGES = (
    ("New", 20, "Open"), ("Qualification", 30, "Open"), ("Discovery", 40, "Open"), ("Demo", 60, "Open"),
    ("Negotiation", 80, "Open"), ("Won", 100, "Closed Won"), ("Lost", 0, "Closed Lost"),
)  # fmt: skip

# stage, and its statuses with their forecast type (section 3)
LIFECYCLE = (
    ("Lead", (("New", "Open"), ("Contacted", "Open"), ("Interested", "Open"), ("Unqualified", "Closed Lost"))),
    ("Sales Qualified Lead", (("Qualified", "Open"), ("Negotiation", "Open"), ("Lost", "Closed Lost"))),
    ("Customer", (("Won", "Closed Won"), ("Churned", "Closed Lost"))),
)

BUILT_IN_ACTIVITY_TYPES = (
    "Chat", "Phone", "Meeting", "Task", "Email", "SMS Outgoing", "Reminder", "SMS Incoming",
)  # fmt: skip
TASK_TYPES = ("Follow up", "Call reminder", "Email reminder")

USERS = (
    ("Account Admin", "admin@example.com", True),
    ("Dana Field", "dispatch@example.com", True),
    ("Omar Sales", "owner1@example.com", True),
    ("Rita Former", "former@example.com", False),
)
