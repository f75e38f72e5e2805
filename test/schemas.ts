import { postgres, type Server } from "./postgres";

/** A schema of the tests' server with a store as `coop init` makes it, that nothing else uses. */
export interface Schema {
  name: string;
  /** What its tables and indexes are, each by who made it last. */
  shape: string;
  /** The rows that each of its tables begins with, as JSON. */
  rows: Record<string, string>;
}

const LARGEST_BYTES = 1024 * 1024;

const emptied: Schema[] = [];

/** Lends a schema with a new store: one that was given back, since to make one takes ten times as long. */
export async function borrow(make: (name: string) => Promise<unknown>): Promise<Schema> {
  const used = emptied.pop();
  if (used) return used;
  const name = `test_${Bun.randomUUIDv7("hex")}`;
  await make(name);
  const server = await postgres();
  const rows: Schema["rows"] = {};
  const tables = await server.sql(
    `select relname as name from pg_class where relnamespace = '${name}'::regnamespace and relkind = 'r'`,
  );
  const contents = tables.map(
    (table) =>
      `select '${table["name"]}' as name, json_agg(t)::text as rows from "${name}"."${table["name"]}" t`,
  );
  for (const table of await server.sql(contents.join(" union all ")))
    rows[String(table["name"])] = String(table["rows"] ?? "[]");
  return { name, shape: await shapeOf(server, name), rows };
}

/** Takes a schema back: empties its store for the next, or drops one that was changed itself or has grown. */
export async function giveBack(schema: Schema): Promise<void> {
  const server = await postgres();
  if ((await shapeOf(server, schema.name)) !== schema.shape) {
    await server.sql(`drop schema if exists "${schema.name}" cascade`);
    return;
  }
  await server.sql(emptying(schema));
  emptied.push(schema);
}

/** What a schema's relations, columns and constraints are, or that they hold too much to be emptied soon. */
async function shapeOf(server: Server, name: string): Promise<string> {
  const [{ shape } = {}] = await server.sql(`
    with relations as (select oid, xmin, relkind from pg_class where relnamespace = to_regnamespace('${name}'))
    select md5(string_agg(part, ' ' order by part)) as shape from (
      select concat('relation', oid, xmin, relkind) as part from relations
      union all select concat('column', attrelid, attnum, xmin) from pg_attribute where attrelid in (select oid from relations)
      union all select concat('constraint', oid, xmin) from pg_constraint where conrelid in (select oid from relations)
      union all select concat('trigger', oid, xmin) from pg_trigger where tgrelid in (select oid from relations)
      union all select concat('proc', oid, xmin) from pg_proc where pronamespace = to_regnamespace('${name}')
      union all select concat('type', oid, xmin) from pg_type where typnamespace = to_regnamespace('${name}')
      union all select concat('schema', oid, xmin) from pg_namespace where oid = to_regnamespace('${name}')
      union all select 'grown' from relations where relkind = 'r' and pg_table_size(oid) > ${LARGEST_BYTES}
    ) parts`);
  return String(shape);
}

/** The statements that make a store what it was when it was new, but for who it is. */
function emptying({ name, rows }: Schema): string {
  const tables = Object.entries(rows).flatMap(([table, before]) => [
    `delete from "${table}"`,
    `insert into "${table}" select * from json_populate_recordset(null::"${table}", '${before.replaceAll("'", "''")}')`,
  ]);
  return [
    `begin`,
    `set local search_path = "${name}"`,
    `set local session_replication_role = replica`,
    ...tables,
    `select setval(format('%I.%I', schemaname, sequencename), start_value, false) from pg_sequences where schemaname = '${name}'`,
    `update meta set value = '${Bun.randomUUIDv7()}' where name = 'identity'`,
    `commit`,
  ].join(";\n");
}
