"""The promises of a method."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from bench.method import Method, Support
from bench.prediction import LabelSets, Scores, TopScores
from bench.task import Kind, TaskData
from bench.verification.answers import (
    TOLERANCE,
    best_constant_f1,
    decided,
    differing,
    gathered,
    micro_f1,
    reordered,
)
from bench.verification.data import ODD_TEXTS, documents_of, with_unlabelled, with_unseen_label
from bench.verification.findings import Advice, Check, Fault, NotApplicable, VerdictError
from bench.verification.method_lab import KINDS, THREADS, MethodLab, Trial, predicted, profile
from bench.verification.predictions import (
    Asked,
    check_class,
    check_finite,
    check_prediction,
    check_sets,
    check_shape,
)
from bench.verification.shared_checks import IMPORTS, SETTINGS, SHARED

_AVAILABLE = "its libraries are here"
_SUPPORTS = "says which tasks it can learn"
_FITS = "learns and labels small documents"
_SHAPE = "labels every document"
_FINITE = "returns finite scores"
_SETS = "returns sets of known labels"
_READABLE = (_FITS, _SHAPE, _FINITE, _SETS)


def has_libraries(lab: MethodLab) -> None:
    """What is not installed cannot be looked at."""
    answer = lab.fresh().availability()
    if not answer.ok:
        raise Fault(f"unavailable: {answer.reason}", f"run: {answer.remedy}")


def answers_supports(lab: MethodLab) -> None:
    """``supports`` returns a :class:`Support` for both kinds, with a reason where it says no, and yes at least once."""
    for kind in KINDS:
        answer = lab.fresh().supports(profile(documents_of(kind)))
        if not isinstance(answer, Support):
            raise Fault(f"supports returned {answer!r} for a {kind}-label task", "return bench.method.Support(…)")
        if not answer.ok and not answer.reason.strip():
            raise Fault(f"supports refuses {kind}-label tasks without a reason", "return Support(False, 'why not')")
    if not lab.kinds:
        raise Fault("supports refuses every task of a few labels", "return Support() for what it can learn")


def learns_kind(kind: Kind) -> Check[MethodLab]:
    """Which kinds are looked at below."""

    def look(lab: MethodLab) -> None:
        if kind not in lab.kinds:
            raise NotApplicable(f"it says: {lab.fresh().supports(profile(documents_of(kind))).reason}")

    return Check(f"supports {kind}-label tasks", look, needs=(_SUPPORTS,))


def fits_and_predicts(lab: MethodLab) -> None:
    """``fit`` and ``predict`` come to an end and return a prediction."""
    for trial, asked in _asked(lab):
        check_class(trial.prediction, asked)


def labels_every_document(lab: MethodLab) -> None:
    """One row a document, in scores one column a label."""
    for trial, asked in _asked(lab):
        check_shape(trial.prediction, asked)


def scores_are_float32(lab: MethodLab) -> None:
    """Scores take no more memory than the contract says, and compare the same everywhere."""
    for scores in _scores(lab):
        if str(scores.values.dtype) != "float32":
            raise Fault(f"scores are {scores.values.dtype}", "make them float32: values.astype(numpy.float32)")


def scores_are_finite(lab: MethodLab) -> None:
    """No score is NaN or infinite."""
    _scores(lab)
    for trial, asked in _asked(lab):
        check_finite(trial.prediction, asked)


def sets_are_in_range(lab: MethodLab) -> None:
    """Bare sets hold known labels, each once, and one at most where a document has one."""
    if not any(isinstance(trial.prediction, LabelSets) for _, trial in lab.trials()):
        raise NotApplicable("it returns scores")
    for trial, asked in _asked(lab):
        check_sets(trial.prediction, asked)


def repeats_itself(lab: MethodLab) -> None:
    """A fresh instance with the same seed gives the same bits."""
    reason = lab.fresh().varies()
    if reason:
        raise Advice(f"it says that two fits with the same seed may differ: {reason}", "judge it by several seeds")
    for kind, trial in lab.trials():
        again = lab.fitted(documents_of(kind)).prediction
        check_prediction(again, trial.asked(f"{kind}-label documents fitted once more", trial.data.test.texts))
        wrong = differing(trial.prediction, again)
        if wrong:
            raise Fault(
                f"two fits with the same seed label {len(wrong)} of {len(trial.data.test)} {kind}-label documents "
                "differently",
                "draw every random number from a generator seeded with context.seeds.of('…')",
            )


def labels_each_document_alone(lab: MethodLab) -> None:
    """What a document gets does not depend on the documents beside it, nor on their order."""
    for kind, trial in lab.trials():
        texts, count = list(trial.data.test.texts), len(trial.data.test)
        backwards = list(range(count))[::-1]
        turned = trial.predict(f"{kind}-label documents in another order", [texts[i] for i in backwards])
        if wrong := differing(reordered(turned, backwards), trial.prediction, TOLERANCE):
            raise Fault(
                f"in another order {len(wrong)} of {count} {kind}-label documents get other predictions",
                "let predict depend on each text alone, return rows in the order of texts, and change nothing in it",
            )
        alone = gathered([trial.predict(f"a {kind}-label document by itself", [text]) for text in texts])
        if wrong := differing(alone, trial.prediction, TOLERANCE):
            raise Fault(
                f"labelled one by one, {len(wrong)} of {count} {kind}-label documents get other predictions",
                "let predict depend on each text alone: no statistics over the batch, padding masked out",
            )


def leaves_inputs_alone(lab: MethodLab) -> None:
    """Documents are shared with the harness, which measures on them afterwards."""
    for _, trial in lab.trials():
        if trial.changed:
            raise Fault(f"it changed {', '.join(trial.changed)}", "work on copies: list(train.texts)")


def reads_odd_texts(lab: MethodLab) -> None:
    """Whatever text a document holds, it gets a prediction."""
    for _, trial in lab.trials():
        for what, text in ODD_TEXTS.items():
            try:
                trial.predict(what, [text])
            except VerdictError:
                raise
            except Exception as error:
                error.add_note(f"while labelling {what}")
                raise Fault(
                    f"predict raised {type(error).__name__} for {what}: {error}", "label it all the same"
                ) from error


def bears_unseen_labels(lab: MethodLab) -> None:
    """A label that no training document has is a label all the same: small samples and long tails have them."""
    for kind in lab.kinds:
        _bears(lab, with_unseen_label(documents_of(kind)), "documents with a label that no training document has")


def bears_unlabelled_documents(lab: MethodLab) -> None:
    """Documents of multi-label tasks may have no label."""
    if "multi" not in lab.kinds:
        raise NotApplicable("only documents of multi-label tasks can be without labels")
    _bears(lab, with_unlabelled(documents_of("multi")), "documents of which some have no label")


def saves_and_loads(lab: MethodLab) -> None:
    """What was saved predicts the same in a fresh instance, wherever the folder is moved to."""
    if lab.type.save is Method.save:
        raise NotApplicable("it defines no save, so that what it learnt cannot be kept")
    if lab.type.load is Method.load:
        raise Fault("it defines save and no load", "write load, which reads what save wrote")
    for kind, trial in lab.trials():
        before, after = lab.folder / f"saved-{kind}", lab.folder / f"moved-{kind}"
        before.mkdir()
        with lab.working():
            trial.method.save(before)
        before.rename(after)
        context = lab.context(trial.data)
        with lab.working():
            fresh: Method = lab.fresh()
            fresh.load(after, trial.data.labels, context)
            prediction = predicted(fresh, list(trial.data.test.texts), context)
        check_prediction(prediction, trial.asked(f"{kind}-label documents after save and load", trial.data.test.texts))
        if wrong := differing(prediction, trial.prediction, TOLERANCE):
            raise Fault(
                f"after save and load {len(wrong)} of {len(trial.data.test)} {kind}-label documents get other "
                "predictions",
                "write everything that predict reads in save, and read all of it in load",
            )


def keeps_to_its_threads(lab: MethodLab) -> None:
    """A method that takes more threads than it was given disturbs what runs beside it, and its own measurement."""
    list(lab.trials())
    if lab.threads:
        found = ", ".join(f"{name} {threads}" for name, threads in lab.threads.items())
        raise Fault(
            f"given {THREADS} thread, it set: {found}",
            "leave the libraries' numbers of threads alone, or set them to context.threads",
        )


def keeps_to_its_scratch(lab: MethodLab) -> None:
    """Files go into ``context.scratch``, which is removed afterwards."""
    list(lab.trials())
    found = sorted(str(path.relative_to(lab.here)) for path in lab.here.rglob("*"))
    if found:
        raise Fault(
            f"it wrote {', '.join(found[:3])} into the current folder",
            f"write below context.scratch: {_scratch(found)}",
        )


def notes_json(lab: MethodLab) -> None:
    """What it notes goes into a record, which is JSON."""
    for _, trial in lab.trials():
        facts = getattr(trial.context.instruments, "facts", {})
        for name, value in facts.items():
            try:
                json.dumps(value, allow_nan=False)
            except (TypeError, ValueError) as error:
                raise Fault(f"context.note({name}={value!r:.60}): {error}", "note plain Python values") from error


def learns(lab: MethodLab) -> None:
    """Sixteen documents that anyone can tell apart get their own labels, better than halfway from chance to perfect."""
    advice: list[Advice] = []
    for kind, trial in lab.trials():
        try:
            _learns(kind, trial)
        except Advice as found:  # a fault with the other kind of documents matters more
            advice.append(found)
    if advice:
        raise advice[0]


METHOD_CHECKS: tuple[Check[MethodLab], ...] = (
    *SHARED,
    Check(_AVAILABLE, has_libraries, at="availability", needs=(IMPORTS, SETTINGS)),
    Check(_SUPPORTS, answers_supports, at="supports", needs=(IMPORTS, SETTINGS)),
    *(learns_kind(kind) for kind in KINDS),
    Check(_FITS, fits_and_predicts, at="predict", needs=(IMPORTS, SETTINGS, _AVAILABLE, _SUPPORTS)),
    Check(_SHAPE, labels_every_document, at="predict", needs=(_FITS,)),
    Check("returns float32 scores", scores_are_float32, at="predict", needs=(_FITS,)),
    Check(_FINITE, scores_are_finite, at="predict", needs=(_FITS,)),
    Check(_SETS, sets_are_in_range, at="predict", needs=(_FITS, _SHAPE)),
    Check("gives the same predictions for the same seed", repeats_itself, at="fit", needs=_READABLE),
    Check("labels each document by itself", labels_each_document_alone, at="predict", needs=_READABLE),
    Check("leaves its inputs as they are", leaves_inputs_alone, at="fit", needs=(_FITS,)),
    Check("labels odd texts", reads_odd_texts, at="predict", needs=_READABLE),
    Check("bears labels without training documents", bears_unseen_labels, at="fit", needs=_READABLE),
    Check("bears documents without labels", bears_unlabelled_documents, at="fit", needs=_READABLE),
    Check("predicts the same after save and load", saves_and_loads, at="save", needs=_READABLE),
    Check("notes plain values", notes_json, at="fit", needs=(_FITS,)),
    Check("learns what anyone can tell apart", learns, at="fit", needs=_READABLE),
    Check("keeps to its threads", keeps_to_its_threads, at="fit", needs=(_FITS,)),
    Check("writes only into its scratch folder", keeps_to_its_scratch, at="fit", needs=(_FITS,)),
)
"""In the order in which they are looked at: the cheap and the telling first, what all of them leave behind last."""


def _asked(lab: MethodLab) -> Iterator[tuple[Trial, Asked]]:
    """Each trial with what its prediction of the test documents should be."""
    for kind, trial in lab.trials():
        yield trial, trial.asked(f"{kind}-label documents", trial.data.test.texts)


def _scores(lab: MethodLab) -> list[Scores | TopScores]:
    found = [trial.prediction for _, trial in lab.trials() if isinstance(trial.prediction, Scores | TopScores)]
    if not found:
        raise NotApplicable("it returns bare label sets")
    return found


def _bears(lab: MethodLab, data: TaskData, what: str) -> None:
    trial = lab.fitted(data)
    check_prediction(trial.prediction, trial.asked(what, data.test.texts))


def _learns(kind: Kind, trial: Trial) -> None:
    train, n_labels = trial.data.train, len(trial.data.labels)
    prediction = trial.predict(f"the {kind}-label documents that it learned from", list(train.texts))
    if not differing(prediction, reordered(prediction, [0] * len(train))):
        raise Advice(
            "every document gets the same prediction, whatever it says",
            "right for a floor, which guesses from frequencies alone; anything else has to look at the texts",
        )
    gold = train.label_matrix(n_labels)
    reached, chance = micro_f1(gold, decided(prediction, train, kind, n_labels)), best_constant_f1(gold, kind)
    if reached < (1 + chance) / 2:
        raise Fault(
            f"after fitting sixteen {kind}-label documents its micro-F1 on them is {reached:.2f}; one answer for "
            f"all of them reaches {chance:.2f}",
            "look for labels that are mixed up, or give more epochs or a larger learning rate with --set",
        )


def _scratch(names: list[str]) -> str:
    return f"context.scratch / {Path(names[0]).name!r}"
