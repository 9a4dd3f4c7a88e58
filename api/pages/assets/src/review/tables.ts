// On a phone a wide table becomes a list of named values; the names are those of its columns.
export function nameCells(within: ParentNode): void {
  for (const table of within.querySelectorAll<HTMLTableElement>("table.stacks")) {
    const names = [...(table.tHead?.rows[0]?.cells ?? [])].map((cell) => cell.textContent?.trim() ?? "");
    for (const row of table.tBodies[0]?.rows ?? [])
      for (const [column, cell] of [...row.cells].entries())
        if (cell.tagName === "TD" && cell.colSpan === 1 && names[column]) cell.dataset.label = names[column];
  }
}
