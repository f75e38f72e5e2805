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
      "create index todos_by_state on todos (state, number)",
      "create index todos_by_scope on todos (scope, state, number)",
      "create index todos_by_author on todos (author, state, number, scope)",
      "create index todos_by_addressee on todos (addressee, state, number, scope)",
      // For `ready`, the most urgent first, and for lists of one priority.
      "create index todos_by_priority on todos (state, priority, number)",
      "create index todos_by_priority_here on todos (scope, state, priority, number)",
      "create index todos_ready_of on todos (addressee, priority, number, scope) where state = 'open'",
      `create table todo_after (
        todo ${integer} not null references todos (number),
        after ${integer} not null references todos (number),
        primary key (todo, after))`,
    ];
  },
};
