"""Describe a dataset directory, so that Hugging Face's `datasets` opens it by its path."""

from pathlib import Path

from shield.run_files import DatasetFacts

README = "README.md"


def write_readme(dataset: Path, facts: DatasetFacts) -> None:
    """Write the README: what `datasets.load_dataset` reads first, and a person too.

    Only sets with messages are named: `datasets` refuses a split without rows.
    """
    filled = {name: count for name, count in facts.counts.items() if count.messages}
    files = "".join(f"  - split: {name}\n    path: {name}.parquet\n" for name in filled)
    rows = "".join(
        f"| {name} | {each.messages} | {each.scams} |\n" for name, each in filled.items()
    )
    (dataset / README).write_text(
        f"---\nconfigs:\n- config_name: default\n  data_files:\n{files}---\n\n"
        f"# Messages of a {facts.model_type} training\n\n"
        f"Golden set {facts.golden_digest}. Batches: {', '.join(facts.batches) or 'none'}. Only "
        "`train` may teach.\n\n"
        f"| set | messages | scams |\n|---|---|---|\n{rows}",
        encoding="utf-8",
    )
