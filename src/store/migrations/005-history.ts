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
      // A pair for each list, since the state is no column. What is pending has the null in it to be counted there.
      "create index history_pending on history_entries (commit_sha, number) where commit_sha is null",
      "create index history_committed on history_entries (number) where commit_sha is not null",
      "create index history_pending_in on history_entries (scope, commit_sha, number) where commit_sha is null",
      "create index history_committed_in on history_entries (scope, number) where commit_sha is not null",
      "create index history_pending_of on history_entries (author, commit_sha, number) where commit_sha is null",
      "create index history_committed_of on history_entries (author, number) where commit_sha is not null",
      "create index history_pending_of_in on history_entries (scope, author, commit_sha, number) where commit_sha is null",
      "create index history_committed_of_in on history_entries (scope, author, number) where commit_sha is not null",
      "create index history_by_update on history_entries (updated_at, commit_sha)",
      "create index history_by_update_in on history_entries (scope, updated_at, commit_sha)",
    ];
  },
};
