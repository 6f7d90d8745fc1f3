"""Tables of what happens in a clinic: appointments, invoices, payments, treatment plans, results and set-up lists."""

from collections.abc import Iterator
from datetime import timedelta
from random import Random

from connectors.clinic.generator import words
from connectors.clinic.generator.cast import Cast, day, money, stamp
from connectors.clinic.generator.people import Row

VISITS_EACH = 2
_PRICES = (6_500, 9_000, 14_050, 21_075, 38_000)


def appointments(cast: Cast) -> Iterator[Row]:
    for place in range(cast.scale * VISITS_EACH):
        rng = cast.random("visit", place)
        kind, minutes = words.VISITS[rng.randrange(len(words.VISITS))]
        start = cast.moment(rng)
        status = words.STATES[rng.randrange(len(words.STATES))]
        orphan = place % 307 == 200
        yield {
            "Appointment ID": f"A{place + 1:08d}",
            "Patient ID": f"X{place:07d}" if orphan else cast.patient(place // VISITS_EACH),
            "Provider ID": cast.provider(place * 3),
            "Location ID": cast.clinic(place),
            "Appointment Type": kind,
            "Reason": words.REASONS[rng.randrange(len(words.REASONS))],
            "Start": stamp(start),
            "Duration (min)": str(minutes) if minutes else "",
            "Status": status,
            "Cancellation Reason": rng.choice(words.CANCELLED) if status == "Cancelled" else "",
            "Notes": _remark(rng),
            "Created": stamp(start - timedelta(days=rng.randrange(40))),
        }


def _remark(rng: Random) -> str:
    return rng.choice(("", "", "Bring previous scans.", "Prefers mornings; call first.", 'Said "late" again,\nwaited.'))


def invoices(cast: Cast) -> Iterator[Row]:
    """One invoice for two visits of three; some stay open, some are denied, a few name no patient that exists."""
    for place in range(cast.scale * VISITS_EACH):
        if place % 3 == 2:
            continue
        rng = cast.random("invoice", place)
        billed, paid, status = _amounts(place, rng)
        visited = cast.moment(cast.random("visit", place))
        denied = status == "Denied"
        insured = place // VISITS_EACH % 5 != 4
        yield {
            "Invoice ID": f"I{place + 1:08d}",
            "Invoice No": f"INV-{place + 1:08d}",
            "Date of Service": day(visited),
            "Patient ID": cast.patient(place // VISITS_EACH),
            "Appointment ID": f"A{place + 1:08d}",
            "Provider ID": cast.provider(place * 3),
            "Item Code": words.PROCEDURES[rng.randrange(len(words.PROCEDURES))],
            "Units": "1",
            "Fee": money(billed),
            "Adjustments": money(-500) if place % 17 == 0 else "",
            "Payer": words.PAYERS[place % len(words.PAYERS)] if insured else "",
            "Claim No": f"CLM{place:07d}" if insured else "",
            "Amount Paid": money(paid),
            "Balance": money(billed - paid),
            "Status": status,
            "Denial Reason": rng.choice(words.DENIALS) if denied else "",
            "Created": stamp(visited),
        }


def _amounts(place: int, rng: Random) -> tuple[int, int, str]:
    billed = rng.choice(_PRICES)
    kind = place % 10
    if kind in (1, 4):
        return billed, 0, "Denied" if kind == 4 else "Unpaid"
    if kind == 7:
        return billed, billed // 2, "Partially Paid"
    return billed, billed, "Paid"


def payments(cast: Cast) -> Iterator[Row]:
    """One or two payments for what is paid; now and then a refund, which is negative, and one for a lost invoice."""
    number = 0
    for place in range(cast.scale * VISITS_EACH):
        if place % 3 == 2:
            continue
        _, paid, _ = _amounts(place, cast.random("invoice", place))
        rng = cast.random("payment", place)
        parts = (paid // 3, paid - paid // 3) if place % 6 == 0 else (paid,)
        if place % 20 == 0:
            parts = (*parts, 1_000, -1_000)
        for cents in parts:
            if not cents:
                continue
            number += 1
            missing = number % 401 == 400
            yield {
                "Payment ID": f"PM{number:08d}",
                "Invoice ID": f"GONE{number}" if missing else f"I{place + 1:08d}",
                "Payment Date": day(cast.moment(rng, 400)),
                "Amount": money(cents),
                "Method": words.METHODS[rng.randrange(len(words.METHODS))],
                "Reference": f"R-{rng.randrange(10**6):06d}",
            }


def treatment_plans(cast: Cast) -> Iterator[Row]:
    for place in range(0, cast.scale, 3):
        rng = cast.random("plan", place)
        code, name = words.DIAGNOSES[rng.randrange(len(words.DIAGNOSES))]
        begun = cast.moment(rng, 700)
        planned = rng.randrange(1, 13)
        yield {
            "Plan ID": f"TP{place + 1:07d}",
            "Patient ID": cast.patient(place),
            "Provider ID": cast.provider(place),
            "Diagnosis Code": code,
            "Diagnosis": name,
            "Procedures": "; ".join(rng.sample(words.PROCEDURES, 2)),
            "Start Date": day(begun),
            "End Date": day(begun + timedelta(days=90)) if place % 2 else "",
            "Status": ("Active", "Completed", "On hold")[rng.randrange(3)],
            "Sessions Planned": str(planned),
            "Sessions Used": str(rng.randrange(planned + 1)),
        }


def results(cast: Cast) -> Iterator[Row]:
    """Measured values with their ranges, and reports that are nothing but text."""
    for place in range(0, cast.scale, 2):
        rng = cast.random("result", place)
        test, code, unit, usual, low, high = words.TESTS[rng.randrange(len(words.TESTS))]
        free = place % 10 == 4
        taken = cast.moment(rng, 800)
        yield {
            "Result ID": f"L{place + 1:08d}",
            "Patient ID": cast.patient(place),
            "Test Name": "" if free else test,
            "LOINC": "" if free else code,
            "Result": "" if free else str(rng.randrange(low * 10, high * 10) / 10),
            "Unit": "" if free else unit,
            "Reference Range": "" if free else usual,
            "Abnormal Flag": "" if free or place % 4 else "H",
            "Collected": stamp(taken),
            "Reported": stamp(taken + timedelta(days=1)),
            "Report Text": "Sample taken twice.\nNo growth after 48 hours; repeat if symptoms stay." if free else "",
        }


def workflow_rules(_: Cast) -> Iterator[Row]:
    for place, (name, what, trigger, condition, action) in enumerate(words.RULES):
        yield {
            "Rule ID": f"W{place + 1}", "Rule Name": name, "Object": what, "Trigger": trigger, "Condition": condition,
            "Action": action, "Active": "No" if place == 1 else "Yes",
        }  # fmt: skip


def report_definitions(_: Cast) -> Iterator[Row]:
    for place, (name, text, table) in enumerate(words.REPORTS):
        yield {"Report ID": f"RP{place + 1}", "Report Name": name, "Description": text, "Based On": table}


def schedule_templates(cast: Cast) -> Iterator[Row]:
    for place in range(cast.providers):
        for weekday in ("Monday", "Thursday"):
            yield {
                "Template ID": f"ST{place + 1}-{weekday[:3]}", "Provider ID": cast.provider(place),
                "Weekday": weekday, "From": "08:00", "To": "16:30", "Slot (min)": "15",
            }  # fmt: skip
