import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const command = fileURLToPath(new URL("command.ts", import.meta.url));
const fixture = fileURLToPath(new URL("fixtures/aws-iot-sql.json", import.meta.url));

function sql(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, ...args], { encoding: "utf8" });
  return { status, stdout, stderr };
}

function file(name: string, content: string | Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), "sql-command-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

test("prints what a statement gives", () => {
  const { status, stdout } = sql(
    "SELECT t + 1 AS v, clientid() AS c, big FROM 'a/+'",
    ...["--topic", "a/b", "--payload", '{"t":1,"big":12345678901234567890}', "--context", '{"clientId":"d42"}'],
  );
  expect(status).toBe(0);
  expect(stdout).toBe('{\n  "v": 2,\n  "c": "d42",\n  "big": 12345678901234567890\n}\n');
});

test("prints the payload's bytes for a lone *", () => {
  const path = file("payload.bin", "1.0 is not JSON {");
  const { status, stdout } = sql("SELECT * FROM 'a'", "--topic", "a", "--payload-file", path);
  expect({ status, stdout }).toEqual({ status: 0, stdout: "1.0 is not JSON {" });
});

test.for([
  ["SELECT * FROM 'a'", "b", "no match: FROM does not select the topic\n"],
  ["SELECT * FROM 'a' WHERE x > 1", "a", "no match: WHERE is not true\n"],
  ["SELECT VALUE x FROM 'a'", "a", "Undefined\n"],
] as const)("%s on topic %s prints %s", ([statement, topic, expected]) => {
  expect(sql(statement, "--topic", topic)).toMatchObject({ status: 0, stdout: expected });
});

test.for([
  [["SELECT * FROM"], 1, "SQL_SYNTAX: expected a topic filter in quotes, found the end of the statement\n"],
  [["SELECT uper(a) AS v"], 1, "SQL_UNKNOWN_FUNCTION: there is no function uper(), expected upper()\n"],
  [["SELECT [1] AS v", "--sql-version", "2015-10-08"], 1, "SQL_VERSION: an array literal needs"],
  [["SELECT a FROM 'x'"], 2, "--topic is missing\n"],
  [["--nonsense"], 2, "Unknown option '--nonsense'"],
  [["--cases", "nowhere.json"], 2, "ENOENT"],
  [["SELECT a FROM 'x'", "--topic", "x", "--context", "{"], 2, "--context: "],
  [["--topic", "x"], 2, "there is no statement\n"],
] as const)("%s ends with %i: %s", ([args, status, message]) => {
  const result = sql(...args);
  expect(result.status).toBe(status);
  expect(result.stderr).toContain(message);
});

test("a syntax error shows the place", () => {
  expect(sql("SELECT a b FROM 'x'").stderr).toContain("\n  SELECT a b FROM 'x'\n           ^\n");
});

test("runs the cases of a file", () => {
  const { status, stdout } = sql("--cases", fixture);
  expect({ status, stdout }).toEqual({ status: 0, stdout: "712 passed, 0 failed\n" });
});

test("shows the cases that fail, and fails", () => {
  const message = { topic: "a/b", payload: { t: 1 } };
  const cases = [
    { ...message, id: "right", sql: "SELECT t FROM 'a/b'", expect: { t: 1 } },
    { ...message, id: "wrong", sql: "SELECT t FROM 'a/b'", expect: { t: 2 } },
    { ...message, id: "refused", sql: "SELECT nosuch(t) AS v FROM 'a/b'", expect: {} },
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a template of the SQL
    { ...message, sql: "SET @t = t SELECT * FROM 'a/b'", expect: { t: 1 }, template: "x/${@t}", expectTemplate: "x/2" },
  ];
  const { status, stdout } = sql("--cases", file("cases.json", JSON.stringify(cases)));
  expect(status).toBe(1);
  expect(stdout).toBe(
    [
      "failed: wrong",
      "  statement  SELECT t FROM 'a/b'",
      '  expected   {"t":2}',
      '  actual     {"t":1}',
      "failed: refused",
      "  statement  SELECT nosuch(t) AS v FROM 'a/b'",
      "  expected   {}",
      '  actual     {"$invalid":true}',
      "  SQL_UNKNOWN_FUNCTION: there is no function nosuch(), expected a function of AWS IoT SQL",
      "    SELECT nosuch(t) AS v FROM 'a/b'",
      "           ^",
      "failed: case 4",
      "  statement  SET @t = t SELECT * FROM 'a/b'",
      '  expected   {"t":1}',
      '  actual     {"t":1}',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a template of the SQL
      "  template   x/${@t}",
      '  expected   "x/2"',
      '  actual     "x/1"',
      "1 passed, 3 failed",
      "",
    ].join("\n"),
  );
});
