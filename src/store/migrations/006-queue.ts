import type { Migration } from ".";
import { recordColumns } from "./record";

/** An addressee of '' is anyone: an index reaches it like any other name, which it would not reach null. */
export const queue: Migration = {
  // The first release: nothing older is in use.
  breaks: "readers",
  statements: (dialect) => {
    const { integer, text, identity } = dialect.types;
    return [
      `create table queue_items (${recordColumns(dialect)},
        state ${text} not null,
        queue ${text} not null,
        addressee ${text} not null,
        priority ${integer} not null,
        payload ${text} not null,
        payload_type ${text} not null,
        fan_out ${integer},
        re ${integer} references queue_items (number),
        taken_by ${text},
        taken_at ${integer},
        note ${text})`,
      "create index queue_by_state on queue_items (state, number, priority)",
      "create index queue_by_state_in on queue_items (scope, state, number)",
      "create index queue_by_update on queue_items (state, updated_at)",
      "create index queue_by_author on queue_items (author, state, number, scope)",
      "create index queue_by_name on queue_items (queue, state, number, scope)",
      // In the order that items are taken in: from any queue, which also serves the lists of an addressee, and from one.
      "create index queue_by_addressee on queue_items (addressee, state, priority, number, scope)",
      "create index queue_waiting on queue_items (queue, addressee, priority, number, scope) where state = 'waiting'",
      // The state first although it is one only: SQLite would take an index where it can look for it.
      "create index queue_taken on queue_items (state, taken_at, number, queue, scope) where state = 'taken'",
      "create index queue_taken_by on queue_items (taken_by, state, number, scope) where taken_by is not null",
      "create index queue_fan_out on queue_items (fan_out, number) where fan_out is not null",
      "create index queue_re on queue_items (re, number) where re is not null",
      `create table replies (
        id ${identity},
        item ${integer} not null references queue_items (number),
        at ${integer} not null,
        author ${text} not null,
        body ${text} not null)`,
      "create index replies_of on replies (item, id)",
    ];
  },
};
