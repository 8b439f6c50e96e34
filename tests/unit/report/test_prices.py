"""Money by the user's prices, and none without."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.errors import UserError
from bench.record import PhaseEnergy
from report.page import build_report
from report.prices import Price, Prices, energy_price, machine_price
from report.wishes import Wishes

if TYPE_CHECKING:
    from made_records import MakeRecord

    from bench.record import Record
    from report.tables import Cell, Table


def costs(records: list[Record], prices: Prices) -> Table:
    report = build_report(records, wishes=Wishes(prices=prices))
    return next(chapter for chapter in report.parts[0].chapters if chapter.key == "costs").tables[0]


def column(table: Table, key: str) -> list[Cell]:
    place = [one.key for one in table.columns].index(key)
    return [row[place] for row in table.rows]


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("2.50", Price(2.5)),
        ("2.50 EUR/h", Price(2.5, "EUR")),
        ("2€", Price(2.0, "€")),
        (" .5 USD / hour ", Price(0.5, "USD")),
    ],
)
def test_a_price_may_name_its_currency(text: str, price: Price) -> None:
    assert machine_price(text) == price


@pytest.mark.parametrize("text", ["", "free", "2.50 EUR/kWh", "-1", "1e400", "9" * 400, "2,50", "nan", "2.5\n<b>/h"])
def test_what_is_no_price_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(UserError, match="--price") as error:
        machine_price(text)
    assert "\n" not in str(error.value)


def test_a_price_of_energy_is_for_a_kwh() -> None:
    assert energy_price("0.30 EUR/kWh") == Price(0.3, "EUR")
    with pytest.raises(UserError, match="--energy-price"):
        energy_price("0.30 EUR/h")


def test_labelling_and_training_cost_what_the_machine_takes(record: MakeRecord) -> None:
    seconds = {"load": 100.0, "tokenise": 50.0, "train": 800.0, "validate": 50.0, "predict": 999.0}
    records = [record(method="a", speed=10.0, seconds=seconds), record(method="b", speed=1000.0, f1=0.2)]
    table = costs(records, Prices(hour=Price(3.6, "EUR")))
    # 3.60 an hour is 0.001 a second: 1,000 documents take 100 s, training 1,000 s.
    assert column(table, "labelling_cost")[0].value == pytest.approx(0.1)
    assert column(table, "training_cost")[0].value == pytest.approx(1.0)
    assert [one.title for one in table.columns if one.key == "labelling_cost"] == ["Labelling 1,000 docs, EUR"]


def test_an_unknown_speed_is_an_unknown_cost(record: MakeRecord) -> None:
    records = [record(method="a", speed=None), record(method="b", f1=0.2)]
    table = costs(records, Prices(hour=Price(1.0)))
    cell = column(table, "labelling_cost")[0]
    assert cell.value is None
    assert cell.marks


def test_without_a_price_there_is_no_money(record: MakeRecord) -> None:
    table = costs([record(method="a"), record(method="b", f1=0.2)], Prices())
    assert not {"labelling_cost", "training_cost", "energy_cost"} & {one.key for one in table.columns}


def test_energy_is_priced_where_it_was_measured(record: MakeRecord) -> None:
    measured = {"predict": PhaseEnergy(processor=3.6e6, devices=None, unknown={"devices": "no device"})}
    records = [record(method="a", energy_joules=measured), record(method="b", f1=0.2)]
    a, b = column(costs(records, Prices(energy=Price(0.3))), "energy_cost")
    assert a.value == pytest.approx(0.3 * 1000 / 2000)  # a kWh for 2,000 test documents
    assert b.value is None
    assert b.marks
