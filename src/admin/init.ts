import * as v from "valibot";
import { answer } from "../cli/answer";
import type { Context } from "../cli/context";
import { defineVerb, flag, toggle, type InputOf } from "../cli/define";
import { inline } from "../cli/text";
import { usage } from "../errors";
import type { Store } from "../store/open";
import { EVERY_MS, publishing } from "../store/publish";
import { GROUP, meta, requireInUse, requireNotNewer, setMeta, SNAPSHOT } from "../store/schema";
import { createSqliteStore } from "../store/sqlite/create";
import { findGroup, share } from "../store/sqlite/group";
import { JOURNALS, keptJournal, setJournal, type Journal } from "../store/sqlite/journal";
import { openSqliteStore } from "../store/sqlite/store";
import { upgradeSqliteStore } from "../store/sqlite/upgrade";
import { duration } from "../time";
import { warnLastSeen } from "./last-seen";

const args = {
  upgrade: toggle("bring the store to a schema that shuts older binaries out"),
  journal: flag(v.picklist(JOURNALS), "KIND", "wal or rollback; else what the folder bears"),
  oneHost: toggle("with --journal rollback: only this host will ever use the store"),
  snapshotEvery: flag(v.string(), "TIME", "how old the published snapshot may get (1h); 0: never"),
  group: flag(v.pipe(v.string(), v.nonEmpty("name a group")), "NAME", "let a group of users in"),
};

export default defineVerb({
  unscoped: "none",
  about: "make the store, if it is not there; the only command that ever does",
  examples: [
    "coop init",
    "coop init --db /srv/pippa-db/coop.db",
    "coop init --snapshot-every 30m",
    "coop init --journal rollback",
    "coop init --upgrade",
  ],
  notes: `Makes the folder (mode 0700) and the file (0600). On a coop store it changes what a flag names and nothing else;
any other file is refused, and so is to change a backup, an archive or a store that was moved. --upgrade also makes a
change of schema that older binaries cannot live with, after naming who used the store last.
--journal: a write-ahead log (wal) is faster and lets readers go on beside a writer, but needs a disk of this machine; a
rollback journal is right on NFS too. The store keeps which it is, for every host. To change it, nobody else may be using
the store. --one-host allows a rollback journal where two hosts would damage the store: on sshfs, 9p, SMB without locks.
--group: the folder becomes the group's with mode 2770, the files in it with 0660.`,
  args,
  run: async (input, context) => {
    if (input.oneHost && input.journal !== "rollback")
      throw usage("--one-host is about a rollback journal", "add --journal rollback");
    const location = context.settings.location();
    if (location.engine === "sqlite") return initSqlite(location.path, input, context);
    const { upgrade: wanted, ...ofFiles } = input;
    if (Object.keys(ofFiles).length > 0)
      throw usage(
        "--journal, --one-host, --snapshot-every and --group are for a store in a file",
        "leave them out, or name a file with --db",
      );
    const { initPostgres } = await import("./init-postgres");
    return initPostgres(location, wanted === true, context);
  },
});

interface Made {
  store: string;
  created: boolean;
  schema: number;
  journal: Journal;
  one_host: boolean;
  /** Seconds; 0 for never. */
  snapshot_every: number;
  group: string | null;
}

async function initSqlite(path: string, input: InputOf<typeof args>, context: Context) {
  const { journal, oneHost = false, snapshotEvery, group } = input;
  const every = snapshotEvery === undefined ? undefined : secondsOf(snapshotEvery);
  const host = await context.edge.host();
  const { wait } = context;
  const open = () => openSqliteStore(path, wait, { warn: context.warn });

  const created = await createSqliteStore(path, wait, { journal, oneHost, group, host });
  if (!created) {
    const sharing = group === undefined ? undefined : await findGroup(group);
    if (input.upgrade) await upgradeSqliteStore(path, wait, context.warn, warnLastSeen(context));
    const there = await open();
    try {
      const settings = [journal, every, group].some((each) => each !== undefined);
      // Where the store's snapshot is read for it, that is a backup.
      const isItself = context.warnings.every(({ code }) => code !== "snapshot");
      if (settings && isItself) {
        await requireNotNewer(there, there.schema, "writer");
        await requireInUse(there, there.location);
      }
    } finally {
      await there.close();
    }
    // First what a group is refused for: by then nothing is written.
    if (sharing) await share(path, sharing);
    if (journal !== undefined) await setJournal(path, { journal, oneHost }, host, wait);
  }
  const store = await open();
  try {
    if (every !== undefined || group !== undefined) {
      await store.requireWritable({ host, warn: context.warn });
      await store.transaction(async (tx) => {
        if (every !== undefined) await setMeta(tx, SNAPSHOT.every, String(every));
        if (group !== undefined) await setMeta(tx, GROUP, group);
      });
    }
    return answer(await made(store, path, created), madeText, {
      made: created || Object.keys(input).length > 0,
    });
  } finally {
    await store.close();
  }
}

async function made(store: Store, path: string, created: boolean): Promise<Made> {
  const kept = await keptJournal(store);
  return {
    store: path,
    created,
    schema: store.schema,
    journal: kept.journal ?? "wal",
    one_host: kept.oneHost,
    snapshot_every: (await publishing(store)).every / 1000,
    group: (await meta(store, GROUP)) ?? null,
  };
}

function madeText({ store, created, journal, one_host, snapshot_every, group }: Made): string {
  const settings = [
    journal === "rollback" && (one_host ? "rollback journal, for one host" : "rollback journal"),
    snapshot_every === 0
      ? "no snapshots"
      : snapshot_every * 1000 !== EVERY_MS && `snapshot every ${snapshot_every} s`,
    group !== null && `group ${group}`,
  ].filter(Boolean);
  const where = created ? `made the store ${store}` : `the store ${store} is there`;
  return inline(settings.length > 0 ? `${where}: ${settings.join("; ")}` : where);
}

/** @throws CoopError usage, for what is no length of time. */
const secondsOf = (text: string) => (text === "0" ? 0 : duration(text) / 1000);
