import { DescribeEndpointCommand, type IoTClient } from "@aws-sdk/client-iot";
import type { Scheme } from "../../scheme/scheme.ts";
import { amazonRoots } from "./amazon-roots.ts";
import type { Calls } from "./calls.ts";
import { Certificates, prefixOf } from "./certificates.ts";
import type { CredentialStore } from "./credential-store.ts";
import type { BridgeCertificate, Credentials } from "./credentials.ts";
import { Policies } from "./policies.ts";
import { type ArnPrefix, compilePolicies, isPolicyOf, policyName } from "./policy.ts";
import { ProvisionError } from "./provision-error.ts";

export interface ProvisionOptions {
  readonly scheme: Scheme;
  readonly clientId: string;
  readonly iot: IoTClient;
  readonly calls: Calls;
  readonly store: CredentialStore;
}

/** One run of a command: what was there when it began, and the steps to what should be there. */
export class Provisioning {
  readonly stored: Credentials | undefined;
  readonly #options: ProvisionOptions;
  readonly #endpoint: string;
  /** Whose certificates these are; a dry run does not learn the account where there is none yet. */
  readonly #prefix: ArnPrefix;
  readonly #policies: Policies;
  readonly #certificates: Certificates;
  /** Made by this run, so that nothing has to be asked about it. */
  readonly #made = new Set<BridgeCertificate>();

  static async begin(options: ProvisionOptions): Promise<Provisioning> {
    const { iot, calls, store, scheme, clientId } = options;
    const stored = await store.read();
    const { endpointAddress: endpoint = "" } = await calls.read(
      { action: "iot:DescribeEndpoint", about: "iot:Data-ATS" },
      () => iot.send(new DescribeEndpointCommand({ endpointType: "iot:Data-ATS" })),
    );
    if (stored !== undefined) checkOwner(stored, { clientId, endpoint }, store.place);
    const prefix = unknownAccount(await iot.config.region());
    // Whether the scheme has policies at all, before anything is made.
    compilePolicies(scheme, clientId, prefix);
    return new Provisioning(options, stored, endpoint, prefix);
  }

  private constructor(options: ProvisionOptions, stored: Credentials | undefined, endpoint: string, prefix: ArnPrefix) {
    this.#options = options;
    this.stored = stored;
    this.#endpoint = endpoint;
    this.#prefix = prefix;
    this.#policies = new Policies(options.iot, options.calls);
    this.#certificates = new Certificates(options.iot, options.calls);
  }

  need(verb: string): Credentials {
    if (this.stored?.current !== undefined) return this.stored;
    const message = `there is nothing to ${verb}: ${this.#options.store.place} holds no certificate; provision makes one`;
    throw new ProvisionError("CREDENTIALS_MISSING", message);
  }

  /**
   * Brings what is stored into force, with a new certificate where one is wanted; then it does not matter what has
   * become of the one before.
   */
  async complete(isNewWanted: boolean): Promise<Credentials> {
    const { store } = this.#options;
    let credentials = this.stored ?? this.#empty();
    if (isNewWanted && credentials.next === undefined) credentials = await this.#add(credentials);
    const { current, next, previous } = credentials;
    await this.#putPolicies(next ?? current);
    if (current !== undefined && !isNewWanted) await this.#check(current, previous);
    if (next !== undefined) {
      await this.#bringIntoForce(next);
      const { next: _, ...rest } = credentials;
      credentials = { ...rest, current: next, ...(current !== undefined && { previous: current }) };
    }
    await store.write(credentials);
    return credentials;
  }

  async retire(credentials: Credentials, certificate: BridgeCertificate): Promise<Credentials> {
    const status = await this.#certificates.statusOf(certificate);
    if (status !== "MISSING") {
      if (status === "ACTIVE") await this.#certificates.setStatus(certificate, "INACTIVE");
      for (const name of await this.#policies.attachedTo(certificate.arn)) {
        if (isPolicyOf(credentials.clientId, name)) await this.#policies.detach(name, certificate.arn);
      }
      await this.#certificates.delete(certificate);
    }
    const { previous: _, ...rest } = credentials;
    await this.#options.store.write(rest);
    return rest;
  }

  #empty(): Credentials {
    return { version: 1, endpoint: this.#endpoint, clientId: this.#options.clientId, ca: amazonRoots() };
  }

  /** A new certificate, kept before anything is done with it: its key is given out once. */
  async #add(credentials: Credentials): Promise<Credentials> {
    const { calls, clientId, store } = this.#options;
    if (this.stored === undefined) {
      const others = await this.#policies.targetsOf(policyName(clientId, 0));
      for (const other of others) calls.print(`${other} has the policy of '${clientId}' too: delete it if it is lost`);
    }
    // A place that does not take them is found out before there is a key that is lost with it.
    await store.write(credentials);
    const { current } = credentials;
    const next = await this.#certificates.create(current === undefined ? this.#prefix : prefixOf(current));
    this.#made.add(next);
    const longer = { ...credentials, next };
    await store.write(longer);
    return longer;
  }

  async #putPolicies(certificate: BridgeCertificate | undefined): Promise<void> {
    for (const policy of this.#compile(certificate)) await this.#policies.put(policy);
  }

  #compile(certificate: BridgeCertificate | undefined) {
    const { scheme, clientId } = this.#options;
    return compilePolicies(scheme, clientId, certificate === undefined ? this.#prefix : prefixOf(certificate));
  }

  /** The certificate in force keeps its policies as they should be. Somebody who deactivated it has had a reason. */
  async #check(certificate: BridgeCertificate, previous: BridgeCertificate | undefined): Promise<void> {
    const status = await this.#certificates.statusOf(certificate);
    if (status !== "ACTIVE") {
      const state = status === "MISSING" ? "gone" : "not active";
      const remedy =
        previous === undefined ? "rotate puts a new one in its place" : "activate it, or provision another place";
      const message = `the certificate ${certificate.id} is ${state} in AWS IoT: ${remedy}`;
      throw new ProvisionError("CERTIFICATE_UNUSABLE", message);
    }
    await this.#attachPolicies(certificate);
  }

  async #bringIntoForce(certificate: BridgeCertificate): Promise<void> {
    const status = this.#made.has(certificate) ? "INACTIVE" : await this.#certificates.statusOf(certificate);
    if (status === "MISSING" || status === "OTHER") {
      const { place } = this.#options.store;
      const message = `the new certificate ${certificate.id} cannot be used: take 'next' out of ${place}, and run it again`;
      throw new ProvisionError("CERTIFICATE_UNUSABLE", message);
    }
    await this.#attachPolicies(certificate);
    if (status === "INACTIVE") await this.#certificates.setStatus(certificate, "ACTIVE");
  }

  async #attachPolicies(certificate: BridgeCertificate): Promise<void> {
    const { arn } = certificate;
    const wanted = this.#compile(certificate).map(({ name }) => name);
    const attached = this.#made.has(certificate) ? new Set<string>() : await this.#policies.attachedTo(arn);
    for (const name of wanted) if (!attached.has(name)) await this.#policies.attach(name, arn);
    for (const name of attached) {
      if (isPolicyOf(this.#options.clientId, name) && !wanted.includes(name)) await this.#policies.detach(name, arn);
    }
  }
}

/** Refuses to go on with what belongs to another bridge, or with credentials of another account. */
function checkOwner(stored: Credentials, wanted: { clientId: string; endpoint: string }, place: string): void {
  for (const [what, is, should] of [
    ["the client", stored.clientId, wanted.clientId],
    ["the endpoint", stored.endpoint, wanted.endpoint],
  ] as const) {
    if (is === should) continue;
    const message = `${place} belongs to ${what} '${is}', and this is '${should}': name another place, or the other one`;
    throw new ProvisionError("CREDENTIALS_OTHERS", message);
  }
}

/** As long as any account's, so that what fits it fits. */
function unknownAccount(region: string): ArnPrefix {
  return `arn:${partitionOf(region)}:iot:${region}:000000000000`;
}

function partitionOf(region: string): string {
  const found = Object.entries(partitions).find(([start]) => region.startsWith(start));
  return found?.[1] ?? "aws";
}

/** @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html */
const partitions: Readonly<Record<string, string>> = { "cn-": "aws-cn", "us-gov-": "aws-us-gov" };
