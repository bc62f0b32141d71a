import { X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import type { BrokerConf } from "./broker-conf.ts";
import { type ConfLine, textOf } from "./conf-line.ts";
import type { Finding } from "./finding.ts";

/** What a directive's file holds. */
type FileKind =
  | "key" // a private key: the owner's alone
  | "secrets" // hashes of passwords, shared keys
  | "certificate"
  | "authorities"; // one counts as long as it is valid

const fileDirectives: Readonly<Record<string, FileKind>> = {
  keyfile: "key",
  bridge_keyfile: "key",
  password_file: "secrets",
  psk_file: "secrets",
  certfile: "certificate",
  bridge_certfile: "certificate",
  cafile: "authorities",
  bridge_cafile: "authorities",
};

/** From so many days before its end a certificate is warned of. */
const warnedDays = 30;
const dayMs = 86_400_000;

/** A file that the configuration names and that cannot be looked at here, as where another machine runs the broker. */
export interface UncheckedFile {
  readonly directive: string;
  readonly path: string;
  readonly why: string;
}

export interface FileFindings {
  readonly findings: readonly Finding[];
  readonly unchecked: readonly UncheckedFile[];
}

/** Looks at the keys and certificates that a configuration names, where they are here. @param now Milliseconds since 1970. */
export async function checkFiles({ broker, listeners, connections }: BrokerConf, now: number): Promise<FileFindings> {
  const lines = [broker, ...listeners, ...connections].flatMap((section) => section.lines);
  const all = await Promise.all(
    lines.map(async (line) => {
      const kind = fileDirectives[line.name];
      if (kind === undefined || line.value === "") return { findings: [], unchecked: [] };
      return await checkFile(line, kind, now).catch((error: NodeJS.ErrnoException) => {
        const why = error.code === "ENOENT" ? "it is not on this machine" : error.message;
        return { findings: [], unchecked: [{ directive: line.name, path: line.value, why }] };
      });
    }),
  );
  return { findings: all.flatMap(({ findings }) => findings), unchecked: all.flatMap(({ unchecked }) => unchecked) };
}

async function checkFile(line: ConfLine, kind: FileKind, now: number): Promise<FileFindings> {
  const findings =
    kind === "key" || kind === "secrets"
      ? findInMode(line, kind, (await stat(line.value)).mode)
      : findInCertificates(line, kind, await readFile(line.value, "utf8"), now);
  return { findings, unchecked: [] };
}

function findInMode(line: ConfLine, kind: "key" | "secrets", mode: number): readonly Finding[] {
  const permissions = `mode ${(mode & 0o777).toString(8).padStart(4, "0")}`;
  const source = kind === "key" ? "ssh(1) holds its own keys to the same" : "Mosquitto 2.0.16 and later warn of it";
  if ((mode & 0o007) !== 0) {
    const reason = `${permissions}: every user of the machine can use it. 'chmod 600', and the broker's user as its owner`;
    return [toFinding(line, "KEY_PERMISSIONS", kind === "key" ? "refused" : "warning", reason, source)];
  }
  if ((mode & 0o070) === 0) return [];
  const reason = `${permissions}: its group can use it as well as the broker's user`;
  return kind === "key" ? [toFinding(line, "KEY_PERMISSIONS", "warning", reason, source)] : [];
}

function findInCertificates(
  line: ConfLine,
  kind: "certificate" | "authorities",
  pem: string,
  now: number,
): readonly Finding[] {
  const source = "RFC 5280 §4.1.2.5, validity";
  const ends = endsOf(pem);
  // The first is the broker's own, the rest are between it and its authority.
  const end = kind === "certificate" ? ends[0] : ends.toSorted((a, b) => b - a)[0];
  if (end === undefined) {
    return [toFinding(line, "CERT_UNREADABLE", "refused", "there is no certificate in PEM in the file", source)];
  }
  const days = Math.floor((end - now) / dayMs);
  const date = new Date(end).toISOString().slice(0, 10);
  if (end <= now) return [toFinding(line, "CERT_EXPIRED", "refused", `it ended on ${date}: nobody accepts it`, source)];
  if (days >= warnedDays) return [];
  return [toFinding(line, "CERT_EXPIRED", "warning", `it ends on ${date}, in ${days} days`, source)];
}

/** When the certificates of a PEM end, in milliseconds since 1970. */
function endsOf(pem: string): readonly number[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    return blocks.map((block) => Date.parse(new X509Certificate(block).validTo));
  } catch {
    return [];
  }
}

function toFinding(
  line: ConfLine,
  code: Finding["code"],
  severity: Finding["severity"],
  reason: string,
  source: string,
): Finding {
  const { file, line: number, name } = line;
  return { code, severity, file, line: number, directive: name, text: textOf(line), reason, source };
}
