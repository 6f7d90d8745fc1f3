"""The first half of the road: from the quote to a confirmed mapping, owners, and a destination that is ready."""

from datetime import UTC, datetime
from typing import Any

from app.demo.client import Refused
from app.demo.errors import DemoFailed
from app.demo.standins import STAND_INS
from app.demo.uploading import answer_questions, upload_all
from app.demo.walking import Walk
from app.domain.plurals import counted

# What the demo's person decides for statuses that nobody foresaw; every other one takes the map's first value.
_DECIDED = {"awaiting parts": "On Hold", "cancelled": "On Hold", "ready to invoice": "Completed"}


def ask_price(walk: Walk) -> str:
    """A quote; returns its id."""
    walk.screen.step("Quote")
    source, destination = walk.pair
    rows = [row for row in walk.client.get(f"/v1/pairs/{source}/{destination}").body["objects"] if row["moves"]]
    counts = {row["source_object"]: walk.scale // (2 * len(rows)) for row in rows} if walk.scale else {}
    edition = STAND_INS[destination].edition
    body = {"source": source, "destination": destination, "destination_edition": edition, "counts": counts}
    quote = walk.client.post("/v1/quotes", body).body
    walk.keep("quote.json", quote)
    if quote["amount_minor"] is None:
        price = f"needs a review: {quote['review_reason']}"
    else:
        price = f"{quote['amount_minor'] / 100:,.2f} {quote['currency']}"
    until = datetime.fromisoformat(quote["valid_until"]).astimezone(UTC)
    grade = quote["complexity"]["grade"]
    walk.screen.say(f"{quote['id']}: {price}, grade {grade}, valid until {until:%Y-%m-%d %H:%M} UTC")
    return str(quote["id"])


def engage(walk: Walk, quote_id: str) -> None:
    """Engagement, webhooks and both connections."""
    walk.screen.step("Engagement with two connections")
    engagement = walk.client.post("/v1/engagements", {"name": "Demo", "quote_id": quote_id}).body
    walk.engagement_id = engagement["id"]
    endpoint = walk.client.post("/v1/webhook_endpoints", {"url": walk.receiver.url}).body
    walk.receiver.secret = endpoint["secret"]
    walk.screen.say(f"{engagement['id']} from {engagement['source']} to {engagement['destination']}")
    walk.screen.say(f"webhooks go to {walk.receiver.url}")
    for role, platform, stand_in, door in zip(
        ("source", "destination"), walk.pair, (walk.source, walk.destination), walk.doors, strict=True
    ):
        path = f"{walk.path}/connections/{role}"
        if role == "source" and walk.export is not None:
            own = STAND_INS[platform].config if platform in STAND_INS else {}
            walk.client.put(path, {"config": {"mode": "upload", **own}})
            upload_all(walk, walk.export)
            answer_questions(walk)
        else:
            body = STAND_INS[platform].connection(door or stand_in.base)
            if role == "destination":
                body["config"] |= walk.more_config
            walk.client.put(path, body)
        proved = walk.client.post(f"{path}/test").body
        walk.connections[role] = proved
        walk.screen.say(f"{role} connection {proved['state']}: {_short(proved['facts'])}")


def _short(facts: dict[str, Any]) -> str:
    plain = {name: value for name, value in facts.items() if isinstance(value, str | int | float)}
    words = {True: "yes", False: "no"}
    shown = ((name, words[value] if isinstance(value, bool) else value) for name, value in sorted(plain.items())[:6])
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in shown)


def discover(walk: Walk) -> None:
    """Both inventories."""
    walk.screen.step("Discovery")
    walk.run("discovery")
    answer_questions(walk)
    for role in ("source", "destination"):
        inventory = walk.client.get(f"{walk.path}/inventories/{role}").body["inventory"]
        walk.keep(f"inventory-{role}.json", inventory)
        custom = sum(1 for one in inventory["objects"] for field in one["fields"] if field.get("custom"))
        records = sum(inventory["counts"].values())
        walk.screen.say(
            f"{role}: {len(inventory['objects'])} objects, {custom} custom fields, {len(inventory['users'])} users, "
            f"{records} records"
        )


def examine(walk: Walk) -> dict[str, Any]:
    """The preflight; returns its report on the source's quality."""
    walk.screen.step("Preflight")
    run = walk.run("preflight")
    quality, gap = walk.report(run, "preflight"), walk.report(run, "gap")
    walk.screen.say("findings in the source, by code:")
    codes: dict[str, int] = quality["summary"]["by_code"]
    walk.screen.list({code: codes[code] for code in sorted(codes, key=codes.__getitem__, reverse=True)})
    summary = gap["summary"]
    walk.screen.say(
        f"gap report for the {summary['edition']} edition: {summary['changes']} changes to be made, "
        f"{summary['not_moving']} things that do not move, {summary['findings']} findings:"
    )
    findings = [(f"{one['severity']} {one['code']}", one["text"]) for one in gap["body"]["findings"]]
    walk.screen.list(findings, most=12)
    if summary["blocked"]:
        raise DemoFailed("the gap report says that this cannot work", gap["summary"])
    return quality


def agree_on_mapping(walk: Walk, quality: dict[str, Any]) -> dict[str, Any]:
    """Proposal, a person's decisions, confirmation; returns the confirmed document."""
    walk.screen.step("Mapping")
    proposed = walk.client.post(f"{walk.path}/mapping/propose").body
    loads = [load for load in proposed["document"]["loads"] if load["enabled"]]
    fields = sum(len(load["fields"]) for load in loads)
    matched = sum(field["origin"] == "matched" for load in loads for field in load["fields"])
    walk.screen.say(
        f"version {proposed['version']}: {len(loads)} loads, {fields} field rules, {matched} found by matching"
    )
    _show_refusal(walk)
    current = walk.client.get(f"{walk.path}/mapping")
    document = current.body["document"]
    if decisions := decide_values(document, quality["body"]["findings"]):
        for name, value, chosen in decisions:
            walk.screen.say(f'a person decides in {name}: "{value}" becomes "{chosen}"')
    document["loads"] += walk.more_loads
    if decisions or walk.more_loads:
        current = walk.client.put(f"{walk.path}/mapping", document, if_match=current.etag)
    confirmed = walk.client.post(f"{walk.path}/mapping/confirm", {"version": current.body["version"]}).body
    for form in ("xlsx", "csv"):
        walk.client.save(f"{walk.path}/mapping/export", walk.papers / f"mapping.{form}", format=form)
    walk.keep("mapping.json", confirmed["document"])
    if any(step["key"] == "agreement" for step in walk.client.get(walk.path).body["road"]):
        walk.client.put(f"{walk.path}/agreement", {"confirmed": True, "reference": "demo"})
        walk.screen.say("sensitive fields are mapped: the owner confirms the agreement with the destination's vendor")
    walk.screen.say(f"version {confirmed['version']} confirmed by the client's key, exported as XLSX and CSV")
    return dict(confirmed["document"])


def _show_refusal(walk: Walk) -> None:
    """Before the confirmation nothing may be written: the attempt has to be refused."""
    try:
        walk.client.post(f"{walk.path}/runs", {"kind": "provision"})
    except Refused as refused:
        if refused.code != "mapping-not-confirmed":
            raise
        walk.screen.say(f"provisioning before the confirmation is refused ({refused.status} {refused.code})")
        return
    raise DemoFailed("provisioning was accepted although the mapping is not confirmed")


def decide_values(document: dict[str, Any], findings: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Adds an entry to the document's value maps for each unknown value that would hold records, as a person would.

    Returns (value map, source value, destination value) of each.
    """
    decided = []
    for finding in findings:
        if finding["code"] != "unknown_value":
            continue
        for name in _maps_of(document, finding["object"], finding["field"]):
            table = document["value_maps"][name]
            known = {key.strip().casefold() for key in table["entries"]}
            for value in finding["values"]:
                folded = value.strip().casefold()
                if folded and folded not in known:
                    known_values = list(table["entries"].values())
                    wished = _DECIDED.get(folded, "")
                    chosen = wished if wished in known_values else known_values[0]
                    table["entries"][value.strip()] = chosen
                    known.add(folded)
                    decided.append((name, value, chosen))
    return decided


def _maps_of(document: dict[str, Any], source_object: str, field: str) -> list[str]:
    """Value maps that this field goes through and that hold what they do not know."""
    names = [
        rule["value_map"]
        for load in document["loads"]
        if load["enabled"] and load["source_object"] == source_object
        for rule in load["fields"]
        if rule["value_map"] and list(rule["sources"]) == [field]
    ]
    return [name for name in dict.fromkeys(names) if document["value_maps"][name]["unmapped"] == "hold"]


def decide_owners(walk: Walk) -> None:
    """Who is matched by e-mail stays; the rest gets the fallback user, those with candidates their first one."""
    walk.screen.step("Owners")
    answer = walk.client.get(f"{walk.path}/owners")
    owners = answer.body
    walk.keep("owners-before.json", owners)
    counts = {name: count for name, count in owners["counts"].items() if count and name != "total"}
    told = ", ".join(f"{count} {name}" for name, count in counts.items())
    walk.screen.say(f"{counted(owners['counts']['total'], 'user')} at the source: {told}")
    fallback = next((user for user in owners["destination_users"] if user["active"]), None)
    if fallback is None:
        raise DemoFailed("the destination has no active user who could own records")
    decisions = [
        {"source_user_id": line["source"]["id"], "destination_user_id": line["candidates"][0]}
        for line in owners["owners"]
        if line["state"] in ("duplicate", "inactive", "unmatched") and line["candidates"]
    ]
    body = {"decisions": decisions, "fallback_user_id": fallback["id"]}
    decided = walk.client.put(f"{walk.path}/owners", body, if_match=answer.etag).body
    walk.keep("owners.json", decided)
    walk.screen.say(
        f"{len(decisions)} decided one by one, everybody else goes to {fallback['name']}: "
        f"{counted(decided['counts']['unresolved'], 'user', ('is', 'are'))} left without an owner"
    )


def prepare(walk: Walk) -> None:
    """Provisioning and what only an admin can do."""
    walk.screen.step("Provisioning")
    run = walk.run("provision")
    counts = run["stages"][0]["counts"]
    walk.screen.say(", ".join(f"{name} {count}" for name, count in counts.items()))
    checklist = walk.client.get(f"{walk.path}/checklist").body
    walk.keep("checklist.json", checklist)
    items = checklist["items"]
    walk.screen.say(f"checklist: {counted(len(items), 'item')}, the next run waits for {checklist['open']} of them")
    for item in items[:8]:
        walk.screen.say(f"  [{item['state']}] {item['text']}")
    if len(items) > 8:
        walk.screen.say(f"  and {len(items) - 8} more, see checklist.json")
