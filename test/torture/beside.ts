import { Database } from "bun:sqlite";
import { existsSync, readdirSync, statSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Chance } from "./chance";
import { CONFLICTS, type Entry, type Ledger } from "./ledger";
import type { Reaper } from "./reaper";
import { unsound } from "./sound";
import { told, type LaunchOptions } from "./stage";

/** What goes on in a store while its writers are killed. */
export interface Beside {
  /** Before a round. */
  before?(): Promise<void>;
  /** During a round, beside its writers. */
  during?(): Promise<unknown>;
  /** How a round's next process is run. */
  how?(): LaunchOptions;
  /** After a round, when nothing runs. */
  after?(): void | Promise<void>;
  /** After the last round and one more command, when nothing runs. */
  end?(): void;
  /** Files that what was acknowledged is in, where that is not the store alone. */
  stores?(): string[];
  /** What one command did can be in several of them: else each has all of it or nothing. */
  together?: boolean;
  /** What a writer may end with, beside 0. */
  exits: readonly number[];
  /** How many rounds a store bears; 25 if left out. */
  rounds?: number;
}

/** Everything that may go on, by its name, and the words that a store for it is made with. */
export const BESIDES: Record<
  string,
  {
    init?: readonly string[];
    begin(ledger: Ledger, chance: Chance, reaper: Reaper): Promise<Beside>;
  }
> = {
  nothing: { begin: async () => ({ exits: CONFLICTS }) },
  "a rollback journal": {
    init: ["--journal", "rollback"],
    begin: async () => ({ exits: CONFLICTS }),
  },
  backups: { begin: backups },
  publishing: { begin: publishing },
  restores: { begin: restores },
  archiving: { begin: archiving },
  migrations: { begin: migrations },
};

/** Backups are made, and killed like everything else. */
async function backups(ledger: Ledger, chance: Chance, reaper: Reaper): Promise<Beside> {
  const { stage } = ledger;
  const folder = join(stage.home, "copies");
  await mkdir(folder);
  let count = 0;
  let made: { file: string; acknowledged: Entry[] } | undefined;
  return {
    exits: CONFLICTS,
    during: async () => {
      const file = join(folder, `${++count}.db`);
      const acknowledged = ledger.acknowledged();
      const backup = await stage.run(
        ["backup", "--to", file],
        chance.flip(0.3) ? {} : chance.flip() ? reaper.atACall() : { lifetime: reaper.lifetime() },
      );
      reaper.saw(backup);
      if (backup.exit !== null && backup.exit !== 0)
        stage.violate(`a backup failed: ${told(backup)}`);
      if (backup.exit === 0 && !existsSync(file))
        stage.violate(`a backup is not there: ${told(backup)}`);
      made = existsSync(file) ? { file, acknowledged } : undefined;
    },
    after: () => {
      if (!made) return;
      for (const wrong of unsound(made.file)) stage.violate(`${made.file}: ${wrong}`);
      ledger.holds(made.file, made.acknowledged);
    },
  };
}

/** So many rounds that in one of them at least a writer lives to its end. */
const ENOUGH_ROUNDS = 5;

/** Every writing command publishes a snapshot after its answer. */
async function publishing(ledger: Ledger): Promise<Beside> {
  const { stage } = ledger;
  const latest = join(dirname(stage.store), "backups/coop.latest.db");
  const made = () => (existsSync(latest) ? statSync(latest).ino : undefined);
  let acknowledged: Entry[] = [];
  let before: number | undefined;
  let rounds = 0;
  let held: Entry[] = [];
  return {
    exits: CONFLICTS,
    before: async () => {
      rounds++;
      publishAlways(stage.store);
      acknowledged = ledger.acknowledged();
      before = made();
    },
    after: () => {
      if (made() === undefined) return;
      if (made() !== before) held = acknowledged;
      for (const wrong of unsound(latest)) stage.violate(`${latest}: ${wrong}`);
      ledger.holds(latest, held);
    },
    end: () => {
      // In a round or two each writer can be killed before it comes to that.
      if (made() === undefined && rounds >= ENOUGH_ROUNDS)
        stage.violate(`${latest} was never published`);
    },
  };
}

/** Makes each writing command publish, also right after one that was killed while it did. */
export function publishAlways(path: string): void {
  using store = new Database(path);
  store.run("pragma busy_timeout = 10000");
  store.run(`insert into meta (name, value) values ('snapshot_every', '0.001')
    on conflict (name) do update set value = excluded.value`);
  store.run("delete from meta where name in ('snapshot_claimed_at', 'snapshot_took')");
}

/** Older backups are put back, which is killed like everything else; what is replaced is kept in saved copies. */
async function restores(ledger: Ledger, chance: Chance, reaper: Reaper): Promise<Beside> {
  const { stage } = ledger;
  const folder = join(stage.home, "copies");
  await mkdir(folder);
  const made: { file: string; acknowledged: Entry[] }[] = [];
  let count = 0;
  return {
    // A record can be gone, or be again as it was.
    exits: [3, ...CONFLICTS],
    before: async () => {
      if (made.length > 0 && chance.flip(0.6)) return;
      const file = join(folder, `${++count}.db`);
      const acknowledged = await stillThere(ledger);
      await stage.must(["backup", "--to", file]);
      made.push({ file, acknowledged });
    },
    during: async () => {
      const { file, acknowledged } = chance.pick(made);
      const key = chance.flip() ? ["--key", `restore-${++count}`] : [];
      const words = ["--as", "dad", "restore", file, ...key];
      const end = chance.pick([{}, reaper.atACall(), { lifetime: reaper.lifetime() }]);
      let restore = await stage.run(words, end);
      reaper.saw(restore);
      if (restore.exit === null && key.length > 0) restore = await stage.run(words);
      if (restore.exit !== null && restore.exit !== 0)
        stage.violate(`a restore failed: ${told(restore)}`);
      if (restore.exit !== 0) return;
      if (!existsSync(restore.answer!.data.saved_as))
        stage.violate(`nothing was saved: ${told(restore)}`);
      ledger.holds(stage.store, acknowledged);
    },
    stores: () => [stage.store, ...savedBy(stage.store)],
  };
}

/** What was acknowledged and is in the store now: a restore takes what came after away. */
async function stillThere(ledger: Ledger): Promise<Entry[]> {
  return ledger.acknowledged().filter((entry) => ledger.isIn(ledger.stage.store, entry));
}

const sizeOf = (file: string) => (existsSync(file) ? statSync(file).size : 0);

/** What restores have kept of a store. */
const savedBy = (store: string): string[] =>
  [...new Bun.Glob("backups/coop.before-restore.*.db").scanSync(dirname(store))].map((name) =>
    join(dirname(store), name),
  );

/** Finished items are moved out of the store into a file. */
async function archiving(ledger: Ledger, chance: Chance, reaper: Reaper): Promise<Beside> {
  const { stage } = ledger;
  const file = join(stage.home, "archive.db");
  return {
    exits: [3, ...CONFLICTS],
    during: async () => {
      const end = chance.pick([{}, reaper.atACall(), { lifetime: reaper.lifetime() }]);
      const words = ["--as", "dad", "queue", "archive", "--older", "0s", "--to", file];
      const archive = await stage.run(words, end);
      reaper.saw(archive);
      if (archive.exit !== null && archive.exit !== 0)
        stage.violate(`an archiving failed: ${told(archive)}`);
      // What a killed one left half made is put right by whoever comes next.
      await stage.run(["--db", file, "whoami"]);
    },
    // One that was killed before it had made its archive leaves an empty file, which its repeat fills.
    stores: () => [stage.store, ...(sizeOf(file) > 0 ? [file] : [])],
    together: true,
  };
}

/** Binaries of two ages come to a store of the older schema at once, and the newer migrate it. */
async function migrations(ledger: Ledger, chance: Chance): Promise<Beside> {
  const { stage } = ledger;
  const newer = await stage.campaign.newer();
  const schema = schemaOf(stage.store);
  for (let n = 0; n < 5; n++) await ledger.run(ledger.note(ledger.commands.creation()));
  const acknowledged = ledger.acknowledged();
  return {
    rounds: 1,
    exits: CONFLICTS,
    how: () => (chance.flip(0.7) ? { program: newer } : {}),
    after: async () => {
      const folder = dirname(stage.store);
      const copy = `${stage.store}.schema-${schema}`;
      const migrated = schemaOf(stage.store) > schema;
      if (migrated && !existsSync(copy)) stage.violate("it was migrated without a safety copy");
      if (existsSync(copy)) {
        for (const wrong of unsound(copy)) stage.violate(`${copy}: ${wrong}`);
        if (schemaOf(copy) !== schema) stage.violate(`${copy} has the new schema`);
        ledger.holds(copy, acknowledged);
      }
      await stage.must(["whoami"], { program: newer });
      if (schemaOf(stage.store) !== schema + 1)
        stage.violate(`it was not migrated; beside it are ${readdirSync(folder).join(", ")}`);
    },
  };
}

function schemaOf(path: string): number {
  using store = new Database(path, { readonly: true });
  return (store.query("pragma user_version").get() as { user_version: number }).user_version;
}
