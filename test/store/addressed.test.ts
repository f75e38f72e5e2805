import { expect, test } from "bun:test";
import { ADDRESSED } from "../../src/store/addressed";
import { OPEN } from "../../src/surfaces/letter/store";
import { UNFINISHED as ACTIVE } from "../../src/surfaces/request/store";
import { UNFINISHED } from "../../src/surfaces/todo/store";

// Stores know no surface, and yet what is open on an id is asked of all at once.
test("what is open on an id is what its surface calls so", () => {
  const { letters, requests, todos } = ADDRESSED;
  expect(letters.states).toEqual(OPEN);
  expect(requests.states).toEqual(ACTIVE);
  expect(todos.states).toEqual(UNFINISHED);
});
