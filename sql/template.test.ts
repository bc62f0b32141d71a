// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these strings are the templates
import { expect, test } from "vitest";
import { compileStatement } from "./compile.ts";
import { SqlError } from "./errors.ts";
import { compileTemplate, compileTemplateParts } from "./template.ts";
import { createMessage } from "./testing.ts";

const options = { version: "2016-03-23" } as const;

test.for([
  ["fixed/topic", "fixed/topic"],
  ["", ""],
  ["${topic()}", "a/b"],
  ["x/${id}/y/${n + 1}", "x/d7/y/2"],
  ["${get({'k': '}'}, 'k')}€", "}€"], // a brace in a string or a literal does not end the expression
  ["$$aws/${id}", "$$aws/d7"], // the republish action's own escape
  ["{${o}}", '{{"k":1}}'],
  ["<${missing}>", "<>"],
  ["<${nul}>", "<>"],
  ["${big}", "12345678901234567890"],
] as const)("%s becomes %s", ([template, text]) => {
  const message = createMessage('{"id":"d7","n":1,"o":{"k":1},"nul":null,"big":12345678901234567890}');
  expect(compileTemplate(template, options)(message)).toBe(text);
});

test.for([
  ["${id", "SQL_SYNTAX", 4],
  ["a/${}", "SQL_SYNTAX", 4],
  ["a/${nosuch()}", "SQL_UNKNOWN_FUNCTION", 4],
  ["${@v}", "SQL_SYNTAX", 2],
] as const)("%s is refused: %s at %i", ([template, code, index]) => {
  const compile = () => compileTemplate(template, options);
  expect(compile).toThrow(SqlError);
  expect(compile).toThrow(expect.objectContaining({ code, index }));
});

test("has the variables of SET, computed once", () => {
  const statement = compileStatement("SET @id = newuuid(), @o = o SELECT @id AS id", options);
  const { variables } = statement;
  expect(variables).toEqual(["id", "o"]);
  const message = createMessage({ o: { k: 1 } });
  const evaluation = statement.evaluate(message);
  const template = compileTemplate("up/${@id}/${@o.k}", { ...options, variables });
  const values = evaluation.kind === "json" ? evaluation.variables : undefined;
  const value = evaluation.kind === "json" ? evaluation.value : undefined;
  expect(template(message, values)).toBe(`up/${Object(value).id}/1`);
});

test("a template's parts are text and expressions, each with its text for a message", () => {
  const { parts, fill } = compileTemplateParts("x/${id}/${topic()}", options);
  expect(parts).toMatchObject(["x/", { kind: "name", name: "id" }, "/", { kind: "call", name: "topic" }, ""]);
  expect(fill(createMessage({ id: "d7" }))).toEqual(["x/", "d7", "/", "a/b", ""]);
});
