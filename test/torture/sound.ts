import { Database } from "bun:sqlite";

/** The tables of records, and the sign that the refs of each begin with. */
const RECORDS = {
  letter: ["letters", "L"],
  request: ["requests", "R"],
  todo: ["todos", "T"],
  history: ["history_entries", "H"],
  queue: ["queue_items", "Q"],
} as const;

/**
 * What is wrong with a store that no command is changing now: each thing on a line, none for a sound one. It looks at
 * the file only as SQLite does, so it may be asked while commands run, but then what it reads is of one moment. A `copy`
 * gives no numbers, so it need not know what was given.
 */
export function unsound(path: string, copy = false): string[] {
  using store = new Database(path, { readonly: true });
  store.run("pragma busy_timeout = 10000");
  // In one transaction, so that all is of one moment.
  store.run("begin");
  const wrong: string[] = [];
  const none = (what: string, query: string) => {
    const rows = store.query(query).all();
    if (rows.length > 0) wrong.push(`${what}: ${JSON.stringify(rows.slice(0, 5))}`);
  };

  const integrity = store.query("pragma integrity_check").all() as { integrity_check: string }[];
  if (integrity[0]?.integrity_check !== "ok")
    wrong.push(`integrity_check: ${JSON.stringify(integrity.slice(0, 5))}`);
  none("foreign_key_check", "pragma foreign_key_check");

  for (const [surface, [table, sign]] of Object.entries(RECORDS)) {
    const events = `events where surface = '${surface}'`;
    none(
      `${table} whose version is not 1 and an event for each that follows`,
      `select number, version from ${table} as record where version != (
        select count(*) from ${events} and number = record.number)`,
    );
    none(
      `${table} without the event of their making`,
      `select number from ${table} as record where not exists (
        select 1 from ${events} and number = record.number and version = 1)`,
    );
    none(
      `${table} that did not change when their last event did`,
      `select number, updated_at from ${table} as record where updated_at != (
        select at from ${events} and number = record.number order by version desc limit 1)`,
    );
    none(
      `events of ${table} that are not there`,
      `select number, version from ${events} and number not in (select number from ${table})`,
    );
    none(
      `two events of ${table} with one version`,
      `select number, version from ${events} group by number, version having count(*) > 1`,
    );
    if (!copy)
      none(
        `a counter behind ${table}`,
        `select max(number) as number from ${table}
        having max(number) > (select coalesce(max(value), 0) from counters where name = '${sign}')`,
      );
    if (surface !== "history")
      none(
        `${table} in another state than their last move left them`,
        `select number, state from ${table} as record where state != (
          select state from ${events} and number = record.number and state is not null
          order by version desc limit 1)`,
      );
  }
  if (!copy)
    none(
      "a counter behind the pushes to several",
      `select max(fan_out) as fan_out from queue_items
      having max(fan_out) > (select coalesce(max(value), 0) from counters where name = 'F')`,
    );
  none(
    "a push to several with one item",
    "select fan_out from queue_items where fan_out is not null group by fan_out having count(*) < 2",
  );
  none(
    "requests with other messages than their replies",
    `select number from requests as request
      where (select count(*) from request_messages where request = request.number and verb = 'reply')
        != (select count(*) from events where surface = 'request' and number = request.number and verb = 'reply')`,
  );
  none(
    "items with fewer replies than were made",
    `select number from queue_items as item
      where (select count(*) from replies where item = item.number)
        < (select count(*) from events where surface = 'queue' and number = item.number and verb = 'reply')`,
  );
  none(
    "events or answers that are not JSON",
    `select 'event' as what, id from events where not json_valid(coalesce(before, '{}'))
        or not json_valid(coalesce(after, '{}'))
      union all select 'key', key from keys where not json_valid(result)`,
  );
  none(
    "texts that are torn",
    `select 'letter' as what, number, length(body) as length from letters
        where body not like '[redacted by %' and body not like substr(body, 1, instr(body, ' ')) || '% ' || substr(body, 1, instr(body, ' ') - 1)
      union all select 'item', number, length(payload) from queue_items where payload_type = 'text'
        and payload not like '[redacted by %' and payload not like substr(payload, 1, instr(payload, ' ')) || '% ' || substr(payload, 1, instr(payload, ' ') - 1)`,
  );
  return wrong;
}

/** The part of an event that says which command made it, and what it changed. */
export interface Made {
  /** The working folder of the command. */
  folder: string;
  ref: string;
  version: number;
  author: string;
}

/** All events of a store. */
export function eventsOf(path: string): Made[] {
  using store = new Database(path, { readonly: true });
  store.run("pragma busy_timeout = 10000");
  const signs = Object.entries(RECORDS).map(
    ([surface, [, sign]]) => `when '${surface}' then '${sign}'`,
  );
  const rows = store
    .query(
      `select folder, case surface ${signs.join(" ")} else surface || ' ' end || number, version, author
        from events order by id`,
    )
    .values() as [string, string, number, string][];
  return rows.map(([folder, ref, version, author]) => ({ folder, ref, version, author }));
}
