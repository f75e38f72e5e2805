import type { Surface } from "../ref";
import type { Row } from "./sql";

/** Where a surface keeps its records and what people write: the columns, and the table of what is said about one. */
interface Texts {
  table: string;
  columns: readonly string[];
  said?: { table: string; of: string };
  /** The state of a row, where it is not the column `state`. */
  stateOf?: (row: Row) => string;
}

/** An entry is pending until its commit is known: the sha tells its state. */
export const entryState = ({ commit_sha: sha }: Row) => (sha === null ? "pending" : "committed");

/** The table of each surface, every place of its records that a text can stand in, and how their state is told. */
export const TEXTS: Record<Surface, Texts> = {
  letter: { table: "letters", columns: ["title", "body", "acknowledgement", "note"] },
  request: {
    table: "requests",
    columns: ["title", "body"],
    said: { table: "request_messages", of: "request" },
  },
  todo: { table: "todos", columns: ["title", "body", "note"] },
  history: {
    table: "history_entries",
    columns: ["slug", "title", "body"],
    stateOf: entryState,
  },
  queue: {
    table: "queue_items",
    columns: ["payload", "note"],
    said: { table: "replies", of: "item" },
  },
};

/** How much of a text is given to call its record by, where it has no title. */
export const BEGINS_CHARACTERS = 200;

/** The table of a surface's records. */
export const tableName = (surface: Surface) => TEXTS[surface].table;
