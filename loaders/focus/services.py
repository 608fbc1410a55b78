"""What kind of service a name stands for, where a bill does not say it: FOCUS categories for vendors' own names.

A name that is not known here is `Other`, which is a category and not a guess.
"""

from collections.abc import Mapping
from typing import Final

_FAMILIES: Final[Mapping[str, str]] = {
    "Compute Instance": "Compute",
    "Data Transfer": "Networking",
    "Load Balancer": "Networking",
    "Serverless": "Compute",
    "Storage": "Storage",
    "Storage Snapshot": "Storage",
}
"""Product families of AWS, which sells disks and traffic under the name of its computers."""
_AI, _COMPUTE, _STORAGE, _NETWORK = "AI and Machine Learning", "Compute", "Storage", "Networking"
_WORDS: Final = (
    ("bedrock", _AI),
    ("sagemaker", _AI),
    ("vertex ai", _AI),
    ("gemini", _AI),
    ("generative language", _AI),
    ("openai", _AI),
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


def category_of(family: object, service: object, description: object) -> str:
    """Models of others that Bedrock sells go by a code of the marketplace; only the description names Bedrock."""
    known = _FAMILIES.get(family) if isinstance(family, str) else None
    if known is not None:
        return known
    name = service.casefold() if isinstance(service, str) else ""
    for word, category in _WORDS:
        if word in name:
            return category
    return _AI if isinstance(description, str) and "bedrock" in description.casefold() else "Other"
