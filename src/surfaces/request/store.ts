import { ref } from "../../ref";
import { ADDRESSED } from "../../store/addressed";
import { timestamp } from "../../time";
import { sql, type Row, type Sql } from "../../store/sql";
import { list, oneOf, type Listable, type Listed, type ListQuery } from "../../store/listing";
import { requireState, target, type MoveRule, type Target } from "../../store/moves";
import {
  change,
  conflict,
  create,
  find,
  head,
  type RecordHead,
  type RecordRow,
  wrote,
} from "../../store/records";
import type { Writing } from "../../store/write";

/** The states in which something is still expected of a request. */
export const UNFINISHED = ADDRESSED.requests.states;
const FINISHED = ["done", "declined", "cancelled"] as const;
/** Every state of a request. */
export const STATES = [...UNFINISHED, ...FINISHED] as const;

/** The table of requests. */
export const REQUESTS: Listable = {
  surface: "request",
  name: "requests",
  states: STATES,
  finished: FINISHED,
  long: ["body"],
};

const MOVES = {
  accept: { from: ["open"], to: "accepted" },
  done: { from: UNFINISHED, to: "done" },
  decline: { from: UNFINISHED, to: "declined" },
  cancel: { from: UNFINISHED, to: "cancelled" },
  reopen: { from: FINISHED, to: "open" },
  assign: { from: UNFINISHED, to: "open" },
} as const satisfies Record<string, MoveRule>;

interface RequestRow extends RecordRow {
  state: string;
  addressee: string;
  kind: string;
  title: string;
  body: string;
  accepted_by: string | null;
  waiting_on: string | null;
}

/** A request, in JSON's words. */
export interface Request extends RecordHead {
  state: string;
  to: string;
  kind: string;
  title: string;
  body: string;
  accepted_by: string | null;
  /** Whose turn it is; nobody's once it is closed. */
  waiting_on: string | null;
}

/** What was said in a request's thread, and the verb that it was said with. */
export interface Message {
  author: string;
  at: string;
  verb: string;
  body: string;
}

/** A request with all that was said about it. */
export interface Thread extends Request {
  /** Oldest first. */
  messages: Message[];
}

const toRequest = (row: RequestRow): Request => ({
  ...head(REQUESTS, row),
  state: row.state,
  to: row.addressee,
  kind: row.kind,
  title: row.title,
  body: row.body,
  accepted_by: row.accepted_by,
  waiting_on: row.waiting_on,
});

/** What a new request says. */
export interface Draft {
  scope: string;
  to: string;
  kind: string;
  title: string;
  body: string;
}

/** Opens a request, which then waits on its addressee. */
export async function openRequest(
  writing: Writing,
  { scope, to, kind, title, body }: Draft,
): Promise<Request> {
  const [row] = await create<RequestRow>(writing, REQUESTS, "open", [
    {
      scope,
      state: "open",
      addressee: to,
      kind,
      title,
      body,
      accepted_by: null,
      waiting_on: to,
    },
  ]);
  return toRequest(row!);
}

/**
 * Adds to a request's thread, in any state, and passes the turn.
 * @throws CoopError not_found, conflict version.
 */
export async function reply(writing: Writing, which: Target, body: string): Promise<Request> {
  const row = await target<RequestRow>(writing, REQUESTS, which);
  const replied = await change<RequestRow>(writing, REQUESTS, row, "reply", {
    waiting_on: nextTurn(row, writing.actor.id),
  });
  await say(writing, row, "reply", body);
  return toRequest(replied);
}

/**
 * Whom a request waits on after a reply: the asker's passes the turn to the other side, a reply by the one it waits on
 * passes it to the asker, and anyone else's leaves it. A closed request waits on nobody, whoever replies.
 */
function nextTurn(
  { state, author: asker, addressee, accepted_by, waiting_on }: RequestRow,
  replier: string,
): string | null {
  if (REQUESTS.finished.includes(state)) return null;
  if (replier === asker) return accepted_by ?? addressee;
  return replier === waiting_on ? asker : waiting_on;
}

/**
 * Accepts, finishes, declines, cancels or reopens a request; what is said with it is kept in the thread. Warns who closes
 * one between others.
 * @throws CoopError not_found, conflict state, conflict version; conflict claimed when another than the asker cancels.
 */
export async function moveRequest(
  writing: Writing,
  verb: "accept" | "done" | "decline" | "cancel" | "reopen",
  which: Target,
  body: string | undefined,
): Promise<Request> {
  const row = await target<RequestRow>(writing, REQUESTS, which);
  const { from, to } = MOVES[verb];
  await requireState(writing, REQUESTS, row, from);
  if (verb === "cancel") await requireAsker(writing, row);
  const changes = { state: to, ...turnOf(verb, row, writing.actor.id) };
  const beside = wrote("message", body);
  const moved = await change<RequestRow>(writing, REQUESTS, row, verb, changes, beside);
  if (body !== undefined) await say(writing, row, verb, body);
  const parties = [row.author, row.addressee, row.accepted_by];
  if ((verb === "done" || verb === "decline") && !parties.includes(writing.actor.id)) {
    const name = ref("request", row.number);
    writing.warn(
      "not_yours",
      `${name} waited on ${row.waiting_on}; if another was meant: coop request reopen ${name}`,
    );
  }
  return toRequest(moved);
}

/** Who has a request and whom it waits on after a move. */
function turnOf(
  verb: Parameters<typeof moveRequest>[1],
  { addressee }: RequestRow,
  mover: string,
): Partial<RequestRow> {
  if (verb === "accept") return { accepted_by: mover, waiting_on: mover };
  if (verb === "reopen") return { accepted_by: null, waiting_on: addressee };
  return { waiting_on: null };
}

async function requireAsker(writing: Writing, row: RequestRow): Promise<void> {
  if (row.author === writing.actor.id) return;
  const name = ref("request", row.number);
  throw await conflict(writing, REQUESTS, row, {
    reason: "claimed",
    says: `can be cancelled by ${row.author} alone, who asked; it is ${row.state}`,
    hint: `coop request decline ${name}`,
  });
}

/**
 * Hands an unfinished request to another id. It is open then, whoever had accepted it.
 * @throws CoopError not_found, conflict state, conflict version.
 */
export async function assignRequest(writing: Writing, which: Target, to: string): Promise<Request> {
  const row = await target<RequestRow>(writing, REQUESTS, which);
  await requireState(writing, REQUESTS, row, MOVES.assign.from);
  return toRequest(
    await change<RequestRow>(writing, REQUESTS, row, "assign", {
      state: MOVES.assign.to,
      addressee: to,
      accepted_by: null,
      waiting_on: to,
    }),
  );
}

/** What an edit changes; what is undefined stays. */
export interface Edit {
  title?: string | undefined;
  body?: string | undefined;
  kind?: string | undefined;
}

/**
 * Changes a request's words, in any state.
 * @throws CoopError not_found, conflict version.
 */
export async function editRequest(
  writing: Writing,
  which: Target,
  { title, body, kind }: Edit,
): Promise<Request> {
  const row = await target<RequestRow>(writing, REQUESTS, which);
  return toRequest(await change<RequestRow>(writing, REQUESTS, row, "edit", { title, body, kind }));
}

async function say(
  { tx, actor, at }: Writing,
  { number }: RequestRow,
  verb: string,
  body: string,
): Promise<void> {
  await tx.all(sql`insert into request_messages (request, at, author, verb, body)
    values (${number}, ${at}, ${actor.id}, ${verb}, ${body})`);
}

/** @throws CoopError not_found. */
export const findRequest = async (on: Sql, number: number) =>
  toRequest(await find<RequestRow>(on, REQUESTS, number));

/**
 * A request with all that was said about it.
 * @throws CoopError not_found.
 */
export async function findThread(on: Sql, number: number): Promise<Thread> {
  const request = await findRequest(on, number);
  const messages = await on.all<Row & Message & { at: number }>(
    sql`select author, at, verb, body from request_messages where request = ${number} order by id`,
  );
  return {
    ...request,
    messages: messages.map((message) => ({ ...message, at: timestamp(message.at) })),
  };
}

/** What lists of requests can be narrowed by, besides what every list can. */
export interface OwnFilter {
  waitingOn?: readonly string[] | undefined;
  kinds?: readonly string[] | undefined;
}

/** Requests, newest first. */
export async function listRequests(
  on: Sql,
  query: ListQuery,
  { waitingOn, kinds }: OwnFilter = {},
): Promise<Listed<Request>> {
  const listed = await list<RequestRow>(on, REQUESTS, query, [
    ...(waitingOn ? [oneOf("waiting_on", waitingOn)] : []),
    ...(kinds ? [oneOf("kind", kinds)] : []),
  ]);
  return { ...listed, rows: listed.rows.map(toRequest) };
}
