import { expect, test } from "bun:test";
import { Wait } from "../../src/store/wait";
import { clock } from "../engines";

test("what a command may wait is for all of its locks, and anew after work that took long", async () => {
  let now = 0;
  const sleep = async (milliseconds: number) => void (now += milliseconds);
  const wait = new Wait(2, { ...clock, elapsed: () => now, sleep });
  const locked = () => Promise.reject(new Error("locked"));
  const always = () => true;
  now = 1500;
  expect(wait.left).toBe(500);
  await expect(wait.retry(locked, always)).rejects.toThrow("locked");
  expect([wait.left, Math.round(now)]).toEqual([0, 2000]);
  await expect(wait.retry(locked, always)).rejects.toThrow("locked");
  expect(Math.round(now)).toBe(2000);
  now = 60_000;
  wait.renew();
  expect(wait.left).toBe(2000);
  await expect(wait.retry(locked, always)).rejects.toThrow("locked");
  expect(Math.round(now)).toBe(62_000);
});
