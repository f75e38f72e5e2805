import type { Migration } from ".";
import { recordColumns } from "./record";

export const history: Migration = {
  statements: (dialect) => {
    const { text } = dialect.types;
    return [
      `create table history_entries (${recordColumns(dialect)},
        slug ${text} not null,
        title ${text} not null,
        body ${text} not null,
        commit_sha ${text},
        unique (scope, slug))`,
      "create index history_pending on history_entries (scope, number) where commit_sha is null",
      "create index history_by_scope on history_entries (scope, number)",
      "create index history_by_update on history_entries (updated_at)",
    ];
  },
};
