"""A task whose test documents must not be looked at, and methods that are the better the nearer a setting is to 0.3."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from bench.method import Method
from bench.prediction import Scores
from bench.settings import Settings
from bench.spaces import AnyOf, Around, Within
from bench.task import Documents, LabelSpace, Task, TaskData


class Secret(Task):
    """The label is the word; documents of the test split say that they are."""

    name = "secret"

    def load(self):
        def split(name, n, mark=""):
            labels = [[i % 3] for i in range(n)]
            return Documents(
                [f"{name}{i}" for i in range(n)], [f"w{row[0]} {name}{i}{mark}" for i, row in enumerate(labels)], labels
            )

        return TaskData(
            split("a", 30), split("b", 200), split("c", 200, " secret"), LabelSpace(("x", "y", "z")), "single"
        )


class HillSettings(Settings):
    """Settings of the hill."""

    x: Annotated[float, Within(0.0, 1.0)] = Field(0.9, description="best at 0.3")
    idle: int = Field(1, description="nothing depends on it")


class Hill(Method):
    """Gives a share of |x - 0.3| of the documents a wrong label."""

    name = "hill"
    Config = HillSettings

    @property
    def x(self):
        return self.config.x

    def fit(self, train, validation, labels, context):
        pass

    def predict(self, texts, context):
        import numpy as np

        if context.scratch and any("secret" in text for text in texts):
            context.note(saw_test=True)
        values = np.zeros((len(texts), 3), np.float32)
        for i, text in enumerate(texts):
            wrong = i % 100 < 100 * abs(self.x - 0.3)
            values[i, (int(text[1]) + wrong) % 3] = 1
        return Scores(values)


class SlopeSettings(Settings):
    """Settings of the slope."""

    rate: Annotated[float, Around(10)] = Field(0.03, gt=0, description="best at 0.3")
    way: Annotated[Literal["up", "down"], AnyOf("up", "down")] = Field("up", description="down is worse")


class Slope(Hill):
    """As the hill, with other settings."""

    name = "slope"
    Config = SlopeSettings

    @property
    def x(self):
        return self.config.rate if self.config.way == "up" else 1.0


class BrittleSettings(Settings):
    """Settings of the brittle one."""

    steps: Annotated[int, Within(1, 8)] = Field(4, description="best at 3; an odd number above that breaks it")

    @model_validator(mode="after")
    def _not_six(self):
        if self.steps == 6:
            raise ValueError("six is refused")
        return self


class Brittle(Hill):
    """Some of its settings fail, and one is refused."""

    name = "brittle"
    Config = BrittleSettings

    @property
    def x(self):
        return self.config.steps / 10

    def fit(self, train, validation, labels, context):
        if self.config.steps in {5, 7}:
            raise RuntimeError("it broke")


class Rigid(Hill):
    """Nothing to search for."""

    name = "rigid"
    Config = Settings
    x = 0.5
