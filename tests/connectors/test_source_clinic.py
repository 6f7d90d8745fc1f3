"""Clinic exports as a source: who is who, hidden custom fields, money and visits."""

import pytest

from app.domain.schema import FieldType
from connectors.errors import ContractBroken, CredentialsRejected
from tests.connectors.clinic_kit import PATIENTS, clinic, names, patients_of
from tests.connectors.connector_kit import read_all
from tests.connectors.shelf_kit import whole


class TestNames:
    async def test_a_name_in_one_cell_is_taken_apart(self) -> None:
        text = 'MRN,Patient Name\n1,"DOE, Jane M"\n2,"van der Berg, Anne Marie"\n3,Madhavi\n4,John Q. Public\n'
        found = await patients_of(text)
        assert {key: names(record) for key, record in found.items()} == {
            "1": ("Jane", "M", "DOE"),
            "2": ("Anne Marie", "", "van der Berg"),
            "3": ("", "", "Madhavi"),
            "4": ("John", "Q.", "Public"),
        }
        assert found["1"]["full_name"] == "Jane M DOE"

    async def test_one_word_names_and_their_sentinel(self) -> None:
        found = await patients_of("Id,FIRST,LAST\n1,ONLYNAME,Tellar\n2,Ngozi,\n")
        assert [names(record) for record in found.values()] == [("", "", "Tellar"), ("", "", "Ngozi")]


class TestPeople:
    async def test_patients_who_share_an_address_stay_two(self) -> None:
        """The first by id keeps it, upper case or not; a physician yields to a patient (ruling 21)."""
        text = PATIENTS + "P0,Bo,Berg,2015-01-02,HOME@example.com\nP3,Cy,Dahl,1990-03-04,own@example.com\n"
        source = clinic(
            {
                "Patients.csv": text,
                "Referrers.csv": "Id,Doctor Name,Email\nR1,Kim Ost,own@example.com\nR2,Lee Ost,r2@example.com\n",
            }
        )
        found = await whole(source, "patients")
        assert found["P0"]["own_email"] == "HOME@example.com"
        assert "own_email" not in found["P1"]
        assert found["P1"]["shared_email"] == "home@example.com"
        physicians = await whole(source, "referrers")
        assert physicians["R1"]["shared_email"] == "own@example.com"
        assert physicians["R2"]["own_email"] == "r2@example.com"
        assert (await source.describe()).facts["shared_emails"] == 2

    async def test_states(self) -> None:
        text = (
            "Id,Last,Status,Date of Death,Archived\n"
            "1,A,Active,,No\n2,B,,,Yes\n3,C,Active,2024-02-13,No\n4,D,inactive,,\n5,E,VIP,,\n6,F,,,2024-02-13\n"
        )
        found = await patients_of(text)
        states = [record["record_state"] for record in found.values()]
        assert states == ["Active", "Archived", "Deceased", "Inactive", "VIP", "Archived"]
        assert [record["do_not_contact"] for record in found.values()] == [False, True, True, False, False, True]

    async def test_a_merged_patient_leads_to_the_survivor(self) -> None:
        text = "Id,Last,Email,Merged Into\n1,A,x@example.com,2\n2,A,x@example.com,\n"
        source = clinic({"Patients.csv": text})
        records, gone = await read_all(source, "patients", ["id", "own_email"])
        assert [(record["id"], record["own_email"]) for record in records] == [("2", "x@example.com")]
        assert [(one.id, one.merged_into) for one in gone] == [("1", "2")]
        assert await source.count("patients") == 1

    async def test_nobody_is_lost_to_a_merge_that_leads_nowhere(self) -> None:
        """A chain leads to its end; a circle, and a survivor whom the export lacks, leave the patients as they are."""
        text = "Id,Last,Merged Into\n1,A,2\n2,B,3\n3,C,\n4,D,5\n5,E,4\n6,F,99\n7,G,7\n"
        source = clinic({"Patients.csv": text})
        records, gone = await read_all(source, "patients", ["id"])
        assert [record["id"] for record in records] == ["3", "4", "5", "6", "7"]
        assert [(one.id, one.merged_into) for one in gone] == [("1", "3"), ("2", "3")]

    async def test_staff_without_an_address_are_users_without_one(self) -> None:
        text = "Staff ID,First Name,Surname,Email,Active\nD1,Kim,Ost,Kim@Example.com,Yes\nD2,Lee,Ost,,No\n"
        users = (await clinic({"Patients.csv": PATIENTS, "Staff.csv": text}).describe()).users
        assert [(one.id, one.name, one.email, one.active) for one in users] == [
            ("D1", "Kim Ost", "kim@example.com", True),
            ("D2", "Lee Ost", "", False),
        ]

    async def test_physicians_of_a_practice_share_its_account(self) -> None:
        text = "Id,Name,Practice,Territory\nR1,Kim Ost,Oak  Medical,North\nR2,Lee Ost,OAK MEDICAL,\nR3,Mo Ost,,\n"
        source = clinic({"Patients.csv": PATIENTS, "Referring Doctors.csv": text})
        practices = await whole(source, "practices")
        assert [(one["name"], one["territory"]) for one in practices.values()] == [("Oak  Medical", "North")]
        found = await whole(source, "referrers")
        assert found["R1"]["practice_id"] == found["R2"]["practice_id"] == next(iter(practices))
        assert "practice_id" not in found["R3"]


class TestRepeatedPersons:
    ROWS = (
        "Invoice ID,Surname,First Name,DOB,Medicare No,Fee\n"
        "I1,Berg,Ada,13/02/1980,,10.00\nI2,BERG,ada,13/02/1980,,20.00\nI3,Berg,Ada,14/02/1980,,30.00\n"
        "I4,Dahl,Cy,,2999,40.00\nI5,Dahl,Cy,,,50.00\n"
    )

    async def test_without_a_file_of_patients_they_are_read_out_of_the_rows(self) -> None:
        source = clinic({"Billing.csv": self.ROWS})
        await source.check()
        people = await whole(source, "patients")
        told = sorted((one["given"], one["family"], one.get("birth_date", "")) for one in people.values())
        assert told == [
            ("Ada", "Berg", "1980-02-13"),
            ("Ada", "Berg", "1980-02-14"),
            ("Cy", "Dahl", ""),
        ]
        invoices = await whole(source, "invoices")
        assert invoices["I1"]["patient_id"] == invoices["I2"]["patient_id"] != invoices["I3"]["patient_id"]
        assert {invoices[key]["patient_id"] for key in ("I1", "I3", "I4")} == people.keys()
        assert "patient_id" not in invoices["I5"], "a name alone tells nobody apart"
        assert not any("1980" in key or "berg" in key.lower() for key in people), "ids stand in ledgers and logs"

    async def test_with_one_their_ids_are_found(self) -> None:
        rows = ("P1,Ada,Berg,1980-02-13,", "P2,Ada,Berg,1980-02-14,", "P3,Cy,Dahl,1990-01-20,2999", "")
        text = "\n".join(("Id,First,Last,DOB,Medicare", *rows))
        source = clinic({"Patients.csv": text, "Invoices.csv": self.ROWS})
        found = await whole(source, "invoices")
        assert {key: one.get("patient_id") for key, one in found.items()} == {
            "I1": "P1", "I2": "P1", "I3": "P2", "I4": "P3", "I5": "P3",
        }  # fmt: skip

    async def test_a_name_of_two_people_is_nobodys(self) -> None:
        text = "Id,First,Last\nP1,Ada,Berg\nP2,Ada,Berg\nP3,Cy,Dahl\n"
        rows = ("A1,Ada Berg", 'A2,"DAHL, Cy"', "A3,P1", "A4,P9")
        visits = "Id,Patient,Start\n" + "".join(f"{row},2024-02-13\n" for row in rows)
        found = await whole(clinic({"Patients.csv": text, "Visits.csv": visits}), "appointments")
        assert {key: one["patient_id"] for key, one in found.items()} == {
            "A1": "Ada Berg", "A2": "P3", "A3": "P1", "A4": "P9",
        }  # fmt: skip

    async def test_without_any_patients_the_check_says_what_to_upload(self) -> None:
        with pytest.raises(ContractBroken) as caught:
            await clinic({"Appointments.csv": "Id,Patient,Start\nA1,Ada Berg,2024-02-13\n"}).check()
        assert caught.value.code == "FILES_MISSING"
        assert "Patients.csv" in caught.value.detail


class TestCustomFields:
    async def test_by_difference_and_numbered(self) -> None:
        ramps = ("No", "Yes")
        rows = "".join(f"P{number},X,{ramps[number % 2]},{number},13/02/202{number % 5}\n" for number in range(9))
        source = clinic({"Patients.csv": f"Id,Last,Ramp needed,UDF_01,Custom 2\n{rows}"})
        spec = (await source.describe()).object("patients")
        assert spec is not None
        found = {one.name: (one.type, one.custom, one.sensitive) for one in spec.fields if one.custom}
        assert found == {
            "Ramp_needed": (FieldType.BOOLEAN, True, True),
            "UDF_01": (FieldType.INTEGER, True, True),
            "Custom_2": (FieldType.DATE, True, True),
        }

    async def test_a_sheet_of_names_and_values_is_turned(self) -> None:
        sheet = (
            "Patient ID,Field Name,Value\nP1,Smoker,Yes\nP2,smoker,No\nP1,Next recall,2026-05-13\n"
            "P1,Email,kept@example.com\nP9,Smoker,No\n"
        )
        text = "Id,Last\nP1,Berg\nP2,Dahl\n"
        found = await patients_of(text, **{"Patient Custom Fields.csv": sheet})
        assert (found["P1"]["Smoker"], found["P2"]["Smoker"], found["P1"]["Next_recall"]) == (True, False, "2026-05-13")
        assert found["P1"]["Email_2"] == "kept@example.com", "it does not become the patient's address"
        assert "email" not in found["P1"]

    async def test_cells_of_json_are_spread(self) -> None:
        flat = '{""Diet"": ""vegan"", ""Steps"": 4000, ""Tags"": [""a"", ""b""]}'
        deep = (
            '{""sections"": [{""fields"": [{""name"": ""Diet"", ""value"": ""none""}, {""name"": ""Visits"", '
            '""options"": [{""name"": ""Home"", ""selected"": true}, {""name"": ""Clinic""}]}]}]}'
        )
        text = f'Id,Last,custom_fields\nP1,Berg,"{flat}"\nP2,Dahl,"{deep}"\nP3,Ost,\n'
        source = clinic({"Patients.csv": text})
        found = await whole(source, "patients")
        assert {name: found["P1"][name] for name in ("Diet", "Steps", "Tags")} == {
            "Diet": "vegan",
            "Steps": "4000",
            "Tags": "a;b",
        }
        assert (found["P2"]["Diet"], found["P2"]["Visits"]) == ("none", "Home")
        spec = (await source.describe()).object("patients")
        assert spec is not None
        assert spec.field("custom_fields") is None
        assert all(
            one.sensitive and one.custom for one in spec.fields if one.name in ("Diet", "Steps", "Tags", "Visits")
        )

    async def test_text_that_only_begins_like_json_stays_text(self) -> None:
        found = await patients_of("Id,Last,Remark\nP1,Berg,{not json\nP2,Dahl,plain\n")
        assert found["P1"]["Remark"] == "{not json"


class TestMoney:
    async def test_payments_and_refunds_are_added_up(self) -> None:
        source = clinic(
            {
                "Patients.csv": PATIENTS,
                "Invoices.csv": (
                    "Invoice ID,Invoice No,Patient ID,Fee,Status\nI1,N-1,P1,100.10,\nI2,N-2,P1,50,Denied\n"
                    "I3,N-3,P1,5,Void\n"
                ),
                "Payments.csv": (
                    "Payment ID,Invoice No,Payment Date,Amount,Method\nX1,N-1,13/02/2024,70.10,Card\n"
                    "X2,I1,20/03/2024,-20.00,Card\nX3,N-9,20/03/2024,7,Cash\nX4,I1,14/02/2024,50,Cash\n"
                ),
            }
        )
        found = await whole(source, "invoices")
        told = {
            name: found["I1"][name]
            for name in ("total_billed", "total_paid", "balance", "last_payment", "billing_state")
        }
        assert told == {
            "total_billed": "100.1", "total_paid": "100.1", "balance": "0", "last_payment": "2024-03-20",
            "billing_state": "Paid",
        }  # fmt: skip
        assert found["I1"]["payment_history"].splitlines() == [
            "2024-02-13 · 70.1 · Card", "2024-02-14 · 50 · Cash", "2024-03-20 · -20 · Card",
        ]  # fmt: skip
        assert (found["I2"]["billing_state"], found["I2"]["denial_state"]) == ("Denied", "Denied")
        assert found["I3"]["billing_state"] == "Void"
        assert (await source.describe()).facts["unresolved"] == {"payments.invoice_id": {"unknown": 1}}

    async def test_amounts_come_from_the_lines_where_the_invoice_has_none(self) -> None:
        source = clinic(
            {
                "Patients.csv": PATIENTS,
                "Claims.csv": "Id,PATIENTID,SERVICEDATE\nC1,P1,2024-02-13\n",
                "Claims Transactions.csv": (
                    "ID,CLAIMID,TYPE,AMOUNT,PAYMENTS\nT1,C1,CHARGE,80.50,\n"
                    "T2,C1,PAYMENT,,30\nT3,C1,TRANSFEROUT,50.50,\n"
                ),
            }
        )
        found = (await whole(source, "invoices"))["C1"]
        assert (found["total_billed"], found["total_paid"], found["balance"]) == ("80.5", "30", "50.5")
        assert found["billing_state"] == "Partly paid"

    async def test_policies_of_their_own_table_fill_the_patient(self) -> None:
        source = clinic(
            {
                "Patients.csv": PATIENTS + "P2,Bo,Dahl,1981-02-13,\n",
                "Payers.csv": "Payer ID,Payer Name\nY1,Harvest\nY2,Tide\n",
                "Insurance Policies.csv": (
                    "Policy ID,Patient ID,Insurer,Policy No,Group No,Priority\n"
                    "1,P1,tide,SEC-2,G2,Secondary\n2,P1,Harvest,PRI-1,G1,Primary\n"
                ),
            }
        )
        found = await whole(source, "patients")
        told = {name: value for name, value in found["P1"].items() if name.startswith("insurance")}
        assert told == {
            "insurance1_payer_id": "Y1", "insurance1_policy": "PRI-1", "insurance1_group": "G1",
            "insurance2_payer_id": "Y2", "insurance2_policy": "SEC-2", "insurance2_group": "G2",
        }  # fmt: skip
        assert found["P1"]["plan1_inline"] is False, "the policy is a record of its own already"


class TestVisits:
    async def test_duration_makes_the_end_and_the_kind(self) -> None:
        text = (
            "Id,Patient,Start,Duration (min),Status\nA1,P1,2024-02-13T09:00:00Z,30,Completed\n"
            "A2,P1,2024-02-13T09:00:00Z,5,Booked\nA3,P1,2024-02-13T09:00:00Z,,No show\n"
        )
        found = await whole(clinic({"Patients.csv": PATIENTS, "Visits.csv": text}), "appointments")
        told = [
            (one["begins"][11:16], one.get("finishes", "")[11:16], one["lasting"], one["progress"])
            for one in found.values()
        ]
        assert told == [
            ("09:00", "09:30", True, "Done"),
            ("09:00", "09:05", False, "Open"),
            ("09:00", "", False, "Done"),
        ]

    async def test_a_day_and_a_time_of_day_are_one_moment_in_the_clinics_zone(self) -> None:
        text = "Id,Patient,Visit Date,Appointment Time,Length\nA1,P1,13/02/2024,2:15 pm,00:45\nA2,P1,14/02/2024,,\n"
        files = {"Patients.csv": PATIENTS, "Visits.csv": text}
        found = await whole(clinic(files, timezone="Australia/Sydney"), "appointments")
        assert found["A1"]["begins"] == "2024-02-13T03:15:00+00:00"
        assert found["A1"]["finishes"] == "2024-02-13T04:00:00+00:00"
        assert (found["A2"]["begins"], found["A2"]["lasting"]) == ("2024-02-14", False)

    async def test_the_border_between_visit_and_task_is_an_option(self) -> None:
        text = "Id,Patient,Start,Duration\nA1,P1,2024-02-13T09:00:00Z,20\n"
        files = {"Patients.csv": PATIENTS, "Visits.csv": text}
        found = await whole(clinic(files, visit_minutes=30), "appointments")
        assert found["A1"]["lasting"] is False
        with pytest.raises(CredentialsRejected):
            clinic(files, visit_minutes="long")
