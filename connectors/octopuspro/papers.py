"""Texts that people send or read: the request for the export, which only the vendor's support can fulfil."""

EXPORT_REQUEST = """\
Subject: Export of our account's data

Dear OctopusPro support,

we are moving to another system and ask for a full export of our account, as CSV files or JSON, with ids on every
record:

1. Customers, with all persons, e-mail addresses and phone numbers, addresses, and every custom field as a column
2. Bookings, with their services (quantity and price per line), visits, status changes with times, and custom fields
3. Field workers, including inactive and archived ones, with role and e-mail address
4. Invoices, with lines, issue and due dates, totals, and amounts paid and due; void ones too
5. Payments and refunds, with date, amount, method, reference and the invoice they belong to
6. Quotes, with lines, validity dates, status and the reason of a rejection
7. Services, with price rules, duration and whether they are active
8. The list of all custom fields of customers and of bookings: name, type, options, and whether required
9. Automation rules, as a list

Please state the time zone of the times in the files and leave passwords out. Answers have taken five to ten working
days; if a part cannot be exported, please name it so that we can plan for it.

Kind regards
"""
