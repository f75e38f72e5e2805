import type { Migration } from ".";
import { recordColumns } from "./record";

export const todos: Migration = {
  statements: (dialect) => {
    const { integer, text } = dialect.types;
    return [
      `create table todos (${recordColumns(dialect)},
        state ${text} not null,
        addressee ${text},
        priority ${integer} not null,
        title ${text} not null,
        body ${text} not null,
        note ${text})`,
      // The partial indexes come last: of two that fit alike, SQLite takes the younger.
      "create index todos_by_scope on todos (scope, number)",
      "create index todos_by_update on todos (updated_at)",
      "create index todos_open on todos (scope, number) where state in ('open', 'doing', 'blocked')",
      "create index todos_unfinished on todos (number) where state in ('open', 'doing', 'blocked')",
      "create index todos_assigned on todos (addressee, number) where state in ('open', 'doing', 'blocked')",
      "create index todos_ready on todos (scope, priority, number) where state = 'open'",
      "create index todos_ready_anywhere on todos (priority, number) where state = 'open'",
      `create table todo_after (
        todo ${integer} not null references todos (number),
        after ${integer} not null references todos (number),
        primary key (todo, after))`,
    ];
  },
};
