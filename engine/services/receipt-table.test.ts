import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { fingerprintOf, type Receipt } from "../../client/receipts.ts";
import { ReceiptTable } from "./receipt-table.ts";

function receipt(packetIdentifier: number, text = "a"): Receipt {
  return { packetIdentifier, fingerprint: fingerprintOf("v1/d42", Buffer.from(text)), id: randomUUID() };
}

/** A table, and the rows that are on disk. */
function open(database = new DatabaseSync(":memory:")) {
  const table = new ReceiptTable(database);
  const write = (receipts: readonly Receipt[]) => {
    for (const each of receipts) table.add(each);
    table.write();
    table.settle(true);
  };
  const rows = () => (database.prepare("SELECT count(*) AS count FROM receipts").get() as { count: number }).count;
  return { database, table, write, rows, reopen: () => open(database) };
}

test("a receipt is found by its packet identifier and message, after a restart too", () => {
  const { write, table, reopen } = open();
  const [first, second, last] = [receipt(1), receipt(2, "b"), receipt(65_535, "ü")] as const;
  write([first, second]);
  write([last]);
  for (const each of [table, reopen().table]) {
    for (const { packetIdentifier, fingerprint, id } of [first, second, last]) {
      expect(each.find(packetIdentifier, fingerprint)).toBe(id);
    }
    expect(each.find(1, second.fingerprint)).toBeUndefined();
    expect(each.find(3, first.fingerprint)).toBeUndefined();
  }
});

test("the last message with a packet identifier is the one that is remembered", () => {
  const { write, table, reopen } = open();
  const [old, same] = [receipt(1), receipt(1)];
  write([old]);
  write([same]);
  for (const each of [table, reopen().table]) expect(each.find(1, same.fingerprint)).toBe(same.id);
});

test("a transaction's receipts are one row, and old rows go", () => {
  const { write, rows, table, reopen } = open();
  const receipts = Array.from({ length: 50_000 }, (_, index) => receipt(1 + index));
  const most: number[] = [];
  for (let begin = 0; begin < receipts.length; begin += 1000) {
    write(receipts.slice(begin, begin + 1000));
    most.push(rows());
  }
  expect(Math.max(...most)).toBeLessThanOrEqual(41);
  expect(rows()).toBeGreaterThanOrEqual(33);
  for (const each of [table, reopen().table]) {
    const found = receipts.filter(
      ({ packetIdentifier, fingerprint, id }) => each.find(packetIdentifier, fingerprint) === id,
    );
    expect(found).toEqual(receipts.slice(-32_768));
  }
  const again = reopen();
  const before = again.rows();
  again.write([receipt(1)]);
  expect(again.rows()).toBe(before + 1);
});

test("receipts of a transaction that failed are not on disk", () => {
  const { table, write, reopen } = open();
  const [failed, next] = [receipt(1), receipt(2)];
  table.add(failed);
  table.settle(false);
  write([next]);
  const { table: later } = reopen();
  expect(later.find(1, failed.fingerprint)).toBeUndefined();
  expect(later.find(2, next.fingerprint)).toBe(next.id);
});

test.for([
  ["the topic", "v1/d43", "a"],
  ["the payload", "v1/d42", "b"],
  ["where the one ends and the other begins", "v1/d4", "2a"],
] as const)("messages that differ in %s are two", ([, topic, text]) => {
  expect(fingerprintOf(topic, Buffer.from(text))).not.toBe(fingerprintOf("v1/d42", Buffer.from("a")));
});
