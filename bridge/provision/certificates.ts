import {
  CreateKeysAndCertificateCommand,
  DeleteCertificateCommand,
  DescribeCertificateCommand,
  type IoTClient,
  UpdateCertificateCommand,
} from "@aws-sdk/client-iot";
import type { Calls } from "./calls.ts";
import type { BridgeCertificate } from "./credentials.ts";
import type { ArnPrefix } from "./policy.ts";
import { ProvisionError } from "./provision-error.ts";

export type CertificateStatus = "ACTIVE" | "INACTIVE" | "MISSING" | "OTHER";

/** The certificates of AWS IoT, in an account and a region. */
export class Certificates {
  readonly #iot: IoTClient;
  readonly #calls: Calls;

  constructor(iot: IoTClient, calls: Calls) {
    this.#iot = iot;
    this.#calls = calls;
  }

  /**
   * A new certificate, inactive: if nobody gets to keep its key, it is of no use to anyone.
   *
   * @param imagined Whose it would be in a dry run.
   */
  async create(imagined: ArnPrefix): Promise<BridgeCertificate> {
    return await this.#calls.change<BridgeCertificate>(
      { action: "iot:CreateKeysAndCertificate", about: "inactive" },
      async () => {
        const made = await this.#iot.send(new CreateKeysAndCertificateCommand({ setAsActive: false }));
        const { certificateArn, certificateId: id, certificatePem: certificate, keyPair } = made;
        const privateKey = keyPair?.PrivateKey;
        if (!isArn(certificateArn) || id === undefined || certificate === undefined || privateKey === undefined) {
          throw new ProvisionError("PROVISION_REFUSED", "iot:CreateKeysAndCertificate answered without a certificate");
        }
        return { arn: certificateArn, id, certificate, privateKey };
      },
      { arn: `${imagined}:cert/(new)`, id: "(new)", certificate: "", privateKey: "" },
    );
  }

  async statusOf({ id }: BridgeCertificate): Promise<CertificateStatus> {
    const found = await this.#calls.find({ action: "iot:DescribeCertificate", about: id }, () =>
      this.#iot.send(new DescribeCertificateCommand({ certificateId: id })),
    );
    if (found === undefined) return "MISSING";
    const status = found.certificateDescription?.status;
    return status === "ACTIVE" || status === "INACTIVE" ? status : "OTHER";
  }

  async setStatus({ id }: BridgeCertificate, newStatus: "ACTIVE" | "INACTIVE"): Promise<void> {
    await this.#calls.change(
      { action: "iot:UpdateCertificate", about: `${id} ${newStatus}` },
      () => this.#iot.send(new UpdateCertificateCommand({ certificateId: id, newStatus })).then(() => {}),
      undefined,
    );
  }

  /** Deletes an inactive certificate; the policies that it may still have do not keep it. */
  async delete({ id }: BridgeCertificate): Promise<void> {
    await this.#calls.change(
      { action: "iot:DeleteCertificate", about: id },
      () => this.#iot.send(new DeleteCertificateCommand({ certificateId: id, forceDelete: true })).then(() => {}),
      undefined,
    );
  }
}

function isArn(arn: string | undefined): arn is BridgeCertificate["arn"] {
  return arn !== undefined && /^arn:[^:]+:iot:[^:]+:[^:]+:cert\/.+$/.test(arn);
}

/** Account and region of a certificate, from its ARN. */
export function prefixOf({ arn }: BridgeCertificate): ArnPrefix {
  return arn.slice(0, arn.lastIndexOf(":")) as ArnPrefix;
}
