import { join, raw, sql, tuples, type Row, type Sql, type Value, VALUES_A_STATEMENT } from "./sql";

/** Columns of many rows: the values of each, all equally many. */
export type Columns = Readonly<Record<string, readonly Value[]>>;

/**
 * Inserts rows into a table, in their order. A value that all of them have is bound once for each statement: to bind it for
 * each row would cost more than the row. `table` and the columns' names are words of the source.
 */
export async function insertAlike(
  tx: Sql,
  table: string,
  common: Row,
  columns: Columns,
): Promise<void> {
  const names = Object.keys(columns);
  const own = names.filter((name, index) => index === 0 || varies(columns[name]!));
  const alike = names.filter((name) => !own.includes(name));
  const same = {
    ...common,
    ...Object.fromEntries(alike.map((name) => [name, columns[name]![0]!])),
  };
  const into = raw(`${table} (${[...Object.keys(same), ...own].join(", ")})`);
  const values = join([...Object.values(same), ...own.map(raw)]);
  const varying = own.map((name) => columns[name]!);
  const { length } = varying[0]!;
  for (let from = 0; from < length; from += VALUES_A_STATEMENT) {
    const rows: Value[] = [];
    for (let row = from; row < Math.min(from + VALUES_A_STATEMENT, length); row++)
      for (const column of varying) rows.push(column[row]!);
    await tx.all(sql`insert into ${into}
      with own (${raw(own.join(", "))}) as (values ${tuples(own.length, rows)}) select ${values} from own`);
  }
}

const varies = (values: readonly Value[]) => values.some((value) => value !== values[0]);
