import type { ServedHttpApi } from "../engine/engine.ts";
import type { Scheme } from "../scheme/scheme.ts";

const command = { command: "track", args: { isTracking: true, transmissionSeconds: 5 } };

/** Where commands are given, with what, and a line to try. Nothing where the template has no push endpoint. */
export function pushLines(
  { brokers, commands }: Pick<Scheme, "brokers" | "commands">,
  httpApi: ServedHttpApi | undefined,
): readonly string[] {
  if (httpApi === undefined) return [];
  const { url, token } = httpApi;
  const bearer = `-H 'authorization: Bearer ${token}'`;
  const json = `-H 'content-type: application/json' -d '${JSON.stringify(command)}'`;
  const line =
    commands === undefined ? `curl ${url}/openapi.json ${bearer}` : `curl ${url}/devices/d1/commands ${bearer} ${json}`;
  const others = brokers.length < 2 ? [] : [`  this broker stands for the ${brokers.length} of the scheme`];
  return [`push      ${url}   token ${token}`, `  ${line}`, ...others];
}
