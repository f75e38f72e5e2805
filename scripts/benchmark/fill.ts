import { Database } from "bun:sqlite";
import { SIGILS, type Surface } from "../../src/ref";
import { tableName } from "../../src/store/tables";

/** How many records of each surface to make. */
export type Sizes = Partial<Record<Surface, number>>;

const QUEUE_STATE = state(["waiting", "taken"], ["done", "dropped"]);

/** The verb that creates a record of each surface, and the columns beside those of every record. */
const MADE: Record<Surface, { verb: string; columns: string }> = {
  letter: {
    verb: "write",
    columns: `${state(["unread", "read", "working"], ["done", "abandoned", "superseded"])} as state,
      ${someone("addressee")} as addressee, 'Where I stopped ' || i as title, ${text()} as body`,
  },
  request: {
    verb: "open",
    columns: `${state(["open", "accepted"], ["done", "declined", "cancelled"])} as state,
      ${someone("addressee")} as addressee, 'kind-' || ${drawn("kind", 4)} as kind, 'Review ' || i as title,
      ${text()} as body, case when ${open()} then ${someone("addressee")} end as waiting_on`,
  },
  todo: {
    verb: "add",
    columns: `${state(["open", "doing", "blocked"], ["done", "dropped"])} as state,
      ${someone("addressee")} as addressee, ${drawn("priority", 5)} as priority, 'Do ' || i as title, '' as body`,
  },
  history: {
    verb: "add",
    columns: `'entry-' || i as slug, 'Split ' || i as title, ${text()} as body,
      case when ${open()} then null else printf('%040x', i) end as commit_sha`,
  },
  queue: {
    verb: "push",
    columns: `${QUEUE_STATE} as state, 'jobs-' || ${drawn("queue", 5)} as queue,
      iif(${drawn("anyone", 4)} = 0, '', ${someone("addressee")}) as addressee, ${drawn("priority", 5)} as priority,
      ${text()} as payload, 'text' as payload_type,
      iif(${QUEUE_STATE} = 'waiting', null, ${someone("taker")}) as taken_by,
      iif(${QUEUE_STATE} = 'waiting', null, created_at) as taken_at`,
  },
};

/**
 * A number below another, for the i-th of a surface. Each column draws its own: columns that follow from each other
 * would leave some of what is asked for out altogether, such as all of one kind in one project.
 */
function drawn(column: string, below: number): string {
  return `((i * ${Bun.hash.crc32(column) % 1_000_003} >> 12) % ${below})`;
}

/** The i-th of a surface is unfinished in one case of a hundred. */
function open(): string {
  return `${drawn("open", 100)} = 0`;
}

function state(unfinished: readonly string[], finished: readonly string[]): string {
  const one = (states: readonly string[]) =>
    `case ${drawn("state", states.length)} ${states.map((name, index) => `when ${index} then '${name}'`).join(" ")} end`;
  return `case when ${open()} then ${one(unfinished)} else ${one(finished)} end`;
}

function someone(column: string): string {
  return `'brain-' || ${drawn(column, 10)}`;
}

function text(): string {
  return "'The parser is done, with tests; next is the printer. See the branch for what is left of it, item ' || i";
}

const PERIOD_MS = 180 * 24 * 3600 * 1000;

/**
 * Fills a new store directly, far faster than by commands: records of ten ids in twenty projects over half a year, one in
 * a hundred unfinished, each with the event of its creation; every third todo comes after the one before it.
 * @param until when the last record was made, in milliseconds since 1970.
 */
export function fill(path: string, sizes: Sizes, until: number): void {
  inBulk(path, (database) => {
    for (const [surface, count] of Object.entries(sizes) as [Surface, number][])
      fillSurface(database, surface, count, until);
  });
}

function fillSurface(database: Database, surface: Surface, count: number, until: number): void {
  const { verb, columns } = MADE[surface];
  database.run(
    `create temp table made as
      with recursive numbers (i) as (select 1 union all select i + 1 from numbers where i < ${count}),
      common as (select i, 'project-' || ${drawn("scope", 20)} as scope, 1 as version, ${someone("author")} as author,
        ${until} - cast((${count} - i) * ${PERIOD_MS / count} as integer) as created_at from numbers)
      select i as number, scope, version, author, created_at, created_at as updated_at, ${columns} from common`,
  );
  const names = database
    .query<{ name: string }, []>("select name from pragma_table_info('made')")
    .all()
    .map(({ name }) => name)
    .join(", ");
  const had =
    surface === "history"
      ? "case when commit_sha is null then 'pending' else 'committed' end"
      : "state";
  database.run(`insert into ${tableName(surface)} (${names}) select ${names} from made`);
  database.run(
    `insert into events (at, author, host, pid, folder, surface, number, verb, version, state)
      select created_at, author, 'studio', 4711, '/home/me/work/project', '${surface}', number, '${verb}', 1, ${had} from made`,
  );
  if (surface === "todo")
    database.run(
      "insert into todo_after (todo, after) select number, number - 1 from todos where number % 3 = 0",
    );
  database.run(`insert into counters (name, value) values ('${SIGILS[surface]}', ${count})`);
  database.run("drop table made");
}

/** Changes a store in one transaction, its indexes made anew after it: in order, which is far faster. */
export function inBulk(path: string, work: (database: Database) => void): void {
  using database = new Database(path, { readwrite: true, strict: true });
  database.run("pragma temp_store = memory");
  database.run("pragma cache_size = -400000");
  database.run("begin immediate");
  const indexes = database
    .query<{ name: string; sql: string }, []>(
      "select name, sql from sqlite_schema where type = 'index' and sql is not null order by rowid",
    )
    .all();
  for (const { name } of indexes) database.run(`drop index ${name}`);
  work(database);
  for (const { sql } of indexes) database.run(sql);
  database.run("commit");
  database.run("pragma wal_checkpoint(truncate)");
}
