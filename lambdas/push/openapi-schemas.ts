import * as z from "zod";
import * as requests from "./request-schemas.ts";
import * as responses from "./response-schemas.ts";

/** A part of the document, plain JSON. */
export type Part = Readonly<Record<string, unknown>>;

/** Schemas that have a name of their own in the document: requests as they are sent, answers as they are given. */
const named = {
  input: {
    CommandRequest: requests.sendCommandBody,
    CommandsRequest: requests.sendCommandsBody,
    PublishRequest: requests.publishBody,
  },
  output: {
    Attempt: responses.attempt,
    Reply: responses.reply,
    Command: responses.command,
    CommandList: responses.commandList,
    Device: responses.device,
    Fault: responses.fault,
    Problem: responses.problem,
    Outcome: responses.outcome,
    Outcomes: responses.outcomes,
    Publication: responses.publication,
  },
} as const;

const names = new Map<z.ZodType, string>(
  Object.values(named).flatMap((schemas) =>
    Object.entries(schemas).map(([name, schema]): [z.ZodType, string] => [schema, name]),
  ),
);

const uri = (name: string) => `#/components/schemas/${name}`;

/** Refers to a schema that has a name. */
export function referTo(schema: z.ZodType): Part {
  const name = names.get(schema);
  if (name === undefined) throw new Error("a schema of an operation has no name");
  return { $ref: uri(name) };
}

/** The schema of one parameter, as what it is read to. */
export function describeParameter(schema: z.ZodType): Part {
  return withoutMeta(z.toJSONSchema(schema, { io: "output" }));
}

/** `components.schemas`. */
export function describeSchemas(): Part {
  return { ...describe("input"), ...describe("output") };
}

function describe(io: keyof typeof named): Part {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named[io])) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { io, uri, override: ({ jsonSchema }) => dropPattern(jsonSchema) });
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, withoutMeta(schema)]));
}

/** A time's format says what its pattern does, and people can read it. */
function dropPattern(schema: z.core.JSONSchema.BaseSchema): void {
  if (schema.format === "date-time") delete schema.pattern;
}

/** The dialect is the document's, and a schema's place in it is its name. */
function withoutMeta({ $schema: _, $id: __, ...schema }: z.core.JSONSchema.BaseSchema): Part {
  return schema;
}
