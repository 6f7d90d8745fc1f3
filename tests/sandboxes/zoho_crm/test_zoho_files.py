"""Fact sheet sections 16 and 17: notes, attachments, files and photos."""

import hashlib
from collections.abc import Iterator

import orjson
import pytest

from tests.sandboxes.zoho_crm.zoho_kit import Start, Zoho

MB = 1024 * 1024


async def test_section_16_notes_global_and_of_a_record(zoho: Zoho) -> None:
    (lead,) = await zoho.create("Leads", {"Last_Name": "A"})
    (note,) = await zoho.create(
        "Notes", {"Note_Content": "Text", "Parent_Id": {"module": {"api_name": "Leads"}, "id": lead}}
    )
    made = await zoho.post(f"Leads/{lead}/Notes", {"data": [{"Note_Title": "Second"}, {}]})
    assert (made.status_code, made.json()["data"][1]["code"]) == (207, "EXPECTED_FIELD_MISSING")
    stored = await zoho.record("Notes", note)
    assert (stored["Parent_Id"]["id"], stored["Parent_Id"]["module"]["api_name"]) == (lead, "Leads")
    listed = (await zoho.get(f"Leads/{lead}/Notes?fields=Note_Title,Note_Content")).json()["data"]
    assert [row["Note_Title"] for row in listed] == [None, "Second"]
    everywhere = (await zoho.get("Notes?fields=Note_Title")).json()["data"]
    assert everywhere[0]["id"] == note


async def test_section_16_note_rules(zoho: Zoho) -> None:
    (lead,) = await zoho.create("Leads", {"Last_Name": "A"})
    parent = {"module": {"api_name": "Leads"}, "id": lead}
    assert (await zoho.refused("Notes", {"Note_Title": "N"}))["code"] == "MANDATORY_NOT_FOUND"
    wrong = {"Note_Title": "N", "Parent_Id": {"module": {"api_name": "Deals"}, "id": lead}}
    assert (await zoho.refused("Notes", wrong))["code"] == "INVALID_DATA"
    assert (await zoho.refused("Notes", {"Note_Title": "N" * 121, "Parent_Id": parent}))["details"][
        "maximum_length"
    ] == 120
    long = {"Note_Content": "N" * 65_536, "Parent_Id": parent}
    assert (await zoho.refused("Notes", long))["details"]["maximum_length"] == 65_535
    (note,) = await zoho.create("Notes", {"Note_Title": "N", "Parent_Id": parent})
    change = {"Note_Title": "M", "Parent_Id": {"module": {"api_name": "Leads"}, "id": "1"}, "Owner": {"id": "1"}}
    assert (await zoho.put(f"Notes/{note}", {"data": [change]})).status_code == 200
    assert (await zoho.record("Notes", note))["Parent_Id"]["id"] == lead


async def test_section_17_attachment_bytes_come_back(zoho: Zoho) -> None:
    (deal,) = await zoho.create(
        "Deals", {"Deal_Name": "D", "Stage": "Qualification", "Pipeline": "Standard (Standard)"}
    )
    content = bytes(range(256)) * 400
    name = 'Unterschrift "ä".png'
    answer = await zoho.post(f"Deals/{deal}/Attachments", files={"file": (name, content)})
    assert (answer.status_code, answer.json()["data"][0]["message"]) == (200, "attachment uploaded successfully")
    file_id = answer.json()["data"][0]["details"]["id"]
    assert (await zoho.get(f"Deals/{deal}/Attachments")).json()["code"] == "REQUIRED_PARAM_MISSING"
    (row,) = (await zoho.get(f"Deals/{deal}/Attachments?fields=id,File_Name,Size")).json()["data"]
    assert (row["id"], row["File_Name"], row["Size"]) == (file_id, name, str(len(content)))
    assert (await zoho.get(f"Deals/{deal}/Attachments/{file_id}")).content == content
    dump = (await zoho.get("/_sandbox/dump?module=Attachments")).text
    assert orjson.loads(dump)["sha256"] == hashlib.sha256(content).hexdigest()
    assert (await zoho.delete(f"Deals/{deal}/Attachments/{file_id}")).status_code == 200
    assert (await zoho.get(f"Deals/{deal}/Attachments?fields=id")).status_code == 204
    assert (await zoho.get(f"Deals/{deal}/Attachments/{file_id}")).status_code == 400


@pytest.mark.parametrize("place", ["query", "form", "multipart"])
async def test_section_17_links_by_query_or_form(zoho: Zoho, place: str) -> None:
    (lead,) = await zoho.create("Leads", {"Last_Name": "A"})
    values = {"attachmentUrl": "https://files.example.com/a.pdf", "title": "Report"}
    path = f"Leads/{lead}/Attachments"
    if place == "query":
        answer = await zoho.post(path, params=values)
    elif place == "form":
        answer = await zoho.post(path, data=values)
    else:
        answer = await zoho.post(path, files={key: (None, value) for key, value in values.items()})
    assert answer.status_code == 200
    (row,) = (await zoho.get(f"{path}?fields=File_Name")).json()["data"]
    assert (row["$type"], row["$link_url"], row["File_Name"]) == ("Link URL", values["attachmentUrl"], "Report")


async def test_section_19_attachment_limit_is_twenty_megabytes_and_a_switch(start: Start) -> None:
    zoho = await start(options={"empty": "1"})
    (lead,) = await zoho.create("Leads", {"Last_Name": "A"})
    good = await zoho.post(f"Leads/{lead}/Attachments", files={"file": ("a.bin", b"x" * (20 * MB))})
    assert good.status_code == 200
    big = await zoho.post(f"Leads/{lead}/Attachments", files={"file": ("a.bin", b"x" * (20 * MB + 1))})
    assert (big.status_code, big.json()["code"]) == (413, "FILE_SIZE_MORE_THAN_ALLOWED_SIZE")
    wide = await start(options={"attachment_limit_mb": "100", "empty": "1"})
    (lead,) = await wide.create("Leads", {"Last_Name": "A"})
    assert (
        await wide.post(f"Leads/{lead}/Attachments", files={"file": ("a.bin", b"x" * (21 * MB))})
    ).status_code == 200


async def test_section_17_a_body_without_a_file_leaves_nothing_behind(zoho: Zoho) -> None:
    (lead,) = await zoho.create("Leads", {"Last_Name": "A"})
    path = f"Leads/{lead}/Attachments"
    assert (await zoho.post(path, files={"other": ("a.txt", b"x")})).json()["code"] == "REQUIRED_PARAM_MISSING"
    headers = {"content-type": "multipart/form-data; boundary=b"}
    assert (await zoho.post(path, content=b"--b\r\nno", headers=headers)).status_code == 400
    assert (await zoho.get(f"{path}?fields=id")).status_code == 204


async def test_section_17_files_for_file_fields(zoho: Zoho) -> None:
    await zoho.add_field("Leads", "Signature", "fileupload", length=1)
    uploaded = await zoho.post("files", files=[("file", ("a.png", b"one")), ("file", ("b.png", b"two"))])
    ids = [item["details"]["id"] for item in uploaded.json()["data"]]
    (lead,) = await zoho.create("Leads", {"Last_Name": "A", "Signature": [{"File_Id__s": ids[0]}]})
    shown = (await zoho.record("Leads", lead))["Signature"]
    assert (shown[0]["File_Name__s"], shown[0]["File_Id__s"]) == ("a.png", ids[0])
    assert (await zoho.get(f"files?id={ids[1]}")).content == b"two"
    assert (await zoho.refused("Leads", {"Last_Name": "A", "Signature": [{"File_Id__s": "no"}]}))[
        "code"
    ] == "INVALID_DATA"
    two = [{"File_Id__s": key} for key in ids]
    assert (await zoho.refused("Leads", {"Last_Name": "A", "Signature": two}))["details"]["maximum_length"] == 1
    eleven = [("file", (f"{n}.txt", b"x")) for n in range(11)]
    assert (await zoho.post("files", files=eleven)).json()["code"] == "LIMIT_EXCEEDED"
    big = await zoho.post("files", files=[("file", ("a", b"x")), ("file", ("b", b"x" * (20 * MB + 1)))])
    assert big.status_code == 415


async def test_section_17_photo(zoho: Zoho) -> None:
    (contact,) = await zoho.create("Contacts", {"Last_Name": "A"})
    path = f"Contacts/{contact}/photo"
    assert (await zoho.get(path)).status_code == 204
    answer = await zoho.post(path, files={"file": ("a.png", b"png")})
    assert answer.json()["message"] == "photo uploaded successfully"
    assert (await zoho.get(path)).content == b"png"
    assert (await zoho.post(path, files={"file": ("a.exe", b"x")})).status_code == 400
    (task,) = await zoho.create("Tasks", {"Subject": "T"})
    assert (await zoho.post(f"Tasks/{task}/photo", files={"file": ("a.png", b"png")})).json()["code"] == "NOT_SUPPORTED"
    assert (await zoho.delete(path)).status_code == 200
    assert (await zoho.get(path)).status_code == 204


async def test_upload_may_come_in_small_pieces(zoho: Zoho) -> None:
    (lead,) = await zoho.create("Leads", {"Last_Name": "A"})
    head = b'--bb\r\nContent-Disposition: form-data; name="file"; filename="..\\\\evil/../a.txt"\r\n\r\n'
    body = head + b"hello\r\n--bb--\r\n"

    def pieces() -> Iterator[bytes]:
        for start in range(0, len(body), 7):
            yield body[start : start + 7]

    async def stream() -> object:
        for piece in pieces():
            yield piece

    headers = {"content-type": "multipart/form-data; boundary=bb"}
    answer = await zoho.post(f"Leads/{lead}/Attachments", content=stream(), headers=headers)
    assert answer.status_code == 200
    (row,) = (await zoho.get(f"Leads/{lead}/Attachments?fields=File_Name,Size")).json()["data"]
    assert (row["File_Name"], row["Size"]) == ("a.txt", "5")
