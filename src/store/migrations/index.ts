import type { Dialect } from "../sql";
import { core } from "./001-core";
import { letters } from "./002-letters";
import { requests } from "./003-requests";
import { todos } from "./004-todos";
import { history } from "./005-history";
import { queue } from "./006-queue";
import { commits } from "./007-commits";
import { todoOrder } from "./008-todo-order";

/** One step of the schema. Steps are only ever added: a released one is never changed. */
export interface Migration {
  /** The statements, in order. */
  statements(dialect: Dialect): readonly string[];
  /** Who cannot live with the result: older binaries that write, or even those that only read. */
  breaks?: "writers" | "readers";
}

/** Every step in order; a store's schema version is how many of them it has taken. */
export const MIGRATIONS: Migration[] = [
  core,
  letters,
  requests,
  todos,
  history,
  queue,
  commits,
  todoOrder,
];
