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
      "create index requests_by_state on requests (state, number)",
      "create index requests_by_state_in on requests (scope, state, number)",
      "create index requests_by_author on requests (author, state, number)",
      "create index requests_by_author_in on requests (scope, author, state, number)",
      "create index requests_by_addressee on requests (addressee, state, number, scope)",
      "create index requests_by_addressee_in on requests (scope, addressee, state, number)",
      "create index requests_by_update on requests (state, updated_at)",
      "create index requests_by_update_in on requests (scope, state, updated_at)",
      "create index requests_by_kind on requests (kind, state, number)",
      "create index requests_by_kind_in on requests (scope, kind, state, number)",
      "create index requests_waiting on requests (waiting_on, state, number, scope) where waiting_on is not null",
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
