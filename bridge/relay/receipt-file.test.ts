import { randomUUID } from "node:crypto";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { fingerprintOf, type Receipt, receiptBytes, receiptCapacity } from "../../client/receipts.ts";
import { ReceiptFile } from "./receipt-file.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "trestle-receipts-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

function receipt(packetIdentifier: number): Receipt {
  const payload = Buffer.from(`${packetIdentifier}`);
  return { packetIdentifier, fingerprint: fingerprintOf("t", payload), id: randomUUID() };
}

function found(file: ReceiptFile, { packetIdentifier, fingerprint }: Receipt): string | undefined {
  return file.find(packetIdentifier, fingerprint);
}

test("what was written is found by the next process", () => {
  const receipts = [receipt(1), receipt(2)];
  using before = new ReceiptFile(folder);
  before.write(receipts);
  // Not closed: as after a kill.
  using file = new ReceiptFile(folder);
  expect(receipts.map((each) => found(file, each))).toEqual(receipts.map(({ id }) => id));
  expect(file.find(1, fingerprintOf("t", Buffer.from("another")))).toBeUndefined();
});

test("a receipt of which only a part was written takes nothing with it", () => {
  const [first, second] = [receipt(1), receipt(2)];
  using before = new ReceiptFile(folder);
  before.write([first]);
  appendFileSync(join(folder, "receipts"), Buffer.alloc(receiptBytes - 1));
  using file = new ReceiptFile(folder);
  file.write([second]);
  using next = new ReceiptFile(folder);
  expect([found(next, first), found(next, second)]).toEqual([first.id, second.id]);
});

test("as many are kept as can be meant, and the files stay small", () => {
  using file = new ReceiptFile(folder);
  const all = Array.from({ length: 3 * receiptCapacity }, (_, index) => receipt(index % 65_536));
  for (let begin = 0; begin < all.length; begin += 100) file.write(all.slice(begin, begin + 100));
  using next = new ReceiptFile(folder);
  const newest = all.slice(-receiptCapacity);
  expect(newest.every((each) => found(next, each) === each.id)).toBe(true);
  for (const name of ["receipts", "receipts.older"]) {
    expect(statSync(join(folder, name)).size).toBeLessThanOrEqual((receiptCapacity + 100) * receiptBytes);
  }
  expect(readFileSync(join(folder, "receipts")).length % receiptBytes).toBe(0);
});
