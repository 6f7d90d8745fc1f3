"""Contracts, parts, assets, work orders, parts used, invoices, renewal and automation rules."""

from collections.abc import Iterator
from random import Random
from typing import Any

from connectors.servicetracker.sandbox.generator import words
from connectors.servicetracker.sandbox.generator.plan import AUTOMATION_RULES, DAYS, Plan, money
from connectors.servicetracker.sandbox.schema_work import PART_FAMILIES, PRIORITIES, WORK_STATUSES

Row = dict[str, Any]
_KINDS = ("Repair", "Installation", "Inspection", "Preventive Maintenance")


def contracts(plan: Plan) -> Iterator[Row]:
    """Contract `n` belongs to client `2 n`."""
    rng = plan.random("ServiceContract")
    draw = rng.random
    marks = plan.marks("ServiceContract", {"backwards": 0.01, "sentinel": 0.005, "orphan": 0.005, "terms": 0.003})
    for place in range(plan.counts["ServiceContract"]):
        row = plan.head("ServiceContract", place, rng)
        client = 2 * place % plan.counts["Account"]
        kind = ("Preventive", "Full Maintenance")[int(draw() * 2)]
        start, months = int(draw() * (DAYS - 400)), (12, 24, 36)[int(draw() * 3)]
        end = start + months * 30
        monthly = (5 + int(draw() * 200)) * 1_000
        row |= {"Name": f"{kind} {words.TERRITORIES[place % 6]} {place + 1}", "ContractNumber": f"{place + 1:08d}"}
        row |= {"AccountId": plan.client_id(client), "ContactId": plan.contact_id(client, 0), "Contract_Type__c": kind}
        row |= {"StartDate": plan.days[start], "EndDate": plan.days[end] if end < DAYS else None, "Term": months}
        row["Status"] = "Active" if end >= DAYS else ("Expired", "Expired", "Cancelled", "Draft")[int(draw() * 4)]
        row |= {"Monthly_Value__c": money(monthly), "GrandTotal": money(monthly * months)}
        row["Billing_Frequency__c"] = ("Monthly", "Quarterly", "Annual")[int(draw() * 3)]
        row["Renewal_Date__c"] = row["EndDate"]
        row["SpecialTerms"] = "Response within 4 hours, parts excluded." if draw() < 0.3 else None
        dirt = marks.get(place)
        if dirt == "backwards":
            row["StartDate"], row["EndDate"] = plan.days[min(start + 400, DAYS - 1)], plan.days[start]
        elif dirt == "sentinel":
            row["StartDate"] = words.EPOCH_DAY
        elif dirt == "orphan":
            row["AccountId"] = plan.lost_client_id(rng.randrange(1_000_000))
        elif dirt == "terms":
            row["SpecialTerms"] = (words.LONG_SENTENCE * 50)[:4_000]
        yield row


def parts(plan: Plan) -> Iterator[Row]:
    rng = plan.random("Product2")
    draw = rng.random
    marks = plan.marks("Product2", {"negative": 0.01, "same code": 0.005, "script": 0.005})
    for place in range(plan.counts["Product2"]):
        row = plan.head("Product2", place, rng)
        del row["OwnerId"]
        cost = 200 + int(draw() * 40_000)
        row |= {
            "Name": f"{words.PARTS[place % 11]} {words.MAKERS[place % 6]} {place + 1}",
            "ProductCode": f"P-{place + 1:05d}",
        }
        row |= {
            "StockKeepingUnit": f"SKU{place + 1:07d}",
            "Family": PART_FAMILIES[place % 5],
            "IsActive": int(draw() < 0.93),
        }
        row |= {"Unit_Cost__c": money(cost), "Unit_Price__c": money(cost * 14 // 10)}
        row["Quantity_On_Hand__c"] = f"{int(draw() * 250)}.0" if draw() < 0.95 else "0.5"
        row["Description"] = f"Fits {words.DEVICES[place % 9]} series {place % 40}" if draw() < 0.7 else None
        dirt = marks.get(place)
        if dirt == "negative":
            row["Quantity_On_Hand__c"] = "-3.0"
        elif dirt == "same code":
            row["ProductCode"] = f"P-{max(1, place):05d}"
        elif dirt == "script":
            row["Name"] = f"Filtro de aire – 濾芯 №{place + 1}"
        yield row


def part_price(place: int) -> int:
    """Cents on a work order; parts keep no price history, so it differs from the list price."""
    return 300 + place * 37 % 50_000


def assets(plan: Plan) -> Iterator[Row]:
    """Asset `n` stands at client `n` modulo the number of clients."""
    rng = plan.random("Asset")
    draw = rng.random
    clients = plan.counts["Account"]
    marks = plan.marks("Asset", {"orphan": 0.01, "sentinel": 0.004, "no serial": 0.02, "same serial": 0.004})
    for place in range(plan.counts["Asset"]):
        row = plan.head("Asset", place, rng)
        client = place % clients
        device, maker = words.DEVICES[int(draw() * 9)], words.MAKERS[int(draw() * 6)]
        bought = int(draw() * DAYS)
        installed = min(bought + int(draw() * 60), DAYS - 1)
        row |= {"Name": f"{device} {place + 1}", "SerialNumber": f"{maker[:2].upper()}{place + 1:08d}"}
        row |= {
            "AccountId": plan.client_id(client),
            "ContactId": plan.contact_id(client, 0),
            "Site__c": plan.site_id(client),
        }
        row["Product2Id"] = plan.id("Product2", int(draw() * plan.counts["Product2"])) if draw() < 0.5 else None
        row["ParentId"] = plan.id("Asset", place - clients) if place >= clients and draw() < 0.3 else None
        row |= {"PurchaseDate": plan.days[bought], "InstallDate": plan.days[installed]}
        row["Status"] = ("Installed", "Installed", "Installed", "In Repair", "Retired")[int(draw() * 5)]
        row["UsageEndDate"] = plan.days[min(installed + 300, DAYS - 1)] if row["Status"] == "Retired" else None
        row |= {"Price": money((50 + int(draw() * 2_000)) * 1_000), "Quantity": "1.0", "Manufacturer__c": maker}
        row |= {
            "Model__c": f"{maker[0]}{100 + place % 60}",
            "Warranty_Expiry__c": plan.days[min(bought + 730, DAYS - 1)],
        }
        dirt = marks.get(place)
        if dirt == "orphan":
            row["AccountId"] = plan.lost_client_id(rng.randrange(1_000_000))
        elif dirt == "sentinel":
            row["InstallDate"] = words.EPOCH_DAY
        elif dirt == "no serial":
            row["SerialNumber"] = None
        elif dirt == "same serial":
            row["SerialNumber"] = "UNKNOWN"
        yield row


_WORK_DIRT = {
    "orphan": 0.01,
    "status": 0.005,
    "subject": 0.003,
    "clock": 0.004,
    "sentinel": 0.002,
    "emoji": 0.003,
    "lines": 0.003,
    "blanks": 0.002,
    "long": 0.0001,
}


def work_orders(plan: Plan) -> Iterator[Row]:
    rng = plan.random("WorkOrder")
    draw = rng.random
    marks = plan.marks("WorkOrder", _WORK_DIRT)
    for place in range(plan.counts["WorkOrder"]):
        row = plan.head("WorkOrder", place, rng)
        client = plan.work_client(place)
        device = words.DEVICES[int(draw() * 9)]
        row["WorkOrderNumber"] = f"{place + 1:08d}"
        row["Service_Type__c"] = kind = _KINDS[int(draw() * 4)]
        row["Subject"] = f"{kind}: {device} at {plan.town(client)[0]}"
        row["Description"] = (
            f"{words.FINDINGS[int(draw() * 8)]}. {words.FINDINGS[int(draw() * 8)]}." if draw() < 0.8 else None
        )
        row["AccountId"] = plan.client_id(client)
        row["ContactId"] = plan.contact_id(client, place % 2)
        row["Site__c"] = plan.site_id(client)
        row["AssetId"] = plan.asset_id(client) if draw() < 0.7 else None
        row["ServiceContractId"] = plan.contract_id(client) if draw() < 0.5 else None
        row["ParentWorkOrderId"] = plan.id("WorkOrder", int(draw() * place)) if place and draw() < 0.04 else None
        row["Status"] = status = WORK_STATUSES[int(draw() * 5)]
        row["Priority"] = PRIORITIES[int(draw() * 4)]
        _schedule(row, plan, rng)
        town, (state, country, _, _, _) = plan.town(client)
        row |= {"Street": f"{1 + int(draw() * 400)} {words.STREETS[client % 8]}", "City": town, "State": state}
        row |= {"PostalCode": f"{10_000 + client % 89_999}", "Country": country}
        _price(row, rng)
        row["Technician__c"] = plan.id("ServiceResource", int(draw() * plan.technicians)) if draw() < 0.9 else None
        row["Safety_Checked__c"] = int(status in {"Completed", "Invoiced"} or draw() < 0.3)
        row["Access_Code__c"] = f"{int(draw() * 9_000) + 1_000}#" if draw() < 0.2 else None
        if place in marks:
            _spoil_work(row, marks[place], plan, rng)
        yield row


def _schedule(row: Row, plan: Plan, rng: Random) -> None:
    day, minute, length = int(rng.random() * DAYS), int(rng.random() * 600), 15 * (1 + int(rng.random() * 20))
    row["StartDate"] = plan.days[day] + plan.times[minute]
    row["EndDate"] = plan.days[day] + plan.times[min(minute + length, 899)]
    row["DurationInMinutes"] = f"{length}.0"
    quarters = length // 15
    row["Labor_Hours__c"] = f"{quarters // 4}.{('0', '25', '5', '75')[quarters % 4]}"


def _price(row: Row, rng: Random) -> None:
    subtotal = 2_000 + int(rng.random() * 300_000)
    discount = (0, 0, 0, 5, 10)[int(rng.random() * 5)]
    tax = (subtotal * (100 - discount) // 100) * 8 // 100
    row["Subtotal"], row["Discount"], row["Tax"] = money(subtotal), f"{discount}.0", money(tax)
    row["GrandTotal"] = money(subtotal * (100 - discount) // 100 + tax)


def _spoil_work(row: Row, kind: str, plan: Plan, rng: Random) -> None:
    if kind == "orphan":
        row["AccountId"] = plan.lost_client_id(rng.randrange(1_000_000))
    elif kind == "status":
        row["Status"] = rng.choice(words.LATER_STATUSES)
    elif kind == "subject":
        row["Subject"] = (f"{row['Subject']} – " + words.LONG_SENTENCE * 3)[:254] + "."
    elif kind == "clock":
        row["StartDate"] = rng.choice(words.CLOCK_CHANGES)
        row["EndDate"] = row["StartDate"][:11] + "23:59:59.000Z"
    elif kind == "sentinel":
        row["StartDate"] = words.EPOCH_MOMENT
    elif kind == "emoji":
        row["Description"] = words.EMOJI_TEXT
    elif kind == "lines":
        row["Description"] = 'Arrived 09:10\r\n\r\n\tChecked "main" valve, ok;\r\nleft 10:40, see note\n'
    elif kind == "blanks":
        row["Subject"] = f"   {row['Subject']}  "
    elif kind == "long":
        row["Description"] = (words.LONG_SENTENCE * 400)[:40_000]


def parts_used(plan: Plan) -> Iterator[Row]:
    rng = plan.random("ProductConsumed")
    draw = rng.random
    works, products = plan.counts["WorkOrder"], plan.counts["Product2"]
    for place in range(plan.counts["ProductConsumed"]):
        row = plan.head("ProductConsumed", place, rng)
        del row["OwnerId"]
        product = int(draw() * products)
        row |= {"WorkOrderId": plan.id("WorkOrder", int(draw() * works)), "Product2Id": plan.id("Product2", product)}
        row |= {"QuantityConsumed": f"{1 + int(draw() * 6)}.{'0' if draw() < 0.9 else '5'}"}
        row |= {"UnitPrice": money(part_price(product)), "Description": "Van stock" if draw() < 0.3 else None}
        yield row


def invoices(plan: Plan) -> Iterator[Row]:
    rng = plan.random("Invoice__c")
    draw = rng.random
    works = plan.counts["WorkOrder"]
    marks = plan.marks("Invoice__c", {"orphan": 0.005, "overpaid": 0.004})
    for place in range(plan.counts["Invoice__c"]):
        row = plan.head("Invoice__c", place, rng)
        work = place * 4 % works
        issued = int(draw() * (DAYS - 30))
        subtotal = 2_000 + int(draw() * 400_000)
        tax = subtotal * 8 // 100
        status = ("Paid", "Paid", "Partial", "Unpaid")[int(draw() * 4)]
        paid = {"Paid": subtotal + tax, "Partial": (subtotal + tax) // 2, "Unpaid": 0}[status]
        row |= {"Name": f"INV-{place + 1:06d}", "Client__c": plan.client_id(plan.work_client(work))}
        row |= {"Work_Order__c": plan.id("WorkOrder", work), "Issue_Date__c": plan.days[issued]}
        row |= {"Due_Date__c": plan.days[issued + 30], "Subtotal__c": money(subtotal), "Tax__c": money(tax)}
        row |= {"Total__c": money(subtotal + tax), "Paid__c": money(paid), "Payment_Status__c": status}
        dirt = marks.get(place)
        if dirt == "orphan":
            row["Client__c"] = plan.lost_client_id(rng.randrange(1_000_000))
        elif dirt == "overpaid":
            row["Paid__c"] = money(subtotal * 2)
        yield row


def renewal_rules(plan: Plan) -> Iterator[Row]:
    rng = plan.random("Renewal_Rule__c")
    for place in range(plan.counts["Renewal_Rule__c"]):
        row = plan.head("Renewal_Rule__c", place, rng)
        kind = ("Auto", "Notify", "Manual")[place % 3]
        row |= {"Name": f"{kind} renewal {place + 1}", "Rule_Type__c": kind, "Auto_Renew__c": int(kind == "Auto")}
        row |= {"Contract__c": plan.id("ServiceContract", place * 8 % plan.counts["ServiceContract"])}
        row |= {"Notice_Days__c": (30, 60, 90)[place % 3], "Uplift_Percent__c": ("0.0", "2.5", "3.0", "5.0")[place % 4]}
        yield row


_RULES = (
    ("Assign by territory", "WorkOrder", "On create", "Technician is blank", "Set technician of the territory"),
    ("Critical alert", "WorkOrder", "On create", "Priority = Critical", "Mail dispatch"),
    ("Close after invoice", "WorkOrder", "On update", "Status = Invoiced", "Set end date"),
    ("Route morning round", "ServiceAppointment", "Daily 05:00", "Status = Scheduled", "Order by distance"),
    ("Late arrival", "ServiceAppointment", "Every 15 minutes", "Window passed", "Text the contact"),
    ("Warranty reminder", "Asset", "Weekly", "Warranty ends in 60 days", "Create task for owner"),
    ("Renewal notice", "ServiceContract", "Daily", "Renewal date in notice period", "Mail the client"),
    ("Client on stop", "Account", "On update", "On stop is set", "Put open work orders on hold"),
    ("Low stock", "Product2", "On update", "Quantity below 5", "Mail the store"),
    ("Overdue invoice", "Invoice__c", "Daily", "Due date passed and unpaid", "Create task for owner"),
)


def automation_rules(plan: Plan) -> Iterator[Row]:
    rng = plan.random("Automation_Rule__c")
    for place, (name, target, trigger, condition, action) in enumerate(_RULES[:AUTOMATION_RULES]):
        row = plan.head("Automation_Rule__c", place, rng)
        row |= {
            "Name": name,
            "Object__c": target,
            "Trigger__c": trigger,
            "Condition__c": condition,
            "Action__c": action,
        }
        row["Active__c"] = int(place != 4)
        yield row
