import { rm } from "node:fs/promises";
import * as v from "valibot";
import { anyRef } from "../across/ref";
import { written } from "../cli/answer";
import { changing } from "../cli/args";
import type { Context } from "../cli/context";
import { defineVerb, flag, word } from "../cli/define";
import { inline, line, lines } from "../cli/text";
import { CoopError, usage } from "../errors";
import { EXAMPLES, parseRef, ref as refOf, type Ref } from "../ref";
import { shellWord } from "../shell";
import { absent, archivedInto, archivesOf } from "../store/archived";
import type { Store } from "../store/open";
import {
  ARCHIVE_OF,
  BACKUP_OF,
  COPIED_FROM,
  identityOf,
  meta,
  MOVED_TO,
  originOf,
  requireKnown,
} from "../store/schema";
import {
  closedToRedact,
  itemsOf,
  pushedWith,
  redact,
  standsIn,
  type Closed,
  type Replaced,
} from "../store/redact";
import { holds, type Which } from "../store/erasable";
import { isBackupOf, keepOthers, publishedFile } from "../store/sqlite/backups";
import { lookIntoCopies } from "../store/sqlite/copies";
import { overwriteDeleted, rewrite } from "../store/sqlite/erase";
import { renew } from "../store/sqlite/renew";
import type { Sql } from "../store/sql";
import { longText } from "../words";

/** What a redaction answers: what it did to the store, and where the text is still. */
interface Redacted {
  ref: string;
  /** The records: one, or the items of a push to several. */
  refs: string[];
  /** The record's version; null for a push to several, and for a record that is not there any more. */
  version: number | null;
  replaced: Replaced;
  /** The published snapshot, which was renewed; null where there is none. */
  snapshot: string | null;
  /** Other records that the same text stands in. */
  also_in: string[];
  /** Copies that still hold it. */
  still_in: string[];
  /** The folders in which copies were looked for. */
  searched: string[];
}

export default defineVerb({
  about: "replace a text that should never have been kept, such as a password, by a tombstone",
  examples: [
    "coop --as dad redact L12",
    "cat secret.txt | coop --as dad redact R3 --text -",
    "coop --as dad redact Q9 --text hunter2",
  ],
  notes: `Without --text all that people wrote in the record is replaced: title, text, payload, notes, replies, slug. With it only
that text, wherever it stands in them. It is gone from the record, its events, the answers kept for --key, the published
snapshot and the bytes of the store's file, and cannot be had back. Ids, scopes, kinds, keys, working folders and names of
queues stay. Other copies are not changed: the answer names those in the store's folder and its backups that still hold
it, and no others; --db can name each to be redacted too. An item that queue archive moved away is redacted twice: in the
archive, and with --text in the store that it came from; likewise all that was moved by copy, in the old store and the
new, and copy --undo is refused then. The file is written anew, for which others wait: a second a 100 MB or so. A text on
the command line is seen by others on the machine and kept by the shell: --text - reads it from standard input, and with
--key a hash of it is kept.`,
  args: {
    ref: {
      ...word(v.string(), "REF", `such as ${EXAMPLES} for each of its items`),
      ref: "any",
    },
    text: {
      ...flag(longText, "TEXT", "only this text; a newline at its end is left out"),
      text: { file: "text-file", edit: false },
    },
    ...changing,
  },
  run: async ({ ref: given, text, ifVersion }, context) => {
    const asked = askedFor(given, ifVersion);
    const secret = text?.replace(/\r?\n$/, "");
    if (secret === "")
      throw usage("--text is empty", "give the text that is to go; nothing was changed");
    const store = await context.store();
    requireKnown(store);
    if (store.location.engine === "sqlite") await overwriteDeleted(store);
    const name = refOf(asked.surface, asked.number);
    const closed = await closedToRedact(store);
    const { data, replayed } = await context.write(async (writing) => {
      const which = await recordsOf(writing.tx, asked);
      const { versions, replaced } = await redact(writing, which, { text: secret, ifVersion });
      const refs = which.map(({ surface, number }) => refOf(surface, number));
      return { ref: name, refs, version: refs[0] === name ? versions[0]! : null, replaced };
    }, closed?.store);
    context.wrote ||= !replayed;
    const which = data.refs.map((each) => parseRef(each) as Which);
    const isHere = data.version !== null || data.refs[0] !== name;
    for (const each of which) {
      const where = await whereIs(store, each, isHere);
      if (where !== undefined) context.warn("elsewhere", where);
    }
    for (const place of await otherStores(store, closed, data.refs))
      context.warn("elsewhere", place);
    // Also after a repeat: the command before it may have ended between its commit and here.
    const gone = await erase(store, context, (copy) => holds(copy, which, secret));
    const others = await (secret === undefined
      ? pushedWith(store, asked)
      : standsIn(store, secret));
    const redacted: Redacted = {
      ...data,
      snapshot: gone.snapshot,
      also_in: others.filter((each) => !data.refs.includes(each)),
      still_in: gone.holding,
      searched: gone.searched,
    };
    return written({ data: redacted, replayed }, redactedText);
  },
});

/** @throws CoopError usage. */
function askedFor(given: string, ifVersion: number | undefined): Ref {
  const asked = anyRef(given);
  if (asked.surface === "fan-out" && ifVersion !== undefined)
    throw usage("--if-version goes with one record", "name the items of it by their own refs");
  return asked;
}

/** @throws CoopError not_found, for a push to several that is not there. */
async function recordsOf(on: Sql, { surface, number }: Ref): Promise<Which[]> {
  if (surface !== "fan-out") return [{ surface, number }];
  const items = await itemsOf(on, number);
  if (items.length > 0) return items.map((item) => ({ surface: "queue", number: item }));
  const error = await absent(on, { surface, number });
  const file = await archivedInto(on, { surface, number });
  if (file === undefined) throw error;
  const name = refOf(surface, number);
  const hint = `coop --db ${shellWord(file)} redact ${name}, and then coop redact REF --text TEXT for each of its items`;
  throw new CoopError("not_found", error.message, { ...error.details, hint });
}

/** What to do in the other stores that a redaction in this one leaves as they are. */
async function otherStores(
  store: Store,
  closed: Closed | undefined,
  refs: readonly string[],
): Promise<string[]> {
  const commands = refs.map((each) => `redact ${each} --text TEXT`).join(", ");
  const isArchive = closed?.marks.has(ARCHIVE_OF) === true;
  const movedTo = closed?.marks.get(MOVED_TO);
  const from = await meta(store, COPIED_FROM);
  const others = [
    ...(closed?.marks.has(BACKUP_OF)
      ? [`this is a backup of ${isArchive ? "an archive" : "a store"}`]
      : []),
    ...(movedTo === undefined ? [] : [`this store was moved to ${movedTo}`]),
    ...(from === undefined || from === movedTo ? [] : [`this store was copied from ${from}`]),
  ].map((what) => `${what}, which may still hold it: redact it there too, if it is not yet`);
  if (isArchive)
    others.push(
      `the store that this archive is of may still hold it, in answers kept for --key and in its file's bytes: there, ${commands}`,
    );
  return others;
}

/** Where a record is beside this store, or instead, as far as its log tells. */
async function whereIs(store: Store, of: Ref, isHere: boolean): Promise<string | undefined> {
  const name = refOf(of.surface, of.number);
  const files = await archivesOf(store, of);
  if (files.length === 0) return isHere ? undefined : `${name} itself is not here any more`;
  const where = `${name} ${isHere ? "was" : "itself is"} in ${files.join(" and in ")}`;
  const commands = files.map((file) => `coop --db ${shellWord(file)} redact ${name}`);
  return `${where}${isHere ? " too," : ""} and must be redacted there, if it is not yet: ${commands.join("; ")}`;
}

/** The snapshot that was renewed, the copies that still hold what was redacted, and where they were looked for. */
interface Erased {
  snapshot: string | null;
  holding: string[];
  searched: string[];
}

/** Takes what was replaced out of the bytes of the store's file and the published snapshot, and finds older copies. */
async function erase(
  store: Store,
  context: Context,
  test: (copy: Sql) => Promise<boolean>,
): Promise<Erased> {
  if (store.location.engine !== "sqlite") {
    context.warn(
      "engine_keeps",
      "PostgreSQL keeps old rows in its files until it vacuums, and in its own backups",
    );
    return { snapshot: null, holding: [], searched: [] };
  }
  const { path } = store.location;
  await attempt(context, "not_erased", "bytes of it may be left in the store's file", () =>
    rewrite(store, context.wait),
  );
  const published = await republish(store, path, context);
  const holding: string[] = [];
  // Of an archive also the store that it is of, and its other archives.
  const { folders, failed } = await lookIntoCopies(
    path,
    await originOf(store),
    async (copy, file) => {
      if (await test(copy)) holding.push(file);
    },
  );
  for (const file of failed) context.warn("not_looked_into", `${file} could not be looked into`);
  return { snapshot: published, holding, searched: folders };
}

/** Puts a new snapshot in the place of the store's published one, or else takes that away. */
async function republish(store: Store, path: string, context: Context): Promise<string | null> {
  const { clock } = context.edge;
  const file = publishedFile(path);
  // Beside a backup that was put in a store's place it is of that store, and may be newer.
  if (!(await Bun.file(file).exists()) || (await meta(store, BACKUP_OF)) !== undefined) return null;
  const of = await identityOf(store);
  const done = await attempt(context, "not_published", `${file} could not be renewed`, () =>
    renew(store, path, clock, () => keepOthers(store, path)),
  );
  if (done) return file;
  // What is not removed is named among those that hold it.
  if (isBackupOf(of, file)) await rm(file, { force: true }).catch(() => {});
  return null;
}

/** The redaction stands whatever else fails: that is a warning. */
async function attempt(
  context: Context,
  code: string,
  says: string,
  work: () => Promise<void>,
): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (thrown) {
    if (!(thrown instanceof CoopError)) throw thrown;
    context.warn(code, `${says}: ${thrown.message}; repeat the command later`);
    return false;
  }
}

function redactedText({ ref, replaced, also_in, still_in, searched }: Redacted): string {
  const { record, events, keys } = replaced;
  const places = [
    record > 0 && `${record} of its texts`,
    events > 0 && `${events} of its events`,
    keys > 0 && `${keys} of the answers kept for keys`,
  ].filter(Boolean);
  return lines(
    places.length > 0
      ? line(ref, "redacted:", places.join(", "))
      : line("nothing to redact in", ref),
    also_in.length > 0 && `it also stands in ${also_in.join(" ")}`,
    still_in.map((file) => `still holds it: ${inline(file)}`),
    still_in.length > 0 && `to redact it there too: the same command with --db FILE`,
    searched.length > 0
      ? `looked for copies in ${searched.map(inline).join(" and ")}, not elsewhere`
      : "no folder was searched for copies",
  );
}
