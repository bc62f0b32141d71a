import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type BadInput, badInputs } from "../../scheme/fixtures/bad-inputs.ts";
import { createAuthority, writeLeaf } from "../../test/support/certificates.ts";
import { checkCommand } from "./check-command.ts";
import type { CheckResult } from "./check-conf.ts";
import { changedConf, temporaryFolder } from "./testing.ts";

const authority = await createAuthority();
const dayMs = 86_400_000;

/** How each kind of input becomes a configuration, in a folder that is there. */
const kinds: Readonly<Record<string, (value: string, folder: string) => Promise<string>>> = {
  bridge: async (line) =>
    changedConf(line.startsWith("topic ") ? { without: ["topic"], added: [line] } : { set: [line] }),
  mosquitto: async (words) => described(words),
  certFile: async (_, folder) => {
    const yesterday = new Date(Date.now() - dayMs / 24);
    const { certfile } = await writeLeaf(
      folder,
      "bridge",
      await authority.issue({ commonName: "b", notAfter: yesterday }),
    );
    return changedConf({ set: [`bridge_certfile ${certfile}`] });
  },
  keyFileMode: async (mode, folder) => {
    const { keyfile } = await writeLeaf(folder, "bridge", await authority.issue({ commonName: "b" }));
    await chmod(keyfile, Number.parseInt(mode, 8));
    return changedConf({ set: [`bridge_keyfile ${keyfile}`] });
  },
};

/** The cases say in words what is wrong with the broker's file. */
function described(words: string): string {
  const [directive = "", state = ""] = words.split(" ");
  if (state === "absent") return changedConf({ without: [directive] });
  const [, line = "", , address] = /^(\S+ \S+) (on a (non-loopback) listener)$/.exec(words) ?? [];
  expect(address).toBe("non-loopback"); // which the unchanged listener is
  return changedConf({ set: [line] });
}

const cases = badInputs("config").filter(({ input }) => Object.keys(input).every((key) => key in kinds));

test("there are cases", () => {
  expect(cases.map(({ id }) => id)).toEqual(expect.arrayContaining(["cfg-16", "cfg-17", "cfg-18", "cfg-20", "cfg-21"]));
  expect(cases.map(({ id }) => id)).toEqual(expect.arrayContaining(["cfg-29", "cfg-30"]));
});

test.for(cases)("$id is refused as $expect.code", async ({ input, expect: { outcome, code } }: BadInput) => {
  expect(outcome).toBe("config-error");
  const folder = await temporaryFolder();
  const file = join(folder, "mosquitto.conf");
  const [[kind = "", value] = []] = Object.entries(input);
  await writeFile(file, (await kinds[kind]?.(String(value), folder)) ?? "");
  const printed: string[] = [];
  expect(await checkCommand(["--json", file], (line) => printed.push(line))).toBe(1);
  const results: readonly CheckResult[] = JSON.parse(printed.join("\n"));
  const refused = results.flatMap(({ findings }) => findings).filter(({ severity }) => severity === "refused");
  expect(refused.map((finding) => finding.code)).toEqual([code]); // and for nothing else
  expect(refused[0]).toMatchObject({ file, directive: expect.any(String), reason: expect.any(String) });
});
