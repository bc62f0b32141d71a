import { expect, test, vi } from "vitest";
import { ClientError } from "./client-error.ts";
import { Outbox, type Outgoing, type Wire } from "./outbox.ts";

/** A connection that acknowledges when a test says so. */
function wire(receiveMaximum = 65_535, hasUnsent = false) {
  const done = new Map<string, (error?: ClientError) => void>();
  const sent: string[] = [];
  const cut = vi.fn<(problem: string) => void>();
  const publish: Wire["publish"] = ({ topic }, acknowledge) => {
    sent.push(topic);
    done.set(topic, acknowledge);
  };
  return { receiveMaximum, hasUnsent, cut, publish, sent, acknowledge: (topic: string) => done.get(topic)?.() };
}

function message(topic: string) {
  const settle = vi.fn<Outgoing["settle"]>();
  return { topic, payload: "", qos: 1, isRetained: false, settle } as const;
}

const lost = new ClientError("CLIENT_DISCONNECTED", "lost");

test.for([
  ["the broker's receive maximum", 2, 1_000],
  ["the client's own limit", 65_535, 2],
] as const)("no more are in flight than %s, and all come in their order", ([, receiveMaximum, maxInFlight]) => {
  const outbox = new Outbox(maxInFlight);
  const connection = wire(receiveMaximum);
  const messages = ["a", "b", "c", "d"].map(message);
  for (const each of messages.slice(0, 3)) outbox.send(each);
  outbox.attach(connection);
  expect(connection.sent).toEqual(["a", "b"]);
  connection.acknowledge("b");
  expect(connection.sent).toEqual(["a", "b", "c"]);
  for (const each of messages.slice(3)) outbox.send(each);
  connection.acknowledge("a");
  expect(connection.sent).toEqual(["a", "b", "c", "d"]);
  expect(messages.map(({ settle }) => settle.mock.calls)).toEqual([[[undefined]], [[undefined]], [], []]);
});

test("what is withdrawn before it is sent never is", () => {
  const outbox = new Outbox();
  const [first, second] = [message("a"), message("b")];
  outbox.send(first);
  outbox.send(second);
  outbox.withdraw(first, true);
  const connection = wire();
  outbox.attach(connection);
  expect(connection.sent).toEqual(["b"]);
});

test("what is withdrawn on its way keeps its place until it is acknowledged, and is not sent again", () => {
  const outbox = new Outbox(1);
  const [first, second] = [message("a"), message("b")];
  const connection = wire();
  outbox.attach(connection);
  outbox.send(first);
  outbox.send(second);
  outbox.withdraw(first, false);
  expect(connection.sent).toEqual(["a"]);
  connection.acknowledge("a");
  expect(connection.sent).toEqual(["a", "b"]);
  outbox.withdraw(second, false);
  outbox.detach(lost);
  const next = wire();
  outbox.attach(next);
  expect(next.sent).toEqual([]);
  expect([first, second].flatMap(({ settle }) => settle.mock.calls)).toEqual([]);
});

test("what was on its way goes before what waited, on the next connection; with the second loss it is given up", () => {
  const outbox = new Outbox(1);
  const [first, second] = [message("a"), message("b")];
  outbox.attach(wire());
  outbox.send(first);
  outbox.send(second);
  outbox.detach(lost);
  const next = wire();
  outbox.attach(next);
  expect(next.sent).toEqual(["a"]);
  outbox.detach(lost);
  expect(first.settle).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: "CLIENT_DISCONNECTED" }));
  expect(second.settle).not.toHaveBeenCalled();
  const third = wire();
  outbox.attach(third);
  expect(third.sent).toEqual(["b"]);
});

test("an acknowledgement that comes from a connection before is nothing to this one", () => {
  const outbox = new Outbox();
  const first = message("a");
  const [before, now] = [wire(), wire()];
  outbox.attach(before);
  outbox.send(first);
  outbox.detach(lost);
  outbox.attach(now);
  before.acknowledge("a");
  expect(first.settle).not.toHaveBeenCalled();
  now.acknowledge("a");
  expect(first.settle).toHaveBeenCalledExactlyOnceWith(undefined);
});

test.for([
  ["is still in the process when its time is over", true, true, 1],
  ["is still in the process when nobody needs it any more", true, false, 0],
  ["has left the process when its time is over", false, true, 0],
] as const)("a message is given up that %s", ([, hasUnsent, isLate, cuts]) => {
  const outbox = new Outbox();
  const connection = wire(65_535, hasUnsent);
  const first = message("a");
  outbox.attach(connection);
  outbox.send(first);
  outbox.withdraw(first, isLate);
  expect(connection.cut).toHaveBeenCalledTimes(cuts);
});

test("a connection is cut when more than half of what may be in flight was not acknowledged in time", () => {
  const outbox = new Outbox(4);
  const connection = wire();
  const messages = ["a", "b", "c"].map(message);
  outbox.attach(connection);
  for (const each of messages) outbox.send(each);
  for (const each of messages.slice(0, 2)) outbox.withdraw(each, true);
  // Late, but acknowledged.
  connection.acknowledge("a");
  expect(connection.cut).not.toHaveBeenCalled();
  for (const each of messages.slice(2)) outbox.withdraw(each, true);
  expect(connection.cut).not.toHaveBeenCalled();
  const last = message("d");
  outbox.send(last);
  outbox.withdraw(last, true);
  expect(connection.cut).toHaveBeenCalledOnce();
});
