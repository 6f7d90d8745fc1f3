"""Prefixes that all columns of a table share."""

import pytest

from app.domain.matching.prefixes import shared_prefix, without_prefix


@pytest.mark.parametrize(
    ("names", "prefix"),
    [
        (["CUNAME", "CUCITY", "CUZIP", "CUPHONE", "CUFAXNO", "CUDATE"], "CU"),
        (["cuname", "cucity", "cuzip", "cuphone", "cufaxno", "cudate"], "cu"),
        (["AP_NAME", "AP_CITY", "AP_ZIP", "AP_PHONE", "AP_FAX", "AP_DATE"], "AP_"),
        (["CUNAME", "CUCITY", "CUZIP", "CUPHONE", "CUFAXNO"], ""),  # too few
        (["NAME", "CITY", "ZIP", "PHONE", "FAX", "DATE"], ""),
        (["NAME", "NAME2", "NAME3", "NAME4", "NAME5", "NAME6"], ""),  # nothing would be left
        (["Cust Name", "Cust City", "Cust Zip", "Cust Phone", "Cust Fax", "Cust Date"], ""),
        (["pc_title", "pc_eventDate", "pc_room", "pc_endDate", "pc_time", "pc_catid"], "pc_"),  # a mark, any case
        (["p_fname", "p_lname", "p_dob", "p_phn", "p_address", "p_email"], "p_"),
        (["supplier_name", "supplier_city", "supplier_zip", "supplier_fax", "supplier_url", "supplier_vat"], ""),
        (["custName", "custCity", "custZip", "custPhone", "custFax", "custDate"], ""),
        ([], ""),
        ([""] * 8, ""),
        (["\x00\x01x"] * 8, ""),
    ],
)
def test_the_prefix_of_a_table(names: list[str], prefix: str) -> None:
    assert shared_prefix(names) == prefix


def test_a_name_without_its_prefix() -> None:
    assert without_prefix("CUNAME", "CU") == "NAME"
    assert without_prefix("OTHER", "CU") == "OTHER"
    assert without_prefix("CUNAME", "") == "CUNAME"
