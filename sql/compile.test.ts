import { Buffer } from "node:buffer";
import fc from "fast-check";
import { expect, onTestFinished, test, vi } from "vitest";
import { compileStatement } from "./compile.ts";
import { evaluate, evaluateToJson, refusal } from "./testing.ts";

test.for([
  ["SELECT nosuch(x) AS v", "SQL_UNKNOWN_FUNCTION"],
  ["SELECT constructor(x) AS v", "SQL_UNKNOWN_FUNCTION"],
  ["SELECT aws_lambda('arn', *) FROM 'a'", "SQL_FUNCTION_NOT_SUPPORTED"],
  ["SELECT get_thing_shadow('t', 'r') AS v", "SQL_FUNCTION_NOT_SUPPORTED"],
  ["SELECT decode(x, 'proto', 'bucket', 'key', 'm') AS v", "SQL_FUNCTION_NOT_SUPPORTED"],
  ["SELECT encode(x, 'hex') AS v", "SQL_SYNTAX"],
  ["SELECT encode(x, scheme) AS v", "SQL_SYNTAX"], // has to be a literal
  ["SELECT upper() AS v", "SQL_ARITY"],
  ["SELECT substring('a', 1, 2, 3) AS v", "SQL_ARITY"],
  ["SELECT cast(x AS Date) AS v", "SQL_SYNTAX"],
  ["SELECT topic()", "SQL_UNSUPPORTED"], // no documented key
  ["SELECT VALUE *", "SQL_UNSUPPORTED"],
  ["SELECT regexp_matches(a, '(?=x)') AS v", "SQL_UNSUPPORTED"],
  ["SELECT @a AS v", "SQL_SYNTAX"],
] as const)("%s is refused: %s", ([sql, code]) => {
  expect(refusal(sql).code).toBe(code);
});

test("an error says which rule it is about, where, and what would have been right", () => {
  const compile = () =>
    compileStatement("SELECT uper(a) AS v\n  FROM 'x'", { version: "2016-03-23", rule: "location" });
  expect(compile).toThrow(
    "rule location: there is no function uper(), expected upper()\n  SELECT uper(a) AS v\n         ^",
  );
  expect(compile).toThrow(expect.objectContaining({ rule: "location", expected: "upper()", index: 7 }));
});

test.for([
  ["frobnicate(a)", "a function of AWS IoT SQL"],
  ["tolower(a)", "lower()"],
  ["parsetime(a)", "parse_time()"],
  ["substing(a, 1)", "substring()"],
  ["awslambda(a)", "aws_lambda()"],
  ["upper(a, b)", "1 argument"],
  ["substring(a)", "2 to 3 arguments"],
] as const)("for %s an error expects %s", ([expression, expected]) => {
  expect(refusal(`SELECT ${expression} AS v`)).toMatchObject({ expected });
});

test.for(["[1]", "{'a': 1}", "encode(*, 'base64')", "isUndefined(a)", "cast(a AS Boolean)", "get_user_properties()"])(
  "version 2015-10-08 has no %s",
  (expression) => {
    expect(refusal(`SELECT ${expression} AS v`, "2015-10-08").code).toBe("SQL_VERSION");
  },
);

test("has the versions that AWS IoT rules may rely on", () => {
  const statement = compileStatement("SELECT sql_version() AS v FROM 'a'", { version: "2015-10-08" });
  expect(statement.topicFilter).toBe("a");
  expect(refusal("SELECT * FROM 'a'", "beta" as "2016-03-23").code).toBe("SQL_VERSION");
});

const DERIVED = `SELECT encode(*, 'base64') AS data, topic() AS topic, 'location' AS route, timestamp() AS receivedAt,
  traceid() AS traceId, get_user_properties() AS userProperties, get_mqtt_property('content_type') AS contentType
  FROM 'v1/drivers/+/location'`;

test.for([
  ["JSON", '{"n":1.0}'],
  ["text", "hello"],
  ["bytes", Buffer.from([0, 1, 0xff])],
  ["nothing", ""],
] as const)("the derived statement does not look into a payload of %s", ([, payload]) => {
  const parse = vi.spyOn(JSON, "parse");
  onTestFinished(() => parse.mockRestore());
  const evaluation = evaluate(DERIVED, payload, {
    topic: "v1/drivers/d42/location",
    userProperties: [
      ["k", "1"],
      ["k", "2"],
      ["__proto__", "3"],
    ],
    mqttProperties: { contentType: "application/json" },
  });
  expect(parse).not.toHaveBeenCalled();
  expect(JSON.parse(JSON.stringify(evaluation))).toEqual({
    kind: "json",
    value: {
      data: Buffer.from(payload).toString("base64"),
      topic: "v1/drivers/d42/location",
      route: "location",
      receivedAt: 1_700_000_000_000,
      traceId: "a2c5a3d2-0b6e-4c3a-9f53-2b8b7c1f0e11",
      userProperties: [{ k: "1" }, { k: "2" }, JSON.parse('{"__proto__":"3"}')],
      contentType: "application/json",
    },
  });
});

test("leaves out what a message does not have", () => {
  expect(evaluateToJson("SELECT get_user_properties() AS u, get_mqtt_property('content_type') AS c")).toBe("{}");
});

test("encodes the bytes of a view into a larger buffer", () => {
  const view = new Uint8Array([9, 9, 1, 2, 9]).subarray(2, 4);
  expect(evaluateToJson("SELECT encode(*, 'base64') AS data", view)).toBe('{"data":"AQI="}');
});

test.for([['{"n":1.0,"big":12345678901234567890}'], ["not json"]] as const)(
  "a lone * gives the payload's own bytes: %s",
  ([payload]) => {
    expect(evaluate("SELECT * FROM 'a'", payload)).toEqual({ kind: "raw", bytes: Buffer.from(payload) });
  },
);

test.for([
  // Selected numbers keep their digits, though not their spelling.
  ["SELECT id, n FROM 'a'", '{"id":12345678901234567890,"n":1.0}', '{"id":12345678901234567890,"n":1}'],
  ["SELECT *, 1 AS v", '{"id":12345678901234567890}', '{"id":12345678901234567890,"v":1}'],
  ["SELECT *, 1 AS a", '{"a":0,"b":2}', '{"a":1,"b":2}'], // the later column wins
  ["SELECT *, 1 AS v", "not json", '{"v":1}'],
  ["SELECT *, 1 AS v", "[1,2]", '{"v":1}'], // an array has no keys to add
  ["SELECT a FROM 'a'", "not json", "{}"],
  ["SELECT a FROM 'a'", "17", "{}"],
  ["SELECT a FROM 'a'", Buffer.from('{"a":"\xff"}', "latin1"), "{}"], // not UTF-8, so not JSON
  ["SELECT a FROM 'a'", '{"a":1e1000}', "{}"], // outside the range, so not JSON
  ["SELECT a FROM 'a'", `{"a":${"[".repeat(1001)}${"]".repeat(1001)}}`, "{}"], // too deep to be JSON
  ["SELECT a FROM 'a'", `{"a":"${"[".repeat(5000)}"}`, `{"a":"${"[".repeat(5000)}"}`],
  ["SELECT a.b.c AS v", '{"a":null}', "{}"],
  ["SELECT a.length AS v", '{"a":[1]}', "{}"], // an array has no members
  ["SELECT {'a': 1, 'b': missing}, 2 AS c", "{}", '{"a":1,"c":2}'], // a literal without alias is the output
  ["SELECT [1, missing, 2] AS v", "{}", '{"v":[1,2]}'],
  ["SELECT a AS x.y.z, b AS x.w", '{"a":1,"b":2}', '{"x":{"y":{"z":1},"w":2}}'],
  ["SELECT *, 1 AS x.y, x AS old", '{"x":{"k":0}}', '{"x":{"k":0,"y":1},"old":{"k":0}}'],
  ["SELECT 1 AS x, 2 AS x.y", "{}", '{"x":{"y":2}}'],
  ["SELECT a FROM 'a' WHERE 'true'", '{"a":1}', "noMatch"], // only the Boolean true matches
  ["SELECT a FROM 'a' WHERE a", '{"a":1}', "noMatch"],
  ["SELECT a FROM 'a' WHERE missing", '{"a":1}', "noMatch"],
  ["SELECT VALUE a", '{"a":[1]}', "[1]"],
  ["SELECT VALUE a", "{}", "undefined"],
  ["SELECT VALUE CASE a WHEN 1 THEN 'one' END", '{"a":2}', "undefined"],
  ["SELECT VALUE 1 IN a", '{"a":[1]}', "true"],
  ["SELECT VALUE 1 IN a", '{"a":1}', "undefined"],
] as const)("%s of %s gives %s", ([sql, payload, output]) => {
  expect(evaluateToJson(sql, payload)).toBe(output);
});

const ELEMENTS = { e: [{ n: 1, v: "a" }, { n: 2, v: "b" }, { n: 3 }], o: { n: 1 }, s: [1, 2] };

test.for([
  ["SELECT VALUE (SELECT VALUE v FROM e)", '["a","b"]'], // what is Undefined is no element
  ["SELECT VALUE (SELECT v FROM e WHERE n > 1)", '[{"v":"b"},{}]'],
  ["SELECT VALUE (SELECT *, 0 AS z FROM e WHERE n = 1)", '[{"n":1,"v":"a","z":0}]'],
  ["SELECT VALUE (SELECT * FROM s)", "[1,2]"],
  ["SELECT VALUE (SELECT VALUE x * 2 FROM s AS x WHERE x > 1)", "[4]"], // an alias is the element
  ["SELECT VALUE (SELECT VALUE x.n FROM e AS x)", "[1,2,3]"],
  ["SELECT VALUE (SELECT VALUE o.n FROM e)", "[]"], // names do not reach out of the element
  ["SELECT VALUE (SELECT n FROM o)", '{"n":1}'],
  ["SELECT VALUE (SELECT n FROM o WHERE n = 2)", "undefined"],
  ["SELECT VALUE (SELECT n FROM missing)", "undefined"],
  ["SELECT VALUE (SELECT VALUE topic(1) FROM o)", '"a"'],
  ["SELECT VALUE EXISTS (SELECT * FROM e WHERE n = 3)", "true"],
  ["SELECT VALUE EXISTS (SELECT VALUE v FROM e WHERE n = 3)", "true"], // selected, though Undefined
  ["SELECT VALUE EXISTS (SELECT * FROM e WHERE n = 4)", "false"],
  ["SELECT VALUE EXISTS (SELECT * FROM missing)", "false"],
  ["SET @a = n + 1, @b = @a SELECT VALUE [@a, @b]", "[]"],
  ["SET @a = o.n + 1, @b = @a * 2 SELECT VALUE [@a, @b]", "[2,4]"],
  ["SET @a = o SELECT @a.n, @a.x AS x", '{"n":1}'],
  ["SET @a = 1 SELECT VALUE (SELECT VALUE v FROM e WHERE n = @a)", '["a"]'],
  ["SET @id = newuuid() SELECT VALUE @id = @id", "true"], // computed once
] as const)("%s gives %s", ([sql, output]) => {
  expect(evaluateToJson(sql, ELEMENTS)).toBe(output);
});

const ROWS = {
  rows: [
    { id: 1, parts: [{ n: 1 }, { n: 2 }], box: { n: 9 } },
    { id: 2, parts: [{ n: 3 }], box: [] },
  ],
};

test.for([
  ["(SELECT (SELECT VALUE n FROM parts) AS p, id FROM rows)", '[{"p":[1,2],"id":1},{"p":[3],"id":2}]'],
  ["(SELECT (SELECT n FROM box) AS b, id FROM rows)", '[{"b":{"n":9},"id":1},{"b":[],"id":2}]'],
  ["(SELECT (SELECT n FROM missing) AS m, id FROM rows)", '[{"id":1},{"id":2}]'],
  ["(SELECT id FROM rows WHERE EXISTS (SELECT * FROM parts WHERE n = 3))", '[{"id":2}]'],
  ["(SELECT VALUE r.id FROM rows AS r WHERE EXISTS (SELECT * FROM parts) AND r.id = 1)", "[1]"],
] as const)("a nested SELECT goes on in its element behind one within it: %s", ([sql, output]) => {
  expect(evaluateToJson(`SELECT VALUE ${sql}`, ROWS)).toBe(output);
});

const KEYS = ["a", "b", "c", "d", "e"] as const;

test("a nested SELECT takes of each element the fields that it names, however many", () => {
  const value = fc.constantFrom(null, 0, "x", [1], { a: 1 });
  const members = fc.dictionary(fc.constantFrom(...KEYS, "other"), value, { noNullPrototype: true });
  const element = fc.oneof({ weight: 4, arbitrary: members }, value);
  const names = fc.uniqueArray(fc.constantFrom(...KEYS), { minLength: 1 });
  fc.assert(
    fc.property(fc.array(element), names, (elements, fields) => {
      const expected = elements.map((each) => {
        const from = new Map(Object.entries(each !== null && typeof each === "object" ? each : {}));
        return Object.fromEntries(fields.filter((name) => from.has(name)).map((name) => [name, from.get(name)]));
      });
      const output = evaluateToJson(`SELECT VALUE (SELECT ${fields.join(", ")} FROM elements)`, { elements });
      expect(output).toBe(JSON.stringify(expected));
    }),
    { numRuns: 500, seed: 6 },
  );
});

test.for([
  ["name = 'x'", "[1]"],
  ["NOT (name = 'x')", "[2,3,4]"], // null and numbers are something else, what is missing is Undefined
] as const)("a nested SELECT compares the elements that have the field: %s", ([where, output]) => {
  const list = [{ name: "x", n: 1 }, { name: "y", n: 2 }, { name: null, n: 3 }, { name: 1, n: 4 }, { n: 5 }, null, "x"];
  expect(evaluateToJson(`SELECT VALUE (SELECT VALUE n FROM list WHERE ${where})`, { list })).toBe(output);
});

test.for([
  ["SET @a = 1, @a = 2 SELECT @a AS v", "SQL_SYNTAX"],
  ["SET @a = @b, @b = 1 SELECT @a AS v", "SQL_SYNTAX"], // assigned behind its use
  ["SET @a = 1 SET @b = 2 SELECT @a AS v", "SQL_SYNTAX"],
  [`SET ${Array.from({ length: 11 }, (_, n) => `@v${n} = 1`).join(", ")} SELECT @v0 AS v`, "SQL_SYNTAX"],
  [`SET @${"v".repeat(65)} = 1 SELECT 1 AS v`, "SQL_SYNTAX"],
  ["SELECT (SELECT a) AS v", "SQL_SYNTAX"], // FROM is missing
  ["SELECT (SELECT a FROM 'a/b') AS v", "SQL_SYNTAX"],
  ["SELECT (SELECT VALUE (SELECT VALUE x.n FROM y) FROM e AS x) AS v", "SQL_UNSUPPORTED"],
  ["SELECT (SELECT VALUE encode(*, 'base64') FROM e) AS v", "SQL_UNSUPPORTED"],
] as const)("%s is refused: %s", ([sql, code]) => {
  expect(refusal(sql).code).toBe(code);
});

test("only own properties are visible", () => {
  expect(evaluateToJson("SELECT __proto__ AS p, constructor AS c, a.toString AS t", { a: {} })).toBe("{}");
  expect(evaluateToJson("SELECT __proto__.x AS p", '{"__proto__":{"x":1}}')).toBe('{"p":1}');
});

test.for([
  ["SELECT 1 AS __proto__", "{}", '{"__proto__":1}'],
  ["SELECT a AS __proto__.polluted", '{"a":true}', '{"__proto__":{"polluted":true}}'],
  ["SELECT *, 1 AS v", '{"__proto__":{"polluted":true}}', '{"__proto__":{"polluted":true},"v":1}'],
  ["SELECT VALUE {'__proto__': {'polluted': true}}", "{}", '{"__proto__":{"polluted":true}}'],
  ["SELECT VALUE transform('enrichArray', a, [{}])", '{"a":{"__proto__":1}}', '[{"__proto__":1}]'],
] as const)("%s writes a property and no prototype", ([sql, payload, output]) => {
  const evaluation = evaluate(sql, payload);
  const value = evaluation.kind === "json" ? evaluation.value : null;
  expect(JSON.stringify(value)).toBe(output);
  expect(Reflect.get(Object.prototype, "polluted")).toBeUndefined();
  expect(Reflect.get(Object(value), "polluted")).toBeUndefined();
});

test("an expression that doubles a text ends in Undefined, not in the heap", () => {
  const payload = { x: "a".repeat(100_000) };
  expect(evaluateToJson("SELECT VALUE replace(replace(x, 'a', x), 'a', x)", payload)).toBe("undefined");
  const doubled = Array.from({ length: 12 }, () => "x").join(" + ");
  expect(evaluateToJson(`SELECT VALUE length(replace(x, '', ${doubled}))`, payload)).toBe("undefined");
});

test.for([
  // What one evaluation makes of a message is bounded, however often the statement repeats itself.
  [`SELECT VALUE ${"encode(".repeat(60)}s${", 'base64')".repeat(60)}`, "undefined"],
  ["SELECT VALUE transform('enrichArray', o, e)", "undefined"],
  [`SELECT VALUE length(concat(${Array.from({ length: 40 }, () => "e").join(", ")}))`, "undefined"],
  ["SET @a = [s, s], @b = [@a, @a], @c = [@b, @b] SELECT @a AS a, @c AS c", '{"c":[[],[]]}'],
  ["SET @a = s, @b = s, @c = 1 SELECT length(@a) AS a, length(@b) AS b, @c AS c", '{"a":100000,"c":1}'],
] as const)("%s ends in Undefined, not in the heap", ([sql, output]) => {
  const o = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`k${n}`, n]));
  const payload = { s: 'a"'.repeat(50_000), o, e: Array.from({ length: 5000 }, () => ({})) };
  expect(evaluateToJson(sql, payload)).toBe(output);
});

test("a text that is quoted again and again ends as well", () => {
  const sql = `SELECT VALUE ${"cast([".repeat(40)}s${"] AS String)".repeat(40)}`;
  expect(evaluateToJson(sql, { s: '"' }).length).toBeLessThan(2 ** 21);
});

test("a nested SELECT does not do for every element what takes long once", () => {
  const payload = { s: "x".repeat(60_000), e: Array.from({ length: 10_000 }, () => 0) };
  const values = evaluate("SET @s = s SELECT VALUE (SELECT VALUE md2(@s) FROM e)", payload);
  expect(values.kind === "json" && (values.value as readonly unknown[]).length).toBeLessThan(10);
});

test("statements that evaluate one message do not see each other's changes", () => {
  const statement = compileStatement("SELECT *, 1 AS x.y", { version: "2016-03-23" });
  const message = { topic: "a", payload: Buffer.from('{"x":{}}'), timestampMs: 0, traceId: "" };
  const outputs = [statement.evaluate(message), statement.evaluate(message)];
  expect(outputs[0]).toEqual(outputs[1]);
});
