import { atMost, type Order } from "./listing";
import { and, join, raw, sql, type Fragment, type Row, type Sql } from "./sql";

/** How rows are gone through without having all of them in memory. */
export interface Paging {
  /** The columns that they are in the order of, which tell them apart. */
  columns: readonly string[];
  /** Last rows first. */
  backwards?: true | undefined;
  /** How many are in memory at once; whoever goes through them may change it after each page. */
  size: number;
}

/** The rows of a query, a page at a time. It is given the condition of what comes next, and the order of it. */
export async function* pages<R extends Row>(
  on: Sql,
  paging: Paging,
  query: (next: Fragment, order: Order) => Fragment,
): AsyncGenerator<R[]> {
  const { columns, backwards } = paging;
  const [beyond, direction] = backwards ? ["<", " desc"] : [">", ""];
  const keys = raw(columns.join(", "));
  const by = raw(columns.map((column) => column + direction).join(", "));
  let next = and([]);
  for (;;) {
    const { size } = paging;
    const rows = await on.all<R>(query(next, { keys, by, most: atMost(size) }));
    if (rows.length > 0) yield rows;
    if (rows.length < size) return;
    const last = rows.at(-1)!;
    next = sql`(${keys}) ${raw(beyond)} (${join(columns.map((column) => last[column]!))})`;
  }
}
