"""What Freshsales asks of the hand-made company beyond what Zoho does: orders without recurring money, further sites,
inquiries, people without a company, doubles of names and addresses, invoices and dispatch slots.
"""

from tests.pairs.company import Company
from tests.pairs.vendors import Tracker


async def add_more(tracker: Tracker, company: Company) -> None:
    """Adds to the company that `make_company` made."""

    async def make(word: str, name: str, **values: object) -> str:
        record_id = await tracker.create(name, **values)
        company.ids[word] = f"{name}/{record_id}"
        return record_id

    client, site, owner = company.id("client"), company.id("site"), company.users["owner1@example.com"]
    await make("annex", "Site__c", Name="Annex", Client__c=client, Parent_Site__c=site, City__c="Pana", State__c="IL")
    await make("depot", "Site__c", Name="Depot", Client__c=client, Parent_Site__c=site, Street__c="9 Rail Rd")
    await make("double", "Account", Name="ALDER HOLDINGS", AccountNumber="C-000999", Phone="n/a")
    await make("solo", "Contact", FirstName="Sola", LastName="Freelance", Email="sola@example.org")
    for word, first in (("child one", "Ada"), ("child two", "Bo")):
        await make(word, "Contact", FirstName=first, LastName="Kin", Email="kin@example.org", AccountId=client)
    plan = await make(
        "plain contract", "ServiceContract", Name="On call", AccountId=client, StartDate="2026-01-01", Status="Draft"
    )
    await make(
        *("plain order", "WorkOrder"),
        Subject="Fix door",
        Description="Hinge is loose.",
        AccountId=client,
        ContactId=company.id("contact"),
        Site__c=site,
        AssetId=company.id("asset"),
        ServiceContractId=plan,
        ParentWorkOrderId=company.id("parent order"),
        Service_Type__c="Inspection",
        Status="On Hold",
        Priority="Low",
        StartDate="2026-03-01T08:00:00Z",
        EndDate="2026-03-01T09:30:00Z",
        DurationInMinutes="90",
        Street="800 E Garfield Ave",
        City="Decatur",
        State="IL",
        PostalCode="62526",
        Country="USA",
        Subtotal="120.00",
        Discount="2.5",
        Tax="8.19",
        GrandTotal="125.19",
        Labor_Hours__c="1.5",
        Technician__c=company.id("technician"),
        Safety_Checked__c=True,
        Access_Code__c="0815",
        OwnerId=company.users["owner4@example.com"],
    )
    row = await tracker.read("WorkOrder", company.id("plain order"))
    company.numbers["plain order"] = row["WorkOrderNumber"]
    await make(
        *("plain part", "ProductConsumed"),
        WorkOrderId=company.id("plain order"),
        Product2Id=company.id("part"),
        QuantityConsumed="2",
        UnitPrice="41.90",
    )
    await make(
        *("plain task", "Task"),
        Subject="Looked at the door",
        Status="Completed",
        ActivityDate="2026-03-01",
        WhatId=company.id("plain order"),
        WhoId=company.id("contact"),
        Technician__c=company.id("technician"),
        Action_Taken__c="Tightened",
        CompletedDateTime="2026-03-01T09:20:00Z",
        Description="Two screws replaced.",
        OwnerId=owner,
    )
    await make(
        *("lead", "Lead"),
        FirstName="Lea",
        LastName="Newcomb",
        Company="Newcomb Bakery",
        Email="lea@newcomb.example.com",
        Phone="+1 217 555 0177",
        LeadSource="Web",
        Status="Contacted",
        Description="Oven maintenance, please call.",
        Lead_Score__c="42.5",
        OwnerId=owner,
    )
    await make(
        *("invoice", "Invoice__c"),
        Client__c=client,
        Work_Order__c=company.id("plain order"),
        Issue_Date__c="2026-03-02",
        Due_Date__c="2026-03-16",
        Subtotal__c="117.00",
        Tax__c="8.19",
        Total__c="125.19",
        Paid__c="25.19",
        Payment_Status__c="Partial",
    )
    row = await tracker.read("Invoice__c", company.id("invoice"))
    company.numbers["invoice"] = row["Name"]
    await make(
        *("slot", "ServiceAppointment"),
        ParentRecordId=company.id("plain order"),
        Technician__c=company.id("technician"),
        Status="Scheduled",
        SchedStartTime="2026-03-01T08:00:00Z",
        SchedEndTime="2026-03-01T09:30:00Z",
        Territory__c="North",
        Route_Order__c=3,
    )
