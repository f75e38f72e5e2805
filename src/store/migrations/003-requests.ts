import type { Migration } from ".";
import { recordColumns } from "./record";

export const requests: Migration = {
  statements: (dialect) => {
    const { integer, text, identity } = dialect.types;
    return [
      `create table requests (${recordColumns(dialect)},
        state ${text} not null,
        addressee ${text} not null,
        kind ${text} not null,
        title ${text} not null,
        body ${text} not null,
        accepted_by ${text},
        waiting_on ${text})`,
      // The partial indexes come last: of two that fit alike, SQLite takes the younger.
      "create index requests_by_scope on requests (scope, number)",
      "create index requests_by_update on requests (updated_at)",
      "create index requests_waiting on requests (waiting_on, number) where waiting_on is not null",
      "create index requests_open on requests (scope, number) where state in ('open', 'accepted')",
      "create index requests_unfinished on requests (number) where state in ('open', 'accepted')",
      `create table request_messages (
        id ${identity},
        request ${integer} not null references requests (number),
        at ${integer} not null,
        author ${text} not null,
        verb ${text} not null,
        body ${text} not null)`,
      "create index request_messages_of on request_messages (request, id)",
    ];
  },
};
