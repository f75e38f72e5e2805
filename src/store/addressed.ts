/** Where something can be open on an id. An index serves each. */
export interface Addressed {
  table: string;
  /** The column that names the id. */
  column: string;
  /** The rows that are open. */
  open: string;
  /** Where null names nobody in particular: it is anyone's. */
  anyones?: true;
}

/** The kinds of what can be open on an id: `items` wait for it, `taken` are those that it took. */
export type Kind = "letters" | "requests" | "todos" | "items" | "taken";

/** All that can be open on an id. Whoever asks what is on whom asks here. */
export const ADDRESSED: Record<Kind, Addressed> = {
  letters: {
    table: "letters",
    column: "addressee",
    open: "state in ('unread', 'read', 'working')",
  },
  requests: { table: "requests", column: "waiting_on", open: "waiting_on is not null" },
  todos: {
    table: "todos",
    column: "addressee",
    open: "state in ('open', 'doing', 'blocked')",
    anyones: true,
  },
  items: { table: "queue_items", column: "addressee", open: "state = 'waiting'" },
  taken: { table: "queue_items", column: "taken_by", open: "state = 'taken'" },
};
