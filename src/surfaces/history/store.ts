import { CoopError, usage } from "../../errors";
import { ref, refNumber } from "../../ref";
import { shellWord } from "../../shell";
import { among, and, first, raw, sql, type Sql } from "../../store/sql";
import { list, type Listable, type Listed, type ListQuery } from "../../store/listing";
import { target, type Target } from "../../store/moves";
import {
  change,
  conflict,
  create,
  find,
  head,
  type RecordHead,
  type RecordRow,
} from "../../store/records";
import { entryState } from "../../store/tables";
import { makeDurable, type Writing } from "../../store/write";
import { SHA_LENGTH } from "../../words";

/** An entry is pending until its commit is known. Its state is not a column of its own: the sha tells it. */
const STATES = ["pending", "committed"] as const;

/** The table of history entries. */
export const ENTRIES: Listable = {
  surface: "history",
  name: "history_entries",
  states: STATES,
  finished: [],
  stateOf: entryState,
  inState: (state) => raw(`commit_sha is ${state === "pending" ? "" : "not "}null`),
  long: ["body"],
};

interface EntryRow extends RecordRow {
  slug: string;
  title: string;
  body: string;
  commit_sha: string | null;
}

/** A history entry, in JSON's words. */
export interface Entry extends RecordHead {
  state: (typeof STATES)[number];
  slug: string;
  title: string;
  body: string;
  commit_sha: string | null;
}

const toEntry = (row: EntryRow): Entry => ({
  ...head(ENTRIES, row),
  state: entryState(row),
  slug: row.slug,
  title: row.title,
  body: row.body,
  commit_sha: row.commit_sha,
});

/** How an entry is named: by its number, or by its slug in a scope. */
export type EntryName = { number: number } | { scope: string; slug: string };

/**
 * The row of an entry.
 * @throws CoopError not_found.
 */
async function findEntryRow(on: Sql, name: EntryName): Promise<EntryRow> {
  if ("number" in name) return find<EntryRow>(on, ENTRIES, name.number);
  const row = await bySlug(on, name.scope, name.slug);
  if (row) return row;
  const where = name.scope === "" ? "without a scope" : `in ${name.scope}`;
  const look = `coop history list --scope ${shellWord(name.scope)}`;
  throw new CoopError("not_found", `there is no history entry '${name.slug}' ${where}`, {
    hint: `${look}, or name another with --scope`,
  });
}

const bySlug = (on: Sql, scope: string, slug: string) =>
  first<EntryRow>(on, sql`select * from history_entries where scope = ${scope} and slug = ${slug}`);

/** @throws CoopError not_found. */
export const findEntry = async (on: Sql, name: EntryName) => toEntry(await findEntryRow(on, name));

/** What a new entry says. */
export interface Draft {
  scope: string;
  slug: string;
  title: string;
  body: string;
  commitSha: string | null;
}

/**
 * Adds an entry. The same content under the same slug is there once: then `created` is false, and of two forms of its
 * commit the longer one is kept.
 * @throws CoopError conflict slug, when the scope has that slug with other content.
 */
export async function addEntry(
  writing: Writing,
  { scope, slug, title, body, commitSha }: Draft,
): Promise<Entry & { created: boolean }> {
  const there = await bySlug(writing.tx, scope, slug);
  if (!there) {
    const [row] = await create<EntryRow>(writing, ENTRIES, "add", [
      { scope, slug, title, body, commit_sha: commitSha },
    ]);
    if (commitSha !== null) await warnSameCommit(writing, row!, commitSha);
    return { ...toEntry(row!), created: true };
  }
  const sameCommit =
    commitSha === null || there.commit_sha === null || sameSha(there.commit_sha, commitSha);
  if (there.title === title && there.body === body && sameCommit) {
    const longer = commitSha !== null && commitSha.length > (there.commit_sha?.length ?? 0);
    if (longer) return { ...(await giveCommit(writing, there, commitSha)), created: false };
    await makeDurable(writing.tx, writing.at);
    return { ...toEntry(there), created: false };
  }
  const name = ref("history", there.number);
  const other = [there.title !== title && "title", there.body !== body && "body"].filter(
    (each) => each !== false,
  );
  throw await conflict(writing, ENTRIES, there, {
    reason: "slug",
    says: `already has the slug '${slug}' with another ${other.join(" and ").replace("body", "text") || "commit"}`,
    hint:
      other.length === 0
        ? `coop history commit ${name} ${commitSha} --replace`
        : `give another --slug, or change it with coop history edit ${name}`,
    columns: ["slug", ...(other.length === 0 ? ["commit_sha"] : other)],
  });
}

/**
 * Fills in an entry's commit. The same sha, shorter or longer, is a success; the longest one is kept.
 * @throws CoopError not_found, conflict version, and conflict state when another sha is there and `replace` is not.
 */
export async function commitEntry(
  writing: Writing,
  name: EntryName,
  { sha, replace, ifVersion }: { sha: string; replace: boolean; ifVersion?: number | undefined },
): Promise<Entry> {
  const { number } = await findEntryRow(writing.tx, name);
  const row = await targetEntry(writing, { number, ifVersion });
  const there = row.commit_sha;
  if (there !== null && there.startsWith(sha)) {
    await makeDurable(writing.tx, writing.at);
    return toEntry(row);
  }
  if (there !== null && !replace && !sameSha(there, sha)) {
    throw await conflict(writing, ENTRIES, row, {
      reason: "state",
      says: `already has the commit ${there}`,
      hint: "--replace puts the new one in its place",
      columns: ["commit_sha"],
    });
  }
  return giveCommit(writing, row, sha);
}

async function giveCommit(writing: Writing, row: EntryRow, sha: string): Promise<Entry> {
  await warnSameCommit(writing, row, sha);
  return toEntry(await change<EntryRow>(writing, ENTRIES, row, "commit", { commit_sha: sha }));
}

/** Warns who gives an entry the commit of another one in its scope. */
async function warnSameCommit(
  writing: Writing,
  { number, scope }: EntryRow,
  sha: string,
): Promise<void> {
  const own = ref("history", number);
  const others = await withCommit(writing.tx, sha, { scope });
  const same = others.find((other) => other.ref !== own);
  if (same)
    writing.warn(
      "same_commit",
      `${same.ref} has this commit too; if ${own}'s own is still to come, give it then with --replace`,
    );
}

/** The first few entries that have a commit, of whose sha either may be an abbreviation: one more than an error names. */
export async function withCommit(
  on: Sql,
  sha: string,
  whose: { scope?: string; author?: string } = {},
): Promise<Entry[]> {
  // Nothing that continues the sha comes after it with a letter that is no digit.
  const longer = sql`commit_sha >= ${sha} and commit_sha < ${`${sha}g`}`;
  const shorter = [];
  for (let length = SHA_LENGTH.least; length < sha.length; length++)
    shorter.push(sha.slice(0, length));
  // The sign keeps the engine from another index than that of the commits.
  const own = Object.entries(whose).map(([column, value]) => sql`${raw(column)} || '' = ${value}`);
  const rows: EntryRow[] = [];
  for (const found of [longer, ...(shorter.length > 0 ? [among("commit_sha", shorter)] : [])])
    rows.push(
      ...(await on.all<EntryRow>(sql`select * from history_entries where ${and([found, ...own])}
        order by commit_sha, number limit ${MOST_NAMED + 1}`)),
    );
  return rows.slice(0, MOST_NAMED + 1).map(toEntry);
}

/** The first few of several entries, as an error names them. */
export const namesOf = (entries: readonly Pick<Entry, "ref" | "slug">[]) =>
  [
    ...entries.slice(0, MOST_NAMED).map(({ ref: name, slug }) => `${name} ${slug}`),
    ...(entries.length > MOST_NAMED ? ["and more"] : []),
  ].join(", ");

/** Whether one sha is an abbreviation of the other. */
const sameSha = (a: string, b: string) => a.startsWith(b) || b.startsWith(a);

/** How many entries an error names. */
const MOST_NAMED = 10;

/**
 * The one entry of an author in a scope that waits for its commit, which is `sha`; where none does, the one that has it.
 * @param typed how it was named.
 * @throws CoopError not_found when there is none, usage when there are several.
 */
export async function onePending(
  on: Sql,
  author: string,
  scope: string,
  sha: string,
  typed = sha,
): Promise<EntryName> {
  const rows = await on.all<{
    number: number;
    slug: string;
  }>(sql`select number, slug from history_entries
    where commit_sha is null and scope = ${scope} and author = ${author} order by number desc
    limit ${MOST_NAMED + 1}`);
  if (rows.length === 1) return { number: rows[0]!.number };
  if (rows.length === 0) {
    const own = await withCommit(on, sha, { scope, author });
    // To the same sha again, or less of it, none of several is changed.
    const one = own.length === 1 ? own[0] : own.find((each) => each.commit_sha!.startsWith(sha));
    if (one) return { number: refNumber("history", one.ref) };
    if (own.length > 1)
      throw usage(
        `several entries of ${author} have this commit: ${namesOf(own)}`,
        `name one: coop history commit ${own[0]!.ref} ${typed}`,
      );
    throw new CoopError("not_found", `${author} has no entry pending here`, {
      hint: `coop history add first, or name the entry: coop history pending --all-scopes${await amendHint(on, author, scope, typed)}`,
    });
  }
  const pending = rows.map(({ number, slug }) => ({ ref: ref("history", number), slug }));
  throw usage(
    `several entries of ${author} are pending: ${namesOf(pending)}`,
    `name one: coop history commit ${pending[0]!.ref} ${typed}${rows.length > MOST_NAMED ? "; coop history pending lists them" : ""}`,
  );
}

/** What to do where the commit of one's newest entry was made anew; "" where there is none. */
async function amendHint(on: Sql, author: string, scope: string, typed: string): Promise<string> {
  const newest = await first<{ number: number }>(
    on,
    sql`select number from history_entries
      where commit_sha is not null and scope = ${scope} and author = ${author} order by number desc limit 1`,
  );
  return newest
    ? `; if the commit of your last was amended: coop history commit ${ref("history", newest.number)} ${typed} --replace`
    : "";
}

/** What an edit changes; what is undefined stays. */
export interface Edit {
  title?: string | undefined;
  body?: string | undefined;
  slug?: string | undefined;
}

/**
 * Changes an entry's slug, title or body.
 * @throws CoopError not_found, conflict version, conflict slug.
 */
export async function editEntry(
  writing: Writing,
  name: EntryName,
  ifVersion: number | undefined,
  { title, body, slug }: Edit,
): Promise<Entry> {
  const { number } = await findEntryRow(writing.tx, name);
  const row = await targetEntry(writing, { number, ifVersion });
  const taken = slug === undefined ? undefined : await bySlug(writing.tx, row.scope, slug);
  if (taken && taken.number !== row.number) {
    throw await conflict(writing, ENTRIES, taken, {
      reason: "slug",
      says: `already has the slug '${taken.slug}'`,
      hint: "give another --slug",
      columns: ["slug"],
    });
  }
  return toEntry(await change<EntryRow>(writing, ENTRIES, row, "edit", { title, body, slug }));
}

const targetEntry = (writing: Writing, which: Target) => target<EntryRow>(writing, ENTRIES, which);

/** Entries, newest first. */
export async function listEntries(on: Sql, query: ListQuery): Promise<Listed<Entry>> {
  const listed = await list<EntryRow>(on, ENTRIES, query);
  return { ...listed, rows: listed.rows.map(toEntry) };
}
