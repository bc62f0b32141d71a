import { maxCorrelationDataBytes, maxUserPropertyBytes } from "../../scheme/envelope/properties.ts";
import { memberBytes } from "../../scheme/frame/encode.ts";
import type { FrameMember, Refusal } from "../../scheme/frame/frame.ts";
import { MessageError, quote, type ReasonCode } from "../../scheme/message-error.ts";
import { checkTopicName } from "../../scheme/topic-name.ts";
import { maxPayloadBytes, maxRelayPayloadBytes } from "../payload-limits.ts";

/** AWS IoT Core's quota. */
const maxContentTypeBytes = 256;

/** Of the payload of a refused message in one frame: what does not compress has to fit, with the fields of its member. */
const partBytes = 98_304;
const maxFieldsBytes = 30_000;
const shownTopicCharacters = 1_024;

/**
 * Why AWS IoT Core would not take a message, by discarding it or by ending the connection; undefined where it would.
 *
 * @see https://docs.aws.amazon.com/general/latest/gr/iot-core.html
 */
export function refusalOf(member: FrameMember): Pick<Refusal, "reason" | "detail"> | undefined {
  try {
    checkTopicName(member.topic);
  } catch (error) {
    if (error instanceof MessageError) return { reason: error.code, detail: error.message };
    throw error;
  }
  const { topic, payload, contentType = "", correlationData, userProperties = [] } = member;
  if (topic.startsWith("$")) return refused("TOPIC_RESERVED", `${quote(topic)} begins with $`);
  const propertyBytes = userProperties.reduce((sum, pair) => sum + byteLength(pair[0]) + byteLength(pair[1]), 0);
  return (
    tooMany("PAYLOAD_TOO_LARGE", "bytes of payload", payload.length, maxPayloadBytes) ??
    tooMany("PROPERTIES_TOO_LARGE", "bytes of user properties", propertyBytes, maxUserPropertyBytes) ??
    tooMany("PROPERTIES_TOO_LARGE", "bytes of content type", byteLength(contentType), maxContentTypeBytes) ??
    tooMany("PROPERTIES_TOO_LARGE", "bytes of correlation data", correlationData?.length ?? 0, maxCorrelationDataBytes)
  );
}

/**
 * A refused message as members for frames: with its bytes, cut into parts where they are many.
 *
 * A listener that was configured otherwise than by `config` lets more in than a dead letter has room for: of that, the begin is
 * kept, and the detail says so.
 */
export function refusedMembers(
  member: FrameMember,
  { reason, detail }: Pick<Refusal, "reason" | "detail">,
): readonly FrameMember[] {
  const payload = member.payload.subarray(0, maxRelayPayloadBytes);
  const fields = fieldsOf(member);
  const parts = Math.max(1, Math.ceil(payload.length / partBytes));
  const isWhole = payload.length === member.payload.length;
  const told = [
    detail,
    ...(isWhole ? [] : [`the first ${maxRelayPayloadBytes} of ${member.payload.length} bytes are kept`]),
    ...(fields === member ? [] : [`its properties are left out, and its topic beyond ${shownTopicCharacters}`]),
  ].join("; ");
  return Array.from({ length: parts }, (_, part) => ({
    ...fields,
    payload: payload.subarray(part * partBytes, (part + 1) * partBytes),
    refusal: { reason, detail: told, part, parts },
  }));
}

/** A member whose topic and properties alone would fill a frame keeps what says who sent it. */
function fieldsOf(member: FrameMember): FrameMember {
  if (memberBytes(member) - member.payload.length <= maxFieldsBytes) return member;
  const { id, receivedAt, payload, topic } = member;
  return { id, receivedAt, payload, topic: topic.slice(0, shownTopicCharacters).toWellFormed() };
}

function tooMany(reason: ReasonCode, what: string, value: number, limit: number) {
  return value > limit ? refused(reason, `${value} ${what}, the limit of IoT Core is ${limit}`) : undefined;
}

function refused(reason: ReasonCode, detail: string): Pick<Refusal, "reason" | "detail"> {
  return { reason, detail };
}

function byteLength(text: string): number {
  return Buffer.byteLength(text);
}
