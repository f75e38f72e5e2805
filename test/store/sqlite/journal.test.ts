import { describe, expect, test } from "bun:test";
import { choose, type Kept } from "../../../src/store/sqlite/journal";
import type { Mount } from "../../../src/store/sqlite/mount";
import { damagesLogs, isTooOld } from "../../../src/store/sqlite/version";

const NEW: Kept = { journal: undefined, oneHost: false };
const mount = (kind: Mount["kind"], type: string = kind): Mount => ({ kind, type });
const FIXED = "3.54.1";
const APPLE = "3.43.2";

describe("SQLite's versions", () => {
  test.each(["3.7.0", "3.43.2", "3.44.5", "3.45.0", "3.49.9", "3.50.6", "3.51.0", "3.51.2"])(
    "%s can damage a write-ahead log",
    (version) => expect(damagesLogs(version)).toBe(true),
  );

  test.each(["3.6.23", "3.44.6", "3.44.9", "3.50.7", "3.51.3", "3.52.0", "3.54.1", "4.0.0"])(
    "%s cannot",
    (version) => expect(damagesLogs(version)).toBe(false),
  );

  test("those before 3.43 lack what coop asks of them", () => {
    for (const version of ["2.8.17", "3.39.5", "3.42.0"]) expect(isTooOld(version)).toBe(true);
    for (const version of ["3.43.0", "3.54.1", "4.0.0"]) expect(isTooOld(version)).toBe(false);
  });
});

describe("the journal of a store", () => {
  test("is a write-ahead log on a disk of the machine", () => {
    expect(choose(mount("local"), FIXED, NEW)).toEqual({ journal: "wal" });
    expect(choose(mount("local"), FIXED, { ...NEW, journal: "wal" })).toEqual({ journal: "wal" });
  });

  test("is a rollback journal with a SQLite that damages logs, and says why", () => {
    for (const journal of [undefined, "wal", "rollback"] as const)
      expect(choose(mount("local"), APPLE, { ...NEW, journal })).toEqual({
        journal: "rollback",
        because: "SQLite 3.43.2 can damage a write-ahead log",
      });
  });

  test("is a rollback journal on a network, and says why", () => {
    for (const journal of [undefined, "wal", "rollback"] as const)
      expect(choose(mount("network", "nfs4"), FIXED, { ...NEW, journal })).toEqual({
        journal: "rollback",
        because: "its folder is on nfs4",
      });
  });

  test("stays a rollback journal where a log would do", () => {
    expect(choose(mount("local"), FIXED, { ...NEW, journal: "rollback" }).journal).toBe("rollback");
    expect(choose(mount("local"), FIXED, { journal: "rollback", oneHost: true }).journal).toBe(
      "rollback",
    );
  });

  test("is none where two hosts damage it, unless there is only one", () => {
    for (const journal of [undefined, "wal", "rollback"] as const) {
      const kept = { ...NEW, journal };
      expect(() => choose(mount("refused", "fuse.sshfs"), FIXED, kept)).toThrow("fuse.sshfs");
    }
    const kept: Kept = { journal: "rollback", oneHost: true };
    expect(choose(mount("refused", "fuse.sshfs"), FIXED, kept).journal).toBe("rollback");
  });

  test("stays what it is where the system does not tell of mounts, and is a rollback journal there at first", () => {
    expect(choose(mount("unknown"), FIXED, NEW).journal).toBe("rollback");
    for (const journal of ["wal", "rollback"] as const)
      expect(choose(mount("unknown"), FIXED, { ...NEW, journal }).journal).toBe(journal);
  });
});
