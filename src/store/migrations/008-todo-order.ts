import type { Migration } from ".";

/** What comes after a todo is found by that: what its end sets free. */
export const todoOrder: Migration = {
  statements: () => ["create index todo_after_from on todo_after (after, todo)"],
};
