import { ref } from "../../../ref";
import { timestamp } from "../../../time";
import { isJson } from "../../../store/json";
import { oneOf, type Choice, type Listable } from "../../../store/listing";
import { head, type RecordHead, type RecordRow } from "../../../store/records";

/** The states in which an item waits to be done. */
export const UNFINISHED = ["waiting", "taken"] as const;
/** The states in which nothing more is to be done. */
export const FINISHED = ["done", "dropped"] as const;
/** Every state of an item. */
export const STATES = [...UNFINISHED, ...FINISHED] as const;

/** The state of an item. */
export type State = (typeof STATES)[number];

/** The table of items. */
export const ITEMS: Listable = {
  surface: "queue",
  name: "queue_items",
  states: STATES,
  finished: FINISHED,
  long: ["payload", "note"],
};

/** An item as its table has it. */
export interface ItemRow extends RecordRow {
  state: State;
  queue: string;
  /** '' for anyone. */
  addressee: string;
  priority: number;
  payload: string;
  payload_type: PayloadType;
  fan_out: number | null;
  re: number | null;
  taken_by: string | null;
  taken_at: number | null;
  note: string | null;
}

/** Whether a payload is JSON or any other text. */
export type PayloadType = "json" | "text";

/** An item, in JSON's words. */
export interface Item extends RecordHead {
  queue: string;
  state: State;
  /** Whom it is for; null for anyone. */
  to: string | null;
  /** 0 is first, 4 last. */
  priority: number;
  /** The string that was pushed, whatever its type. */
  payload: string;
  payload_type: PayloadType;
  /** The push to several that it is a part of. */
  fan_out: string | null;
  /** The item that it is about. */
  re: string | null;
  taken_by: string | null;
  taken_at: string | null;
  /** What was said with its last move. */
  note: string | null;
}

const refOrNull = (surface: "queue" | "fan-out", number: number | null) =>
  number === null ? null : ref(surface, number);

/** An item, of its row. */
export const toItem = (row: ItemRow): Item => ({
  ...head(ITEMS, row),
  queue: row.queue,
  state: row.state,
  to: row.addressee === "" ? null : row.addressee,
  priority: row.priority,
  payload: row.payload,
  payload_type: row.payload_type,
  fan_out: refOrNull("fan-out", row.fan_out),
  re: refOrNull("queue", row.re),
  taken_by: row.taken_by,
  taken_at: row.taken_at === null ? null : timestamp(row.taken_at),
  note: row.note,
});

/** `json` for a text that parses as JSON, else `text`. */
export const payloadType = (payload: string): PayloadType => (isJson(payload) ? "json" : "text");

/** Which items are asked for; a part that is undefined does not narrow. */
export interface Place {
  queue?: string | undefined;
  scope?: string | undefined;
}

/** What items of a place are narrowed to. */
export const placeChoices = ({ queue, scope }: Place): Choice[] => [
  ...(queue === undefined ? [] : [oneOf("queue", [queue])]),
  ...(scope === undefined ? [] : [oneOf("scope", [scope])]),
];
