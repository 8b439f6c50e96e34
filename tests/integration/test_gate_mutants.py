"""Faults in the code close the gate; code as it is leaves it open. Cells are real ones of suite ci."""

import json

import pytest
from mutants import Fault, Tree

SHIFTED = Fault(
    "baselines/tfidf.py",
    "            train.label_matrix(len(labels)),\n",
    "            train.label_matrix(len(labels))[:, [*range(1, len(labels)), 0]],\n",
    ("-t", "synthetic-clv", "-m", "tfidf"),
)
ON_TEST = Fault(
    "bench/runner/outcome.py",
    "rules = judge.rules(data.validation, chosen_on)",
    "rules = judge.rules(documents, prediction)",
    ("-t", "synthetic-wipo", "-m", "tfidf"),
    frozenset({"threshold"}),
)
NETWORKS = {
    "labels-shifted": Fault(
        "bench/losses.py",
        "return torch.tensor([row[0] for row in labels])",
        "return torch.tensor([(row[0] + 1) % self.n_labels for row in labels])",
        ("-t", "synthetic-clv", "-m", "bert"),
    ),
    "loss-sign": Fault(
        "bench/losses.py",
        "            return functional.cross_entropy(\n",
        "            return -functional.cross_entropy(\n",
        ("-t", "synthetic-clv", "-m", "bert"),
    ),
    "pooling-on-padding": Fault(
        "bench/pooling.py",
        "last = (mask * positions).argmax(dim=1)",
        "last = positions[-1].expand(len(hidden))",
        ("-t", "synthetic-clv", "-m", "embedding-head"),
        frozenset({"quality", "batching"}),
    ),
    "answer-truncated": Fault(
        "bench/approaches/instruction_tuning.py",
        "rows = [[*prompt, *target] for",
        "rows = [[*prompt, *target][: self.config.max_tokens] for",
        ("-t", "synthetic-clv", "-m", "instruction-tuning"),
    ),
    "quantised-head": Fault(
        "bench/approaches/head_network.py",
        "        if bias:\n            nn.init.zeros_(self.head.bias)\n",
        "        if bias:\n            nn.init.zeros_(self.head.bias)\n"
        "        from bitsandbytes.functional import dequantize_4bit, quantize_4bit\n"
        "        few = dequantize_4bit(*quantize_4bit(self.head.weight.data, quant_type='nf4'))\n"
        "        self.head.weight = nn.Parameter(few, requires_grad=False)\n",
        ("-t", "synthetic-clv", "-m", "embedding-head"),
        frozenset({"quality", "parameters"}),
    ),
}


def checked(tree, reference, out):
    """Exit code of the gate, and the checks that closed it."""
    done = tree.call("check", reference, "--out", out, "--json")
    verdict = json.loads(done.out)
    found = [finding for cell in verdict["cells"] for finding in cell["findings"]]
    return done.code, {finding["check"] for finding in found if finding["outcome"] == "closed"}, verdict


def referred(tree, folder, name, words):
    """A reference of these cells, and where it lies."""
    reference, out = folder / f"{name}.json", folder / f"{name}-runs"
    ran = tree.call("run", "--suite", "ci", *words, "--out", out)
    assert ran.code == 0, ran.err
    assert tree.call("check", reference, "--out", out, "--update", "--reason", "as it is").code == 0
    return reference


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    return Tree.of(tmp_path_factory.mktemp("honest"))


@pytest.fixture(scope="module")
def reference_of(honest, tmp_path_factory):
    """The reference of some cells, made once."""
    folder, made = tmp_path_factory.mktemp("references"), {}

    def make(words):
        if words not in made:
            made[words] = referred(honest, folder, str(len(made)), words)
        return made[words]

    return make


def closes(fault, reference_of, folder):
    reference = reference_of(fault.cells)
    tree = Tree.of(folder / "mutant", fault)
    ran = tree.call("run", "--suite", "ci", *fault.cells, "--out", folder / "runs")
    assert ran.code == 0, ran.err
    code, checks, verdict = checked(tree, reference, folder / "runs")
    print(verdict["headline"], [f["words"] for c in verdict["cells"] for f in c["findings"] if f["words"]])  # noqa: T201
    return code == 1 and bool(checks & fault.checks)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(SHIFTED, id="labels-shifted"),
        pytest.param(ON_TEST, id="thresholds-on-test", marks=pytest.mark.slow),
    ],
)
def test_a_fault_closes_the_gate(fault, reference_of, tmp_path):
    assert closes(fault, reference_of, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("fault", NETWORKS.values(), ids=NETWORKS)
def test_a_fault_in_a_network_closes_the_gate(fault, reference_of, tmp_path):
    assert closes(fault, reference_of, tmp_path)


FEW = [f"--set={key}" for key in ("train_documents=80", "test_documents=300", "validation_documents=60")]


@pytest.mark.slow
def test_ten_unchanged_runs_leave_it_open(honest, tmp_path):
    """Every method of the suite, on few documents, each time afresh."""
    words = ("-t", "synthetic-clv", *FEW, "--set=bert.epochs=1", "--set=embedding-head.epochs=1")
    words = (*words, "--set=instruction-tuning.epochs=1")
    reference = referred(honest, tmp_path, "unchanged", words)
    for turn in range(10):
        out = tmp_path / f"again-{turn}"
        assert honest.call("run", "--suite", "ci", *words, "--out", out).code == 0
        code, checks, verdict = checked(honest, reference, out)
        print(verdict["headline"])  # noqa: T201
        assert (code, checks) == (0, set()), verdict
