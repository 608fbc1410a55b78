"""`filters:` are conditions with a name; `policies:` say which rows a caller sees."""

from semantic.catalog import NamedFilter, Policy
from semantic.errors import suggestion
from semantic.file.document import Value, check_keys
from semantic.file.draft import Draft
from semantic.file.names import is_mapping, is_name, roles_in, text_of
from semantic.model import Model


def read_filters(value: Value | None, draft: Draft) -> dict[str, NamedFilter]:
    found: dict[str, NamedFilter] = {}
    if value is None or not is_mapping(value, draft.mistakes, "from names of filters to {model: .., where: ..}"):
        return found
    for key, body in value.entries:
        model = _model(key, body, {"model", "where", "description"}, "where", "a filter", draft)
        where = body.get("where")
        described = text_of(body, "description", draft.mistakes)
        tree = draft.condition(where, {model.name: model} if model else {}) if where else None
        if model is not None and tree is not None:
            found[key.text] = NamedFilter(key.text, model.name, tree, described, key.mark)
    return found


def read_policies(value: Value | None, draft: Draft) -> dict[str, Policy]:
    found: dict[str, Policy] = {}
    if value is None or not is_mapping(value, draft.mistakes, "from names of policies to {model: .., rows: ..}"):
        return found
    for key, body in value.entries:
        model = _model(key, body, {"model", "rows", "unless"}, "rows", "a policy", draft)
        rows, unless = body.get("rows"), roles_in(body.get("unless"), draft.mistakes)
        models = {model.name: model} if model else {}
        tree = draft.condition(rows, models, of_a_policy=True) if rows else None
        if model is not None and tree is not None:
            found[key.text] = Policy(key.text, model.name, tree, unless, key.mark)
    return found


def _model(key: Value, body: Value, keys: set[str], condition: str, what: str, draft: Draft) -> Model | None:
    """The model that an entry is about; None, with the mistake noted, where the entry is none."""
    is_named = is_name(key, draft.mistakes, what)
    if not check_keys(body, keys, draft.mistakes, ("model", condition)):
        return None
    name = body.get("model")
    if name is None:
        return None
    if name.text not in draft.models:
        draft.mistakes.add(name, f"there is no model '{name.text}'; {suggestion(name.text, draft.models)}")
        return None
    return draft.models[name.text] if is_named else None
