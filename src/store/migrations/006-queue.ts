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
      // With the scope at their end, so that narrowing to one reads no other items.
      "create index queue_waiting on queue_items (queue, addressee, priority, number, scope) where state = 'waiting'",
      "create index queue_waiting_anywhere on queue_items (addressee, priority, number, scope) where state = 'waiting'",
      "create index queue_by_state on queue_items (queue, state, number, scope)",
      "create index queue_taken on queue_items (taken_at, number) where state = 'taken'",
      // Before the next: of two indexes that serve alike, SQLite takes the younger.
      "create index queue_by_name on queue_items (queue, number)",
      "create index queue_unfinished_of on queue_items (queue, number) where state in ('waiting', 'taken')",
      "create index queue_unfinished on queue_items (number) where state in ('waiting', 'taken')",
      "create index queue_addressed on queue_items (addressee, number) where state in ('waiting', 'taken')",
      "create index queue_addressed_finished on queue_items (addressee) where state in ('done', 'dropped')",
      "create index queue_by_update on queue_items (updated_at)",
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
