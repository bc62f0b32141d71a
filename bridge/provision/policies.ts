import {
  AttachPolicyCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  DeletePolicyVersionCommand,
  DetachPolicyCommand,
  GetPolicyCommand,
  type IoTClient,
  ListAttachedPoliciesCommand,
  ListPolicyVersionsCommand,
  ListTargetsForPolicyCommand,
  type PolicyVersion,
} from "@aws-sdk/client-iot";
import type { Calls } from "./calls.ts";
import type { NamedPolicy } from "./policy.ts";

/** Versions that AWS keeps of a policy, the one in force among them. */
const maxPolicyVersions = 5;

/** The policies of AWS IoT, in an account and a region. */
export class Policies {
  readonly #iot: IoTClient;
  readonly #calls: Calls;

  constructor(iot: IoTClient, calls: Calls) {
    this.#iot = iot;
    this.#calls = calls;
  }

  /** Makes the policy, or gives it a new version where another document is in force. */
  async put({ name, document }: NamedPolicy): Promise<void> {
    const found = await this.#calls.find({ action: "iot:GetPolicy", about: name }, () =>
      this.#iot.send(new GetPolicyCommand({ policyName: name })),
    );
    const input = { policyName: name, policyDocument: document };
    if (found === undefined) {
      const call = { action: "iot:CreatePolicy", about: name } as const;
      await this.#change(call, () => this.#iot.send(new CreatePolicyCommand(input)), document);
    } else if (!isSame(found.policyDocument, document)) {
      await this.#makeRoom(name);
      const call = { action: "iot:CreatePolicyVersion", about: name } as const;
      const version = new CreatePolicyVersionCommand({ ...input, setAsDefault: true });
      await this.#change(call, () => this.#iot.send(version), document);
    }
  }

  /** Names of the policies that a certificate has, by anybody. */
  async attachedTo(target: string): Promise<ReadonlySet<string>> {
    const names = new Set<string>();
    let marker: string | undefined;
    do {
      const input = { target, ...(marker !== undefined && { marker }) };
      const page = await this.#calls.read({ action: "iot:ListAttachedPolicies", about: target }, () =>
        this.#iot.send(new ListAttachedPoliciesCommand(input)),
      );
      for (const { policyName } of page.policies ?? []) if (policyName !== undefined) names.add(policyName);
      marker = page.nextMarker;
    } while (marker !== undefined);
    return names;
  }

  /** What else a policy is attached to; none where there is no such policy. The first 100 do. */
  async targetsOf(policyName: string): Promise<readonly string[]> {
    const found = await this.#calls.find({ action: "iot:ListTargetsForPolicy", about: policyName }, () =>
      this.#iot.send(new ListTargetsForPolicyCommand({ policyName, pageSize: 100 })),
    );
    return found?.targets ?? [];
  }

  async attach(policyName: string, target: string): Promise<void> {
    const call = { action: "iot:AttachPolicy", about: `${policyName} to ${target}` } as const;
    await this.#change(call, () => this.#iot.send(new AttachPolicyCommand({ policyName, target })));
  }

  async detach(policyName: string, target: string): Promise<void> {
    const call = { action: "iot:DetachPolicy", about: `${policyName} from ${target}` } as const;
    await this.#change(call, () => this.#iot.send(new DetachPolicyCommand({ policyName, target })));
  }

  /** Deletes the oldest version that is not in force, where there are as many as AWS keeps. */
  async #makeRoom(policyName: string): Promise<void> {
    const { policyVersions = [] } = await this.#calls.read(
      { action: "iot:ListPolicyVersions", about: policyName },
      () => this.#iot.send(new ListPolicyVersionsCommand({ policyName })),
    );
    if (policyVersions.length < maxPolicyVersions) return;
    const [oldest] = policyVersions.filter(({ isDefaultVersion }) => isDefaultVersion !== true).sort(byAge);
    if (oldest === undefined) return;
    const input = { policyName, policyVersionId: oldest.versionId };
    const call = { action: "iot:DeletePolicyVersion", about: `${policyName} version ${oldest.versionId}` } as const;
    await this.#change(call, () => this.#iot.send(new DeletePolicyVersionCommand(input)));
  }

  async #change(call: Parameters<Calls["change"]>[0], send: () => Promise<unknown>, details?: string): Promise<void> {
    await this.#calls.change(call, () => send().then(() => {}), undefined, details);
  }
}

/** Version ids are whole numbers that rise. */
function byAge(a: PolicyVersion, b: PolicyVersion): number {
  return Number(a.versionId) - Number(b.versionId);
}

/** Whether somebody else's spacing is all the difference. */
function isSame(there: string | undefined, wanted: string): boolean {
  try {
    return JSON.stringify(JSON.parse(there ?? "")) === wanted;
  } catch {
    return false;
  }
}
