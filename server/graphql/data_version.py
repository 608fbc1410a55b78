"""The `dataVersion` field: the least that can be asked, for whoever wants to know when to ask again."""

from typing import Any

import strawberry
from strawberry import Info

from server.graphql.context import Context
from server.graphql.fields import Inputs, RootField
from server.graphql.scalars import BigInt


def _data_version(inputs: Inputs) -> Any:
    return strawberry.field(
        resolver=_read, description="Grows with every change of the data. From memory; nothing is read for it."
    )


def _read(info: Info[Context, None]) -> BigInt:
    return BigInt(info.context.store.data_version())


DATA_VERSION = RootField("dataVersion", _data_version)
