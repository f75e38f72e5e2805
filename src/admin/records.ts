/** What one row of each table of records is. */
export const NOUNS = {
  letters: "letter",
  requests: "request",
  todos: "todo",
  history_entries: "history entry",
  queue_items: "queue item",
} as const;

/** How many rows each table of records has, of those that all tables have. */
export const recordsIn = (rows: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.keys(NOUNS).map((table) => [table, rows[table] ?? 0]));
