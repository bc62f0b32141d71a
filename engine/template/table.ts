import { EngineError } from "../engine-error.ts";
import type { ReadingContext, TableIndexPlan, TableKeyPlan, TablePlan } from "./plan.ts";
import { noEffect, Properties, type PropertyTable, performed } from "./properties.ts";

export const tableProperties: PropertyTable = {
  AttributeDefinitions: performed,
  BillingMode: performed,
  DeletionProtectionEnabled: noEffect("nothing here deletes a table"),
  GlobalSecondaryIndexes: performed,
  KeySchema: performed,
  PointInTimeRecoverySpecification: noEffect("copies of the data folder are the backup"),
  SSESpecification: noEffect("encryption at rest is the disk's"),
  TableName: performed,
  Tags: noEffect("are for people and bills"),
  TimeToLiveSpecification: performed,
};

const indexProperties: PropertyTable = { IndexName: performed, KeySchema: performed, Projection: performed };
const projectionProperties: PropertyTable = { NonKeyAttributes: performed, ProjectionType: performed };
const attributeProperties: PropertyTable = { AttributeName: performed, AttributeType: performed };
const keyProperties: PropertyTable = { AttributeName: performed, KeyType: performed };
const timeToLiveProperties: PropertyTable = { AttributeName: performed, Enabled: performed };

/** @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-dynamodb-table.html */
export function readTable({ logicalId, properties, identity }: ReadingContext): TablePlan {
  // CloudFormation's default, PROVISIONED, has capacities that throttle.
  const billing = properties.optionalText("BillingMode") ?? "PROVISIONED";
  if (billing !== "PAY_PER_REQUEST") {
    const message = `${logicalId}.BillingMode is ${billing}, only PAY_PER_REQUEST is performed`;
    throw new EngineError("ERR_PROPERTY_UNSUPPORTED", message);
  }
  const timeToLive = properties.optionalChild("TimeToLiveSpecification", timeToLiveProperties);
  return {
    logicalId,
    name: identity.name,
    arn: identity.attributes.Arn ?? "",
    attributes: new Map(children(properties, "AttributeDefinitions", attributeProperties).map(readAttribute)),
    key: readKey(properties),
    indexes: children(properties, "GlobalSecondaryIndexes", indexProperties).map(readIndex),
    timeToLiveAttribute: timeToLive?.flag("Enabled", true) ? timeToLive.text("AttributeName") : undefined,
  };
}

function readIndex(properties: Properties): TableIndexPlan {
  const projection = properties.child("Projection", projectionProperties);
  const type = projection.text("ProjectionType");
  const isKnown = type === "ALL" || type === "KEYS_ONLY" || type === "INCLUDE";
  if (!isKnown) throw new EngineError("ERR_PROPERTY_INVALID", `${projection.at}.ProjectionType is ${type}`);
  return {
    name: properties.text("IndexName"),
    key: readKey(properties),
    projection: type,
    includedAttributes: projection.list("NonKeyAttributes").map(String),
  };
}

const attributeTypes = ["S", "N", "B"] as const;

function readAttribute(properties: Properties): [string, "S" | "N" | "B"] {
  const type = properties.text("AttributeType");
  const known = attributeTypes.find((each) => each === type);
  if (known !== undefined) return [properties.text("AttributeName"), known];
  throw new EngineError("ERR_PROPERTY_INVALID", `${properties.at}.AttributeType is ${type}, not S, N or B`);
}

function readKey(properties: Properties): TableKeyPlan {
  const keys = children(properties, "KeySchema", keyProperties);
  const named = (type: string) => keys.find((key) => key.text("KeyType") === type)?.text("AttributeName");
  const partition = named("HASH");
  const sort = named("RANGE");
  if (partition === undefined || keys.length !== (sort === undefined ? 1 : 2)) {
    const message = `${properties.at}.KeySchema is not one HASH key and at most one RANGE key`;
    throw new EngineError("ERR_PROPERTY_INVALID", message);
  }
  return { partition, sort };
}

function children(properties: Properties, name: string, table: PropertyTable): readonly Properties[] {
  return properties.list(name).map((item, index) => new Properties(item, table, `${properties.at}.${name}[${index}]`));
}
