"""Versions, resources and describes (source fact sheet sections 1.2 and 1.3)."""

import pytest

from connectors.servicetracker.sandbox.schema import OBJECTS


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


GLOBAL_KEYS = words(
    """
    name label labelPlural keyPrefix custom customSetting queryable retrieveable replicateable createable updateable
    deletable searchable mergeable undeletable triggerable layoutable feedEnabled deprecatedAndHidden hasSubtypes
    isSubtype isInterface urls
    """
)
FIELD_KEYS = words(
    """
    name label type soapType length byteLength precision scale digits nillable unique caseSensitive custom
    externalId idLookup nameField autoNumber calculated calculatedFormula defaultValue defaultedOnCreate createable
    updateable filterable sortable groupable aggregatable encrypted mask maskType htmlFormatted extraTypeInfo
    compoundFieldName referenceTo relationshipName relationshipOrder polymorphicForeignKey namePointing
    referenceTargetField cascadeDelete restrictedDelete writeRequiresMasterRead picklistValues restrictedPicklist
    dependentPicklist controllerName inlineHelpText permissionable deprecatedAndHidden highScaleNumber
    displayLocationInDecimal queryByDistance
    """
)
TYPES = words(
    """
    string boolean int double long date datetime time base64 id reference currency percent phone url email textarea
    picklist multipicklist combobox encryptedstring anyType address location complexvalue
    """
)
MODEL = words(
    """
    User:005 Account:001 Contact:003 Site__c:a01 ServiceResource:0Hn ServiceContract:810 Product2:01t Asset:02i
    WorkOrder:0WO ProductConsumed:0pc Task:00T Event:00U ServiceAppointment:08p Note:002 Attachment:00P
    ContentDocument:069 ContentVersion:068 ContentDocumentLink:06A DigitalSignature:0DS Invoice__c:a02 Lead:00Q
    Renewal_Rule__c:a03 Automation_Rule__c:a04
    """
)


async def test_versions_and_resources(readonly) -> None:
    """Section 1.2: label, url and version of each; then a map of resources."""
    versions = (await readonly.http.get("/services/data/")).json()
    assert [one["version"] for one in versions][:: len(versions) - 1] == ["50.0", "67.0"]
    assert all(set(one) == {"label", "url", "version"} for one in versions)
    assert (await readonly.http.get(versions[0]["url"] + "/")).json()["sobjects"] == "/services/data/v50.0/sobjects"


@pytest.mark.parametrize("version", ["v49.0", "v68.0", "v59", "vx.0", "v59.1"])
async def test_unknown_versions_are_not_found(readonly, version: str) -> None:
    answer = await readonly.http.get(f"/services/data/{version}/sobjects")
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (404, "NOT_FOUND")


async def test_describe_global(readonly) -> None:
    """Section 1.3: the keys of an entry; section 2 and the data model: the objects and their prefixes."""
    body = (await readonly.get("/sobjects")).json()
    assert (body["encoding"], body["maxBatchSize"]) == ("UTF-8", 200)
    assert {f"{one['name']}:{one['keyPrefix']}" for one in body["sobjects"]} == MODEL
    for entry in body["sobjects"]:
        assert set(entry) >= GLOBAL_KEYS
        assert entry["custom"] == entry["name"].endswith("__c")


@pytest.mark.parametrize("name", list(OBJECTS))
async def test_every_object_describes_itself(readonly, name: str) -> None:
    """Section 1.3: all keys, known types, references with a relationship name, compounds with parts."""
    body = (await readonly.get(f"/sobjects/{name}/describe")).json()
    assert {"fields", "childRelationships", "recordTypeInfos", "supportedScopes", "namedLayoutInfos"} <= set(body)
    names = {field["name"] for field in body["fields"]}
    assert {"Id", "CreatedDate", "CreatedById", "LastModifiedDate", "SystemModstamp", "IsDeleted"} <= names
    for field in body["fields"]:
        assert set(field) >= FIELD_KEYS
        assert field["type"] in TYPES
        assert field["custom"] == field["name"].endswith("__c")
        assert bool(field["referenceTo"]) == (field["type"] == "reference") == bool(field["relationshipName"])
        assert field["compoundFieldName"] is None or field["compoundFieldName"] in names
        if field["type"] == "boolean":
            assert not field["nillable"]


async def test_what_a_connector_reads_from_a_description(readonly) -> None:
    """Section 1.3: picklists, long text, custom references, compounds; required by the rule of thumb."""
    body = (await readonly.get("/sobjects/WorkOrder/describe")).json()
    fields = {field["name"]: field for field in body["fields"]}
    statuses = [one["value"] for one in fields["Status"]["picklistValues"]]
    assert statuses == ["Open", "In Progress", "On Hold", "Completed", "Invoiced"]
    assert (fields["Description"]["type"], fields["Description"]["length"]) == ("textarea", 131_072)
    assert fields["Technician__c"]["relationshipName"] == "Technician__r"
    assert fields["City"]["compoundFieldName"] == "Address"
    assert fields["Address"]["type"] == "address"
    assert fields["WorkOrderNumber"]["autoNumber"]
    contact = (await readonly.get("/sobjects/Contact/describe")).json()["fields"]
    required = {
        one["name"] for one in contact if not one["nillable"] and one["createable"] and not one["defaultedOnCreate"]
    }
    assert required == {"LastName"}
    what = next(
        one for one in (await readonly.get("/sobjects/Task/describe")).json()["fields"] if one["name"] == "WhatId"
    )
    assert what["referenceTo"] == ["WorkOrder", "Asset", "Account"]
    assert what["polymorphicForeignKey"]
    children = (await readonly.get("/sobjects/Account/describe")).json()["childRelationships"]
    assert {"Contact.AccountId", "Site__c.Client__c", "Account.ParentId"} <= {
        f"{one['childSObject']}.{one['field']}" for one in children
    }


async def test_describe_honours_if_modified_since(readonly) -> None:
    """Section 1.2: 304 while the client's copy is fresh."""
    first = await readonly.get("/sobjects/Account/describe")
    fresh = await readonly.get(
        "/sobjects/Account/describe", headers={"If-Modified-Since": first.headers["Last-Modified"]}
    )
    assert (fresh.status_code, fresh.content) == (304, b"")
    for stale in ("Wed, 01 Jan 2020 00:00:00 GMT", "some day"):
        answer = await readonly.get("/sobjects/Account/describe", headers={"If-Modified-Since": stale})
        assert answer.status_code == 200


async def test_basic_information_and_unknown_objects(readonly) -> None:
    body = (await readonly.get("/sobjects/Account/")).json()
    assert body["objectDescribe"]["name"] == "Account"
    assert body["recentItems"] == []
    for path in ("/sobjects/Nothing__c", "/sobjects/Nothing__c/describe", "/nothing"):
        answer = await readonly.get(path)
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (404, "NOT_FOUND")
