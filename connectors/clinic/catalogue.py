"""Every table that a clinic's export may hold, in the order in which people would read them."""

from connectors.clinic import tables_people as people
from connectors.clinic import tables_work as work
from connectors.exportkit.catalogue import Catalogue

PLATFORM_SLUG = "clinic"

CATALOGUE = Catalogue(
    platform=PLATFORM_SLUG,
    users="providers",
    objects=(
        people.CLINICS,
        people.PROVIDERS,
        people.PAYERS,
        people.REFERRERS,
        people.PATIENTS,
        people.CUSTOM_VALUES,
        people.INSURANCE_PLANS,
        work.APPOINTMENTS,
        work.INVOICES,
        work.CHARGES,
        work.PAYMENTS,
        work.TREATMENT_PLANS,
        work.LAB_RESULTS,
        work.DOCUMENTS,
        work.AUTOMATIONS,
        work.REPORTS,
        work.SCHEDULES,
    ),
)
