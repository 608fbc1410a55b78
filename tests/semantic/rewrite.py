"""Writes the compiled part of every case anew: `python -m tests.semantic.rewrite`."""

from tests.semantic.case import PATHS, compiled_text, read_case, statement_of


def main() -> None:
    for path in PATHS:
        case = read_case(path)
        compiled = compiled_text(statement_of(case))
        text = f"{case.head.strip()}\n\n-- compiled\n{compiled}\n\n-- by hand\n{case.by_hand}\n"
        if text != path.read_text():
            path.write_text(text)
            print(f"rewritten: {path.name}")  # noqa: T201 -- a developer's command says what it did


if __name__ == "__main__":
    main()
