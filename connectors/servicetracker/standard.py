"""ServiceTracker's usual objects and fields, for exports that come without a describe.

Objects and field types follow the source fact sheet, section 2 (proposed names, unverified there). What a file holds
beside them is read by the votes of its own rows; a field that a file lacks is one that the account lacks.
"""

import re
from dataclasses import dataclass
from functools import cache

from connectors.column_votes import Kind
from connectors.servicetracker.schema import FieldDescribe
from connectors.table_shape import clean_heading

# One word per field: name:type, a reference with its targets behind the colon. `auto` is an autonumber.
_SYSTEM = (
    "Id:id CreatedDate:datetime CreatedById:>User LastModifiedDate:datetime LastModifiedById:>User "
    "SystemModstamp:datetime IsDeleted:boolean OwnerId:>User"
)
_PERSON = "FirstName:string LastName:string Name:string"


def _address(prefix: str) -> str:
    parts = ("Street:textarea", "City:string", "State:string", "PostalCode:string", "Country:string")
    return " ".join(f"{prefix}{part}" for part in parts)


_OBJECTS: dict[str, tuple[str, str, str]] = {
    "User": (
        "User",
        "Users",
        f"{_PERSON} Username:string Email:email IsActive:boolean UserType:picklist ContactId:>Contact "
        "Profile_Name__c:string Portal_Permissions__c:multipicklist LastLoginDate:datetime",
    ),
    "Account": (
        "Client",
        "Clients",
        "Name:string ParentId:>Account Type:picklist Industry:picklist Phone:phone Fax:phone Website:url "
        f"Email__c:email {_address('Billing')} {_address('Shipping')} AccountNumber:string On_Stop__c:boolean "
        "Description:textarea Customer_Since__c:date Credit_Limit__c:currency Service_Tier__c:picklist "
        "Sectors__c:multipicklist MasterRecordId:>Account",
    ),
    "Contact": (
        "Contact",
        "Contacts",
        f"{_PERSON} AccountId:>Account Email:email Phone:phone MobilePhone:phone Title:string {_address('Mailing')} "
        "Is_Primary__c:boolean Birthdate:date Description:textarea Preferred_Channel__c:picklist "
        "MasterRecordId:>Contact",
    ),
    "ServiceResource": (
        "Technician",
        "Technicians",
        "Name:string RelatedRecordId:>User Email__c:email Phone__c:phone IsActive:boolean ResourceType:picklist "
        "Territory__c:string Skills__c:multipicklist Description:textarea",
    ),
    "ServiceContract": (
        "Contract",
        "Contracts",
        "Name:string ContractNumber:auto AccountId:>Account ContactId:>Contact StartDate:date EndDate:date Term:int "
        "Status:picklist Contract_Type__c:picklist Monthly_Value__c:currency Billing_Frequency__c:picklist "
        "Renewal_Date__c:date GrandTotal:currency SpecialTerms:textarea",
    ),
    "Product2": (
        "Part",
        "Parts",
        "Name:string ProductCode:string StockKeepingUnit:string Description:textarea Family:picklist "
        "IsActive:boolean Unit_Cost__c:currency Unit_Price__c:currency Quantity_On_Hand__c:double",
    ),
    "Asset": (
        "Asset",
        "Assets",
        "Name:string SerialNumber:string Product2Id:>Product2 AccountId:>Account ContactId:>Contact Site__c:>Site__c "
        "ParentId:>Asset InstallDate:date PurchaseDate:date UsageEndDate:date Status:picklist Price:currency "
        "Quantity:double Manufacturer__c:string Model__c:string Warranty_Expiry__c:date",
    ),
    "WorkOrder": (
        "Work Order",
        "Work Orders",
        "WorkOrderNumber:auto Subject:string Description:textarea AccountId:>Account ContactId:>Contact "
        "Site__c:>Site__c AssetId:>Asset ServiceContractId:>ServiceContract ParentWorkOrderId:>WorkOrder "
        "Service_Type__c:picklist Status:picklist Priority:picklist StartDate:datetime EndDate:datetime "
        f"DurationInMinutes:double {_address('')} Subtotal:currency Discount:percent Tax:currency "
        "GrandTotal:currency Labor_Hours__c:double Technician__c:>ServiceResource Safety_Checked__c:boolean "
        "Access_Code__c:string",
    ),
    "ProductConsumed": (
        "Part Used",
        "Parts Used",
        "WorkOrderId:>WorkOrder Product2Id:>Product2 QuantityConsumed:double UnitPrice:currency Description:string",
    ),
    "Task": (
        "Service History",
        "Service History",
        "Subject:string Status:picklist Priority:picklist ActivityDate:date Description:textarea WhoId:>Contact "
        "WhatId:>WorkOrder|Asset|Account Action_Taken__c:string Technician__c:>ServiceResource "
        "CompletedDateTime:datetime IsArchived:boolean",
    ),
    "Event": (
        "Scheduled Visit",
        "Scheduled Visits",
        "Subject:string StartDateTime:datetime EndDateTime:datetime Location:string Description:textarea "
        "WhatId:>WorkOrder|Asset|Account WhoId:>Contact Technician__c:>ServiceResource Is_Recurring__c:boolean "
        "Recurrence_Group__c:string IsAllDayEvent:boolean",
    ),
    "ServiceAppointment": (
        "Dispatch",
        "Dispatches",
        "AppointmentNumber:auto ParentRecordId:>WorkOrder Technician__c:>ServiceResource Status:picklist "
        "SchedStartTime:datetime SchedEndTime:datetime ActualStartTime:datetime ActualEndTime:datetime "
        "ArrivalWindowStartTime:datetime ArrivalWindowEndTime:datetime Territory__c:string Route_Order__c:int",
    ),
    "Note": (
        "Note",
        "Notes",
        "ParentId:>Account|Contact|WorkOrder|Asset Title:string Body:textarea IsPrivate:boolean",
    ),
    "Lead": (
        "Lead",
        "Leads",
        f"{_PERSON} Company:string Email:email Phone:phone LeadSource:picklist Status:picklist "
        "Description:textarea Lead_Score__c:double IsConverted:boolean",
    ),
    "Site__c": (
        "Service Location",
        "Service Locations",
        "Name:string Client__c:>Account Street__c:string City__c:string State__c:string Postal_Code__c:string "
        "Country__c:string Latitude__c:double Longitude__c:double Time_Zone__c:string Access_Notes__c:textarea "
        "Parent_Site__c:>Site__c",
    ),
    "Invoice__c": (
        "Invoice",
        "Invoices",
        "Name:auto Client__c:>Account Work_Order__c:>WorkOrder Issue_Date__c:date Due_Date__c:date "
        "Subtotal__c:currency Tax__c:currency Total__c:currency Paid__c:currency Payment_Status__c:picklist",
    ),
    "Renewal_Rule__c": (
        "Renewal Rule",
        "Renewal Rules",
        "Name:string Contract__c:>ServiceContract Rule_Type__c:picklist Notice_Days__c:int Auto_Renew__c:boolean "
        "Uplift_Percent__c:percent",
    ),
    "Automation_Rule__c": (
        "Automation Rule",
        "Automation Rules",
        "Name:string Object__c:string Trigger__c:string Condition__c:string Action__c:string Active__c:boolean",
    ),
}  # fmt: skip
KINDS = {
    "int": Kind.DECIMAL,
    "double": Kind.DECIMAL,
    "currency": Kind.DECIMAL,
    "percent": Kind.DECIMAL,
    "boolean": Kind.BOOLEAN,
    "date": Kind.DATE,
    "datetime": Kind.DATETIME,
}
"""What a column's values must be for a field of the vendor's type; other types are texts."""
TYPES = {
    Kind.TEXT: "string",
    Kind.BOOLEAN: "boolean",
    Kind.INTEGER: "double",
    Kind.DECIMAL: "double",
    Kind.DATE: "date",
    Kind.DATETIME: "datetime",
}
"""The vendor's type for a column that no schema knows."""


@dataclass(frozen=True, slots=True)
class StandardObject:
    """An object as every account has it. `fields` by name; `headings` lead from folded headings to names."""

    name: str
    label: str
    fields: dict[str, FieldDescribe]
    headings: dict[str, str]


@cache
def standard_objects() -> dict[str, StandardObject]:
    """All of them by API name."""
    return {name: _object(name, label, fields) for name, (label, _, fields) in _OBJECTS.items()}


@cache
def object_names() -> dict[str, str]:
    """API names by what a file may be called, folded: the API name, the label, its plural."""
    found: dict[str, str] = {}
    for name, (label, plural, _) in _OBJECTS.items():
        for given in (plural, label, name):
            found[fold(given)] = name
    return found


def fold(text: str) -> str:
    """What makes two headings the same: letters and digits, whatever their case."""
    return re.sub(r"[\W_]+", "", clean_heading(text).casefold())


def _object(name: str, label: str, words: str) -> StandardObject:
    fields = {field.name: field for field in map(_field, f"{_SYSTEM} {words}".split())}
    headings: dict[str, str] = {}
    for field in fields.values():
        headings.setdefault(fold(field.label or ""), field.name)
    headings[fold(f"{label} ID")] = "Id"
    headings |= {fold(field): field for field in fields}  # an API name says more than a label
    return StandardObject(name, label, fields, headings)


def _field(word: str) -> FieldDescribe:
    name, _, kind = word.partition(":")
    targets = kind[1:].split("|") if kind.startswith(">") else []
    return FieldDescribe(
        name=name,
        type="reference" if targets else "string" if kind == "auto" else kind,
        label=_label(name),
        length=18 if targets or kind == "id" else 0,
        custom=name.endswith("__c"),
        auto_number=kind == "auto",
        unique=kind == "auto",
        reference_to=targets,
    )


def _label(name: str) -> str:
    """`AccountId` is shown as Account, `On_Stop__c` as On Stop."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name.removesuffix("__c").replace("_", " "))
    return words if name.endswith("__c") else words.removesuffix(" Id")
