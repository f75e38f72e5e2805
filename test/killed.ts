/** Leaves a store of letters as a program does that is killed in the middle of a commit. */
export async function killedInCommit(store: string): Promise<void> {
  const script = `import { Database } from "bun:sqlite";
    const store = new Database(${JSON.stringify(store)});
    store.run("pragma cache_size = 5");
    store.run("begin immediate");
    store.run("update letters set body = hex(randomblob(1500)), version = 99");
    process.kill(process.pid, "SIGKILL");`;
  await Bun.spawn([process.execPath, "-e", script]).exited;
}
