import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { IoTClient } from "@aws-sdk/client-iot";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { type Authority, createAuthority } from "../../test/support/certificates.ts";

/** An answer in AWS's words. */
export interface Refusal {
  readonly status: number;
  readonly type: string;
}

/** What happens to a call: refused, or the connection breaks before or after it is carried out. */
export type Failure = Refusal | "lost-request" | "lost-answer";

interface Certificate {
  status: "ACTIVE" | "INACTIVE" | "REVOKED";
  readonly policies: Set<string>;
}

interface Policy {
  versions: { readonly id: number; readonly document: string }[];
  current: number;
}

const account = "123456789012";

/**
 * AWS IoT's certificates and policies, and Secrets Manager's secrets, over HTTP: the calls that provisioning makes, with
 * the rules that they go by. It signs real certificates.
 *
 * @see https://docs.aws.amazon.com/iot/latest/apireference/API_Operations_AWS_IoT.html
 */
export class TestAccount implements AsyncDisposable {
  readonly region = "eu-central-1";
  /** What was called, as method and path, or as the action of Secrets Manager. */
  readonly calls: string[] = [];
  readonly certificates = new Map<string, Certificate>();
  readonly policies = new Map<string, Policy>();
  readonly secrets = new Map<string, string>();
  /** Names of secrets that hold nothing yet. */
  readonly emptySecrets = new Set<string>();
  /** Fails the first call that the pattern fits, and no other. */
  failure: { readonly pattern: RegExp; readonly how: Failure } | undefined;
  endpointAddress = "a1b2c3-ats.iot.eu-central-1.amazonaws.com";
  readonly #authority: Authority;
  readonly #server = createServer((request, response) => {
    this.#answer(request, response).catch((error: Error) => response.destroy(error));
  });

  private constructor(authority: Authority) {
    this.#authority = authority;
  }

  static async start(): Promise<TestAccount> {
    const started = new TestAccount(await createAuthority());
    started.#server.listen(0, "127.0.0.1");
    await once(started.#server, "listening");
    return started;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get clients(): { readonly iot: IoTClient; readonly secrets: SecretsManagerClient } {
    const config = {
      endpoint: this.endpoint,
      region: this.region,
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
      maxAttempts: 1,
    };
    return { iot: new IoTClient(config), secrets: new SecretsManagerClient(config) };
  }

  get prefix() {
    return `arn:aws:iot:${this.region}:${account}` as const;
  }

  /** The calls so far that change something; they are then forgotten. */
  takeChanges(): readonly string[] {
    const reading = /^(GET|POST \/(attached-policies|policy-targets)|GetSecretValue)/;
    return this.calls.splice(0).filter((call) => !reading.test(call));
  }

  /** The document in force. */
  documentOf(policyName: string): unknown {
    const policy = this.policies.get(policyName);
    return JSON.parse(policy?.versions.find(({ id }) => id === policy.current)?.document ?? "null");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const secretAction = String(request.headers["x-amz-target"] ?? "").replace("secretsmanager.", "");
    const called = secretAction || `${request.method} ${decodeURIComponent(request.url ?? "")}`;
    const failure = this.failure?.pattern.test(called) === true ? this.failure.how : undefined;
    if (failure !== undefined) this.failure = undefined;
    if (failure === "lost-request") {
      response.destroy();
      return;
    }
    this.calls.push(called);
    const input = body === "" ? {} : JSON.parse(body);
    const answer = typeof failure === "object" ? failure : await this.#carryOut(called, secretAction, input);
    if (failure === "lost-answer") {
      response.destroy();
      return;
    }
    const refusal = isRefusal(answer) ? answer : undefined;
    const json = refusal === undefined ? answer : { __type: refusal.type, message: `refused: ${refusal.type}` };
    response.writeHead(refusal?.status ?? 200, {
      "content-type": "application/json",
      ...(refusal !== undefined && { "x-amzn-errortype": refusal.type }),
    });
    response.end(JSON.stringify(json));
  }

  async #carryOut(called: string, secretAction: string, input: Record<string, string>): Promise<object> {
    if (secretAction !== "") return this.#secret(secretAction, input);
    const [, method = "", path = "", query = ""] = /^(\S+) \/([^?]*)\??(.*)$/.exec(called) ?? [];
    const [resource = "", id = "", part, partId] = path.split("/");
    const parameters = new URLSearchParams(query);
    switch (`${method} ${resource}`) {
      case "GET endpoint":
        return { endpointAddress: this.endpointAddress };
      case "POST keys-and-certificate":
        return await this.#createCertificate(parameters.get("setAsActive") === "true");
      case "GET certificates":
      case "PUT certificates":
      case "DELETE certificates":
        return this.#certificate(method, id, parameters);
      case "GET policies":
      case "POST policies":
      case "DELETE policies":
        return this.#policy(`${method}${part === undefined ? "" : " version"}`, id, partId, input);
      case "PUT target-policies":
      case "POST target-policies":
        return this.#attach(method === "PUT", id, input.target ?? "");
      case "POST attached-policies": {
        const [, certificateId = ""] = /\/([^/]+)$/.exec(path) ?? [];
        const names = [...(this.certificates.get(certificateId)?.policies ?? [])];
        // Pages of one, so that a reader has to turn them.
        const position = Number(parameters.get("marker") ?? 0);
        const policies = names.slice(position, position + 1).map((policyName) => ({ policyName }));
        return { policies, ...(position + 1 < names.length && { nextMarker: String(position + 1) }) };
      }
      case "POST policy-targets": {
        if (!this.policies.has(id)) return notFound;
        const targets = [...this.certificates].filter(([, { policies }]) => policies.has(id));
        return { targets: targets.map(([certificateId]) => `${this.prefix}:cert/${certificateId}`) };
      }
      default:
        throw new Error(`the stand-in has no ${called}`);
    }
  }

  async #createCertificate(isActive: boolean): Promise<object> {
    const { certPem, keyPem } = await this.#authority.issue({ commonName: "AWS IoT Certificate" });
    // As AWS does: the fingerprint is the id.
    const certificateId = createHash("sha256").update(new X509Certificate(certPem).raw).digest("hex");
    this.certificates.set(certificateId, { status: isActive ? "ACTIVE" : "INACTIVE", policies: new Set() });
    const certificateArn = `${this.prefix}:cert/${certificateId}`;
    return { certificateArn, certificateId, certificatePem: certPem, keyPair: { PublicKey: "", PrivateKey: keyPem } };
  }

  #certificate(method: string, id: string, parameters: URLSearchParams): object {
    const certificate = this.certificates.get(id);
    if (certificate === undefined) return notFound;
    if (method === "GET") return { certificateDescription: { certificateId: id, status: certificate.status } };
    if (method === "PUT") {
      certificate.status = parameters.get("newStatus") as Certificate["status"];
      return {};
    }
    if (certificate.status === "ACTIVE") return { status: 406, type: "CertificateStateException" };
    if (certificate.policies.size > 0 && parameters.get("forceDelete") !== "true") return conflict;
    this.certificates.delete(id);
    return {};
  }

  #policy(operation: string, name: string, versionId: string | undefined, input: Record<string, string>): object {
    const policy = this.policies.get(name);
    const document = input.policyDocument ?? "";
    if (operation.startsWith("POST") && document.replaceAll(/\s/g, "").length > 2_048) {
      return { status: 400, type: "MalformedPolicyException" };
    }
    if (operation === "POST") {
      if (policy !== undefined) return { status: 409, type: "ResourceAlreadyExistsException" };
      this.policies.set(name, { versions: [{ id: 1, document }], current: 1 });
      return {};
    }
    if (policy === undefined) return notFound;
    switch (operation) {
      case "GET": {
        const current = policy.versions.find(({ id }) => id === policy.current);
        return { policyName: name, policyDocument: current?.document, defaultVersionId: String(policy.current) };
      }
      case "GET version": {
        const versions = policy.versions.map(({ id }) => ({
          versionId: String(id),
          isDefaultVersion: id === policy.current,
        }));
        return { policyVersions: versions };
      }
      case "POST version": {
        if (policy.versions.length >= 5) return { status: 409, type: "VersionsLimitExceededException" };
        const id = Math.max(...policy.versions.map((version) => version.id)) + 1;
        policy.versions.push({ id, document });
        policy.current = id;
        return { policyVersionId: String(id) };
      }
      case "DELETE version":
        if (String(policy.current) === versionId) return conflict;
        policy.versions = policy.versions.filter(({ id }) => String(id) !== versionId);
        return {};
      default:
        throw new Error(`the stand-in has no ${operation}`);
    }
  }

  #attach(isAttaching: boolean, policyName: string, target: string): object {
    const certificate = this.certificates.get(target.slice(target.lastIndexOf("/") + 1));
    if (certificate === undefined || !this.policies.has(policyName)) return notFound;
    if (isAttaching) certificate.policies.add(policyName);
    else certificate.policies.delete(policyName);
    return {};
  }

  #secret(action: string, { Name, SecretId = Name ?? "", SecretString = "" }: Record<string, string>): object {
    const value = this.secrets.get(SecretId);
    switch (action) {
      case "GetSecretValue":
        return value === undefined ? notFound : { Name: SecretId, SecretString: value };
      case "CreateSecret":
        if (value !== undefined || this.emptySecrets.has(SecretId)) {
          return { status: 400, type: "ResourceExistsException" };
        }
        this.secrets.set(SecretId, SecretString);
        return { Name: SecretId };
      case "PutSecretValue":
        if (value === undefined && !this.emptySecrets.has(SecretId)) return notFound;
        this.secrets.set(SecretId, SecretString);
        return { Name: SecretId };
      default:
        throw new Error(`the stand-in has no ${action}`);
    }
  }
}

const notFound: Refusal = { status: 404, type: "ResourceNotFoundException" };
const conflict: Refusal = { status: 409, type: "DeleteConflictException" };

function isRefusal(answer: object): answer is Refusal {
  return "status" in answer && "type" in answer;
}
