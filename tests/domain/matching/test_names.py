"""Names: words, short forms, other languages, meanings."""

import pytest

from app.domain.matching.concepts import meanings
from app.domain.matching.languages import borrowed, detect, languages, to_english
from app.domain.matching.names import MAX_NAME, spell_out, split


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ShippingPostalCode", "shipping postal code"),
        ("Zip/Postal Code", "postal code"),
        ("acct_nm__c", "account name"),
        ("x_frstnm", "first name"),
        ("mobphn", "mobile phone"),
        ("custemladdr", "customer email address"),
        ("oppstg", "opportunity stage"),
        ("emailaddress1", "email address 1"),
        ("E-Mail", "email"),
        ("QtyOnHand", "quantity on hand"),
        ("hs_lead_status", "lead status"),
        ("Probability %", "probability percent"),
        ("Invoice #", "invoice number"),
        ("departement", "department"),
        ("Adress", "address"),
        ("fk_user_creat", "user created"),
        ("§§§", ""),
        ("", ""),
    ],
)
def test_names_become_words(name: str, expected: str) -> None:
    assert " ".join(spell_out(split(name))) == expected


def test_endless_and_odd_names_are_read_in_no_time() -> None:
    assert len(split("a" * 100_000)[0]) <= MAX_NAME
    assert spell_out(split("\u202eeman_tnuocca\x00"))
    assert split("名前（姓）")


@pytest.mark.parametrize(
    ("code", "label", "english"),
    [
        ("de", "Rechnungsstraße", "billing street"),
        ("de", "Zuletzt geändert am", "modified time"),
        ("fr", "Rue (facturation)", "street billing"),
        ("es", "Fecha de cierre prevista", "close date"),
        ("pt", "CEP de cobrança", "postal code billing"),
        ("it", "Motivo perdita", "loss reason"),
        ("nl", "Factuuradres postcode", "billing postal code"),
        ("pl", "Termin wykonania", "due date"),
        ("sv", "Skapad av", "created by"),
        ("pl", "ID_klienta", "id account"),
        ("ja", "請求先郵便番号", "billing postal code"),
        ("zh", "账单城市", "billing city"),
        ("ru", "Дата рождения", "birthdate"),
        ("tr", "Cep telefonu", "mobile"),
    ],
)
def test_labels_in_other_languages_are_read_as_english(code: str, label: str, english: str) -> None:
    language = next(one for one in languages() if one.code == code)
    assert " ".join(to_english(label, language)) == english


def test_the_language_of_a_schema_is_found() -> None:
    assert detect(["First Name", "Last Name", "E-Mail", "Phone", "Website"]) is None
    german = detect(["Vorname", "Nachname", "Firma", "E-Mail", "Ort", "Land"])
    assert german is not None
    assert german.code == "de"
    assert detect([]) is None
    assert detect(["", "???", "zzz qqq"]) is None


def test_at_least_eight_languages_cover_the_trade() -> None:
    rich = [one for one in languages() if len({" ".join(english) for english in one.table.values()}) >= 100]
    assert len(rich) >= 8


@pytest.mark.parametrize(
    ("name", "kind", "concept", "block"),
    [
        ("account_name", "account", "name", ""),
        ("account_name", "contact", "account", ""),
        ("name", "deal", "name", ""),
        ("name", "contact", "full_name", ""),
        ("billing_address_city", "account", "city", "billing"),
        ("Address 2: City", "account", "city", "other"),
        ("MailingPostalCode", "contact", "postal_code", "mailing"),
        ("PostalCode", "contact", "postal_code", ""),
        ("owner_id", "deal", "owner", ""),
        ("Email Opt Out", "contact", "optout", ""),
        ("status", "lead", "lead_status", ""),
        ("status", "task", "status", ""),
    ],
)
def test_the_same_words_mean_what_the_object_says(name: str, kind: str, concept: str, block: str) -> None:
    found, place = meanings([spell_out(split(name))], kind, frozenset({kind}))
    assert max(found, key=lambda one: found[one]) == concept
    assert place == block


def test_an_id_of_the_object_itself_is_its_key() -> None:
    found, _ = meanings([("customer", "id")], "account", frozenset({"customer", "account"}))
    assert set(found) == {"id"}


def test_foreign_words_among_english_ones_are_read() -> None:
    assert borrowed("ville") == ("city",)
    assert borrowed("city") is None
    assert borrowed("zzqqx") is None


@pytest.mark.parametrize(
    ("name", "kind", "concept"),
    [
        ("id_cliente_x1", "task", ""),
        ("Phone 1", "contact", "phone"),
        ("Bill-to City", "account", "city"),
        ("Date of Update", "deal", "modified_time"),
        ("password_hash", "contact", "secret"),
        ("parent_task", "task", "parent"),
        ("id_number", "contact", "account_number"),
    ],
)
def test_names_of_databases(name: str, kind: str, concept: str) -> None:
    found, _ = meanings([spell_out(split(name))], kind, frozenset({kind}))
    best = max(found.items(), key=lambda one: one[1], default=("", 0.0))
    assert (best[0] if best[1] >= 0.8 else "") == concept


def test_plain_words_are_not_taken_apart() -> None:
    assert spell_out(split("request_id")) == ("request", "id")
    assert spell_out(split("submitterName")) == ("submitter", "name")
    assert spell_out(split("custno")) == ("customer", "number")
