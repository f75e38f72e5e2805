import { CoopError, unavailable } from "../../../errors";
import { ref } from "../../../ref";
import { runsOf, type ArchiveEvent, type Redaction } from "../../../store/archived";
import { appendEvents } from "../../../store/events";
import { CREATED_AT, meta } from "../../../store/schema";
import {
  inBatches,
  letRest,
  raw,
  seeWhole,
  sql,
  type Connection,
  type Row,
  type Sql,
} from "../../../store/sql";
import {
  openArchive,
  requireArchivable,
  requireUndamaged,
  type ArchiveFile,
} from "../../../store/sqlite/archive";
import type { Wait } from "../../../store/wait";
import type { Writing } from "../../../store/write";
import { timestamp } from "../../../time";
import { putItems, removeItems, wholeItems, type WholeItems } from "./archive";
import type { ItemRow } from "./items";

/** What was moved out of the store. */
export type Moved = Pick<ArchiveEvent, "queues" | "events">;

/**
 * Moves items with their replies and events into an archive; of none only looks whether they could be. They leave the
 * store only after the archive gave back what was written into it; when that command ends in between they are in both,
 * and the next one takes up from there.
 * @param copied is told when they are in both.
 * @throws CoopError conflict version, where the archive has an item otherwise; unavailable: damaged, where it does not give
 *   back what was written, access, where rows are hidden from this user, read_only; the errors of `openArchive`; busy, unknown.
 */
export async function moveOut(
  writing: Writing,
  numbers: readonly number[],
  to: ArchiveFile,
  wait: Wait,
  copied: () => void = () => {},
): Promise<Moved> {
  const { tx, actor, at } = writing;
  const { file } = to;
  await seeWhole(tx);
  await requireWriting(tx);
  await letRest(tx);
  const of = (await meta(tx, CREATED_AT)) ?? "";
  if (numbers.length === 0) {
    await requireArchivable(file, of);
    return { queues: {}, events: 0 };
  }
  // What is hidden from this user is told before anything is made.
  await wholeItems(tx, numbers.slice(0, 1));
  const opened = async <T>(work: (archive: Connection) => Promise<T>): Promise<T> => {
    const archive = await openArchive(to, of, wait);
    try {
      return await work(archive);
    } finally {
      await archive.close();
    }
  };
  const { hashes, after } = await opened(async (archive) => {
    await requireUndamaged(archive, file);
    // What is replaced there may have been redacted here since.
    await archive.all(raw("pragma secure_delete = on"));
    return copyInto(archive, tx, numbers, file);
  });
  await opened((archive) => verify(archive, numbers, hashes, file));
  copied();
  // Before the others go: the number that it is given is then higher than all of theirs, and none is given twice.
  await appendEvents(tx, actor, at, [
    { surface: "store", number: 0, verb: "archive", version: 0, after },
  ]);
  // Later ones first, since they can be about earlier ones.
  for (const some of inParts(numbers).reverse()) await removeItems(tx, some);
  return { queues: after.queues, events: after.events };
}

/** Fails where the store is only for reading, which a server says no sooner than something is written. */
const requireWriting = (tx: Sql) =>
  tx.all(sql`update meta set value = value where name = ${CREATED_AT}`);

/** Copies items in one transaction of the archive, and gives a hash of each part of them and what to keep of them. */
const copyInto = (archive: Connection, from: Sql, numbers: readonly number[], file: string) =>
  archive.transaction(async (into) => {
    const hashes: string[] = [];
    const tally = new Tally();
    for (const some of inParts(numbers)) {
      const contents = await wholeItems(from, some);
      requireOlder(await wholeItems(into, some), contents, file);
      await putItems(into, contents);
      tally.add(contents);
      hashes.push(hashOf(contents));
    }
    return { hashes, after: tally.event(numbers, file) };
  });

/** Counts up what the store keeps of the items that leave it. */
class Tally {
  readonly #queues = new Map<string, number>();
  readonly #fanOuts = new Set<number>();
  readonly #ids = new Map<string, { at: number; host: string }>();
  readonly #redacted: Redaction[] = [];
  #events = 0;

  add({ items, events }: WholeItems): void {
    for (const { queue, fan_out } of items as ItemRow[]) {
      this.#queues.set(queue, (this.#queues.get(queue) ?? 0) + 1);
      if (fan_out !== null) this.#fanOuts.add(fan_out);
    }
    for (const { id, number, verb, author, at, host } of events as Written[]) {
      if (at >= (this.#ids.get(author)?.at ?? 0)) this.#ids.set(author, { at, host });
      if (verb === "redact") this.#redacted.push({ ref: ref("queue", number), event: id });
    }
    this.#events += events.length;
  }

  event(numbers: readonly number[], to: string): ArchiveEvent {
    const fanOuts = [...this.#fanOuts].sort((one, other) => one - other);
    const ids = Array.from(this.#ids, ([id, { at, host }]) => [id, { at: timestamp(at), host }]);
    return {
      to,
      items: numbers.length,
      events: this.#events,
      refs: [...runsOf("queue", numbers), ...runsOf("fan-out", fanOuts)],
      queues: Object.fromEntries(this.#queues),
      ids: Object.fromEntries(ids),
      ...(this.#redacted.length > 0 && { redacted: this.#redacted }),
    };
  }
}

/** Of an event, who did what, when and where. */
interface Written extends Row {
  id: number;
  number: number;
  verb: string;
  author: string;
  at: number;
  host: string;
}

/** @throws CoopError unavailable damaged, where a part is not what was written. */
async function verify(
  archive: Sql,
  numbers: readonly number[],
  hashes: readonly string[],
  file: string,
): Promise<void> {
  for (const [part, some] of inParts(numbers).entries()) {
    if (hashOf(await wholeItems(archive, some)) === hashes[part]) continue;
    throw unavailable(
      "damaged",
      `${file} does not give back what was written into it`,
      "nothing was removed from the store; check that disk, and name another file with --to",
    );
  }
}

/** How many items are held in memory at once: each may have a payload of 4 MiB. */
const ITEMS_AT_ONCE = 100;

const inParts = (numbers: readonly number[]) => inBatches(numbers, ITEMS_AT_ONCE);

/** @throws CoopError conflict version: to replace what is no older version of the same item would lose it. */
function requireOlder(there: WholeItems, contents: WholeItems, file: string): void {
  for (const old of there.items) {
    const number = Number(old["number"]);
    const now = onlyOf(contents, number);
    const item = now.items[0]!;
    const isOlder = Number(old["version"]) < Number(item["version"]);
    if (isOlder && isBeginning(onlyOf(there, number).events, now.events)) continue;
    if (hashOf(onlyOf(there, number)) === hashOf(now)) continue;
    const name = ref("queue", number);
    throw new CoopError("conflict", `${file} has another ${name}, of version ${old["version"]}`, {
      reason: "version",
      ref: name,
      hint: "name another file with --to",
    });
  }
}

/**
 * Whether some events are the first of others. A store that was restored can go on with an item otherwise than before, and
 * two that were restored from one can give a number to an item each.
 */
function isBeginning(events: readonly Row[], of: readonly Row[]): boolean {
  // What they tell of texts may be redacted in one place only.
  const what = ({ at, author, host, pid, verb, version }: Row) =>
    JSON.stringify([at, author, host, pid, verb, version]);
  return events.every((event, index) => {
    const same = of[index];
    return same !== undefined && what(same) === what(event);
  });
}

function onlyOf({ items, replies, events }: WholeItems, number: number): WholeItems {
  const its = (column: string) => (row: Row) => row[column] === number;
  return {
    items: items.filter(its("number")),
    replies: replies.filter(its("item")),
    events: events.filter(its("number")),
  };
}

/** Alike for the same rows in whatever store: each numbers replies and events by itself. */
function hashOf({ items, replies, events }: WholeItems): string {
  const content = [items, replies, events].map((rows) =>
    rows.map((row) =>
      Object.entries(row)
        .filter(([column]) => column !== "id")
        .sort(([one], [other]) => (one < other ? -1 : 1)),
    ),
  );
  return new Bun.CryptoHasher("sha256").update(JSON.stringify(content)).digest("hex");
}
