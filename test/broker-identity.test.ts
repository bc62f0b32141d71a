import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { findProgram } from "../bridge/broker-process.ts";
import type { BrokerOptions } from "../bridge/options.ts";
import { defineScheme } from "../scheme/define-scheme.ts";
import { createAuthority, writeAuthority, writeLeaf } from "./support/certificates.ts";
import { type Place, startGenerated, type TestBroker } from "./support/mosquitto.ts";
import { connectAs } from "./support/mqtt-client.ts";

const scheme = defineScheme({
  name: "identity",
  api: { url: "https://api.example.com" },
  routes: { location: { topic: "v1/drivers/{deviceId}/location", qos: 1 } },
});

test("a client certificate's common name is the user name, whatever CONNECT says", async () => {
  const authority = await createAuthority();
  await using broker = await startWith(async ({ folder }) => ({
    tls: await writeLeaf(folder, "broker", await authority.issue({ commonName: "localhost" })),
    identity: { kind: "certificate", cafile: await writeAuthority(folder, authority) },
  }));
  const url = `mqtts://127.0.0.1:${broker.port}`;
  const { certPem: cert, keyPem: key } = await authority.issue({ commonName: "d42" });

  await using device = await connectAs(url, "d43", { ca: authority.caPem, cert, key });
  await device.publish("v1/drivers/d42/location", "own");
  await expect(device.publish("v1/drivers/d43/location", "claimed")).rejects.toMatchObject({ code: 0x87 });

  await expect(connectAs(url, "d42", { ca: authority.caPem })).rejects.toThrow();
  const stranger = await (await createAuthority()).issue({ commonName: "d42" });
  const foreign = { ca: authority.caPem, cert: stranger.certPem, key: stranger.keyPem };
  await expect(connectAs(url, "d42", foreign)).rejects.toThrow();
});

test("a password file lets nobody in without the user's password", async () => {
  await using broker = await startWith(async ({ folder }) => {
    const file = join(folder, "passwords");
    const mosquittoPasswd = (await findProgram("mosquitto_passwd")) ?? "mosquitto_passwd is not installed";
    await promisify(execFile)(mosquittoPasswd, ["-c", "-b", file, "d42", "correct"]);
    return { identity: { kind: "password", file } };
  });
  await using device = await connectAs(broker.url, "d42", { password: "correct" });
  await device.publish("v1/drivers/d42/location", "own");
  await expect(connectAs(broker.url, "d42", { password: "wrong" })).rejects.toMatchObject({ code: 0x87 });
  await expect(connectAs(broker.url, "d42")).rejects.toMatchObject({ code: 0x87 });
  await expect(connectAs(broker.url, "d43", { password: "correct" })).rejects.toMatchObject({ code: 0x87 });
});

test("where the client id is the user name, nobody ends another's session", async () => {
  await using broker = await startWith(async () => ({}), { isClientIdUserName: true });
  await using device = await connectAs(broker.url, "d42", { clientId: "d42" });
  await using intruder = await connectAs(broker.url, "d66", { clientId: "d42" });
  await intruder.publish("v1/drivers/d66/location", "here");
  await device.publish("v1/drivers/d42/location", "still here");
});

type Listener = NonNullable<BrokerOptions["listener"]>;

function startWith(
  listener: (place: Place) => Promise<Listener>,
  options: Partial<BrokerOptions> = {},
): Promise<TestBroker> {
  return startGenerated(scheme, async (place) => ({ ...options, listener: await listener(place) }));
}
