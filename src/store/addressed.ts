import type { Surface } from "../ref";

/** Where something can be open on an id. An index serves each. */
export interface Addressed {
  surface: Surface;
  table: string;
  /** The column that names the id. */
  column: string;
  /** The states in which it is open. */
  states: readonly string[];
  /** Its index keeps the priorities apart. */
  byPriority?: true;
  /** Where null names nobody in particular: it is anyone's. */
  anyones?: true;
}

/** The kinds of what can be open on an id: `items` wait for it, `taken` are those that it took. */
export type Kind = "letters" | "requests" | "todos" | "items" | "taken";

/** All that can be open on an id. Whoever asks what is on whom asks here, and so do surfaces for the states. */
export const ADDRESSED = {
  letters: {
    surface: "letter",
    table: "letters",
    column: "addressee",
    states: ["unread", "read", "working"],
  },
  requests: {
    surface: "request",
    table: "requests",
    column: "waiting_on",
    states: ["open", "accepted"],
  },
  todos: {
    surface: "todo",
    table: "todos",
    column: "addressee",
    states: ["open", "doing", "blocked"],
    anyones: true,
  },
  items: {
    surface: "queue",
    table: "queue_items",
    column: "addressee",
    states: ["waiting"],
    byPriority: true,
  },
  taken: { surface: "queue", table: "queue_items", column: "taken_by", states: ["taken"] },
} as const satisfies Record<Kind, Addressed>;
