"""What happens in a clinic as its products export it: visits, money, plans, results, papers and set-up lists (4.2)."""

from app.domain.schema import FieldType as T
from connectors.clinic.columns import APPOINTMENT, BY_NAME, CLINIC, PAYER, PROVIDER, STAMPS, col, patient
from connectors.exportkit.catalogue import TableObject

_PROVIDER = col("provider_id", PROVIDER, to="providers", on=f"email,{BY_NAME}", label="Provider")
_VISIT = col("appointment_id", APPOINTMENT, to="appointments", label="Appointment")

APPOINTMENTS = TableObject(
    name="appointments",
    label="Appointment",
    files=("appointment", "visits", "encounters", "bookings", "appointment list", "calendar", "bps appointments"),
    or_key=("patient_id", "provider_id", "start"),
    required=False,
    fields=(
        col("id", "appointment id, appointment no, visit id, booking id, encounter id", T.ID),
        *patient(),
        _PROVIDER,
        col("clinic_id", CLINIC, to="clinics", on="name"),
        col("payer_id", PAYER, to="payers", on="name,payer_code"),
        col("type", "appointment type, visit type, encounterclass, encounter class, service, "
            "appointment type name, category"),
        col("reason", "reason for visit, description, presenting complaint, appointment reason, subject", health=True),
        col("visit_code", "code, service code", health=True),
        col("diagnosis_code", "reasoncode, icd, icd-10, icd10", health=True),
        col("diagnosis", "reasondescription, diagnosis description", health=True),
        col("date", "appointment date, visit date", T.DATE),
        col("time", "appointment time, start time of day"),
        col("start", "start time, starts at, start date time, appointment start, start datetime, begin, arrival",
            T.DATETIME),
        col("end", "end time, ends at, stop, appointment end, end datetime, finish", T.DATETIME),
        col("duration", "duration (min), duration min, duration minutes, length, minutes, appointment length",
            T.DECIMAL),
        col("status", "appointment status, state, attendance, arrival status"),
        col("cancellation_reason", "cancel reason, reason for cancellation, cancelled reason, dna reason"),
        col("cost", "total claim cost, total cost, fee, price", T.CURRENCY),
        col("base_cost", "base encounter cost", T.CURRENCY),
        col("covered", "payer coverage, amount covered", T.CURRENCY),
        col("notes", "note, comments, appointment notes", T.TEXTAREA, health=True),
        *STAMPS,
    ),
)  # fmt: skip

INVOICES = TableObject(
    name="invoices",
    label="Invoice",
    files=("invoice", "billing", "claims", "bills", "billing records", "accounts receivable", "bps invoices",
        "encounter billing"),
    or_key=("number", "patient_id", "date"),
    required=False,
    fields=(
        col("id", "invoice id, claim id, bill id, billing id", T.ID),
        col("number", "invoice no, invoice number, invoice, bill no, reference"),
        col("date", "date of service, service date, servicedate, invoice date, issue date, dos, billing date", T.DATE),
        *patient(),
        _PROVIDER,
        _VISIT,
        col("clinic_id", f"{CLINIC}, department", to="clinics", on="name"),
        col("payer_id", f"{PAYER}, primarypatientinsuranceid, bill to, payor", to="payers", on="name,payer_code"),
        col("second_payer_id", "secondarypatientinsuranceid, secondary payer", to="payers", on="name,payer_code",
            label="Second payer"),
        col("item_code", "cpt, cpt code, item, item no, item number, procedure code, service code", health=True),
        col("diagnosis_code", "diagnosis1, diagnosis 1, icd, icd-10, icd10, diagnosis", health=True),
        col("units", "quantity, qty", T.DECIMAL),
        col("billed", "fee, amount billed, total, invoice total, charge, charges, amount, gross, billed amount",
            T.CURRENCY),
        col("tax", "gst, vat", T.CURRENCY),
        col("adjustments", "adjustment, write off, writeoff, discount", T.CURRENCY),
        col("paid", "amount paid, paid amount, payments, total paid, payment", T.CURRENCY),
        col("outstanding", "balance, amount outstanding, outstanding1, balance due, amount due, owing, due",
            T.CURRENCY),
        col("payment_date", "date paid, paid on, paid date, lastbilleddate1, last payment date", T.DATE),
        col("currency", "currency code"),
        col("status", "invoice status, claim status, status1, payment status, billing status"),
        col("claim_no", "claim number, claim no, claim reference, claim id number"),
        col("denial_status", "denial, denied, rejected"),
        col("denial_reason", "rejection reason, denial code, denial description", health=True),
        col("notes", "note, comments", T.TEXTAREA, health=True),
        *STAMPS,
    ),
)  # fmt: skip

PAYMENTS = TableObject(
    name="payments",
    label="Payment",
    files=("payment", "receipts", "payment list", "patient payments", "remittances", "bps payments"),
    or_key=("invoice_id", "date", "amount", "reference"),
    required=False,
    fields=(
        col("id", "payment id, receipt id, receipt no, transaction id", T.ID),
        col("invoice_id", "invoice, invoice no, invoice number, claim id, claimid, bill id", to="invoices",
            on="number"),
        col("date", "payment date, paid on, receipt date, date paid", T.DATE),
        col("amount", "payment amount, paid, amount paid, total", T.CURRENCY),
        col("method", "payment method, payment type, type, tender"),
        col("reference", "payment reference, transaction reference, ref, receipt"),
        col("notes", "note, comments", T.TEXTAREA),
    ),
)  # fmt: skip

CHARGES = TableObject(
    name="charges",
    label="Charge",
    files=("claims transactions", "transactions", "invoice items", "invoice lines", "charge lines", "line items",
        "ledger"),
    or_key=("invoice_id", "line", "item_code", "type"),
    required=False,
    fields=(
        col("id", "line id, transaction id", T.ID),
        col("invoice_id", "invoice, invoice no, claim id, claimid", to="invoices", on="number"),
        col("line", "line no, line number, chargeid, sequence"),
        col("type", "transaction type, line type"),
        col("item_code", "procedurecode, procedure code, cpt, cpt code, item no, item", health=True),
        col("description", "notes, item description, service", health=True),
        col("units", "quantity, qty", T.DECIMAL),
        col("amount", "charge, fee, line total, unit amount total", T.CURRENCY),
        col("payment", "payments, paid", T.CURRENCY),
    ),
)  # fmt: skip

TREATMENT_PLANS = TableObject(
    name="treatment_plans",
    label="Treatment plan",
    files=("treatment plan", "care plans", "careplans", "treatments", "plans", "courses of treatment"),
    or_key=("patient_id", "name", "start"),
    required=False,
    fields=(
        col("id", "plan id, treatment plan id, careplan id, treatment id", T.ID),
        *patient(),
        _PROVIDER,
        _VISIT,
        col("name", "plan name, plan, treatment, description, title, treatment name", health=True),
        col("diagnosis_code", "icd, icd-10, icd10, icd code, reasoncode, diagnosis codes", health=True),
        col("diagnosis", "diagnosis description, reasondescription, condition", health=True),
        col("procedure_codes", "procedures, cpt, cpt codes, cpt code, procedure code, code, items", health=True),
        col("start", "start date, begin, from, commenced, date started", T.DATE),
        col("end", "end date, stop, to, completed on, finish date", T.DATE),
        col("status", "plan status, state"),
        col("sessions_planned", "sessions, planned sessions, visits planned, number of sessions", T.INTEGER),
        col("sessions_used", "used sessions, visits used, sessions completed", T.INTEGER),
        col("notes", "note, comments, goals", T.TEXTAREA, health=True),
        *STAMPS,
    ),
)  # fmt: skip

LAB_RESULTS = TableObject(
    name="lab_results",
    label="Lab result",
    files=("lab", "labs", "results", "observations", "pathology", "pathology results", "diagnostics",
        "diagnostic reports",
           "investigations", "lab reports"),
    or_key=("patient_id", "appointment_id", "code", "test", "collected_at"),
    required=False,
    fields=(
        col("id", "result id, lab result id, observation id, report id", T.ID),
        *patient(),
        _PROVIDER,
        _VISIT,
        col("test", "test name, description, investigation, analyte, name, observation", health=True),
        col("code", "loinc, loinc code, test code", health=True),
        col("category", "panel, group", health=True),
        col("value", "result, result value, reading", health=True),
        col("unit", "units, uom"),
        col("reference_range", "range, normal range, ref range, reference", health=True),
        col("abnormal", "abnormal flag, flag, abnormality, out of range", health=True),
        col("collected_at", "collected, collection date, date, taken, sample date, observed", T.DATETIME),
        col("reported_at", "reported, report date, result date, received", T.DATETIME),
        col("text", "report text, report, result text, comment, comments, narrative, notes", T.TEXTAREA, health=True),
        *STAMPS,
    ),
)  # fmt: skip

DOCUMENTS = TableObject(
    name="documents",
    label="Document",
    files=("document", "document list", "attachments", "files", "patient documents", "letters", "scans"),
    or_key=("path", "file_name"),
    required=False,
    fields=(
        col("id", "document id, file id, attachment id", T.ID),
        *patient(required=False),
        col("owner_object", "object, record type, parent type, attached to"),
        col("owner_id", "record id, parent id, object id"),
        col("file_name", "filename, name, title, document name, document"),
        col("category", "document type, type, folder"),
        col("date", "document date, created, created at, scanned on"),
        col("mime_type", "mime, mimetype, content type, format"),
        col("path", "file path, location, url, blob, blob id, stored as, relative path"),
    ),
)  # fmt: skip

_NAMED = (col("name", "rule name, workflow, workflow name, title"), col("active", "is active, enabled, status"))

AUTOMATIONS = TableObject(
    name="automations",
    label="Workflow rule",
    files=("workflow rules", "workflows", "rules", "reminders", "automation", "automation rules", "reminder rules"),
    required=False,
    fields=(
        col("id", "rule id, workflow id, reminder id", T.ID),
        *_NAMED,
        col("object", "module, entity, applies to, table"),
        col("trigger", "event, when, trigger type"),
        col("condition", "conditions, criteria, if"),
        col("action", "actions, then, effect"),
    ),
)
REPORTS = TableObject(
    name="reports",
    label="Report definition",
    files=("report definitions", "report list", "saved reports", "dashboards", "dashboard", "report"),
    required=False,
    fields=(
        col("id", "report id, dashboard id", T.ID),
        col("name", "report name, dashboard name, title"),
        col("description", "purpose, about, definition"),
        col("based_on", "source, table, data source, object, entity"),
    ),
)
SCHEDULES = TableObject(
    name="schedules",
    label="Schedule template",
    files=("schedule templates", "schedule", "availability", "availabilities", "rosters", "roster", "templates"),
    required=False,
    fields=(
        col("id", "template id, schedule id, roster id", T.ID),
        _PROVIDER,
        col("weekday", "day, day of week"),
        col("starts", "from, start, start time, opens"),
        col("ends", "to, end, end time, closes"),
        col("slot", "slot (min), slot minutes, interval, slot length"),
    ),
)
