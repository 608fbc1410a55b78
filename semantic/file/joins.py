"""`joins:` of a model: many of its rows to at most one row of another model, or of the version of it in force."""

from collections.abc import Mapping, Sequence

from semantic.errors import suggestion
from semantic.file.document import Mistakes, Value, check_keys
from semantic.file.names import TABLES_OF_A_STATEMENT, is_column, is_mapping, is_name, one_of
from semantic.model import Join, Model, Versions

JOIN_KEYS = {"to", "column", "columns", "kind", "as_of"}
KINDS = ("many_to_one", "one_to_one")


def read_joins(owner: Model, value: Value, models: Mapping[str, Model], mistakes: Mistakes) -> dict[str, Join]:
    joins: dict[str, Join] = {}
    if not is_mapping(value, mistakes, "from roles to models, such as {session: sessions}"):
        return joins
    for role, body in value.entries:
        if is_name(role, mistakes, "a role") and (body.is_scalar or check_keys(body, JOIN_KEYS, mistakes, ("to",))):
            join = _join(owner, role, body, models, mistakes)
            joins[role.text] = join or Join(role.text, "", ())  # so that names that go through it are not told, too
    return joins


def _join(owner: Model, role: Value, body: Value, models: Mapping[str, Model], mistakes: Mistakes) -> Join | None:
    target = body if body.is_scalar else body.get("to")
    if target is None:
        return None
    if role.text in TABLES_OF_A_STATEMENT:
        mistakes.add(role, f"'{role.text}' is reserved and cannot name a role")
        return None
    if role.text == owner.name:
        mistakes.add(role, f"'{owner.name}' cannot join under its own name; name the role that the other model plays")
        return None
    if target.text not in models:
        mistakes.add(target, f"there is no model '{target.text}'; {suggestion(target.text, models)}")
        return None
    kind = body.get("kind")
    is_one_to_one = kind is not None and one_of(kind, KINDS, mistakes, "kind") and kind.text == "one_to_one"
    as_of = body.get("as_of")
    versions = _versions(owner, as_of, mistakes) if as_of else None
    if as_of is not None and versions is None:
        return None
    columns = _columns(body, models[target.text], versions, target, mistakes)
    if columns is None:
        return None
    is_key = _is_key(columns, models[target.text], versions)
    if not is_key and not is_one_to_one:
        _tell_fan_out(columns, models[target.text], versions, body.get("columns") or target, mistakes)
        return None
    return Join(role.text, target.text, columns, versions, not is_key, role.mark)


def _columns(
    body: Value, target: Model, versions: Versions | None, place: Value, mistakes: Mistakes
) -> tuple[tuple[str, str], ...] | None:
    """Own columns with those of the target; the key of the target where the file names none."""
    column, columns = body.get("column"), body.get("columns")
    if column and columns:
        mistakes.add(column, "give either column: or columns:, not both")
        return None
    if columns is not None:
        if not is_mapping(columns, mistakes, "from own columns to those of the other model") or not columns.entries:
            if not columns.entries and columns.kind == "mapping":
                mistakes.add(columns, "a join pairs at least one column")
            return None
        pairs = [(mine, theirs) for mine, theirs in columns.entries]
        checked = [is_column(v, mistakes) for pair in pairs for v in pair]
        return tuple((mine.text, theirs.text) for mine, theirs in pairs) if all(checked) else None
    if column is not None and not is_column(column, mistakes):
        return None
    if not target.key:  # told where it is declared
        return None
    rest = [k for k in target.key if versions is None or k != versions.since]
    if len(rest) != 1:
        shown = ", ".join(f"{k}: {k}" for k in rest)
        mistakes.add(
            place,
            f"'{target.name}' has a key of {len(rest)} columns{' beside its versions' if versions else ''}; pair them, "
            f"own column first: columns: {{{shown}}}",
        )
        return None
    return ((column.text if column else rest[0], rest[0]),)


def _is_key(columns: Sequence[tuple[str, str]], target: Model, versions: Versions | None) -> bool:
    theirs = [*(pair[1] for pair in columns), *((versions.since,) if versions else ())]
    return len(theirs) == len(target.key) and set(theirs) == set(target.key)


def _tell_fan_out(
    columns: Sequence[tuple[str, str]], target: Model, versions: Versions | None, place: Value, mistakes: Mistakes
) -> None:
    paired = ", ".join([*(pair[1] for pair in columns), *((versions.since,) if versions else ())])
    mistakes.add(
        place,
        f"the join pairs {paired}, but the key of '{target.name}' is {', '.join(target.key)}: rows would repeat; pair "
        "the whole key, or say kind: one_to_one where these columns are unique, too",
    )


def _versions(owner: Model, value: Value, mistakes: Mistakes) -> Versions | None:
    if not value.is_scalar and not check_keys(value, {"from", "until", "at"}, mistakes, ("from",)):
        return None
    since = value if value.is_scalar else value.get("from")
    until, at = value.get("until"), value.get("at")
    given = [v for v in (since, until, at) if v is not None]
    if since is None or [v for v in given if not is_column(v, mistakes)]:
        return None
    if at is None and owner.time is None:
        mistakes.add(value, f"the model '{owner.name}' has no time; say which column is the moment: at: COLUMN")
        return None
    return Versions(since.text, until.text if until else None, at.text if at else None)
