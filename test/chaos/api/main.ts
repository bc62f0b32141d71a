// The API of a run, a process of its own: told what to do, and telling what it takes, by messages of its parent.
import { loadScheme } from "../../../scheme/load-scheme.ts";
import { Fleet } from "../fleet.ts";
import { Journal } from "./journal.ts";
import type { ApiCommand, ApiMessage, ApiOptions } from "./protocol.ts";
import { ChaosApi } from "./server.ts";

const { port, configFile, devices, messages, seed } = JSON.parse(process.argv[2] ?? "{}") as ApiOptions;
const send = (message: ApiMessage, written = () => {}) => process.send?.(message, undefined, undefined, written);

const fleet = new Fleet(await loadScheme(configFile), devices);
const api = new ChaosApi({ port, fleet, messages, seed, journal: new Journal(send) });
process.on("message", async ({ behaviour }: ApiCommand) => {
  await api.behave(behaviour);
  send({ kind: "behaving" });
});
process.on("disconnect", () => process.exit());
await api.listen();
send({ kind: "listening" });
