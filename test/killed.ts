/**
 * Leaves a store of letters as a program does that is killed in the middle of a commit.
 * @param first whether it has changed the first page by then, as a small commit has.
 */
export async function killedInCommit(store: string, first = false): Promise<void> {
  const script = `import { Database } from "bun:sqlite";
    const store = new Database(${JSON.stringify(store)});
    store.run("pragma cache_size = 5");
    store.run("begin immediate");
    ${first ? 'store.run("pragma user_version = " + store.query("pragma user_version").values()[0][0]);' : ""}
    store.run("update letters set body = hex(randomblob(1500)), version = 99");
    process.kill(process.pid, "SIGKILL");`;
  await Bun.spawn([process.execPath, "-e", script]).exited;
}
