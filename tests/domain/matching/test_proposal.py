"""The proposal: objects, fields, rules, bands, reasons, learning, and schemas nobody should send."""

import random
from dataclasses import replace

import pytest

from app.domain.matching.columns import Column, Schema, Table
from app.domain.matching.documents import SchemaUnreadable, read_schema
from app.domain.matching.memory import Lesson, Memory
from app.domain.matching.proposal import answer, propose_tables
from app.domain.matching.systems import find_system
from app.domain.schema import FieldType as T


def destination(name: str = "zoho_crm") -> Schema:
    found = find_system(name)
    assert found is not None
    return found.schema()


def table(name: str, *columns: Column | str) -> Table:
    return Table(name, name, tuple(one if isinstance(one, Column) else Column(one) for one in columns))


def proposed(source: Table, to: str | Schema = "zoho_crm", *, platform: str = "", lessons=(), **options):
    target = destination(to) if isinstance(to, str) else to
    memory = Memory(lessons=lessons)
    return answer(propose_tables(Schema(platform, (source,)), target, memory, **options))["objects"][0]


def targets(made) -> dict[str, str | None]:
    return {one["source_field"]: one["target"] for one in made["fields"]}


CUSTOMERS = table(
    "tblKunden", "Firmenname", "Branche", "Rechnungsstraße", "Rechnungs-PLZ", "Rechnungsort", "Lieferstraße", "Webseite"
)


def test_a_foreign_table_finds_its_place() -> None:
    made = proposed(CUSTOMERS)
    assert made["target_object"] == "Accounts"
    assert targets(made) == {
        "Firmenname": "Account_Name", "Branche": "Industry", "Rechnungsstraße": "Billing_Street",
        "Rechnungs-PLZ": "Billing_Code", "Rechnungsort": "Billing_City", "Lieferstraße": "Shipping_Street",
        "Webseite": "Website",
    }  # fmt: skip


def test_the_answer_has_the_agreed_form() -> None:
    made = proposed(table("deals", Column("id", primary_key=True), "deal_name", "stage", "zzqqx"))
    assert set(made) == {"source_object", "target_object", "probability", "fields"}
    assert [one["source_field"] for one in made["fields"]] == ["id", "deal_name", "stage", "zzqqx"]
    for one in made["fields"]:
        assert set(one) == {
            "source_field", "target", "probability", "band", "transform", "value_map", "reasons", "alternatives",
        }  # fmt: skip
        assert 0 <= one["probability"] <= 0.99
        assert one["reasons"]
        assert len(one["alternatives"]) <= 3
        assert one["band"] == (
            "none" if one["target"] is None else "preselected" if one["probability"] >= 0.9 else "choose"
        )
    assert made["fields"][3]["target"] is None


def test_one_address_is_the_main_one_and_a_second_the_second() -> None:
    plain = targets(proposed(table("Customers", "Company Name", "Street", "City", "Zip", "Country")))
    assert [plain[one] for one in ("Street", "City", "Zip", "Country")] == [
        "Billing_Street", "Billing_City", "Billing_Code", "Billing_Country",
    ]  # fmt: skip
    two = targets(proposed(table("Contact", "Last Name", "Primary Street", "Primary City", "Alt Street", "Alt City")))
    assert [two[one] for one in ("Primary Street", "Primary City", "Alt Street", "Alt City")] == [
        "Mailing_Street", "Mailing_City", "Other_Street", "Other_City",
    ]  # fmt: skip


def test_a_primary_key_goes_to_the_external_id_and_nothing_else_does() -> None:
    made = proposed(
        table("Contacts", Column("ContactNo", "Number", T.ID, primary_key=True), "First Name"), "freshsales"
    )
    assert targets(made)["ContactNo"] == "external_id"
    assert made["fields"][0]["transform"]["name"] == "external_id"
    assert "primary key" in made["fields"][0]["reasons"][0]
    assert targets(proposed(table("Account", "AccountId", "Name")))["AccountId"] == "id"


def test_first_and_last_name_make_a_full_name_and_back() -> None:
    people = Schema("x", (table("Contacts", "Full Name", "Email"),))
    joined = proposed(table("people", "First Name", "Last Name", "Email"), people)
    assert [one["target"] for one in joined["fields"]] == ["Full Name", "Full Name", "Email"]
    assert joined["fields"][0]["transform"]["name"] == "join"
    assert joined["fields"][0]["transform"]["args"]["sources"] == ["First Name", "Last Name"]
    split = proposed(
        table("people", "Full Name", "Email"), Schema("x", (table("Contacts", "First Name", "Last Name", "Email"),))
    )
    assert split["fields"][0]["transform"] == {
        "name": "split_name", "args": {"targets": ["First Name", "Last Name"]}, "loss": [],
    }  # fmt: skip


def test_two_fields_that_say_the_same_share_a_destination_by_name() -> None:
    made = proposed(table("Accounts", "Name", "Created By Id", "Created By Name"))
    pair = [one for one in made["fields"] if one["target"] == "Created_By"]
    assert len(pair) == 2
    assert [one["transform"]["args"].get("covered_by") is not None for one in pair].count(True) == 1


def test_a_lead_becomes_a_contact_only_where_there_are_no_leads() -> None:
    assert proposed(table("Leads", "First Name", "Company"), "freshsales")["target_object"] == "contact"
    assert proposed(table("Leads", "First Name", "Company"))["target_object"] == "Leads"


def test_customers_with_two_names_are_people() -> None:
    assert proposed(table("Customer", "FirstName", "LastName", "Company", "City"))["target_object"] == "Contacts"


def test_objects_without_a_counterpart_still_list_their_fields() -> None:
    made = proposed(table("gps_pings", "lat", "lng", "battery"))
    assert made["target_object"] is None
    assert [one["target"] for one in made["fields"]] == [None] * 3
    assert made["fields"][0]["reasons"]


def test_standard_fields_of_a_described_system_are_known() -> None:
    made = proposed(table("incident", "ticketnumber", "title", "caseorigincode", "versionnumber"), platform="dynamics")
    assert made["target_object"] == "Cases"
    assert targets(made) == {
        "ticketnumber": "Case_Number", "title": "Subject", "caseorigincode": "Case_Origin", "versionnumber": None,
    }  # fmt: skip
    assert made["fields"][0]["reasons"][0].startswith("Known standard field")
    assert "without a counterpart" in made["fields"][3]["reasons"][0]


def test_reasons_name_grounds_the_runner_up_and_what_spoke_against() -> None:
    made = proposed(table("Contacts", "Last Name", "Mobile Phone", Column("Birthday", "", T.TEXT)))
    mobile = made["fields"][1]["reasons"]
    assert 2 <= len([one for one in mobile if not one.startswith(("Runner-up", "Against"))]) <= 3
    assert any(one.startswith("Runner-up: ") for one in mobile)
    wrong = proposed(table("Deals", Column("Amount", "", T.BOOLEAN), "Deal Name"))["fields"][0]
    assert any("hardly fit" in one for one in wrong["reasons"])


def test_what_the_destination_sets_by_itself_is_said() -> None:
    created = proposed(table("Accounts", "Name", "Created At"))["fields"][1]
    assert created["target"] == "Created_Time"
    assert created["transform"]["args"]["set_by_destination"] is True


class TestLearning:
    ODD = table("Accounts", "Name", "xyzzy")

    def lesson(self, target: str, **counts: int) -> Lesson:
        return Lesson("Accounts", target, "Accounts", "xyzzy", **counts)

    def test_a_confirmed_choice_comes_back(self) -> None:
        assert targets(proposed(self.ODD))["xyzzy"] is None
        one = proposed(self.ODD, lessons=[self.lesson("Ticker_Symbol", confirmed=1)])["fields"][1]
        assert (one["target"], one["band"]) == ("Ticker_Symbol", "preselected")
        assert one["reasons"][0] == "You confirmed this before (1 time)."

    def test_a_rejected_choice_stays_away(self) -> None:
        plain = table("Accounts", "Name", "Site")
        assert targets(proposed(plain))["Site"] == "Account_Site"
        lesson = Lesson("Accounts", "Account_Site", "Accounts", "Site", rejected=1)
        assert targets(proposed(plain, lessons=[lesson]))["Site"] != "Account_Site"

    def test_no_counterpart_is_learnt_too(self) -> None:
        plain = table("Accounts", "Name", "Phone")
        lesson = Lesson("Accounts", "", "Accounts", "Phone", confirmed=1)
        assert targets(proposed(plain, lessons=[lesson]))["Phone"] is None

    def test_the_probability_grows_with_what_was_accepted(self) -> None:
        values = [
            proposed(self.ODD, lessons=[self.lesson("Ticker_Symbol", confirmed=n, rejected=m)])["fields"][1][
                "probability"
            ]
            for n, m in ((3, 2), (200, 2))
        ]
        assert values == sorted(values)
        assert values[-1] <= 0.99

    def test_lessons_about_fields_that_are_gone_do_nothing(self) -> None:
        assert targets(proposed(self.ODD, lessons=[self.lesson("No_Such_Field", confirmed=9)]))["xyzzy"] is None


class TestBadSchemas:
    def test_empty(self) -> None:
        assert answer(propose_tables(Schema(""), destination())) == {"objects": []}
        assert proposed(Table("Accounts"))["fields"] == []
        assert proposed(CUSTOMERS, Schema(""))["target_object"] is None
        assert proposed(table("Accounts", "Name"), Schema("x", (Table("Accounts"),)))["fields"][0]["target"] is None

    def test_duplicate_names(self) -> None:
        made = proposed(table("Accounts", "Name", "Name", "Name", "Phone", "phone"))
        assert len(made["fields"]) == 5
        twice = Schema("x", (table("Accounts", "Name", "Name"), table("Accounts", "Name")))
        assert len(answer(propose_tables(twice, twice))["objects"]) == 2

    def test_unknown_types_and_keys_are_let_pass(self) -> None:
        schema = read_schema({
            "platform": 7, "objects": [{"name": "Accounts", "label": None, "extra": 1, "fields": [
                {"name": "Name", "type": "hologram", "picklist": "no list", "samples": [1, None, {"a": 1}, "x"]},
                {"name": "Phone", "type": None, "reference_to": ["a", "b"]}, "Website",
            ]}],
        })  # fmt: skip
        made = answer(propose_tables(schema, destination()))["objects"][0]
        assert [one["target"] for one in made["fields"]] == ["Account_Name", "Phone", "Website"]

    def test_cyclic_references(self) -> None:
        one = table("A", Column("b", "", T.LOOKUP, reference="B"), Column("a", "", T.LOOKUP, reference="A"))
        other = table("B", Column("a", "", T.LOOKUP, reference="A"))
        assert len(answer(propose_tables(Schema("", (one, other)), destination()))["objects"]) == 2

    @pytest.mark.parametrize(
        "given", [None, [], "x", {"objects": {}}, {"objects": [1]}, {"objects": [{}]}, {"objects": [{"name": ""}]},
                  {"objects": [{"name": "A", "fields": {}}]}, {"objects": [{"name": "A", "fields": [{"label": "x"}]}]}],
    )  # fmt: skip
    def test_what_is_no_schema_is_refused_by_place(self, given) -> None:
        with pytest.raises(SchemaUnreadable):
            read_schema(given)

    def test_five_thousand_fields_are_answered(self) -> None:
        chance = random.Random(5)
        words = ["account", "name", "phone", "billing", "code", "status", "x1", "custom", "date", "amount", "owner"]
        names = ["_".join(chance.choices(words, k=3)) + str(place) for place in range(5_000)]
        made = proposed(table("Accounts", *names))
        assert len(made["fields"]) == 5_000
        shared = [one for one in made["fields"] if one["target"]]
        used = [one["target"] for one in shared if one["transform"]["name"] != "join"
                and not one["transform"]["args"].get("covered_by")]  # fmt: skip
        assert len(used) == len(set(used))

    def test_hostile_names(self) -> None:
        odd = ["=cmd|' /C calc'!A0", "\x00\x01", "\u202etxt", "<script>", "a" * 10_000, "𝕬𝖈𝖈𝖔𝖚𝖓𝖙", "😀", "' OR 1=1 --"]
        assert len(proposed(table("Accounts", *odd))["fields"]) == len(odd)

    @pytest.mark.parametrize(
        "name", ["n" * 100_000, "Account Name " * 8_000, "\x00\x1b[31m" * 20_000, "A_" * 50_000, "é" * 100_000]
    )
    def test_names_of_a_hundred_kilobytes(self, name: str) -> None:
        fields = tuple(Column(f"{name}{place}", name) for place in range(20))
        made = answer(propose_tables(Schema(name, (Table(name, name, fields),)), destination()))["objects"][0]
        assert [one["source_field"] for one in made["fields"]] == [one.name for one in fields]
        assert max((len(text) for one in made["fields"] for text in one["reasons"]), default=0) < 2_000

    def test_a_prefix_that_all_columns_share_says_nothing(self) -> None:
        names = ["CUCUSTNM", "CUADDR1", "CUCITY", "CUZIPCD", "CUPHONE", "CUFAXNO", "CUCRTDT"]
        made = targets(proposed(table("CUSMASP", *names)))
        assert list(made.values()) == [
            "Account_Name", "Billing_Street", "Billing_City", "Billing_Code", "Phone", "Fax", "Created_Time",
        ]  # fmt: skip
        assert targets(proposed(table("Accounts", *(one.lower() for one in names)))) == {
            one.lower(): target for one, target in made.items()
        }


def test_the_order_of_fields_does_not_matter() -> None:
    names = ["Name", "Phone", "Fax", "Website", "Billing City", "Shipping City", "Owner", "Created At", "Notes"]
    plain = targets(proposed(table("Accounts", *names)))
    assert targets(proposed(table("Accounts", *reversed(names)))) == plain


def test_equal_inputs_give_equal_answers() -> None:
    assert proposed(CUSTOMERS) == proposed(replace(CUSTOMERS))


class TestWhatTheNeighboursSay:
    def test_a_number_behind_a_street_is_the_houses(self) -> None:
        made = targets(proposed(table("Pacientes", "Nome completo", "Logradouro", "Número", "Cidade", "Celular")))
        assert made["Número"] not in {"Phone", "Mobile"}

    def test_a_title_before_a_name_is_how_a_person_is_addressed(self) -> None:
        made = targets(proposed(table("Patients", "Title", "Forename", "Surname", "Mobile Tel")))
        assert made["Title"] == "Salutation"
        assert targets(proposed(table("Contacts", "First Name", "Last Name", "Title")))["Title"] == "Title"

    def test_the_description_of_an_article_without_a_name_names_it(self) -> None:
        assert targets(proposed(table("Products", "Part No", "Part Desc", "MRP")))["Part Desc"] == "Product_Name"
        made = targets(proposed(table("Products", "Product Code", "Product Name", "Description")))
        assert made["Description"] == "Description"

    def test_a_first_column_called_reference_is_the_key(self) -> None:
        assert targets(proposed(table("Suppliers", "Supplier Ref", "Supplier", "Contact Tel")))["Supplier Ref"] == "id"

    def test_a_pair_without_a_ground_is_shown_and_not_proposed(self) -> None:
        odd = proposed(table("Contacts", "First Name", "Last Name", "qwrtz plk"))["fields"][2]
        assert (odd["target"], odd["band"]) == (None, "none")
        assert odd["probability"] < 0.1
        assert odd["alternatives"]


def test_a_plain_user_beside_an_owner_entered_the_record() -> None:
    found = targets(proposed(table("campaigns", "id", "user_id", "assigned_to", "name", "budget", "starts_on")))
    assert (found["user_id"], found["assigned_to"]) == ("Created_By", "Owner")
    alone = targets(proposed(table("campaigns", "id", "user_id", "name", "budget", "starts_on")))
    assert alone["user_id"] == "Owner"


def test_a_list_of_addresses_is_the_address_where_there_is_no_other() -> None:
    assert targets(proposed(table("people", "id", "first_name", "last_name", "emails")))["emails"] == "Email"
    both = targets(proposed(table("people", "id", "first_name", "last_name", "email", "emails")))
    assert (both["email"], both["emails"]) == ("Email", "Secondary_Email")


def test_a_parent_without_a_type_is_not_what_a_task_is_about() -> None:
    def likely(*more: str) -> float:
        made = proposed(table("tasks", "id", "subject", "parent_task_id", "due_date", *more))
        return next(one["probability"] for one in made["fields"] if one["source_field"] == "parent_task_id")

    assert likely() < 0.9
    typed = proposed(table("tasks", "id", "subject", "parent_id", "parent_type", "due_date"))
    assert targets(typed)["parent_id"] == "What_Id"


@pytest.mark.parametrize(
    ("name", "columns", "target"),
    [
        ("leads", "id title lead_value pipeline_id stage_id person_id closed_at", "Deals"),
        ("leads", "id first_name last_name email company status", "Leads"),
        ("jobs", "id name customer stage total_amount contact salesperson", "Deals"),
        ("jobs", "id title start_time end_time customer stage total_amount", "Deals"),
        ("jobs", "id title start_time end_time customer technician", "Events"),
    ],
)
def test_a_lead_or_a_job_that_is_a_sale(name: str, columns: str, target: str) -> None:
    assert proposed(table(name, *columns.split()))["target_object"] == target


def test_a_table_called_after_its_customers_is_numbered_by_them() -> None:
    found = targets(proposed(table("klienci", "klient_id", "imie", "nazwisko", "email", "telefon"), "freshsales"))
    assert found["klient_id"] == "external_id"
