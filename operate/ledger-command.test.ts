import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { LedgerLine } from "../engine/services/ledger.ts";
import { ledgerCommand } from "./ledger-command.ts";
import { testTerminal } from "./testing.ts";

const whole: LedgerLine = {
  ...{ account: "acme_prod_location", received: 1_010, delivered: 1_000, dead: 2, expired: 1, pending: 4 },
  ...{ filtered: 3, dropped: 0, replayed: 1, lost: 0 },
};

/** A data folder as an engine that runs has it, its ledger being these lines. */
async function runningEngine(lines: readonly LedgerLine[]): Promise<string> {
  const server = createServer((_, response) => response.end(JSON.stringify(lines)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
  });
  const folder = dataFolder();
  mkdirSync(join(folder, "queues"));
  const ledgerUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  writeFileSync(join(folder, "queues/services.json"), JSON.stringify({ environment: {}, ledgerUrl }));
  return folder;
}

function dataFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "trestle-operate-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function run(...args: readonly string[]) {
  const { terminal, lines } = testTerminal();
  return { isDone: await ledgerCommand(args, terminal), lines: lines() };
}

test("shows a ledger that adds up", async () => {
  expect(await run("--data", await runningEngine([whole]))).toEqual({
    isDone: true,
    lines: [
      "rule                received  delivered  dead  expired  pending  filtered  dropped",
      "acme_prod_location     1,010      1,000     2        1        4         3        0",
      "",
      "adds up",
    ],
  });
});

test.for([
  [{ delivered: 999 }, "does not add up: acme_prod_location misses 1"],
  [{ pending: 6 }, "does not add up: acme_prod_location has 2 more than were received"],
  [
    { received: 1_011, lost: 1 },
    "does not add up: acme_prod_location misses 1, of which 1 refused by the rule's action and its error action",
  ],
] as const)("with %j %s", async ([change, line]) => {
  const { isDone, lines } = await run("--data", await runningEngine([whole, { ...whole, ...change }]));
  expect(isDone).toBe(false);
  expect(lines.at(-1)).toBe(line);
});

test("gives JSON to programs", async () => {
  const { lines } = await run("--json", "--data", await runningEngine([whole]));
  expect(JSON.parse(lines.join("\n"))).toEqual({ addsUp: true, lines: [whole], differences: [] });
});

test("says where there never was an engine, and what to do on AWS", async () => {
  await expect(run("--data", dataFolder())).rejects.toThrow(/no engine runs .* start it \(npm start\)/);
  await expect(run("--aws")).rejects.toThrow("metrics Received, Delivered and DeadLettered of the namespace Trestle");
});
