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
      "create index todos_by_state_in on todos (scope, state, number)",
      "create index todos_by_author on todos (author, state, number)",
      "create index todos_by_author_in on todos (scope, author, state, number)",
      "create index todos_by_addressee on todos (addressee, state, number, scope)",
      "create index todos_by_addressee_in on todos (scope, addressee, state, number)",
      "create index todos_by_update on todos (state, updated_at)",
      "create index todos_by_update_in on todos (scope, state, updated_at)",
      // For `ready`, the most urgent first, and for lists of one priority.
      "create index todos_by_priority on todos (state, priority, number)",
      "create index todos_by_priority_in on todos (scope, state, priority, number)",
      "create index todos_ready_of on todos (addressee, state, priority, number, scope) where state = 'open'",
      `create table todo_after (
        todo ${integer} not null references todos (number),
        after ${integer} not null references todos (number),
        primary key (todo, after))`,
    ];
  },
};
