"""Plans: order from lookups, deferral, refusal of required cycles, stages of each kind of run, and the forecast."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.forecasting import CallFacts, calls_for, forecast_plan, forecast_stage, write_credits
from app.domain.mapping import Collect, Condition, LoadMode
from app.domain.ordering import (
    PlanImpossible,
    load_order,
    lookup_edges,
    own_parents,
    required_cycle,
    with_deferred_links,
)
from app.domain.planning import PlanFacts, RunKind, StageKind, plan_run
from app.domain.proposing import propose
from tests.domain.tenants import build_document, build_load, load_blueprint, source_inventory, zoho_inventory

SOURCE = source_inventory()
DOCUMENT = propose(load_blueprint(), SOURCE, zoho_inventory())
REFERENCES = {f"{one.name}.{field.name}": field.references for one in SOURCE.objects for field in one.fields}
NAMES = [f"l{number}" for number in range(7)]


@st.composite
def documents(draw: st.DrawFn):
    """Documents of up to seven loads in up to three phases with arbitrary lookups."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=7, unique=True))
    loads = []
    for name in names:
        needs = draw(st.lists(st.sampled_from(names), max_size=3, unique=True))
        required = draw(st.booleans())
        loads.append(build_load(name, *needs, required=required, phase=draw(st.sampled_from("abc"))))
    return build_document(*loads)


@given(documents())
def test_a_plan_exists_unless_required_lookups_form_a_cycle(document):
    cycle = required_cycle(document.loads)
    if cycle is None:
        plan_run(RunKind.FULL, document, PlanFacts())
    else:
        with pytest.raises(PlanImpossible) as refused:
            plan_run(RunKind.FULL, document, PlanFacts())
        assert refused.value.edge[0] in str(refused.value)
        strict = {(edge.load, edge.needs) for edge in lookup_edges(document.loads) if edge.required}
        ring = refused.value.cycle
        assert {(one, ring[(at + 1) % len(ring)]) for at, one in enumerate(ring)} <= strict


@given(documents(), st.sampled_from(list(RunKind)), st.booleans())
def test_stages_come_after_what_they_need(document, kind, overlap):
    if required_cycle(document.loads):
        return
    plan = plan_run(kind, document, PlanFacts(), overlap=overlap)
    seen: set[str] = set()
    for stage in plan.stages:
        assert set(stage.after) <= seen, stage.key
        assert stage.streams_from in {"", *seen}
        assert stage.key not in seen
        seen.add(stage.key)


@given(documents())
def test_deferral_keeps_every_rule_and_leaves_no_lookup_pointing_forwards(document):
    if required_cycle(document.loads):
        return
    after, late = with_deferred_links(document)
    rules = sorted((load.source_object, rule.target) for load in document.loads for rule in load.fields)
    assert sorted((load.source_object, rule.target) for load in after.loads for rule in load.fields) == rules
    place = {load.key: number for number, load in enumerate(after.loads)}
    for edge in lookup_edges(after.loads):
        # records of one load that must find each other come level by level
        assert place[edge.needs] < place[edge.load] or (edge.needs == edge.load and edge.required)
    assert not any(edge.required for edge in late)
    assert with_deferred_links(after) == (after, ())


@given(documents())
def test_required_lookups_are_never_torn_out_of_their_load(document):
    if required_cycle(document.loads):
        return
    after, _ = with_deferred_links(document)
    for edge in lookup_edges(document.loads):
        if edge.required:
            assert any(rule.target == edge.target for rule in after.load(edge.load).fields)


def test_a_required_lookup_on_itself_is_ordered_by_depth_and_one_that_may_stay_blank_is_deferred():
    ordered, late = load_order([build_load("one", "one", required=True)])
    assert ([load.key for load in ordered], late) == (["one"], ())
    assert own_parents(ordered[0]) == ("To_one",)
    ordered, late = load_order([build_load("one", "one")])
    assert [(edge.load, edge.needs) for edge in late] == [("one", "one")]
    assert own_parents(ordered[0]) == ()


def test_a_ring_of_two_loads_is_named_beside_a_lookup_on_itself():
    with pytest.raises(PlanImpossible) as refused:
        load_order([build_load("one", "one", "two", required=True), build_load("two", "one", required=True)])
    assert refused.value.edge == ("two", "To_one", "one")


def test_a_lookup_that_may_stay_blank_is_set_later():
    first, second = build_load("first", "second", phase="a"), build_load("second", "first", required=True, phase="b")
    after, late = with_deferred_links(build_document(first, second))
    assert [load.key for load in after.loads] == ["first", "second", "first_deferred"]
    link = after.load("first_deferred")
    assert (link.mode, link.base, link.part) == (LoadMode.LINK, "first", "deferred")
    assert [(edge.load, edge.needs) for edge in late] == [("first", "second")]


def test_inside_a_phase_order_serves_lookups_instead_of_deferring():
    after, late = with_deferred_links(build_document(build_load("x", "y"), build_load("y")))
    assert [load.key for load in after.loads] == ["y", "x"]
    assert late == ()


def test_a_chain_of_thousands_does_not_exhaust_the_stack():
    loads = [build_load(f"n{n}", f"n{n + 1}", required=True) for n in range(1_500)] + [build_load("n1500")]
    assert required_cycle(loads) is None


def test_a_full_run_of_the_pair():
    facts = PlanFacts(counts={one.name: 1_050 for one in SOURCE.objects}, load_counts={"visit_tasks": 50, "events": 0},
                      references=REFERENCES)  # fmt: skip
    plan = plan_run(RunKind.FULL, DOCUMENT, facts, exports=("User", "ServiceAppointment"))
    deals = plan.stage("load:deals")
    assert {"load:accounts", "load:contacts", "load:technicians", "extract:Site__c"} <= set(deals.after)
    assert deals.streams_from == "extract:WorkOrder"
    assert (deals.write_calls, deals.read_calls, deals.credits) == (11, 1, 106)  # asks once how many carry our key
    assert plan.stage("load:files").write_calls == 1_050
    assert (plan.stage("load:visit_tasks").write_calls, plan.stage("load:events").write_calls) == (1, 0)
    assert plan.stage("load:deal_links").kind is StageKind.LINK
    assert set(plan.stage("reconcile:accounts").after) == {
        "load:accounts", "load:account_links", "load:primary_contacts",
    }  # fmt: skip
    assert plan.forecast.write_calls == sum(stage.write_calls for stage in plan.stages)
    assert plan.stage("export:User").kind is StageKind.EXPORT


def test_overlap_leaves_only_true_dependencies():
    strict = plan_run(RunKind.FULL, DOCUMENT, PlanFacts(references=REFERENCES))
    free = plan_run(RunKind.FULL, DOCUMENT, PlanFacts(references=REFERENCES), overlap=True)
    assert strict.stage("load:products").after == ("load:contracts", "load:assets")
    assert free.stage("load:products").after == ()


def test_with_overlap_what_can_be_written_first_is_read_first():
    document = build_document(
        build_load("client"), build_load("order", "client", phase="b"), build_load("asset", phase="c")
    )
    plan = plan_run(RunKind.FULL, document, PlanFacts(), overlap=True)
    reads = [stage.key for stage in plan.stages if stage.kind is StageKind.EXTRACT]
    sources = {load.key: f"extract:{load.source_object}" for load in document.loads}
    assert reads == [sources["client"], sources["asset"], sources["order"]]


def test_while_much_is_left_to_write_the_longest_is_read():
    document = build_document(
        build_load("client"),
        build_load("order", "client", phase="b"),
        build_load("asset", "client", phase="c"),
        build_load("visit", "asset", phase="d"),
    )
    sources = {load.key: load.source_object for load in document.loads}
    counts = dict(zip(sources.values(), (20, 70, 30, 40), strict=True))
    plan = plan_run(RunKind.FULL, document, PlanFacts(counts=counts), overlap=True)
    reads = [stage.name for stage in plan.stages if stage.kind is StageKind.EXTRACT]
    assert reads == [sources[key] for key in ("client", "asset", "visit", "order")]


def test_a_sample_is_chosen_before_anything_is_written_and_verified_after():
    plan = plan_run(RunKind.SAMPLE, DOCUMENT, PlanFacts(references=REFERENCES))
    assert all("choose" in stage.after for stage in plan.stages if stage.key.startswith("load:"))
    assert plan.stages[-1].kind is StageKind.VERIFY


def test_a_rollback_restores_first_and_deletes_against_the_load_order():
    plan = plan_run(RunKind.ROLLBACK, DOCUMENT, PlanFacts())
    deleted = [stage.name for stage in plan.stages if stage.kind is StageKind.DELETE]
    created = [load.key for load in DOCUMENT.loads if load.mode is not LoadMode.LINK]
    assert deleted == list(reversed(created))
    assert plan.stages[0].kind is StageKind.RESTORE
    assert plan.stage("delete:files").after == ("restore",)


def test_a_delta_looks_for_deletions_last_and_reassignment_touches_owned_loads_only():
    delta = plan_run(RunKind.DELTA, DOCUMENT, PlanFacts(references=REFERENCES))
    assert {"deletions:Account", "deletions:WorkOrder"} <= {stage.key for stage in delta.stages}
    assert "load:asset_links" in delta.stage("deletions:Account").after
    reassign = plan_run(RunKind.REASSIGN, DOCUMENT, PlanFacts())
    assert {"deals", "technicians"} <= {stage.name for stage in reassign.stages}
    assert "products" not in {stage.name for stage in reassign.stages}


@pytest.mark.parametrize(
    ("records", "batch", "calls", "credits"),
    [(0, 100, 0, 0), (1, 100, 1, 1), (100, 100, 1, 10), (101, 100, 2, 11), (250, 100, 3, 25), (7, 1, 7, 7)],
)
def test_calls_and_credits(records, batch, calls, credits):
    assert calls_for(records, batch) == calls
    assert write_credits(records, batch, 10) == credits


@given(st.integers(0, 10**6), st.integers(1, 500))
def test_write_credits_are_the_sum_over_the_calls(records, batch):
    full, rest = divmod(records, batch)
    assert write_credits(records, batch, 10) == full * -(-batch // 10) + -(-rest // 10)


def test_impossible_counts_are_refused():
    with pytest.raises(ValueError, match="batch"):
        calls_for(1, 0)
    with pytest.raises(ValueError, match="negative"):
        calls_for(-1, 10)


def test_files_and_single_objects_cost_one_call_each():
    facts = CallFacts(single=("Events",))
    assert forecast_stage("file", "Attachments", 12, facts).writes == 12
    assert forecast_stage("load", "Events", 12, facts).writes == 12
    assert forecast_stage("export", "User", 12, facts).writes == 0


def test_spent_credits_make_the_run_wait_for_the_next_window():
    calls = CallFacts(credits_per_window=50, credits_left=20, latency=1.0, concurrency=2)
    plan = plan_run(
        RunKind.FULL, build_document(build_load("one")), PlanFacts(counts={"One": 500}, calls=calls)
    )  # fmt: skip
    assert plan.forecast.credits == 56
    assert plan.forecast.windows == 2
    assert plan.forecast.waiting_seconds == 86_400
    assert plan.forecast.seconds > 86_400


def test_bulk_jobs_singles_and_the_share_of_others_count_in_the_forecast():
    """A platform of calls: three a bulk job, one each where nothing can be upserted, a fifth of the hour for others."""
    facts = CallFacts(
        batch={"*": 1, "contacts": 100},
        calls_per_batch={"contacts": 3},
        read_batches={"*": 100, "products": 1},
        delete_batches={"*": 100, "notes": 1},
        keyless=("notes",),
        records_per_credit=0,
        credits_per_window=100,
        reserve=0.2,
        quota_window=3600.0,
        calls_per_object=2,
    )
    assert forecast_stage("load", "contacts", 250, facts).writes == 9
    assert forecast_stage("load", "contacts", 250, facts).credits == 10  # and a look whether our key is there
    assert forecast_stage("note", "notes", 250, facts).credits == 250
    assert forecast_stage("verify", "products", 30, facts).reads == 30
    assert forecast_stage("delete", "notes", 30, facts).writes == 30
    stages = [{"kind": "note", "write_calls": 230, "read_calls": 0, "credits": 230}]
    found = forecast_plan(stages, facts, objects=5)
    assert (found.credits, found.read_calls, found.windows, found.waiting_seconds) == (240, 10, 3, 7200.0)
    assert forecast_plan(stages, facts.model_copy(update={"reserve": 0.0}), objects=5).windows == 3
    assert forecast_plan(stages, facts.model_copy(update={"credits_left": 30}), objects=5).windows == 4


def test_objects_that_conditions_and_texts_ask_are_read_first():
    text = Collect(field="Sites", object="Site__c", via="Client__c", template="{Name}")
    load = build_load("a").model_copy(
        update={"source_object": "Order", "collect": (text,), "when": (Condition(field="Contract.Value"),)}
    )
    plan = plan_run(RunKind.FULL, build_document(load), PlanFacts(references={"Order.Contract": ("Contract",)}))
    assert {"extract:Order", "extract:Contract", "extract:Site__c"} <= {stage.key for stage in plan.stages}
    assert {"extract:Contract", "extract:Site__c"} <= set(plan.stage("load:a").after)
