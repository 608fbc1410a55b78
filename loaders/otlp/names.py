"""By which attributes who says what: the names of today, and those that instrumentations wrote before or still write.

The conventions are in development and rename things; an alias here is all that an old sender needs. The first name that
is there counts.
"""

from itertools import chain

OPERATION = ("gen_ai.operation.name", "llm.request.type", "openinference.span.kind")
PROVIDER = ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system")
REQUEST_MODEL = ("gen_ai.request.model", "llm.request.model", "llm.model_name")
RESPONSE_MODEL = ("gen_ai.response.model", "llm.response.model")
RESPONSE_ID = ("gen_ai.response.id",)
SESSION = ("gen_ai.conversation.id", "session.id", "langfuse.session.id", "conversation.id")
AGENT = ("gen_ai.agent.name", "gen_ai.agent.id")
ERROR = ("error.type",)
FAILURE = (*ERROR, "openclaw.errorCategory")
HTTP_STATUS = ("http.response.status_code", "http.status_code")
TIER = ("openai.response.service_tier", "gen_ai.openai.response.service_tier")

INPUT = (
    "gen_ai.usage.input_tokens",
    "gen_ai.usage.prompt_tokens",
    "llm.usage.prompt_tokens",
    "llm.token_count.prompt",
)
OUTPUT = (
    "gen_ai.usage.output_tokens",
    "gen_ai.usage.completion_tokens",
    "llm.usage.completion_tokens",
    "llm.token_count.completion",
)
TOTAL = ("gen_ai.usage.total_tokens", "llm.usage.total_tokens", "llm.token_count.total")
CACHE_READ = (
    "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_read_input_tokens",
    "gen_ai.usage.input_tokens.cached",
    "llm.token_count.prompt_details.cache_read",
)
CACHE_WRITE = (
    "gen_ai.usage.cache_write.input_tokens",
    "gen_ai.usage.cache_creation.input_tokens",
    "gen_ai.usage.cache_creation_input_tokens",
    "gen_ai.usage.input_tokens.cache_write",
    "gen_ai.usage.input_tokens.cache_creation",
    "llm.token_count.prompt_details.cache_write",
)
CACHE_WRITE_5M = ("gen_ai.usage.input_tokens.cache_write_5m",)
CACHE_WRITE_1H = ("gen_ai.usage.input_tokens.cache_write_1h",)
COST = (
    "gen_ai.usage.total_cost",
    "gen_ai.usage.cost",
    "operation.cost",
    "llm.usage.total_cost",
    "gen_ai.cost.total",
    "llm.cost.total",
)
COST_TICKS = ("gen_ai.usage.cost_in_usd_ticks",)

OPENROUTER = (
    "span.type",
    "span.level",
    "trace.name",
    "trace.metadata.agent",
    "trace.metadata.provider_responses",
)
OPENCLAW = (
    "openclaw.provider",
    "openclaw.model",
    "openclaw.agent",
    "openclaw.sessionId",
    "openclaw.model_call.observation_unit",
    "openclaw.errorCategory",
    "openclaw.tokens.input",
    "openclaw.tokens.output",
    "openclaw.tokens.cache_read",
    "openclaw.tokens.cache_write",
)
EVENT = ("event.name", "event.kind", "event.timestamp", "event.sequence")
CLAUDE_CODE = (
    "model",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_creation_tokens",
    "cost_usd",
    "cost_usd_micros",
    "duration_ms",
    "request_id",
    "status_code",
    "speed",
)
CODEX = (
    "input_token_count",
    "output_token_count",
    "cached_token_count",
    "cache_write_token_count",
    "reasoning_token_count",
)

OF_RESOURCES = frozenset({"service.name", "service.namespace", "openrouter.trace.id"})
OF_SPANS = frozenset(
    chain(
        OPERATION,
        PROVIDER,
        REQUEST_MODEL,
        RESPONSE_MODEL,
        RESPONSE_ID,
        SESSION,
        AGENT,
        ERROR,
        HTTP_STATUS,
        TIER,
        INPUT,
        OUTPUT,
        TOTAL,
        CACHE_READ,
        CACHE_WRITE,
        CACHE_WRITE_5M,
        CACHE_WRITE_1H,
        COST,
        COST_TICKS,
        OPENROUTER,
        OPENCLAW,
    )
)
"""What is read of a span; everything else, such as gen_ai.prompt or span.input, stays unread."""
OF_LOGS = frozenset(chain(EVENT, CLAUDE_CODE, CODEX, SESSION, AGENT))

OUR_PROVIDERS = {
    "az.ai.openai": "azure",
    "az.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "azure.ai.inference": "azure",
    "aws.bedrock": "bedrock",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "gemini": "google",
    "vertex_ai": "google",
    "x_ai": "xai",
    "mistral_ai": "mistral",
    "moonshot_ai": "moonshot",
    "ibm.watsonx.ai": "watsonx",
}
"""What the conventions call a provider -> what transcripts and price books call it; any other name is itself."""


def is_read(metric: str, scope: str) -> bool:
    """Whether a metric counts tokens or money of calls. OpenClaw's names have a prefix that can be set."""
    if metric in ("gen_ai.client.token.usage", "claude_code.token.usage", "claude_code.cost.usage"):
        return True
    return scope == "openclaw" and metric.endswith(("tokens", "cost.usd"))
