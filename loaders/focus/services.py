"""What kind of service a name stands for: FOCUS categories for vendors' own names where a bill has none, and which
services for AI sell calls.

A name that is not known here is `Other`, which is a category and not a guess.
"""

from collections.abc import Mapping
from typing import Final, Literal

_FAMILIES: Final[Mapping[str, str]] = {
    "Compute Instance": "Compute",
    "Data Transfer": "Networking",
    "Load Balancer": "Networking",
    "Serverless": "Compute",
    "Storage": "Storage",
    "Storage Snapshot": "Storage",
}
"""Product families of AWS, which sells disks and traffic under the name of its computers."""
AI = "AI and Machine Learning"
_COMPUTE, _STORAGE, _NETWORK = "Compute", "Storage", "Networking"
_WORDS: Final = (
    ("bedrock", AI),
    ("sagemaker", AI),
    ("vertex ai", AI),
    ("gemini", AI),
    ("generative language", AI),
    ("openai", AI),
    ("amazonec2", _COMPUTE),
    ("amazonecs", _COMPUTE),
    ("amazoneks", _COMPUTE),
    ("awslambda", _COMPUTE),
    ("compute engine", _COMPUTE),
    ("cloud run", _COMPUTE),
    ("kubernetes engine", _COMPUTE),
    ("amazons3", _STORAGE),
    ("amazonefs", _STORAGE),
    ("awsbackup", _STORAGE),
    ("cloud storage", _STORAGE),
    ("filestore", _STORAGE),
    ("awsdatatransfer", _NETWORK),
    ("amazonvpc", _NETWORK),
    ("amazoncloudfront", _NETWORK),
    ("amazonroute53", _NETWORK),
    ("awselb", _NETWORK),
    ("networking", _NETWORK),
    ("cloud dns", _NETWORK),
    ("cloud nat", _NETWORK),
    ("amazonrds", "Databases"),
    ("amazondynamodb", "Databases"),
    ("cloud sql", "Databases"),
    ("bigquery", "Analytics"),
)
"""A word of the service's name in lower case -> FOCUS category; the first that fits."""
_SELLERS_OF_CALLS: Final = (
    "bedrock",
    "openai",
    "foundry models",
    "anthropic",
    "claude",
    "gemini api",
    "generative language",
    "openrouter",
    "mistral",
    "cohere",
)
"""Words of services that sell calls to models by their tokens."""
_CALLS: Final = (*_SELLERS_OF_CALLS, "gemini", "generative ai", "token", "llama", "deepseek", "grok")
"""Words of what is charged, where a service sells both calls and machines. Of a name that is unknown, such as a code of
a marketplace, only `bedrock` is believed."""
_SELLERS_OF_BOTH: Final = ("vertex ai", "cognitive services", "azure ai", "foundry")
_NO_CALLS: Final = (
    "provision",
    "model unit",
    "per hour",
    "node hour",
    "training",
    "customiz",
    "hosting",
    "agentcore",
    "guardrail",
    "storage",
    "per seat",
)
"""Words of what even a seller of calls charges beside them: capacity by time, training, what runs around a model."""


_PLANS: Final = ("per seat", "chatgpt", "claude max", "claude team", "claude enterprise")
_CREDITS: Final = ("credits", "prepaid", "top-up", "top up")


def category_of(family: object, service: object, description: object) -> str:
    """Models of others that Bedrock sells go by a code of the marketplace; only the description names Bedrock."""
    known = _FAMILIES.get(family) if isinstance(family, str) else None
    if known is not None:
        return known
    name = service.casefold() if isinstance(service, str) else ""
    for word, category in _WORDS:
        if word in name:
            return category
    return AI if isinstance(description, str) and "bedrock" in description.casefold() else "Other"


def sold_beforehand(
    service: str | None, description: str | None, kind: str
) -> Literal["subscription", "credits"] | None:
    """What a service for AI sells before it is used: seats of a plan, or a purchase of credits."""
    said = f"{service or ''} {description or ''}".casefold()
    if any(word in said for word in _PLANS):
        return "subscription"
    return "credits" if kind == "Purchase" and any(word in said for word in _CREDITS) else None


def sells_calls(service: str | None, description: str | None) -> bool:
    """Whether a charge of a service for AI is for calls to a model by their tokens, which requests hold already.

    All else that such services charge, above all the machines that they rent out, is in no request.
    """
    name, said = (service or "").casefold(), (description or "").casefold()
    if any(word in said for word in _NO_CALLS):
        return False
    if any(word in name for word in _SELLERS_OF_CALLS):
        return True
    return any(word in said for word in (_CALLS if any(word in name for word in _SELLERS_OF_BOTH) else ("bedrock",)))
