import { loadAwsServiceSpecSync } from "@aws-cdk/aws-service-spec";

/** A CloudFormation template, as far as it is looked at. */
export interface CloudFormationTemplate {
  readonly Parameters?: Readonly<Record<string, unknown>>;
  readonly Resources: Readonly<Record<string, TemplateResource>>;
}

export interface TemplateResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DependsOn?: string | readonly string[];
}

const database = loadAwsServiceSpecSync();

type ResourceSchema = ReturnType<typeof findSchema>;
type Properties = NonNullable<ResourceSchema>["properties"];
type PropertyType = Properties[string]["type"];

/**
 * Holds a template against CloudFormation's own schema: resource types, the names of properties at every depth, the
 * required ones, the kinds and listed values of scalars, and what `Ref` and `Fn::GetAtt` point at.
 *
 * The documents of policies and queues' redrive policies are JSON to the schema; in them only references are checked.
 * Intrinsic functions other than those two pass as any value.
 *
 * @returns one line for each fault, with the way to it from the resource's logical ID.
 */
export function checkTemplate(template: CloudFormationTemplate): readonly string[] {
  const faults: string[] = [];
  for (const [logicalId, { Type, Properties, DependsOn }] of Object.entries(template.Resources)) {
    const schema = findSchema(Type);
    if (schema === undefined) faults.push(`${logicalId}: there is no resource type ${Type}`);
    else checkProperties(Properties ?? {}, schema.properties, logicalId, faults);
    checkReferences(Properties, logicalId, template, faults);
    for (const id of [DependsOn ?? []].flat()) {
      if (!Object.hasOwn(template.Resources, id)) faults.push(`${logicalId}: depends on ${id}, which does not exist`);
    }
  }
  return faults;
}

function findSchema(type: string) {
  return database.lookup("resource", "cloudFormationType", "equals", type)[0];
}

function checkProperties(value: unknown, schema: Properties, at: string, faults: string[]): void {
  if (!isObject(value)) {
    faults.push(`${at}: is not an object`);
    return;
  }
  for (const [name, item] of Object.entries(value)) {
    const property = Object.hasOwn(schema, name) ? schema[name] : undefined;
    if (property === undefined) faults.push(`${at}.${name}: there is no such property`);
    else checkValue(item, property.type, `${at}.${name}`, faults);
  }
  for (const [name, { required }] of Object.entries(schema)) {
    if (required && !Object.hasOwn(value, name)) faults.push(`${at}.${name}: is required`);
  }
}

function checkValue(value: unknown, type: PropertyType, at: string, faults: string[]): void {
  if (isIntrinsic(value)) return;
  switch (type.type) {
    case "ref":
      checkProperties(value, database.get("typeDefinition", type.reference).properties, at, faults);
      return;
    case "array":
      if (!Array.isArray(value)) faults.push(`${at}: is not a list`);
      else for (const [index, item] of value.entries()) checkValue(item, type.element, `${at}[${index}]`, faults);
      return;
    case "map":
      if (!isObject(value)) faults.push(`${at}: is not an object`);
      else for (const [key, item] of Object.entries(value)) checkValue(item, type.element, `${at}.${key}`, faults);
      return;
    case "union":
      checkUnion(value, type.types, at, faults);
      return;
    case "tag":
      if (!isObject(value) || !("Key" in value) || !("Value" in value)) faults.push(`${at}: is not a tag`);
      return;
    default:
      checkScalar(value, type, at, faults);
  }
}

/** The value has to be one of the types; where it is none, the faults of the first are shown. */
function checkUnion(value: unknown, types: readonly PropertyType[], at: string, faults: string[]): void {
  const faultsByType = types.map((type) => {
    const own: string[] = [];
    checkValue(value, type, at, own);
    return own;
  });
  if (faultsByType.every((own) => own.length > 0)) faults.push(...(faultsByType[0] ?? []));
}

const scalars: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === "string",
  "date-time": (value) => typeof value === "string",
  integer: (value) => Number.isInteger(value),
  number: (value) => typeof value === "number",
  boolean: (value) => typeof value === "boolean",
  json: isObject,
  null: (value) => value === null,
};

function checkScalar(
  value: unknown,
  type: { readonly type: string; readonly allowedValues?: readonly unknown[] },
  at: string,
  faults: string[],
): void {
  if (!scalars[type.type]?.(value)) faults.push(`${at}: ${JSON.stringify(value)} is no ${type.type}`);
  else if (type.allowedValues !== undefined && !type.allowedValues.includes(value)) {
    faults.push(`${at}: ${JSON.stringify(value)} is none of ${type.allowedValues.join(", ")}`);
  }
}

function checkReferences(value: unknown, at: string, template: CloudFormationTemplate, faults: string[]): void {
  if (typeof value !== "object" || value === null) return;
  for (const [key, item] of Object.entries(value)) {
    if (key === "Ref") checkRef(String(item), at, template, faults);
    else if (key === "Fn::GetAtt") checkGetAtt(item, at, template, faults);
    else checkReferences(item, `${at}.${key}`, template, faults);
  }
}

function checkRef(name: string, at: string, { Parameters = {}, Resources }: CloudFormationTemplate, faults: string[]) {
  const exists = name.startsWith("AWS::") || Object.hasOwn(Resources, name) || Object.hasOwn(Parameters, name);
  if (!exists) faults.push(`${at}: refers to ${name}, which does not exist`);
}

function checkGetAtt(value: unknown, at: string, { Resources }: CloudFormationTemplate, faults: string[]): void {
  const [logicalId = "", attribute = ""]: readonly string[] = Array.isArray(value) ? value : [];
  const resource = Object.hasOwn(Resources, logicalId) ? Resources[logicalId] : undefined;
  if (resource === undefined) faults.push(`${at}: refers to ${logicalId}, which does not exist`);
  else if (!Object.hasOwn(findSchema(resource.Type)?.attributes ?? {}, attribute)) {
    faults.push(`${at}: ${resource.Type} has no attribute ${attribute}`);
  }
}

function isIntrinsic(value: unknown): boolean {
  if (!isObject(value)) return false;
  const [key = "", ...others] = Object.keys(value);
  return others.length === 0 && (key === "Ref" || key.startsWith("Fn::"));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
