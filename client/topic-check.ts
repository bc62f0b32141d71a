import { quote } from "../scheme/message-error.ts";
import { filterProblem } from "../scheme/topic-filter.ts";
import { ClientError } from "./client-error.ts";

/** Bytes that the length of a text in a packet can say (MQTT 5 §1.5.4). */
const maxTextBytes = 65_535;

/** @throws {ClientError} `CLIENT_INVALID` for what a broker would end the connection for (MQTT 5 §4.7). */
export function checkTopic(topic: string): void {
  if (topic === "") throw invalid("a topic name is not empty");
  if (/[+#\0]/.test(topic)) throw invalid(`the topic name ${quote(topic)} has a wildcard or a NUL character`);
  checkLength(topic);
}

/** @throws {ClientError} `CLIENT_INVALID` */
export function checkFilter(filter: string): void {
  const problem = filterProblem(filter);
  if (problem !== undefined) throw invalid(`${quote(filter)}: ${problem}`);
  checkLength(filter);
}

function checkLength(text: string): void {
  // A UTF-16 unit is at most 3 bytes of UTF-8: most topics need no count.
  const bytes = text.length * 3 <= maxTextBytes ? 0 : Buffer.byteLength(text);
  if (bytes > maxTextBytes) throw invalid(`a topic of ${bytes} bytes, the limit is ${maxTextBytes}`);
}

function invalid(message: string): ClientError {
  return new ClientError("CLIENT_INVALID", message);
}
