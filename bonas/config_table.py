"""What all tables of a configuration are made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=1)]
Fraction = Annotated[float, Field(ge=0, le=1)]


class Table(BaseModel):
    """A frozen table; a key that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)
