import type { Migration } from ".";

/** What every surface stands on: the event of each change, answers kept by key, the next numbers, settings. */
export const core: Migration = {
  statements: ({ types: { integer, text, identity } }) => [
    `create table events (
      id ${identity},
      at ${integer} not null,
      author ${text} not null,
      host ${text} not null,
      pid ${integer} not null,
      folder ${text} not null,
      surface ${text} not null,
      number ${integer} not null,
      verb ${text} not null,
      version ${integer} not null,
      state ${text},
      before ${text},
      after ${text})`,
    "create index events_of_record on events (surface, number, id)",
    "create index events_by_author on events (author, at, id)",
    `create table keys (
      author ${text} not null,
      verb ${text} not null,
      key ${text} not null,
      fingerprint ${text} not null,
      at ${integer} not null,
      result ${text} not null,
      primary key (author, verb, key))`,
    `create table counters (name ${text} primary key, value ${integer} not null)`,
    `create table meta (name ${text} primary key, value ${text} not null)`,
  ],
};
