import type { Migration } from ".";
import { recordColumns } from "./record";

export const letters: Migration = {
  statements: (dialect) => {
    const { integer, text } = dialect.types;
    return [
      `create table letters (${recordColumns(dialect)},
        state ${text} not null,
        addressee ${text} not null,
        title ${text} not null,
        body ${text} not null,
        acknowledgement ${text},
        note ${text},
        supersedes ${text},
        superseded_by ${integer} references letters (number))`,
      "create index letters_by_state on letters (state, number)",
      "create index letters_by_state_in on letters (scope, state, number)",
      "create index letters_by_author on letters (author, state, number)",
      "create index letters_by_author_in on letters (scope, author, state, number)",
      "create index letters_by_addressee on letters (addressee, state, number, scope)",
      "create index letters_by_addressee_in on letters (scope, addressee, state, number)",
      "create index letters_by_update on letters (state, updated_at)",
      "create index letters_by_update_in on letters (scope, state, updated_at)",
      "create index letters_superseded on letters (superseded_by) where superseded_by is not null",
    ];
  },
};
