"""Both ways from a question to its data: the fast path, and graphql-core's own, which is called plain.

The fast path resolves root fields by their own resolvers, one after the other, and completes each by its compiled
builder. Where one raises or cannot be written, graphql-core's executor takes over at that very field: what is built
stays, what is resolved is not resolved again, and the fields after it are the executor's. So the errors, what they make
null and their order are graphql-core's, and no statement runs twice.
"""

from collections.abc import Mapping
from typing import Any

from graphql import ExecutionResult, GraphQLObjectType, GraphQLSchema, execute_sync
from graphql.execution.collect_fields import FieldDetails
from graphql.execution.executor_throwing_on_incremental import ExecutorThrowingOnIncremental
from graphql.pyutils import Path

from server.graphql.context import Context
from server.graphql.operations import Question, RootCall, never
from server.graphql.together import ask_together


def execute_plain(schema: GraphQLSchema, question: Question, context: Context | None) -> ExecutionResult:
    """By graphql-core alone."""
    return execute_sync(
        schema,
        question.document,
        context_value=context,
        variable_values=question.given,
        operation_name=question.name,
    )


def execute(schema: GraphQLSchema, question: Question, context: Context) -> ExecutionResult:
    """By the fast path as far as it goes."""
    if question.calls is None:
        return execute_plain(schema, question, context)
    if len(question.told_ahead) > 1:
        ask_together(context, question.told_ahead)
    data: dict[str, Any] = {}
    for call in question.calls:
        if isinstance(call, str):
            data[call] = "Query"
            continue
        value = _resolved(call, context)
        if isinstance(value, Exception) or not _is_built(call, value, data):
            return _taken_over(schema, question, context, data, call.field.key, value)
    return ExecutionResult(data, None)


def _resolved(call: RootCall, context: Context) -> Any:
    """What the resolver returns; an error as a value, which graphql-core takes for one that was raised."""
    resolve = call.field.definition.resolve
    assert resolve is not None
    try:
        return resolve(None, call.info_with(context), **call.arguments)
    except Exception as error:  # noqa: BLE001 - as graphql-core does: whatever a resolver raises becomes an error of its field
        return error


def _is_built(call: RootCall, value: Any, data: dict[str, Any]) -> bool:
    try:
        data[call.field.key] = call.field.builder.build(value, call.calls)
    except Exception:  # noqa: BLE001 - whatever it is, the plain path comes to the same value and says what is wrong with it
        return False
    return True


def _taken_over(
    schema: GraphQLSchema, question: Question, context: Context, built: dict[str, Any], at: str, value: Any
) -> ExecutionResult:
    executor = _Resumed.build(
        schema,
        question.document,
        context_value=context,
        raw_variable_values=question.given,
        operation_name=question.name,
        is_awaitable=never,
        is_async_iterable=never,
    )
    assert isinstance(executor, _Resumed), executor  # the variables were read before
    executor.built, executor.at, executor.found = built, at, value
    result = executor.execute_operation()
    assert isinstance(result, ExecutionResult), result
    return result


class _Resumed(ExecutorThrowingOnIncremental):
    """graphql-core's executor, which begins where the fast path has stopped."""

    built: Mapping[str, Any]
    at: str
    found: Any
    """What the field `at` was resolved to, or the error that it was resolved with."""

    def execute_field(
        self,
        parent_type: GraphQLObjectType,
        source: Any,
        field_details_list: list[FieldDetails],
        path: Path,
        position_context: None,
    ) -> Any:
        if path.prev is None and path.key in self.built:
            return self.built[str(path.key)]
        if path.prev is None and path.key == self.at:
            return self._complete(parent_type, field_details_list, path)
        return super().execute_field(parent_type, source, field_details_list, path, position_context)

    def _complete(self, parent_type: GraphQLObjectType, details: list[FieldDetails], path: Path) -> Any:
        """As `execute_field` does once a field is resolved."""
        definition = self.schema.get_field(parent_type, details[0].node.name.value)
        assert definition is not None
        info = self.build_resolve_info(definition, [detail.node for detail in details], parent_type, path)
        try:
            return self.complete_value(definition.type, details, info, path, self.found, None)
        except Exception as error:  # noqa: BLE001 - becomes an error of the field, as everywhere in graphql-core
            self.handle_field_error(error, definition.type, details, path)
            return None
