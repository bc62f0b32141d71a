import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openFileStore } from "./file-store.ts";

test("keeps, replaces and forgets, across its openings", async () => {
  const folder = join(await mkdtemp(join(tmpdir(), "trestle-store-")), "d42");
  onTestFinished(() => rm(folder, { recursive: true }));
  const store = await openFileStore(folder);
  await store.set("command/../../etc", "1"); // a device's peer chooses ids
  await store.set("command/a", "lower");
  await store.set("command/A", "upper");
  await store.set("message/1", "first");
  await store.set("message/1", "second");
  await store.set("message/2", "gone");
  await store.delete("message/2");
  await store.delete("never there");

  const entries = await (await openFileStore(folder)).load();
  expect(new Map(entries)).toEqual(
    new Map([
      ["command/../../etc", "1"],
      ["command/a", "lower"],
      ["command/A", "upper"],
      ["message/1", "second"],
    ]),
  );
});
