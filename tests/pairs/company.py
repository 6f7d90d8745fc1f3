"""A small company made by hand in ServiceTracker, one record of every kind with every field filled."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.pairs.vendors import Tracker

WRITTEN = datetime(2026, 3, 5, 19, 30, 7, tzinfo=UTC)
"""When the records were made, by the source's clock: long before they arrive."""
PHOTO = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40
REPORT = b"%PDF-1.4\n" + b"boiler serviced \xe2\x9c\x93\n" * 500
SIGNATURE = b"\x89PNG\r\n\x1a\nsignature" + bytes(200)
LARGE = bytes(1024) * (20 * 1024 + 8)
"""Eight KiB over Zoho's 20 MB for one attachment."""
STATUSES = ("Open", "In Progress", "On Hold", "Completed", "Invoiced")


@dataclass
class Company:
    """The ids of what was made, by a word for each."""

    ids: dict[str, str] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, str] = field(default_factory=dict)

    def former(self, word: str, part: str = "") -> str:
        """The external id that the record of a word carries at the destination."""
        name, record_id = self.ids[word].split("/")
        return f"servicetracker:{name}:{record_id}{f':{part}' if part else ''}"

    def id(self, word: str) -> str:
        return self.ids[word].partition("/")[2]


class _Maker:
    def __init__(self, tracker: Tracker) -> None:
        self.company = Company()
        self._tracker = tracker

    async def __call__(self, word: str, name: str, **values: Any) -> str:
        record_id = await self._tracker.create(name, **values)
        self.company.ids[word] = f"{name}/{record_id}"
        return record_id


async def make_company(tracker: Tracker) -> Company:
    """Makes everything, parents first."""
    make = _Maker(tracker)
    users = await tracker.rows("SELECT Id, Email FROM User WHERE UserType = 'Standard'")
    make.company.users = {row["Email"]: row["Id"] for row in users}
    await _people(make)
    await _things(make)
    await _work(make)
    await _history(make)
    await _files(make)
    for word in ("contract", *(f"order {status}" for status in STATUSES)):
        name, record_id = make.company.ids[word].split("/")
        row = await tracker.read(name, record_id)
        make.company.numbers[word] = row.get("WorkOrderNumber") or row["ContractNumber"]
    return make.company


async def _people(make: _Maker) -> None:
    owner = make.company.users["owner2@example.com"]
    parent = await make("parent client", "Account", Name="Alder Holdings", OwnerId=owner)
    client = await make(
        *("client", "Account"),
        Name="Alder & Söhne Facility “Süd”",
        ParentId=parent,
        Type="Former",
        Industry="Healthcare",
        Phone="(217) 555-0142",
        Fax="+49 30 901820",
        Website="alder-soehne.example.com",
        Email__c="office@alder-soehne.example.com",
        BillingStreet="Löwenweg 3\nHinterhaus",
        BillingCity="Springfield",
        BillingState="Illinois",
        BillingPostalCode="62701",
        BillingCountry="USA",
        ShippingStreet="Dock 4",
        ShippingCity="Decatur",
        ShippingState="IL",
        ShippingPostalCode="62521-0099",
        ShippingCountry="United States",
        AccountNumber="C-000417",
        On_Stop__c=True,
        Description="Gate code at reception.\nCall first; ask for José.",
        Customer_Since__c="2011-10-30",
        Credit_Limit__c="12500.55",
        Service_Tier__c="Gold",
        Sectors__c="Public;Critical Site",
        OwnerId=owner,
    )
    await make(
        *("contact", "Contact"),
        FirstName="Marta",
        LastName="Quill-Ørsted",
        AccountId=client,
        Email="marta.quill@alder-soehne.example.com",
        Phone="217 555 0143",
        MobilePhone="+44 20 7946 0018",
        Title="Facility Manager",
        MailingStreet="Dock 4",
        MailingCity="Decatur",
        MailingState="IL",
        MailingPostalCode="62521",
        MailingCountry="United States",
        Is_Primary__c=True,
        Birthdate="1979-02-28",
        Description="Prefers mornings.",
        Preferred_Channel__c="SMS",
        OwnerId=make.company.users["owner3@example.com"],
    )
    # The address is that of a Zoho user, who therefore owns this contact whoever owned it before.
    await make("user contact", "Contact", LastName="Dispatch", Email="dispatch@example.com", OwnerId=owner)
    await make(
        *("technician", "ServiceResource"),
        Name="Iris van Berg",
        RelatedRecordId=make.company.users["owner1@example.com"],
        Email__c="iris@field.example.net",
        Phone__c="+1 217 555 0190",
        IsActive=True,
        ResourceType="T",
        Territory__c="North",
        Skills__c="Boilers;Electrical",
        Description="Certified for gas.",
    )
    await make("lone technician", "ServiceResource", Name="Ogden", IsActive=False, ResourceType="D")
    await make(
        *("portal user", "User"),
        Username="marta@portal.example.org",
        Email="marta.quill@alder-soehne.example.com",
        FirstName="Marta",
        LastName="=Quill",
        IsActive=True,
        UserType="CspLitePortal",
        ContactId=make.company.id("contact"),
        Profile_Name__c="Customer Portal",
        Portal_Permissions__c="View Work Orders;Request Service",
    )


async def _things(make: _Maker) -> None:
    ids = make.company.id
    owner = make.company.users["owner4@example.com"]
    await make(
        *("site", "Site__c"),
        Name="Decatur Plant",
        Client__c=ids("client"),
        Street__c="800 E Garfield Ave",
        City__c="Decatur",
        State__c="IL",
        Postal_Code__c="62526",
        Country__c="USA",
        Latitude__c="39.855703",
        Longitude__c="-88.937341",
        Time_Zone__c="America/Chicago",
        Access_Notes__c="Badge at gate 2.",
    )
    await make(
        *("part", "Product2"),
        Name="Filter F7 592×592",
        ProductCode="FLT-592",
        StockKeepingUnit="SKU-592-7",
        Description="Bag filter.",
        Family="Filter",
        IsActive=True,
        Unit_Cost__c="18.35",
        Unit_Price__c="41.90",
        Quantity_On_Hand__c="127.5",
    )
    await make("parent asset", "Asset", Name="Air handler 1", AccountId=ids("client"), OwnerId=owner)
    await make(
        *("asset", "Asset"),
        Name="Fan coil 1-07",
        SerialNumber="SN-88-0042",
        Product2Id=ids("part"),
        AccountId=ids("client"),
        ContactId=ids("contact"),
        Site__c=ids("site"),
        ParentId=ids("parent asset"),
        InstallDate="2019-06-01",
        PurchaseDate="2019-05-12",
        UsageEndDate="2034-05-31",
        Status="In Repair",
        Price="2310.75",
        Quantity="2",
        Manufacturer__c="Northwind",
        Model__c="FC-300",
        Warranty_Expiry__c="2027-06-01",
        OwnerId=owner,
    )
    await make(
        *("contract", "ServiceContract"),
        Name="Full care 2026",
        AccountId=ids("client"),
        ContactId=ids("contact"),
        StartDate="2026-01-01",
        EndDate="2028-12-31",
        Term="36",
        Status="Active",
        Contract_Type__c="Full Maintenance",
        Monthly_Value__c="845.10",
        Billing_Frequency__c="Quarterly",
        Renewal_Date__c="2028-10-02",
        GrandTotal="30423.60",
        SpecialTerms="Response within 4 hours.",
        OwnerId=owner,
    )


async def _work(make: _Maker) -> None:
    ids = make.company.id
    await make("parent order", "WorkOrder", Subject="Spring campaign", AccountId=ids("client"), Status="Open")
    for status in STATUSES:
        await make(
            *(f"order {status}", "WorkOrder"),
            Subject="Replace fan motor",
            Description="Bearing noise on start.",
            AccountId=ids("client"),
            ContactId=ids("contact"),
            Site__c=ids("site"),
            AssetId=ids("asset"),
            ServiceContractId=ids("contract"),
            ParentWorkOrderId=ids("parent order"),
            Service_Type__c="Repair",
            Status=status,
            Priority="Critical",
            StartDate="2026-02-10T13:15:00Z",
            EndDate="2026-02-10T17:45:30Z",
            DurationInMinutes="270.5",
            Street="800 E Garfield Ave, hall B",
            PostalCode="62526",
            Country="USA",
            Subtotal="410.00",
            Discount="5",
            Tax="29.21",
            GrandTotal="418.71",
            Labor_Hours__c="4.25",
            Technician__c=ids("technician"),
            Safety_Checked__c=True,
            Access_Code__c="4417#",
            OwnerId=make.company.users["owner1@example.com"],
        )
    await make(
        *("part used", "ProductConsumed"),
        WorkOrderId=ids("order Completed"),
        Product2Id=ids("part"),
        QuantityConsumed="3.5",
        UnitPrice="39.90",
        Description="One spare left on site.",
    )


async def _history(make: _Maker) -> None:
    ids = make.company.id
    order, owner = ids("order Completed"), make.company.users["owner1@example.com"]
    for word, what in (("task", order), ("asset task", ids("asset")), ("client task", ids("client"))):
        await make(
            *(word, "Task"),
            Subject="Quarterly service",
            Status="Completed",
            Priority="High",
            ActivityDate="2026-02-11",
            Description="All readings normal.",
            WhoId=ids("contact"),
            WhatId=what,
            Action_Taken__c="Cleaned and tested",
            Technician__c=ids("technician"),
            CompletedDateTime="2026-02-11T21:05:00Z",
            OwnerId=owner,
        )
    visits = [("visit", "2026-04-02", False), *((f"visit {n}", f"2026-05-0{n}", True) for n in (1, 2, 3))]
    for word, day, recurring in visits:
        await make(
            *(word, "Event"),
            Subject="Inspection visit",
            StartDateTime=f"{day}T14:00:00Z",
            EndDateTime=f"{day}T15:30:00Z",
            Location="Decatur Plant, gate 2",
            Description="Bring filter.",
            WhatId=order,
            WhoId=ids("contact"),
            Technician__c=ids("technician"),
            Is_Recurring__c=recurring,
            Recurrence_Group__c="R-7" if recurring else None,
            IsAllDayEvent=False,
            OwnerId=owner,
        )
    await make("note", "Note", ParentId=order, Title="Access", Body="Use the side door.", OwnerId=owner)
    await make("private note", "Note", ParentId=order, Title="Pay", Body="SECRET-LATE-PAYER", IsPrivate=True)


async def _files(make: _Maker) -> None:
    order = make.company.id("order Completed")
    await make("photo", "Attachment", ParentId=order, Name="before.png", ContentType="image/png", Body=PHOTO)
    await make("large", "Attachment", ParentId=order, Name="scan.bin", ContentType="image/tiff", Body=LARGE)
    await make("report", "ContentVersion", PathOnClient="report.pdf", VersionData=REPORT, FirstPublishLocationId=order)
    await make(
        *("signature", "DigitalSignature"),
        ParentId=order,
        SignatureType="Customer",
        SignedBy="Marta Quill",
        SignedDate="2026-02-11T21:04:00Z",
        DocumentContentType="image/png",
        DocumentBody=SIGNATURE,
    )
