"""The file as the loader takes it: what the loader refuses is left out and told, so that the rest can be used."""

from collections.abc import Iterable, Mapping

from semantic.errors import CatalogError, Mistake
from semantic.file.document import parse_document
from semantic.file.load import load_catalog
from semantic.formats.metricflow.reading import FormatError
from semantic.formats.metrics_yaml import Plain, file_text
from semantic.formats.report import Finding, Kind

_FILE = "metrics.yaml"


def loadable(document: Mapping[str, Plain], findings: list[Finding]) -> str:
    """The text of the document, without the metrics that the loader refuses; a finding for each of them."""
    metrics = document["metrics"]
    assert isinstance(metrics, Mapping)
    while True:
        text = file_text({**document, "metrics": metrics})
        try:
            load_catalog(text, _FILE)
        except CatalogError as error:
            refused = _refused(text, error.mistakes)
            for name, mistakes in refused.items():
                told = " ".join(m.message for m in mistakes)
                findings.append(Finding(Kind.LOST, f"metric '{name}'", str(metrics[name]), told))
            metrics = {name: body for name, body in metrics.items() if name not in refused}
        else:
            return text


def _refused(text: str, mistakes: Iterable[Mistake]) -> dict[str, list[Mistake]]:
    """The mistakes of each metric; `FormatError` where one is elsewhere, since nothing could be left out for it."""
    section = parse_document(text, _FILE).get("metrics")
    starts = [(key.mark.line, key.text) for key, _ in section.entries] if section else []
    found: dict[str, list[Mistake]] = {}
    for mistake in mistakes:
        names = [name for line, name in starts if line <= mistake.mark.line]
        if not names:
            raise FormatError(f"the imported file cannot be loaded: {mistake}")
        found.setdefault(names[-1], []).append(mistake)
    return found
