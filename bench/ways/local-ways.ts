import type { AskerOptions } from "../peers/asker.ts";
import { AskerProcess } from "./asker-process.ts";
import type { WayToAsk } from "./way-to-ask.ts";

/** Straight to the broker: by `client/`, by hand, and by hand with a connection for each request. */
export const localWays: readonly WayToAsk[] = ([4, 5] as const).flatMap((protocolVersion) => {
  const name = protocolVersion === 4 ? "MQTT 3.1.1" : "MQTT 5";
  const byHand = wayOf(`mqtt by hand, ${name}`, { kind: "by hand", protocolVersion });
  return [
    byHand,
    wayOf(`client/, ${name}`, { kind: "client", protocolVersion }, byHand),
    wayOf(`mqtt, a connection for each, ${name}`, { kind: "anew", protocolVersion }, byHand),
  ];
});

function wayOf(name: string, asker: Pick<AskerOptions, "kind" | "protocolVersion">, reference?: WayToAsk): WayToAsk {
  return {
    name,
    protocolVersion: asker.protocolVersion,
    isForMany: asker.kind !== "anew",
    ...(reference === undefined ? {} : { reference }),
    start: (fleet) => AskerProcess.start({ ...asker, ...fleet }),
  };
}
