import { expect, test } from "bun:test";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serverOf } from "../../../src/store/postgres/server";

const NOWHERE = { env: {}, home: () => "/nowhere" };

const at = (url: string, around = NOWHERE) => serverOf({ engine: "postgres", url, around });

test("to trust the system's authorities is to look at the whole certificate, and never goes with less", async () => {
  const { sslMode, ca } = await at("postgres://ann@db/work?sslrootcert=system");
  expect({ sslMode, ca }).toEqual({ sslMode: "verify-full", ca: undefined });
  for (const mode of ["disable", "prefer", "require", "verify-ca"])
    await expect(
      at(`postgres://ann@db/work?sslmode=${mode}&sslrootcert=system`),
    ).rejects.toMatchObject({
      code: "usage",
      message: `sslrootcert=system goes with sslmode=verify-full, not ${mode}`,
    });
});

test("a value that would be ignored is an error of usage", async () => {
  for (const [parameters, says] of [
    ["connect_timeout=soon", "connect_timeout is 'soon'"],
    ["sslcert=/srv/ann.crt", "sslcert and sslkey go together"],
    ["sslkey=/srv/ann.key", "sslcert and sslkey go together"],
  ])
    await expect(at(`postgres://ann@db/work?${parameters}`)).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining(says!),
    });
  // Where no TLS is used they are no matter.
  await at("postgres://ann@db/work?sslmode=disable&sslcert=/srv/ann.crt");
  const seconds = async (value: string) =>
    (await at(`postgres://ann@db/work?connect_timeout=${value}`)).connectSeconds;
  expect([await seconds("7"), await seconds("0"), await seconds("-1")]).toEqual([
    7,
    undefined,
    undefined,
  ]);
});

test("a password file names an IPv6 address as PostgreSQL does, without the brackets of a URL", async () => {
  const home = await mkdtemp(join(tmpdir(), "coop-home-"));
  try {
    const file = join(home, ".pgpass");
    await Bun.write(file, "\\:\\:1:5432:work:ann:SECRET\n");
    await chmod(file, 0o600);
    const { host, password } = await at("postgres://ann@[::1]/work", { env: {}, home: () => home });
    expect({ host, password }).toEqual({ host: "::1", password: "SECRET" });
  } finally {
    await rm(home, { recursive: true });
  }
});
