"""The vendor's own SDK works against the sandbox (fact sheet section 20): each test is one thing a migration does."""

import io
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sandboxes.zoho_crm.zoho_sdk import body, initialize, results, served


@pytest.fixture(scope="module")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("zoho_sdk")
    with served() as root:
        initialize(root, folder)
        yield folder


def operations(module: str) -> Any:
    from zohocrmsdk.src.com.zoho.crm.api.record import RecordOperations

    return RecordOperations(module)


def wrapper(*records: Any) -> Any:
    from zohocrmsdk.src.com.zoho.crm.api.record import BodyWrapper

    request = BodyWrapper()
    request.set_data(list(records))
    request.set_trigger([])
    return request


def record(**values: Any) -> Any:
    from zohocrmsdk.src.com.zoho.crm.api.record import Record

    made = Record()
    for name, value in values.items():
        made.add_key_value(name, value)
    return made


def create(module: str, **values: Any) -> int:
    (result,) = results(operations(module).create_records(wrapper(record(**values))))
    return int(result.get_details()["id"])


def read(module: str, record_id: int) -> Any:
    return body(operations(module).get_record(record_id)).get_data()[0]


def test_users_and_org(sdk: Path) -> None:
    from zohocrmsdk.src.com.zoho.crm.api.org import OrgOperations
    from zohocrmsdk.src.com.zoho.crm.api.parameter_map import ParameterMap
    from zohocrmsdk.src.com.zoho.crm.api.users import GetUsersParam, UsersOperations

    assert (sdk / "tokens.txt").exists()
    org = body(OrgOperations().get_organization()).get_org()[0]
    assert org.get_license_details().get_paid_type() == "enterprise"
    params = ParameterMap()
    params.add(GetUsersParam.type, "ActiveUsers")
    mails = {user.get_email() for user in body(UsersOperations().get_users(params)).get_users()}
    assert {"admin@example.com", "dispatch@example.com", "owner6@example.com"} <= mails
    assert "inactive@example.com" not in mails


def test_records_are_inserted_upserted_updated_read_and_deleted(sdk: Path) -> None:
    from zohocrmsdk.src.com.zoho.crm.api.parameter_map import ParameterMap
    from zohocrmsdk.src.com.zoho.crm.api.record import DeleteRecordsParam

    account = create("Accounts", Account_Name="Sdk Account", Annual_Revenue=12.5)
    contact = create("Contacts", Last_Name="Sdk", Email="sdk@example.com", Account_Name=record_ref(account))
    stored = read("Contacts", contact)
    assert stored.get_key_value("Account_Name").get_id() == account
    request = wrapper(record(Last_Name="Sdk Two", Email="sdk@example.com"))
    request.set_duplicate_check_fields(["Email"])
    (upserted,) = results(operations("Contacts").upsert_records(request))
    assert (upserted.get_action().get_value(), int(upserted.get_details()["id"])) == ("update", contact)
    results(operations("Contacts").update_record(contact, wrapper(record(Title="Chief"))))
    assert read("Contacts", contact).get_key_value("Title") == "Chief"
    params = ParameterMap()
    params.add(DeleteRecordsParam.ids, str(contact))
    params.add(DeleteRecordsParam.wf_trigger, False)
    results(operations("Contacts").delete_records(params))
    assert operations("Contacts").get_record(contact).get_status_code() == 204


def record_ref(record_id: int) -> Any:
    made = record()
    made.set_id(record_id)
    return made


def test_a_missing_mandatory_field_is_refused_by_the_server(sdk: Path) -> None:
    answer = operations("Accounts").create_records(wrapper(record(Phone="1")))
    (result,) = answer.get_object().get_data()
    assert (answer.get_status_code(), result.get_code().get_value()) == (400, "MANDATORY_NOT_FOUND")


def test_deals_and_tasks(sdk: Path) -> None:
    from zohocrmsdk.src.com.zoho.crm.api.util import Choice

    deal = create(
        "Deals",
        Deal_Name="Sdk Deal",
        Stage=Choice("Qualification"),
        Pipeline=Choice("Standard (Standard)"),
        Amount=20.0,
    )
    assert read("Deals", deal).get_key_value("Probability") == 10
    task = create("Tasks", Subject="Sdk Task", What_Id=record_ref(deal), **{"$se_module": "Deals"})
    assert read("Tasks", task).get_key_value("What_Id").get_id() == deal


def test_field_is_created_and_external_id_used(sdk: Path) -> None:
    from zohocrmsdk.src.com.zoho.crm.api import HeaderMap, ParameterMap
    from zohocrmsdk.src.com.zoho.crm.api.fields import BodyWrapper, CreateFieldParam, External, Fields, FieldsOperations
    from zohocrmsdk.src.com.zoho.crm.api.record import UpdateRecordUsingExternalIDHeader
    from zohocrmsdk.src.com.zoho.crm.api.util import Choice, ModuleFieldsHandler

    field, external, request, params = Fields(), External(), BodyWrapper(), ParameterMap()
    external.set_type("org")
    external.set_show(True)
    field.set_field_label("Sdk Source Id")
    field.set_data_type("text")
    field.set_length(100)
    field.set_external(external)
    request.set_fields([field])
    params.add(CreateFieldParam.module, "Leads")
    (made,) = results(FieldsOperations().create_field(request, params))
    assert made.get_details()["id"]
    assert isinstance(Choice("x").get_value(), str)
    ModuleFieldsHandler.refresh_fields("Leads")
    lead = create("Leads", Last_Name="Ext", Sdk_Source_Id="st:1")
    headers = HeaderMap()
    headers.add(UpdateRecordUsingExternalIDHeader.x_external, "Leads.Sdk_Source_Id")
    answer = operations("Leads").update_record_using_external_id("st:1", wrapper(record(City="Rome")), headers)
    (updated,) = results(answer)
    assert int(updated.get_details()["id"]) == lead
    assert read("Leads", lead).get_key_value("City") == "Rome"


def test_coql(sdk: Path) -> None:
    from zohocrmsdk.src.com.zoho.crm.api.coql import BodyWrapper, CoqlOperations

    create("Leads", Last_Name="Coql", City="Oslo")
    request = BodyWrapper()
    request.set_select_query("select Last_Name, City from Leads where Last_Name = 'Coql' limit 2")
    found = body(CoqlOperations().get_records(request)).get_data()
    assert [row.get_key_value("City") for row in found] == ["Oslo"]


def test_notes_and_attachments(sdk: Path, tmp_path: Path) -> None:
    from zohocrmsdk.src.com.zoho.crm.api.attachments import AttachmentsOperations, FileBodyWrapper
    from zohocrmsdk.src.com.zoho.crm.api.modules import MinifiedModule
    from zohocrmsdk.src.com.zoho.crm.api.notes import BodyWrapper, Note, NotesOperations, ParentId
    from zohocrmsdk.src.com.zoho.crm.api.util import StreamWrapper

    lead = create("Leads", Last_Name="With files")
    note, parent, module, request = Note(), ParentId(), MinifiedModule(), BodyWrapper()
    module.set_api_name("Leads")
    parent.set_id(lead)
    parent.set_module(module)
    note.set_note_title("Sdk note")
    note.set_note_content("Content")
    note.set_parent_id(parent)
    request.set_data([note])
    (made,) = results(NotesOperations().create_notes(request))
    shown = body(NotesOperations().get_note(int(made.get_details()["id"]))).get_data()[0]
    assert shown.get_note_title() == "Sdk note"
    path = tmp_path / "signature.png"
    path.write_bytes(bytes(range(256)) * 50)
    upload = FileBodyWrapper()
    with path.open("rb") as stream:
        upload.set_file(StreamWrapper(name=path.name, stream=stream))
        (sent,) = results(AttachmentsOperations().upload_attachments(lead, "Leads", upload))
    downloaded = body(AttachmentsOperations().get_attachment(int(sent.get_details()["id"]), lead, "Leads")).get_file()
    assert downloaded.get_name() == "signature.png"
    assert b"".join(downloaded.get_stream()) == path.read_bytes()


def test_custom_module(sdk: Path) -> None:
    from zohocrmsdk.src.com.zoho.crm.api.modules import BodyWrapper, Modules, ModulesOperations
    from zohocrmsdk.src.com.zoho.crm.api.profiles import MinifiedProfile, ProfilesOperations

    profile_id = body(ProfilesOperations().get_profiles()).get_profiles()[0].get_id()
    profile, module, request = MinifiedProfile(), Modules(), BodyWrapper()
    profile.set_id(profile_id)
    module.set_profiles([profile])
    module.set_plural_label("Sdk Contracts")
    module.set_singular_label("Sdk Contract")
    request.set_modules([module])
    results(ModulesOperations().create_custom_modules(request))
    names = {item.get_api_name(): item for item in body(ModulesOperations().get_modules()).get_modules()}
    assert names["Sdk_Contracts"].get_generated_type().get_value() == "custom"
    made = create("Sdk_Contracts", Name="C-1")
    assert read("Sdk_Contracts", made).get_key_value("Name") == "C-1"


def test_bulk_write(sdk: Path, tmp_path: Path) -> None:
    from zohocrmsdk.src.com.zoho.crm.api import HeaderMap
    from zohocrmsdk.src.com.zoho.crm.api.bulk_write import (
        BulkWriteOperations,
        FieldMapping,
        FileBodyWrapper,
        RequestWrapper,
        Resource,
        UploadFileHeader,
    )
    from zohocrmsdk.src.com.zoho.crm.api.modules import MinifiedModule
    from zohocrmsdk.src.com.zoho.crm.api.org import OrgOperations
    from zohocrmsdk.src.com.zoho.crm.api.util import Choice, StreamWrapper

    path = tmp_path / "leads.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("leads.csv", "Name,Place\nBulk One,Rome\nBulk Two,Oslo\n")
    headers, upload = HeaderMap(), FileBodyWrapper()
    headers.add(UploadFileHeader.feature, "bulk-write")
    headers.add(UploadFileHeader.x_crm_org, body(OrgOperations().get_organization()).get_org()[0].get_zgid())
    upload.set_file(StreamWrapper(name=path.name, stream=io.BytesIO(path.read_bytes())))
    bulk = BulkWriteOperations()
    file_id = body(bulk.upload_file(upload, headers)).get_details()["file_id"]
    module, resource, request = MinifiedModule(), Resource(), RequestWrapper()
    module.set_api_name("Leads")
    mappings = []
    for index, name in enumerate(("Last_Name", "City")):
        mapping = FieldMapping()
        mapping.set_api_name(name)
        mapping.set_index(index)
        mappings.append(mapping)
    resource.set_type(Choice("data"))
    resource.set_module(module)
    resource.set_file_id(str(file_id))
    resource.set_field_mappings(mappings)
    request.set_operation(Choice("insert"))
    request.set_resource([resource])
    job_id = str(body(bulk.create_bulk_write_job(request)).get_details()["id"])
    for _ in range(200):
        job = body(bulk.get_bulk_write_job_details(job_id))
        if job.get_status() == "COMPLETED":
            break
        time.sleep(0.005)
    assert job.get_resource()[0].get_file().get_added_count() == 2
    result = body(bulk.download_bulk_write_result(job.get_result().get_download_url())).get_file()
    with zipfile.ZipFile(io.BytesIO(b"".join(result.get_stream()))) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    assert text.splitlines()[1].startswith("Bulk One,Rome,ADDED,")
