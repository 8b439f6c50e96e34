"""What closes the gate, check by check, and what does not."""

import numpy as np
import pytest
from gated import Cell, closing, documents, scores

from bench.cli.check import _records
from bench.errors import UserError
from bench.gate.finding import Limits
from bench.record import Environment, PhaseMemory, PhaseSpeed


def worse(kind="single", n=300, share=0.1):
    """Scores of which a share more is wrong than in a cell as it is made."""
    of = documents("test", n, kind)
    values = scores(of, 0.2, seed=7)
    right = np.flatnonzero((values.argmax(axis=1)[:, None] == np.array([row[:1] for row in of.labels])).ravel())
    for row in right[: round(share * n)]:
        values[row] = values[row][::-1] if values[row].argmax() != values[row][::-1].argmax() else 1 - values[row]
    return values


def words(verdict, check):
    return [found.words for cell in verdict.cells for found in cell.findings if found.check == check]


@pytest.mark.parametrize("kind", ["single", "multi"])
def test_the_same_answers_hold(gate, kind):
    gate.refer(Cell(kind=kind))
    verdict = gate.judge(Cell(kind=kind))
    assert verdict.open
    assert verdict.headline == "gate open: 1 of 1 cell holds"
    assert {found.outcome for found in verdict.cells[0].findings} == {"held"}


@pytest.mark.parametrize("kind", ["single", "multi"])
def test_a_fall_closes_and_a_rise_is_named(gate, kind):
    gate.refer(Cell(kind=kind))
    verdict = gate.judge(Cell(kind=kind, wrong=0.5))
    assert closing(verdict) == {"quality"}
    assert "micro_f1 fell from" in words(verdict, "quality")[0]
    better = gate.judge(Cell(kind=kind, wrong=0.0))
    assert better.open
    assert words(better, "quality")[0].startswith("better: micro_f1 rose")


def test_a_real_fall_within_the_margin_holds(gate):
    gate.refer(Cell(kind="single"))
    now = Cell(kind="single", test_scores=worse(share=0.05))
    assert closing(gate.judge(now)) == {"quality"}
    assert gate.judge(now, limits=Limits(margin=0.06)).open


def test_a_fall_by_chance_holds_and_says_what_could_have_been_seen(gate):
    gate.refer(Cell(kind="single"))
    verdict = gate.judge(Cell(kind="single", test_scores=worse(share=0.01)))
    assert verdict.open
    assert "300 test documents show falls of" in words(verdict, "quality")[0]


def test_another_metric_can_be_asked_for_and_must_exist(gate):
    gate.refer(Cell())
    assert gate.judge(Cell(), limits=Limits(metric="ndcg@5")).cells[0].of("quality")[0].numbers["metric"] == "ndcg@5"
    with pytest.raises(UserError, match="did you mean 'ndcg@5'"):
        gate.judge(Cell(), limits=Limits(metric="ndgc@5"))


def test_a_metric_that_only_some_cells_have_is_noted_of_the_others(gate):
    """Such as one of a hierarchy; it is no unknown one."""
    deep = {"metrics": {"micro_f1": 0.8, "hierarchical_f1": 0.8}}
    gate.refer(Cell(method="deep", changes=deep), Cell(method="flat"))
    now = Cell(method="deep", changes=deep), Cell(method="flat")
    verdict = gate.judge(*now, limits=Limits(metric="hierarchical_f1"))
    assert words(verdict, "quality") == ["same answers", "hierarchical_f1 is undefined in the reference"]


def test_a_metric_that_lost_its_value_closes(gate):
    gate.refer(Cell(kind="single"))
    emitted = [row[:1] for row in documents("test", 300, "single").labels]
    verdict = gate.judge(Cell(kind="single", emitted=emitted), limits=Limits(metric="ndcg@5"))
    assert closing(verdict) == {"quality", "threshold"}
    assert words(verdict, "quality")[0].endswith("is undefined now")
    assert words(verdict, "threshold") == ["label sets were made by argmax, now by emitted"]


def test_other_test_documents_close_whatever_the_figures(gate):
    gate.refer(Cell())
    verdict = gate.judge(Cell(data_seed=2))
    assert closing(verdict) == {"documents"}
    assert words(verdict, "documents")[0].startswith("test documents or labels changed: ")
    fewer = gate.judge(Cell(n_test=290))
    assert "10 of 300 test documents are gone, 0 are new" in words(fewer, "documents")[0]


def test_thresholds_chosen_on_test_documents_close(gate):
    gate.refer(Cell())
    verdict = gate.judge(Cell(choose_on="test"))
    assert "threshold" in closing(verdict)
    assert "not chosen on its validation documents: global-threshold" in words(verdict, "threshold")[0]


def test_test_documents_that_pose_as_validation_close(gate):
    """Rule and stored predictions agree, but they are of test documents."""
    gate.refer(Cell())
    verdict = gate.judge(Cell(choose_on="test", stored_validation="test"))
    assert "documents" in closing(verdict)
    assert "validation documents or labels, on which thresholds are chosen, changed" in words(verdict, "documents")[0]
    assert "300 test documents are among those on which thresholds were chosen" in words(verdict, "documents")[1]


def test_figures_that_do_not_follow_from_the_predictions_close(gate):
    gate.refer(Cell())
    honest = gate.store("honest")
    metrics = Cell().put(honest).metrics
    verdict = gate.judge(Cell(changes={"metrics": metrics | {"macro_f1": 0.99}}))
    assert closing(verdict) == {"record"}
    assert "macro_f1 is recorded as 0.9900" in words(verdict, "record")[0]


def test_predictions_of_another_run_close(gate):
    gate.refer(Cell())
    verdict = gate.judge(Cell(changes={"predictions": "0" * 32}))
    assert closing(verdict) == {"record"}


def test_metrics_that_are_computed_otherwise_close(gate, monkeypatch):
    """A fault in the metrics' code makes records and their check agree; the reference's own figures do not."""
    import bench.metrics.f1 as f1

    gate.refer(Cell())
    honest = f1.set_metrics
    monkeypatch.setattr(
        "bench.metrics.evaluate.set_metrics", lambda *given: {**honest(*given), "samples_f1": 1.0}, raising=True
    )
    verdict = gate.judge(Cell())
    assert closing(verdict) == {"record"}
    assert "of the reference's own predictions samples_f1" in words(verdict, "record")[0]


def test_a_layer_that_is_no_longer_trained_closes(gate):
    gate.refer(Cell())
    facts = {"device": "cpu", "parameters": {"total": 100, "trainable": 8}}
    verdict = gate.judge(Cell(changes={"facts": facts}))
    assert closing(verdict) == {"parameters"}
    assert words(verdict, "parameters") == ["the network's parameters changed: trainable 10 → 8"]


def alone(strays):
    facts = {"documents": 50, "changed_share": 0.04, "greatest_difference": 2.0, "spread": 1.0, "strays": strays}
    return {"facts": {"device": "cpu", "alone": facts}}


def test_answers_that_begin_to_depend_on_the_batch_close(gate):
    gate.refer(Cell(changes=alone(strays=False)))
    assert gate.judge(Cell(changes=alone(strays=False))).open
    verdict = gate.judge(Cell(changes=alone(strays=True)))
    assert closing(verdict) == {"batching"}
    assert "4 % of 50 get another answer, scores move by up to 2" in words(verdict, "batching")[0]
    gate.refer(Cell(changes=alone(strays=True)))
    assert gate.judge(Cell(changes=alone(strays=True))).open


def test_missing_failed_and_unavailable_cells_close_with_reason_and_remedy(gate):
    gate.refer(Cell(method="gone"), Cell(method="failed"), Cell(method="blocked"), Cell(method="set"))
    failed = {"status": "oom", "reason": "memory ran out", "metrics": {}}
    blocked = {"status": "unavailable", "reason": "no model here", "remedy": "bench prepare m", "slot": "absent"}
    verdict = gate.judge(
        Cell(method="failed", changes=failed),
        Cell(method="blocked", changes=blocked),
        Cell(method="set", settings={"rank": 8}),
    )
    found = {cell.name.split(",")[0]: cell.findings[0] for cell in verdict.cells}
    assert verdict.headline == "gate CLOSED: 4 of 4 cells do not hold (4 missing or failed)"
    assert found["gone"].words == "missing: not among the results"
    assert found["failed"].words == "oom: memory ran out"
    assert (found["blocked"].words, found["blocked"].remedy) == ("unavailable: no model here", "bench prepare m")
    assert found["set"].words == "missing: it runs with other settings now: rank unset → 8"
    assert all(finding.remedy for finding in found.values())


def test_new_cells_are_named_and_do_not_close(gate):
    gate.refer(Cell())
    verdict = gate.judge(Cell(), Cell(method="newcomer"))
    assert verdict.open
    assert list(verdict.new) == ["made-up × newcomer, seed 0"]


def test_unreadable_predictions_close(gate):
    gate.refer(Cell())
    store = gate.store("now")
    record = Cell().put(store)
    (store.folder(record.cell) / "predictions.parquet").write_bytes(b"no parquet")
    from bench.gate.verdict import judge

    assert closing(judge(gate.file, [record], store, Limits())) == {"record"}


def memory(train):
    return {"peak_mib": {"train": PhaseMemory(host=train), "predict": PhaseMemory(host=900.0)}}


def speed(seconds, processor, documents=1000):
    train = PhaseSpeed(documents=documents, seconds=seconds, processor_seconds=processor)
    return {"speed": {"train": train, "predict": PhaseSpeed(documents=1000, seconds=10.0, processor_seconds=15.0)}}


def test_memory_that_grew_closes(gate):
    gate.refer(Cell())
    assert gate.judge(Cell(changes=memory(1090.0))).open
    verdict = gate.judge(Cell(changes=memory(1300.0)))
    assert closing(verdict) == {"memory"}
    assert words(verdict, "memory")[0] == "train: host peak 1,000 → 1,300 MiB (+30 %; +10 % allowed)"
    assert gate.judge(Cell(changes=memory(1300.0)), limits=Limits(memory=0.5)).open


def test_small_growth_of_a_small_peak_holds(gate):
    """Sixty MiB of an allocator's mood are much of a small process."""
    gate.refer(Cell(changes=memory(100.0)))
    assert gate.judge(Cell(changes=memory(150.0))).open


def test_slower_code_closes_and_a_busy_machine_is_noted(gate):
    gate.refer(Cell())
    assert closing(gate.judge(Cell(changes=speed(20.0, 30.0)))) == {"speed"}
    busy = gate.judge(Cell(changes=speed(40.0, 16.0)))
    assert busy.open
    assert "others used the machine" in words(busy, "speed")[0]
    crowded = gate.judge(Cell(changes=speed(40.0, 30.0)))
    assert crowded.open
    assert "the cell had 0.75 processors of time, 1.5 then" in words(crowded, "speed")[0]
    assert gate.judge(Cell(changes=speed(12.0, 18.0))).open


def test_on_a_device_the_clock_alone_judges(gate):
    facts = {"facts": {"device": "cuda"}, "environment": Environment(hardware_id="cuda, 1x H", threads=2)}
    peaks = {"peak_mib": {phase: PhaseMemory(reserved=5000.0) for phase in ("train", "predict")}}
    gate.refer(Cell(changes=facts | peaks))
    assert closing(gate.judge(Cell(changes=facts | peaks | speed(20.0, 15.0)))) == {"speed"}


def test_windows_that_are_too_short_and_what_is_unknown_are_noted(gate):
    gate.refer(Cell(changes=speed(0.2, 0.2)))
    short = gate.judge(Cell(changes=speed(0.9, 0.9)))
    assert short.open
    assert words(short, "speed")[0] == "measured over less than 1 s, too short to judge"
    unknown = gate.judge(Cell(changes={"speed": {}, "peak_mib": {}}))
    assert unknown.open
    assert "speed not known" in words(unknown, "speed")[0]
    assert "host peak not known" in words(unknown, "memory")[0]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"hardware_id": "cuda, other"}, "other hardware (cpu, 2 cores, abc; now cuda, other)"),
        ({"threads": 4}, "threads were 2, now 4"),
        ({"jobs": 2}, "jobs were 1, now 2"),
    ],
)
def test_on_other_hardware_cost_is_not_compared(gate, changed, said):
    gate.refer(Cell())
    there = Environment(hardware_id="cpu, 2 cores, abc", threads=2, jobs=1, packages={"numpy": "2"})
    environment = there.model_copy(update=changed)
    verdict = gate.judge(Cell(changes=memory(9000.0) | speed(90.0, 90.0) | {"environment": environment}))
    assert verdict.open
    assert words(verdict, "memory") == words(verdict, "speed") == [f"not comparable: {said}"]


def test_other_packages_are_noted(gate):
    gate.refer(Cell())
    other = Environment(hardware_id="cpu, 2 cores, abc", threads=2, packages={"numpy": "3"})
    assert list(gate.judge(Cell(changes={"environment": other})).notes) == [
        "other packages than in the reference: numpy 2 → 3"
    ]


def test_a_figure_that_cannot_be_computed_again_closes_although_answers_are_the_same(gate):
    gate.refer(Cell(changes={"metrics": {"micro_f1": 0.8, "hierarchical_f1": 0.8}}))
    limits = Limits(metric="hierarchical_f1")
    fallen = gate.judge(Cell(changes={"metrics": {"micro_f1": 0.8, "hierarchical_f1": 0.5}}), limits=limits)
    assert "quality" in closing(fallen)
    assert words(fallen, "quality") == [
        "hierarchical_f1 fell from 0.8000 to 0.5000 (−0.3000; no test: answers are the same)"
    ]


def test_what_is_judged_by_the_margin_alone_is_noted(gate):
    gate.refer(Cell(changes={"metrics": {"micro_f1": 0.8, "hierarchical_f1": 0.8}}))
    now = Cell(wrong=0.5, changes={"metrics": {"micro_f1": 0.8, "hierarchical_f1": 0.795}})
    (found,) = gate.judge(now, limits=Limits(metric="hierarchical_f1")).cells[0].of("quality")
    assert found.outcome == "noted"
    assert "judged by the margin alone: hierarchical_f1 needs the hierarchy" in found.words


def test_a_window_without_documents_has_no_speed(gate):
    gate.refer(Cell(changes=speed(20.0, 20.0, documents=0)))
    verdict = gate.judge(Cell())
    assert verdict.open
    assert "train: speed not known" in words(verdict, "speed")


def test_facts_that_are_no_longer_known_are_noted(gate):
    facts = alone(strays=False)["facts"] | {"parameters": {"total": 100}}
    gate.refer(Cell(changes={"facts": facts}))
    verdict = gate.judge(Cell(changes={"facts": {"device": "cpu"}}))
    assert verdict.open
    assert words(verdict, "batching") == ["whether documents get the same answers alone is not known now"]
    assert words(verdict, "parameters") == ["the network's parameters are not known now"]


def test_a_missing_cell_is_not_taken_for_another_of_the_reference(gate):
    gate.refer(Cell(settings={"rank": 8}), Cell(settings={"rank": 16}))
    assert words(gate.judge(Cell(settings={"rank": 8})), "cell") == ["missing: not among the results"]


def stands_for(store, record):
    """Note that the last run meant this record's cell."""
    store.save_plan([{"slot": record.slot, "cell": record.cell, "identity": {}}])


def test_results_that_the_last_run_did_not_mean_are_not_judged(gate):
    """Of code that was taken back, say, or of a time when the model was there."""
    store = gate.store("runs")
    first = Cell().put(store)
    later = first.model_copy(update={"cell": "later", "finished_at": "2026-02-01T00:00:00.000+00:00"})
    store.put(later)
    absent = first.model_copy(update={"cell": "absent", "status": "unavailable", "metrics": {}})
    store.put(absent)
    assert _records(store.root) == [later]
    for record in (first, absent):
        stands_for(store, record)
        assert _records(store.root) == [record]
    store.save_plan([{"slot": first.slot, "cell": "not run yet", "identity": {}}])
    with pytest.raises(UserError, match="nothing to compare"):
        _records(store.root)
