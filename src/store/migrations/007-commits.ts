import type { Migration } from ".";

/** An entry is found by its commit: the way from a line of code to why it is so. */
export const commits: Migration = {
  statements: () => [
    "create index history_by_commit on history_entries (commit_sha, number) where commit_sha is not null",
  ],
};
