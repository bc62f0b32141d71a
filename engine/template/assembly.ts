import { readFileSync } from "node:fs";
import { join } from "node:path";
import { EngineError } from "../engine-error.ts";

/** A CloudFormation resource as it stands in the template. */
export interface TemplateResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly Condition?: string;
}

export interface TemplateParameter {
  readonly Type: string;
  readonly Default?: string;
}

/** A synthesized stack: its template and the folders of its assets. */
export interface Assembly {
  readonly stackName: string;
  readonly resources: ReadonlyMap<string, TemplateResource>;
  readonly parameters: ReadonlyMap<string, TemplateParameter>;
  /** The folder with a Lambda function's code, by the object key that the template names. */
  readonly assetFolders: ReadonlyMap<string, string>;
}

/** Sections beside the resources: those without an effect here, with the reason. Any other is refused. */
const sections: Readonly<Record<string, string>> = {
  AWSTemplateFormatVersion: "names the format",
  Description: "is text",
  Metadata: "is for tools",
  Outputs: "are read by people and other stacks",
  Parameters: "are read",
  Resources: "are read",
  Rules: "CDK's own check that an account is bootstrapped",
};

/**
 * Reads what `cdk synth` wrote.
 *
 * @param folder The cloud assembly, usually `cdk.out`.
 * @throws {EngineError} `ERR_TEMPLATE_UNREADABLE`, `ERR_SECTION_UNSUPPORTED`
 */
export function readAssembly(folder: string, stackName?: string): Assembly {
  const manifest = readJson(join(folder, "manifest.json")) as { artifacts: Record<string, Artifact> };
  const stacks = Object.entries(manifest.artifacts).filter(
    ([name, { type }]) => type === "aws:cloudformation:stack" && (stackName === undefined || name === stackName),
  );
  const [stack, another] = stacks;
  if (stack === undefined || another !== undefined) {
    const found = stacks.map(([name]) => name).join(", ") || "none";
    throw new EngineError("ERR_TEMPLATE_UNREADABLE", `${folder} holds ${found} where one stack is wanted`);
  }
  const [name, artifact] = stack;
  const template = readJson(join(folder, artifact.properties?.templateFile ?? "")) as Record<string, object>;
  for (const section of Object.keys(template)) {
    if (Object.hasOwn(sections, section)) continue;
    throw new EngineError(
      "ERR_SECTION_UNSUPPORTED",
      `the template of ${name} has '${section}', which is not performed`,
    );
  }
  return {
    stackName: name,
    resources: new Map(Object.entries(template.Resources ?? {})),
    parameters: new Map(Object.entries(template.Parameters ?? {})),
    assetFolders: readAssets(folder, name),
  };
}

interface Artifact {
  readonly type: string;
  readonly properties?: { readonly templateFile?: string };
}

interface AssetManifest {
  readonly files: Record<
    string,
    {
      readonly source: { readonly path: string };
      readonly destinations: Record<string, { readonly objectKey: string }>;
    }
  >;
}

function readAssets(folder: string, stackName: string): ReadonlyMap<string, string> {
  const { files } = readJson(join(folder, `${stackName}.assets.json`)) as AssetManifest;
  return new Map(
    Object.values(files).flatMap(({ source, destinations }) =>
      Object.values(destinations).map(({ objectKey }): [string, string] => [objectKey, join(folder, source.path)]),
    ),
  );
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw new EngineError("ERR_TEMPLATE_UNREADABLE", `${file} is not a synthesized template's; run cdk synth`, {
      cause: error,
    });
  }
}
