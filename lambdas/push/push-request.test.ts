import { expect, test } from "vitest";
import { readEvent } from "./push-request.ts";
import { eventOf } from "./testing.ts";

const event = eventOf({ path: "/devices/a%3Ab?wait=1&x=%20", body: '{"é":1}' });

test("reads the gateway's event: the body as bytes, path and query as they come", () => {
  const request = readEvent(event, 7);
  expect(request).toMatchObject({ method: "POST", path: "/devices/a:b", query: "wait=1&x=%20", receivedAt: 7 });
  expect(request.body.toString()).toBe('{"é":1}');
  const { body: _, ...rest } = event;
  const text = { ...rest, body: '{"é":1}', isBase64Encoded: false };
  expect(readEvent(text, 7).body).toEqual(request.body);
  expect(readEvent({ ...rest, isBase64Encoded: false }, 7).body).toHaveLength(0);
});

test.for([
  [{ iam: { userArn: "arn:aws:iam::1:user/api" } }, "arn:aws:iam::1:user/api"],
  [{ jwt: { claims: { sub: "user", client_id: "machine" }, scopes: null } }, "user"],
  [{ jwt: { claims: { client_id: "machine" }, scopes: [] } }, "machine"],
  [{ lambda: {} }, ""],
  [undefined, ""],
] as const)("the caller of %j is %j", ([authorizer, caller]) => {
  const requestContext = { ...event.requestContext, authorizer };
  expect(readEvent({ ...event, requestContext }, 7).caller).toBe(caller);
});
